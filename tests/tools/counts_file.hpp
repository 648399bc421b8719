// A file of spike counts for the tool.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "../../tools/io/hdf5_writer.hpp"

namespace support {

/// Counts [trials, bins, neurons] of 0 to 3, as an HDF5 dataset.
inline void write_counts(const std::filesystem::path& path, std::vector<std::size_t> shape,
                         const std::string& key = "spikes") {
  std::size_t count = 1;
  for (const std::size_t n : shape) count *= n;
  std::vector<std::uint8_t> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<std::uint8_t>((i * 7 + i / 5) % 4);
  tool::write_hdf5(path, {{key, shape, std::span<const std::uint8_t>(values)}});
}

}  // namespace support
