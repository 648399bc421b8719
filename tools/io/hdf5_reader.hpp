// tools/io/hdf5_reader.hpp: datasets of HDF5 files. Whatever the file, the caller gets an answer or Refused: libhdf5
// runs in a child process with limits (isolated.hpp), and is believed nothing that was not checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "isolated.hpp"
#include "numbers.hpp"

namespace tool {

struct DatasetInfo {
  std::string name;  ///< with its groups: "grad/decoder.0.bias"
  Shape shape;       ///< {0} for a dataset without values
  std::string type;  ///< "uint8", "float32", "compound" ...; "unreadable" for what this libhdf5 cannot open
};

/// All datasets, sorted by name; of links only hard ones are followed.
std::vector<DatasetInfo> list_datasets(const std::filesystem::path& path, const std::optional<Limits>& limits = {});

/// Bytes in memory that are believed of a dataset of this file, whatever shape it claims.
std::size_t most_believed(const std::filesystem::path& path);

/// The dataset `key`, of any integer or float type (truth values count as integers), in the type that holds it all.
/// Rows of integers of different lengths come as a rectangle, filled up with -1. `limits`: other than those by the
/// size of the file.
NumberArray read_dataset(const std::filesystem::path& path, const std::string& key,
                         const std::optional<Limits>& limits = {});

/// The same as one type. Refused where a value would become another one (exactly() in numbers.hpp): an integer that
/// a float does not hold, a fraction as integer, a double beyond the range of float.
Array<float> read_float(const std::filesystem::path& path, const std::string& key);
Array<double> read_double(const std::filesystem::path& path, const std::string& key);
Array<std::int64_t> read_integers(const std::filesystem::path& path, const std::string& key);

/// "dataset KEY of PATH", for messages.
std::string dataset_text(const std::filesystem::path& path, const std::string& key);

}  // namespace tool
