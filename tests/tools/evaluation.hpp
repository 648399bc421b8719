// A model, data for it, and what it predicts for them by way of `ndt infer`.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include <ndt/metrics/rows.hpp>

#include "../../tools/io/hdf5_reader.hpp"
#include "../../tools/io/hdf5_writer.hpp"
#include "../support/catch.hpp"
#include "desk.hpp"

namespace support {

/// Sizes of weights/tiny.safetensors, causal, log rates.
inline constexpr std::size_t tiny_bins = 20, tiny_neurons = 4;
inline std::string tiny_model() { return std::string(NDT_SOURCE_DIR) + "/weights/tiny.safetensors"; }

template <class T>
struct Values {
  tool::Shape shape;
  std::vector<T> values;

  ndt::metrics::Trials<T> view() const {
    if (shape.size() == 2) return {values.data(), shape[0], shape[1]};
    return {values.data(), shape.at(0), shape.at(1), shape.at(2)};
  }
  /// Bins and neurons from, and how many, of [trials, bins, neurons].
  Values part(std::size_t bin, std::size_t bins, std::size_t neuron, std::size_t neurons) const {
    const auto from = view().bin_range(bin, bins).column_range(neuron, neurons);
    Values part{{shape[0], bins, neurons}, {}};
    for (std::size_t row = 0; row < from.size(); ++row) {
      part.values.insert(part.values.end(), from[row], from[row] + neurons);
    }
    return part;
  }
};
using Counts = Values<std::uint8_t>;
using Floats = Values<float>;

/// Counts from 0 to 3 in no order, another one for each seed.
inline Counts some_counts(std::size_t trials, std::size_t bins, std::size_t neurons, std::size_t seed) {
  Counts counts{{trials, bins, neurons}, {}};
  std::uint64_t state = seed * 2654435761u + 1;
  for (std::size_t i = 0; i < trials * bins * neurons; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    counts.values.push_back(static_cast<std::uint8_t>((state >> 61) * (state >> 61) / 16));
  }
  return counts;
}

/// Floats in [low, low + 1) in no order.
inline Floats some_floats(tool::Shape shape, std::size_t seed, float low = 0) {
  Floats floats{shape, {}};
  std::uint64_t state = seed * 2654435761u + 1;
  for (std::size_t i = 0; i < tool::element_count(shape).value(); ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    floats.values.push_back(low + static_cast<float>(state >> 40) * 0x1p-24f);
  }
  return floats;
}

/// An HDF5 file in the making.
struct DataFile {
  std::map<std::string, Counts> counts;
  std::map<std::string, Floats> floats;
  std::map<std::string, Values<std::int32_t>> integers;

  void write(const std::filesystem::path& path) const {
    std::vector<tool::OutputDataset> datasets;
    for (const auto& [name, d] : counts) datasets.push_back({name, d.shape, std::span<const std::uint8_t>(d.values)});
    for (const auto& [name, d] : floats) datasets.push_back({name, d.shape, std::span<const float>(d.values)});
    for (const auto& [name, d] : integers) datasets.push_back({name, d.shape, std::span<const std::int32_t>(d.values)});
    tool::write_hdf5(path, datasets);
  }
};

/// What `ndt infer` makes of these counts: the dataset `key`, rates or log_rates.
inline Floats inferred(const Desk& desk, const std::string& model, const Counts& counts, const std::string& key) {
  DataFile file;
  file.counts["spikes"] = counts;
  file.write(desk / "infer-in.h5");
  REQUIRE(desk.ndt("infer " + model + " infer-in.h5 infer-out.h5").status == 0);
  const auto array = tool::read_float(desk / "infer-out.h5", key);
  return {array.shape, array.values};
}

/// The answer of `ndt evaluate`. To be kept in something that is not const: [] of a missing name is then null.
inline nlohmann::json evaluated(const Desk& desk, const std::string& arguments) {
  const Ran ran = desk.ndt("evaluate " + arguments + " --json");
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  CHECK(ran.err.empty());
  return nlohmann::json::parse(ran.out);
}

}  // namespace support
