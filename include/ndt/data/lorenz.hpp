// ndt/data/lorenz.hpp: spikes of neurons that see a Lorenz attractor, after LFADS (Pandarinath et al. 2018).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ndt/config.hpp"
#include "ndt/data/portable_math.hpp"
#include "ndt/data/random_numbers.hpp"
#include "ndt/data/simulation.hpp"

namespace ndt::inline NDT_TARGET::data {

/// The defaults are those of the paper's data set: 1248 trials for training and 312 for validation, 50 x 29 each.
struct LorenzOptions {
  std::size_t conditions = 65;  ///< initial states
  std::size_t repeats = 24;     ///< trials of each
  std::size_t bins = 50;
  std::size_t neurons = 29;
  double bin_width = 0.02;  ///< seconds
  /// Spikes per second, over all trials, bins and neurons. LFADS fixes the rate at the attractor's centre to 5 instead,
  /// which is a mean of about 8.2: then the true rates score a Poisson NLL of 0.377, next to the published 0.378.
  double mean_rate = 6.25;
  /// Weights are drawn from +-[scale, 2 scale], by LFADS with scale 1. LFADS also normalises each trajectory by itself,
  /// which now and then makes a neuron burst; here states are normalised over all conditions together.
  double weight_scale = 1.0;
  /// The system's own time in a second of a trial. With 1.5 a trial holds two turns of the attractor; the example of
  /// LFADS has 6, eight turns, which takes a model several times as many steps to learn.
  double speed = 1.5;
  std::uint64_t seed = 0;
};

using LorenzState = std::array<double, 3>;

/// dx/dt = sigma (y - x), dy/dt = x (rho - z) - y, dz/dt = x y - beta z, with sigma 10, rho 28, beta 8/3.
inline LorenzState lorenz_derivative(const LorenzState& s) noexcept {
  constexpr double sigma = 10.0, rho = 28.0, beta = 8.0 / 3.0;
  const auto [x, y, z] = s;
  return {sigma * (y - x), times(x, rho - z) - y, times(x, y) - times(beta, z)};
}

/// One step of Euler's method, as LFADS has it.
inline LorenzState lorenz_step(const LorenzState& s, double dt) noexcept {
  const LorenzState d = lorenz_derivative(s);
  return {s[0] + times(dt, d[0]), s[1] + times(dt, d[1]), s[2] + times(dt, d[2])};
}

namespace lorenz_detail {

constexpr int burn_in_steps = 500;
constexpr double burn_in_step = 0.006;  // in the system's own time

/// The states of all conditions, [conditions, steps], each coordinate with mean 0 and maximum 1 over all of them.
inline std::vector<LorenzState> trajectories(const LorenzOptions& options, std::size_t steps, double dt) {
  std::vector<LorenzState> states;
  states.reserve(options.conditions * steps);
  for (std::size_t condition = 0; condition < options.conditions; ++condition) {
    RandomStream random = drawn(options.seed, Drawn::initial_state, condition);
    const double x = normal(random), y = normal(random), z = normal(random);
    LorenzState state = {x, y, z + 25.0};
    for (int step = 0; step < burn_in_steps; ++step) state = lorenz_step(state, burn_in_step);
    for (std::size_t step = 0; step < steps; ++step) {
      states.push_back(state);
      state = lorenz_step(state, dt);
    }
  }
  for (std::size_t i = 0; i < 3; ++i) {
    double sum = 0;
    for (const LorenzState& state : states) sum += state[i];
    const double mean = sum / static_cast<double>(states.size());
    double largest = 0;
    for (LorenzState& state : states) {
      state[i] -= mean;
      largest = std::max(largest, state[i]);
    }
    if (largest > 0) {  // a single state has no extent
      for (LorenzState& state : states) state[i] /= largest;
    }
  }
  return states;
}

}  // namespace lorenz_detail

/// Throws std::invalid_argument where an option makes no sense.
inline Simulation simulate_lorenz(const LorenzOptions& options = {}) {
  const Trials trials{options.conditions, options.repeats};
  const std::size_t T = options.bins, N = options.neurons;
  require_sizes(trials, T, N);
  require_option(options.bin_width >= 0.001 && options.bin_width <= 1.0, "a bin width outside 0.001 to 1 s");
  require_option(options.mean_rate > 0.0 && options.mean_rate <= 1e4, "a mean rate outside 0 to 10000 spikes/s");
  require_option(options.speed > 0.0 && options.speed <= 20.0, "a speed outside 0 to 20");
  require_option(options.weight_scale >= 0.0 && options.weight_scale <= 10.0, "a weight scale outside 0 to 10");

  // Steps of about a millisecond, a whole number of them in a bin; a bin's rate is the mean over its steps.
  const auto steps = static_cast<std::size_t>(options.bin_width / 0.001 + 0.5);
  const double dt = options.bin_width * options.speed / static_cast<double>(steps);
  const std::vector<LorenzState> states = lorenz_detail::trajectories(options, T * steps, dt);

  std::vector<double> rates(options.conditions * T * N);  // relative to one base rate for all
  for (std::size_t n = 0; n < N; ++n) {
    RandomStream random = drawn(options.seed, Drawn::weights, n);
    LorenzState weight;
    for (double& w : weight) {
      const double size = times(options.weight_scale, 1.0 + random.uniform());
      w = size * sign(random);
    }
    for (std::size_t bin = 0; bin < options.conditions * T; ++bin) {
      double sum = 0;
      for (std::size_t step = bin * steps; step < (bin + 1) * steps; ++step) {
        const LorenzState& s = states[step];
        sum += exp(times(weight[0], s[0]) + times(weight[1], s[1]) + times(weight[2], s[2]));
      }
      rates[bin * N + n] = sum / static_cast<double>(steps);
    }
  }
  double sum = 0;
  for (const double rate : rates) sum += rate;
  const double base = options.mean_rate * options.bin_width / (sum / static_cast<double>(rates.size()));
  for (double& rate : rates) rate = times(rate, base);

  Simulation result;
  result.conversion_factor = 1.0 / options.bin_width;  // the file's truth is in spikes per second
  Dataset& data = result.data;
  data.bins = T, data.neurons = N, data.conditions = options.conditions, data.bin_width = options.bin_width;
  for (std::size_t trial = 0; trial < trials.count(); ++trial) {
    const auto first = rates.begin() + static_cast<std::ptrdiff_t>(trials.condition(trial) * T * N);
    add_trial(data, trials, trial, {first, first + static_cast<std::ptrdiff_t>(T * N)}, options.seed);
  }
  return result;
}

}  // namespace ndt::inline NDT_TARGET::data
