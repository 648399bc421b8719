// ndt/data/reach.hpp: centre-out reaching and a motor cortex that prepares and makes the movements. A toy with what
// evaluation needs: hand velocity, conditions with PSTHs, held-out neurons and forward bins.
//
// The population follows what is found in monkeys: preparation and movement use different dimensions (Elsayed et al.
// 2016), movement is a rotation whose start depends on the reach (Churchland et al. 2012) with a large part that is the
// same for all reaches (Kaufman et al. 2016), and single neurons are tuned to a direction by a cosine (Georgopoulos et
// al. 1982). The hand follows the path of minimum jerk (Flash & Hogan 1985).
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

/// The window is that of NLB's mc_maze: from 250 ms before the hand moves to 450 ms after, and 200 ms of forward bins.
struct ReachOptions {
  std::size_t conditions = 8;  ///< directions, evenly around the circle
  std::size_t repeats = 50;
  std::size_t bins = 35;  ///< observed
  std::size_t forward_bins = 10;
  std::size_t neurons = 60;  ///< all
  std::size_t heldout_neurons = 15;
  double bin_width = 0.02;  ///< seconds
  double mean_rate = 10.0;  ///< spikes per second, over all trials, bins and neurons
  std::uint64_t seed = 0;
};

/// One reach. Times are in seconds from when the hand begins to move.
struct Reach {
  double angle = 0;         ///< radians; scatters around the condition's direction
  double duration = 0.4;    ///< of the movement
  double vigor = 1;         ///< scales the movement's neural activity as it does its speed
  double target_on = -0.5;  ///< when the target appeared; after a delay that the monkey cannot foresee
};

inline constexpr double reach_distance = 100.0;  ///< mm
/// Neurons lead the hand by this many seconds. Behaviour is given for bin t + lead, as NLB does.
inline constexpr double reach_lead = 0.1;
inline constexpr double reach_window_start = -0.25;  ///< seconds before the hand moves

/// The way covered, from 0 to 1, of a movement of minimum jerk at u = time / duration.
inline double minimum_jerk(double u) noexcept {
  const double v = std::clamp(u, 0.0, 1.0), cube = times(times(v, v), v);
  return times(cube, 10.0 + times(v, times(6.0, v) - 15.0));
}
/// Its derivative by u, at most 15/8.
inline double minimum_jerk_speed(double u) noexcept {
  const double v = std::clamp(u, 0.0, 1.0), rest = times(v, 1.0 - v);
  return 30.0 * times(rest, rest);
}

/// Velocity of the hand in mm/s, `t` seconds after it began to move.
inline std::array<double, 2> hand_velocity(const Reach& reach, double t) noexcept {
  const double speed = reach_distance / reach.duration * minimum_jerk_speed(t / reach.duration);
  return {speed * cos(reach.angle), speed * sin(reach.angle)};
}

/// What the population holds at one moment: five pairs that depend on the direction, and one number that does not.
struct ReachLatents {
  enum Plane : std::size_t { preparation, slow_rotation, fast_rotation, velocity, position, planes };
  std::array<std::array<double, 2>, planes> plane{};
  double trigger = 0;  ///< the part that all reaches share
};

/// The latents `t` seconds after the hand began to move.
inline ReachLatents reach_latents(const Reach& reach, double t) noexcept {
  constexpr double prepare_time = 0.06, fall_time = 0.05, rise_time = 0.04, rotation_time = 0.2;  // seconds
  constexpr double slow = 1.5, fast = 2.5;                                                        // Hz
  const double cosine = cos(reach.angle), sine = sin(reach.angle);
  const auto along = [&](double size) { return std::array{times(size, cosine), times(size, sine)}; };
  // The vector of this reach, turned.
  const auto turned = [&](double size, double phase) {
    const double c = cos(phase), s = sin(phase);
    return std::array{times(size, times(cosine, c) - times(sine, s)), times(size, times(sine, c) + times(cosine, s))};
  };

  const double move = t + reach_lead;  // seconds since the cortex began to move
  const double prepared = t > reach.target_on ? 1.0 - exp((reach.target_on - t) / prepare_time) : 0.0;
  const double gone = move > 0 ? exp(-move / fall_time) : 1.0;
  // Rises fast, falls slowly.
  const double moving = move > 0 ? times(reach.vigor, exp(-move / rotation_time) - exp(-move / rise_time)) : 0.0;

  ReachLatents latents;
  latents.plane[ReachLatents::preparation] = along(times(prepared, gone));
  latents.plane[ReachLatents::slow_rotation] = turned(1.5 * moving, times(2.0 * pi * slow, move));
  latents.plane[ReachLatents::fast_rotation] = turned(1.5 * moving, times(2.0 * pi * fast, move));
  const double u = move / reach.duration;
  latents.plane[ReachLatents::velocity] = along(times(reach.vigor, minimum_jerk_speed(u)) / 1.875);
  latents.plane[ReachLatents::position] = along(minimum_jerk(u));
  latents.trigger = moving;
  return latents;
}

/// How one neuron reads the latents: a preferred direction and a depth for each plane.
struct ReachNeuron {
  std::array<std::array<double, 2>, ReachLatents::planes> weight{};
  double trigger = 0;
  double offset = 0;  ///< log of its rate at rest, relative to the others

