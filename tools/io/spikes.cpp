#include "spikes.hpp"

#include <limits>
#include <utility>

#include "hdf5_reader.hpp"
#include "input_file.hpp"
#include "npy.hpp"
#include "numbers.hpp"
#include "refused.hpp"

namespace tool {

namespace {

template <class T>
const char* wrong_with(T value) {
  if (value < T(0)) return "a negative count";
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(value)) return "a count that is not finite";
    if (value != std::trunc(value)) return "a count that is not whole";
  }
  return "a count that is too large";
}

template <class T>
std::vector<std::int32_t> as_counts(std::vector<T>&& values, const SpikeCounts& spikes, const std::string& where) {
  std::vector<std::int32_t> counts;
  if constexpr (!std::is_same_v<T, std::int32_t>) counts.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto count = exactly<std::int32_t>(values[i]);
    if (!count || *count < 0) {
      throw Refused(wrong_with(values[i]),
                    where + " has " + text(values[i]) + " at " + count_place(spikes, i) + " (from 0)",
                    "counts are whole numbers from 0 to " + std::to_string(std::numeric_limits<std::int32_t>::max()));
    }
    if constexpr (!std::is_same_v<T, std::int32_t>) counts.push_back(*count);
  }
  if constexpr (std::is_same_v<T, std::int32_t>) counts = std::move(values);
  return counts;
}

/// The dataset that is read where nobody named one: they may not know that they could.
NumberArray read_default(const std::filesystem::path& path, const std::string& dataset) {
  try {
    return read_dataset(path, dataset);
  } catch (const Refused&) {
    std::vector<std::string> names;
    for (const DatasetInfo& info : list_datasets(path)) {
      if (info.name == dataset) throw;
      names.push_back(info.name);
    }
    if (names.empty()) throw;
    throw Refused("no dataset " + dataset, path.string(), "--key with one of those there: " + listed(names, 20));
  }
}

}  // namespace

SpikeCounts read_spikes(const std::filesystem::path& path, const std::optional<std::string>& key,
                        std::optional<std::size_t> neurons) {
  const auto [is_npy, is_hdf5] = [&] {
    const InputFile file(path);
    return std::pair(file.is_npy(), file.is_hdf5());
  }();
  if (!is_npy && !is_hdf5) {
    throw Refused("neither an HDF5 nor a .npy file", path.string(), "spike counts are read from these two");
  }
  if (is_npy && key) {
    throw Refused("a .npy file has no dataset " + one_line(*key), path.string(), "no key, or an HDF5 file is needed");
  }
  const std::string dataset = key.value_or("spikes");
  const std::string where = is_npy ? path.string() : dataset_text(path, dataset);
  NumberArray array = is_npy ? read_npy(path) : key ? read_dataset(path, dataset) : read_default(path, dataset);

  const Shape& shape = array.shape;
  if (shape.size() != 2 && shape.size() != 3) {
    throw Refused("an array of shape " + text(shape), where,
                  "spike counts are [trials, bins, neurons] or [bins, neurons]");
  }
  SpikeCounts spikes;
  spikes.one_recording = shape.size() == 2;
  spikes.trials = spikes.one_recording ? 1 : shape[0];
  spikes.bins = shape[shape.size() - 2];
  spikes.neurons = shape[shape.size() - 1];
  if (neurons && *neurons != spikes.neurons) {
    throw Refused("counts of " + counted(spikes.neurons, "neuron") + " (shape " + text(shape) + ")", where,
                  "counts of " + counted(*neurons, "neuron") + " are needed for this model");
  }
  spikes.counts = std::visit([&](auto& values) { return as_counts(std::move(values), spikes, where); }, array.values);
  return spikes;
}

std::string count_place(const SpikeCounts& spikes, std::size_t flat) {
  const std::size_t bin = flat / spikes.neurons;
  return (spikes.one_recording ? "" : "trial " + std::to_string(bin / spikes.bins) + ", ") + "bin " +
         std::to_string(bin % spikes.bins) + ", neuron " + std::to_string(flat % spikes.neurons);
}

}  // namespace tool
