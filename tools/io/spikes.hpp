// tools/io/spikes.hpp: recorded spike counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tool {

/// [trials, bins, neurons] in C order. int32, because a count above the model's max_spikes is to be clipped and counted
/// by the caller, so it must come through as it is; more than that is not a count of spikes in a bin.
struct SpikeCounts {
  std::size_t trials = 0, bins = 0, neurons = 0;
  bool one_recording = false;  ///< the file has [bins, neurons]; trials is 1
  std::vector<std::int32_t> counts;
};

/// From the dataset `key` (`spikes` if none is given) of an HDF5 file or from a .npy file, whichever the content says
/// it is, of any integer or float type. Refused: a key for a .npy file, which has none; what is not a whole number from
/// 0 to 2^31 - 1 (trial, bin and neuron are named, from 0), another rank than 2 or 3, and, where `neurons` is given,
/// another number of neurons.
SpikeCounts read_spikes(const std::filesystem::path& path, const std::optional<std::string>& key = {},
                        std::optional<std::size_t> neurons = {});

/// "trial 3, bin 5, neuron 7", from 0; without the trial where there is one recording.
std::string count_place(const SpikeCounts& spikes, std::size_t flat);

}  // namespace tool
