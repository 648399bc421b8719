// ndt/data/chaotic_rnn.hpp: spikes of a chaotic recurrent network, the recipe of LFADS (Sussillo et al. 2016, section
// 4.1) and of the paper's data set, without input.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ndt/config.hpp"
#include "ndt/data/portable_math.hpp"
#include "ndt/data/random_numbers.hpp"
#include "ndt/data/simulation.hpp"

namespace ndt::inline NDT_TARGET::data {

/// The defaults are those of the paper's data set: 1040 trials for training and 260 for validation, 100 x 50 each.
struct ChaoticRnnOptions {
  std::size_t conditions = 130;  ///< initial states
  std::size_t repeats = 10;      ///< trials of each, which share the initial state and so the rates
  std::size_t bins = 100;
  std::size_t neurons = 50;
  double bin_width = 0.01;  ///< seconds; also the step of the network
  double max_rate = 30.0;   ///< spikes per second where a unit of a trial is at its highest
  double gain = 1.5;        ///< g; above 1 the network is chaotic
  double tau = 0.025;       ///< seconds
  std::uint64_t seed = 0;
};

/// x <- (1 - dt/tau) x + (dt/tau) g W tanh(x), with W ~ N(0, 1/N).
class ChaoticRnn {
 public:
  explicit ChaoticRnn(const ChaoticRnnOptions& options)
      : keep_(1.0 - options.bin_width / options.tau), weights_(options.neurons * options.neurons) {
    const double scale = options.bin_width / options.tau * options.gain / sqrt(static_cast<double>(options.neurons));
    for (std::size_t row = 0; row < options.neurons; ++row) {
      RandomStream random = drawn(options.seed, Drawn::weights, row);
      for (std::size_t i = 0; i < options.neurons; ++i)
        weights_[row * options.neurons + i] = times(scale, normal(random));
    }
  }

  /// `x`: the state of all units. `r`: tanh(x) before and after.
  void step(std::vector<double>& x, std::vector<double>& r) const noexcept {
    const std::size_t N = x.size();
    for (std::size_t row = 0; row < N; ++row) {
      double input = 0;
      for (std::size_t i = 0; i < N; ++i) input += times(weights_[row * N + i], r[i]);
      x[row] = times(keep_, x[row]) + input;
    }
    for (std::size_t i = 0; i < N; ++i) r[i] = tanh(x[i]);
  }

 private:
  double keep_;
  std::vector<double> weights_;  // [N, N], with dt/tau and g
};

/// (T, N) -> each column from 0 at its lowest to 1 at its highest. One that never changes becomes 0.
inline void normalise_columns(std::vector<double>& values, std::size_t T, std::size_t N) {
  for (std::size_t n = 0; n < N; ++n) {
    double low = values[n], high = values[n];
    for (std::size_t t = 0; t < T; ++t) {
      low = std::min(low, values[t * N + n]);
      high = std::max(high, values[t * N + n]);
    }
    const double range = high - low;
    for (std::size_t t = 0; t < T; ++t) {
      double& value = values[t * N + n];
      value = range > 0 ? (value - low) / range : 0.0;
    }
  }
}

/// Throws std::invalid_argument where an option makes no sense.
inline Simulation simulate_chaotic_rnn(const ChaoticRnnOptions& options = {}) {
  const Trials trials{options.conditions, options.repeats};
  const std::size_t T = options.bins, N = options.neurons;
  require_sizes(trials, T, N);
  require_option(N <= 4096, "more than 4096 neurons: every one is connected with every other");
  require_option(options.bin_width > 0 && options.bin_width <= options.tau && options.tau <= 1e3,
                 "a bin width that is not positive or above tau");
  require_option(options.max_rate > 0 && options.max_rate <= 1e4, "a highest rate outside 0 to 10000 spikes/s");
  require_option(options.gain >= 0 && options.gain <= 100, "a gain outside 0 to 100");

  Simulation result;
  // The file's truth is the normalised rate.
  const double counts_at_one = options.max_rate * options.bin_width;
  result.conversion_factor = 1.0 / counts_at_one;
  Dataset& data = result.data;
  data.bins = T, data.neurons = N, data.conditions = options.conditions, data.bin_width = options.bin_width;
  const ChaoticRnn network(options);
  std::vector<double> x(N), r(N), rates(T * N);
  for (std::size_t condition = 0; condition < options.conditions; ++condition) {
    RandomStream random = drawn(options.seed, Drawn::initial_state, condition);
    for (std::size_t i = 0; i < N; ++i) {
      x[i] = normal(random);
      r[i] = tanh(x[i]);
    }
    for (std::size_t t = 0; t < T; ++t) {  // the initial state itself is no bin
      network.step(x, r);
      std::copy(r.begin(), r.end(), rates.begin() + static_cast<std::ptrdiff_t>(t * N));
    }
    normalise_columns(rates, T, N);
    for (double& rate : rates) rate = times(rate, counts_at_one);
    for (std::size_t repeat = 0; repeat < options.repeats; ++repeat) {
      add_trial(data, trials, condition * options.repeats + repeat, rates, options.seed);
    }
  }
  return result;
}

}  // namespace ndt::inline NDT_TARGET::data
