// tools/io/hdf5_writer.hpp: arrays and attributes into a HDF5 file, whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "numbers.hpp"

namespace tool {

using Attributes = std::map<std::string, std::variant<std::string, double, std::int64_t>>;

/// Borrowed values in C order, kept in the file as what they are. `name` may have groups in it, which are made.
struct OutputDataset {
  std::string name;
  Shape shape;  ///< {} is one number
  std::variant<std::span<const float>, std::span<const double>, std::span<const std::uint8_t>,
               std::span<const std::int32_t>, std::span<const std::int64_t>>
      values;
  Attributes attributes = {};
};

struct Hdf5Options {
  int gzip = 0;  ///< 0: not compressed, and in one piece; 1 to 9: in chunks of up to a megabyte
};

/// Writes `path` with these datasets and the file's own `attributes`. Equal arguments give equal bytes. Refused where
/// the path or the disk does not allow it, with nothing left behind and a file that was there before unchanged.
void write_hdf5(const std::filesystem::path& path, const std::vector<OutputDataset>& datasets,
                const Attributes& attributes = {}, const Hdf5Options& options = {});

}  // namespace tool
