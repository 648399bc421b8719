#include "dataset_files.hpp"

#include <utility>

#include "refused.hpp"

namespace tool {

void Found::refuse(const std::string& what, const std::string& right) const { throw Refused(what, where(), right); }

void Found::require_rank(std::size_t rank, const char* axes) const {
  if (shape().size() != rank) refuse("an array of shape " + text(shape()), axes);
  for (const std::size_t size : shape()) {
    if (size == 0) refuse("an array without values, of shape " + text(shape()), axes);
  }
}

void Found::require_equal(std::size_t axis, const Found& other, std::size_t other_axis, const char* what) const {
  if (shape()[axis] == other.shape()[other_axis]) return;
  refuse("shape " + text(shape()) + " does not fit shape " + text(other.shape()) + " of " + one_line(other.info.name),
         std::string("both must have the same number of ") + what);
}

DatasetFiles::DatasetFiles(const std::filesystem::path& path, const DatasetOptions& options) : path_(path) {
  add(path, options.group);
  if (!options.target.empty()) add(options.target, options.target_group);
}

const Found* DatasetFiles::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

const Found* DatasetFiles::find_any(const Names& names) const {
  for (const std::string& name : names) {
    if (const Found* found = find(name)) return found;
  }
  return nullptr;
}

const Found& DatasetFiles::need(const std::string& name) const {
  if (const Found* found = find(name)) return *found;
  throw Refused("no dataset " + name, path_.string(), those_there());
}

std::string DatasetFiles::those_there() const {
  if (by_name_.empty()) return "there is no dataset in it";
  constexpr std::size_t shown = 12;
  std::string list = "there is";
  std::size_t i = 0;
  for (const auto& [name, found] : by_name_) {
    if (i++ == shown) return list + " and " + std::to_string(by_name_.size() - shown) + " more";
    list += (i > 1 ? ", " : " ") + one_line(name);
  }
  return list;
}

void DatasetFiles::add(const std::filesystem::path& path, const std::string& group) {
  const std::string prefix = group.empty() ? "" : group + "/";
  bool any = false;
  for (DatasetInfo& info : list_datasets(path)) {
    if (info.name.compare(0, prefix.size(), prefix) != 0) continue;
    any = true;
    const std::string name = info.name.substr(prefix.size());
    by_name_.insert({name, Found{path, std::move(info)}});  // what the first file has stays
  }
  if (!any && !group.empty()) {
    throw Refused("no datasets in the group " + one_line(group), path.string(), "a group of the file is needed");
  }
}

std::string place_text(const Shape& shape, std::size_t flat) {
  return "trial " + std::to_string(flat / shape[2] / shape[1]) + ", bin " + std::to_string(flat / shape[2] % shape[1]) +
         ", neuron " + std::to_string(flat % shape[2]) + " (from 0)";
}

}  // namespace tool
