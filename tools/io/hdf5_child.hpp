// tools/io/hdf5_child.hpp: the half of the HDF5 reader that runs libhdf5, in the child, and what the halves say to each
// other. Both are one program, so numbers travel as they lie in memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "isolated.hpp"

namespace tool::hdf5 {

namespace tag {
constexpr char gave_up = 'G';   ///< "what\0right"
constexpr char listed = 'L';    ///< Head, then "name\0type": one dataset
constexpr char head = 'H';      ///< Head: the values of one dataset follow
constexpr char values = 'V';    ///< some of them
constexpr char complete = 'E';  ///< nothing more comes
}  // namespace tag

constexpr std::size_t max_rank = 32;       // libhdf5's own limit
constexpr std::size_t max_listed = 10000;  // datasets
constexpr std::size_t max_text = 4096;     // bytes of a name, or of a message
constexpr std::size_t values_per_frame = std::size_t{1} << 19;

/// `kind` is the index of the type in Numbers.
struct Head {
  std::uint64_t kind = 0;
  std::uint64_t rank = 0;
  std::array<std::uint64_t, max_rank> size{};
};

/// How long and how large reading may become: by the file's size at first, and once its shape is known by that.
/// An endless loop is caught by processor time, which a slow disk does not use up; the wall clock is for what blocks.
inline Limits reading_limits(std::uint64_t file_bytes) {
  return {.memory = (std::uint64_t{2} << 30) + 64 * file_bytes,
          .processor_seconds = 5 + static_cast<double>(file_bytes) / 50e6,
          .wall_seconds = 30 + static_cast<double>(file_bytes) / 5e6};
}
inline Limits further_limits(std::uint64_t value_bytes) {
  return {.memory = 2 * value_bytes,
          .processor_seconds = static_cast<double>(value_bytes) / 20e6,
          .wall_seconds = static_cast<double>(value_bytes) / 10e6};
}

/// Sends the datasets of `path`: all, with shape and type.
void child_lists(Sender& to, const std::string& path);
/// Sends the dataset `key` of `path`, which may have up to `most_bytes` bytes in memory.
void child_reads(Sender& to, const std::string& path, const std::string& key, std::size_t most_bytes);

}  // namespace tool::hdf5