  static ReachNeuron draw(std::uint64_t seed, std::size_t number) {
    constexpr std::array<double, ReachLatents::planes> depth = {0.6, 0.6, 0.4, 0.8, 0.4};
    RandomStream random = drawn(seed, Drawn::weights, number);
    ReachNeuron neuron;
    for (std::size_t i = 0; i < depth.size(); ++i) {
      const double preferred = times(2.0 * pi, random.uniform());
      const double size = depth[i] * (0.5 + random.uniform());
      neuron.weight[i] = {size * cos(preferred), size * sin(preferred)};
    }
    neuron.trigger = std::clamp(times(0.7, normal(random)), -1.4, 1.4);
    neuron.offset = times(0.3, normal(random));
    return neuron;
  }

  double log_rate(const ReachLatents& latents) const noexcept {
    double sum = offset + times(trigger, latents.trigger);
    for (std::size_t i = 0; i < weight.size(); ++i) {
      sum += times(weight[i][0], latents.plane[i][0]) + times(weight[i][1], latents.plane[i][1]);
    }
    return sum;
  }
};

/// Reach number `trial`.
inline Reach draw_reach(const ReachOptions& options, const Trials& trials, std::size_t trial) {
  RandomStream movement = drawn(options.seed, Drawn::movement, trial),
               timing = drawn(options.seed, Drawn::timing, trial);
  Reach reach;
  const double direction =
      2.0 * pi * static_cast<double>(trials.condition(trial)) / static_cast<double>(options.conditions);
  reach.angle = direction + times(0.1, normal(movement));
  reach.vigor = std::clamp(1.0 + times(0.15, normal(movement)), 0.6, 1.5);
  reach.duration = 0.4 / reach.vigor;
  const double reaction = 0.25 + times(0.1, timing.uniform());
  reach.target_on = -reaction - times(0.5, timing.uniform());
  return reach;
}

/// Behaviour is the velocity of the hand in mm/s, [trials, observed bins, 2]; psth is the mean of the true rates.
/// Throws std::invalid_argument where an option makes no sense.
inline Simulation simulate_reach(const ReachOptions& options = {}) {
  const Trials trials{options.conditions, options.repeats};
  const std::size_t T = options.bins, N = options.neurons;
  require_option(options.forward_bins <= (std::size_t{1} << 24), "more than 2^24 forward bins");
  const std::size_t all_bins = T + options.forward_bins;
  require_sizes(trials, T, N);
  require_sizes(trials, all_bins, N);
  require_option(options.heldout_neurons < N, "no neuron that is held in");
  require_option(options.repeats % 5 == 0, "repeats that are no multiple of 5: a fifth of them is for validation");
  require_option(options.bin_width >= 0.001 && options.bin_width <= 1.0, "a bin width outside 0.001 to 1 s");
  require_option(options.mean_rate > 0.0 && options.mean_rate <= 1e4, "a mean rate outside 0 to 10000 spikes/s");

  Simulation result;
  result.conversion_factor = 1.0 / options.bin_width;  // the file's truth is in spikes per second
  Dataset& data = result.data;
  data.bins = all_bins, data.neurons = N;
  data.forward_bins = options.forward_bins, data.heldout_neurons = options.heldout_neurons;
  data.behavior_dims = 2, data.conditions = options.conditions, data.bin_width = options.bin_width;

  std::vector<ReachNeuron> neurons;
  for (std::size_t n = 0; n < N; ++n) neurons.push_back(ReachNeuron::draw(options.seed, n));
  const auto middle = [&](std::size_t bin) {
    return reach_window_start + times(options.bin_width, static_cast<double>(bin) + 0.5);
  };
  const auto relative_rates = [&](std::size_t trial, std::vector<double>& rates) {
    const Reach reach = draw_reach(options, trials, trial);
    for (std::size_t bin = 0; bin < all_bins; ++bin) {
      const ReachLatents latents = reach_latents(reach, middle(bin));
      for (std::size_t n = 0; n < N; ++n) rates[bin * N + n] = exp(neurons[n].log_rate(latents));
    }
  };

  std::vector<double> rates(all_bins * N);
  double sum = 0;
  for (std::size_t trial = 0; trial < trials.count(); ++trial) {
    relative_rates(trial, rates);
    for (const double rate : rates) sum += rate;
  }
  const double mean = sum / (static_cast<double>(trials.count()) * static_cast<double>(rates.size()));
  const double base = options.mean_rate * options.bin_width / mean;

  std::vector<double> psth(options.conditions * T * N);
  for (std::size_t trial = 0; trial < trials.count(); ++trial) {
    relative_rates(trial, rates);
    for (double& rate : rates) rate = times(rate, base);
    Split& split = add_trial(data, trials, trial, rates, options.seed);
    const Reach reach = draw_reach(options, trials, trial);
    for (std::size_t bin = 0; bin < T; ++bin) {
      for (const double v : hand_velocity(reach, middle(bin) + reach_lead)) {
        split.behavior.push_back(static_cast<float>(v));
      }
    }
    double* const mean_rates = psth.data() + trials.condition(trial) * T * N;
    for (std::size_t i = 0; i < T * N; ++i) mean_rates[i] += rates[i] / static_cast<double>(options.repeats);
  }
  data.psth.assign(psth.size(), 0.0f);
  std::transform(psth.begin(), psth.end(), data.psth.begin(), [](double rate) { return static_cast<float>(rate); });
  return result;
}

}  // namespace ndt::inline NDT_TARGET::data
