// Random models to be streamed, and what each policy promises to equal.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <ndt/autograd/parameters.hpp>
#include <ndt/ndt.hpp>
#include <ndt/train/network.hpp>

#include "noise.hpp"
#include "run.hpp"
#include "training.hpp"

namespace support {

/// A model with random weights, which owns them.
template <class V>
struct RandomModel {
  using T = typename V::value_type;
  ndt::Parameters<T> parameters;
  ndt::DynamicTransformer<V> model;

  explicit RandomModel(const ndt::ModelConfig& config, std::uint64_t seed = 1)
      : parameters(ndt::train::parameters_of<T>(config)) {
    fill_parameters(parameters, seed);
    bound_ = model.bind({config}, parameters.packed()).ok();
  }
  RandomModel(const RandomModel&) = delete;
  RandomModel& operator=(const RandomModel&) = delete;
  bool bound() const { return bound_; }

 private:
  bool bound_ = false;
};

/// Counts of 0 to max_spikes, mostly small.
inline std::vector<int> random_counts(const ndt::ModelConfig& config, std::size_t bins, std::uint64_t seed) {
  Random random(seed);
  std::vector<int> counts(bins * config.neurons);
  for (int& c : counts) c = static_cast<int>(std::min(random.below(config.max_spikes + 1), random.below(4)));
  return counts;
}

/// One row of results: log rates and hidden states of a bin.
template <class T>
struct BinResult {
  std::vector<T> log_rates, hidden;
};
template <class T>
BinResult<T> row_of(const Recorded<T>& recorded, const ndt::ModelConfig& config, std::size_t bin) {
  const auto row = [bin](const std::vector<T>& all, std::size_t size) {
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(bin * size);
    return std::vector<T>(first, first + static_cast<std::ptrdiff_t>(size));
  };
  return {row(recorded.log_rates, config.neurons), row(recorded.hidden, config.width())};
}

/// What the output for `bin` of a trial must equal, by whole windows.
template <class Model>
auto promised(const Model& model, const ndt::StreamConfig& stream, const std::vector<int>& trial, std::size_t bin) {
  const ndt::ModelConfig& config = model.config();
  const std::size_t N = config.neurons, bins = trial.size() / N;
  std::size_t first = 0, last = bins;
  if (stream.policy != ndt::StreamPolicy::delayed) last = bin + 1;
  if (stream.policy == ndt::StreamPolicy::windowed && last > stream.window_of(config)) {
    first = last - stream.window_of(config);
  }
  const auto at = [&](std::size_t t) { return trial.begin() + static_cast<std::ptrdiff_t>(t * N); };
  return row_of(run(model, std::vector<int>(at(first), at(last)), 1, last - first), config, bin - first);
}

/// A decoder of data, with its state.
template <class V>
struct Stream {
  using T = typename V::value_type;
  std::vector<T> state;
  ndt::DynamicDecoder<V> decoder;
  ndt::Status status;

  Stream(const ndt::DynamicTransformer<V>& model, const ndt::StreamConfig& config,
         const ndt::ReadoutConfig& readout = {}, std::span<const T> packed_readout = {})
      : state(decoder.state_size(model, {config, readout}), std::numeric_limits<T>::quiet_NaN()),
        status(decoder.bind(model, {config, readout}, state, packed_readout)) {}
};

template <class T>
BinResult<T> result_of(const ndt::StreamOutput<T>& out, const ndt::ModelConfig& config) {
  return {{out.log_rates, out.log_rates + config.neurons}, {out.hidden, out.hidden + config.width()}};
}

}  // namespace support
