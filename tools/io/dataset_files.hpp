// tools/io/dataset_files.hpp: finding the datasets of one recording, in one file or two.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "dataset.hpp"
#include "hdf5_reader.hpp"

namespace tool {

using Names = std::vector<std::string>;

/// One dataset of one of the files.
struct Found {
  std::filesystem::path path;
  DatasetInfo info;
  bool of_target = false;    ///< from the target file
  std::size_t believed = 0;  ///< most_believed() of its file

  const Shape& shape() const { return info.shape; }
  std::string where() const { return dataset_text(path, info.name); }
  [[noreturn]] void refuse(const std::string& what, const std::string& right) const;
  /// Refused unless there are `rank` axes, none of them empty; `axes` is what would be right.
  void require_rank(std::size_t rank, const char* axes) const;
  /// Refused where reading would be, for a shape that the file cannot have the values of: before room is made for them.
  void require_believable() const;
  /// What was read, which must still have the shape that was listed: others may write to the file meanwhile.
  template <class Read>
  Read as_listed(Read array) const {
    if (array.shape != shape()) refuse_changed(array.shape);
    return array;
  }
  [[noreturn]] void refuse_changed(const Shape& now) const;
  /// Refused unless axis `axis` is as long as axis `other_axis` of `other`; `what` is what they count.
  void require_equal(std::size_t axis, const Found& other, std::size_t other_axis, const char* what) const;
};

/// The datasets of the file, by their names within its group, and behind them those of the target file.
class DatasetFiles {
 public:
  DatasetFiles(const std::filesystem::path& path, const DatasetOptions& options);

  /// Null if it is not there.
  const Found* find(const std::string& name) const;
  /// The first of these that is there.
  const Found* find_any(const Names& names) const;
  /// Refused, with a list of those there, if it is not.
  const Found& need(const std::string& name) const;
  /// For messages.
  std::string those_there() const;
  const std::filesystem::path& path() const { return path_; }
  /// Refused where an array of this shape needs more memory than is believed of anything that the files hold.
  void require_room(const char* what, const Shape& shape, std::size_t element_bytes) const;
  /// When all has been looked for: refused if there is a target file and nothing was found in it.
  void require_target_used() const;

 private:
  /// The names of those in the file's group.
  Names add(const std::filesystem::path& path, const std::string& group, bool is_target);

  std::filesystem::path path_, target_;
  Names of_target_;
  std::size_t believed_ = 0;
  std::map<std::string, Found> by_name_;
  mutable bool target_used_ = false;  ///< whether something was found in it
};

/// "trial 1, bin 2, neuron 3 (from 0)" of element `flat` of an array [trials, bins, neurons], for messages.
std::string place_text(const Shape& shape, std::size_t flat, const char* last_axis = "neuron");

}  // namespace tool
