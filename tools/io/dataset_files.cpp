#include "dataset_files.hpp"

#include <optional>
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

void Found::require_believable() const {
  // Whatever the type on disk, a value is read as no less than this.
  constexpr std::size_t least_bytes = 4;
  const std::optional<std::size_t> count = element_count(shape());
  if (count && *count <= believed / least_bytes) return;
  const UnbelievableShape unbelievable(shape(), believed);
  refuse(unbelievable.what, unbelievable.right);
}

void Found::refuse_changed(const Shape& now) const {
  refuse("shape " + text(now) + " where the file just had " + text(shape()), "a file that nobody changes meanwhile");
}

void Found::require_equal(std::size_t axis, const Found& other, std::size_t other_axis, const char* what) const {
  if (shape()[axis] == other.shape()[other_axis]) return;
  refuse("shape " + text(shape()) + " does not fit shape " + text(other.shape()) + " of " + one_line(other.info.name),
         std::string("both must have the same number of ") + what);
}

namespace {

/// What is there, for messages.
std::string list_of(const Names& names) {
  return names.empty() ? "there is no dataset in it" : "there is " + listed(names, 12);
}

}  // namespace

DatasetFiles::DatasetFiles(const std::filesystem::path& path, const DatasetOptions& options)
    : path_(path), target_(options.target) {
  add(path, options.group, false);
  if (!target_.empty()) of_target_ = add(target_, options.target_group, true);
}

const Found* DatasetFiles::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return nullptr;
  target_used_ = target_used_ || found->second.of_target;
  return &found->second;
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
  Names names;
  for (const auto& [name, found] : by_name_) names.push_back(name);
  return list_of(names);
}

void DatasetFiles::require_room(const char* what, const Shape& shape, std::size_t element_bytes) const {
  const std::optional<std::size_t> count = element_count(shape);
  if (count && *count <= believed_ / element_bytes) return;
  const UnbelievableShape unbelievable(shape, believed_);
  throw Refused(what + (" of shape " + text(shape)), path_.string(), unbelievable.right);
}

void DatasetFiles::require_target_used() const {
  if (target_.empty() || target_used_) return;
  throw Refused(
      "the target file adds nothing to " + path_.string(), target_.string(),
      "datasets that are missing there, such as valid_behavior, perhaps in a --target-group: " + list_of(of_target_));
}

Names DatasetFiles::add(const std::filesystem::path& path, const std::string& group, bool is_target) {
  const std::string prefix = group.empty() ? "" : group + "/";
  const std::size_t believed = most_believed(path);
  believed_ += believed;
  Names names;
  for (DatasetInfo& info : list_datasets(path)) {
    if (info.name.compare(0, prefix.size(), prefix) != 0) continue;
    names.push_back(info.name.substr(prefix.size()));
    by_name_.insert(
        {names.back(), Found{path, std::move(info), is_target, believed}});  // what the first file has stays
  }
  if (names.empty() && !group.empty()) {
    throw Refused("no datasets in the group " + one_line(group), path.string(), "a group of the file is needed");
  }
  return names;
}

std::string place_text(const Shape& shape, std::size_t flat, const char* last_axis) {
  return "trial " + std::to_string(flat / shape[2] / shape[1]) + ", bin " + std::to_string(flat / shape[2] % shape[1]) +
         ", " + last_axis + " " + std::to_string(flat % shape[2]) + " (from 0)";
}

}  // namespace tool
