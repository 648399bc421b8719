// ndt/data/simulation.hpp: what every synthetic system shares: the shape of its trials, the split, and the spikes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "ndt/config.hpp"
#include "ndt/data/dataset.hpp"
#include "ndt/data/random_numbers.hpp"

namespace ndt::inline NDT_TARGET::data {

/// Generated data. `conversion_factor` is that of LFADS' files: their truth divided by it is `truth` here.
struct Simulation {
  Dataset data;
  double conversion_factor = 1;
};

/// Conditions times repeats; a trial's number is condition * repeats + repeat. Every fifth trial is for validation,
/// which is 80/20 over all and, with a multiple of five repeats, in each condition; with fewer than five of them some
/// conditions have none.
struct Trials {
  std::size_t conditions = 0;
  std::size_t repeats = 0;

  std::size_t count() const noexcept { return conditions * repeats; }
  std::size_t condition(std::size_t trial) const noexcept { return trial / repeats; }
  static bool is_valid(std::size_t trial) noexcept { return trial % 5 == 4; }
};

/// std::invalid_argument if `ok` is false.
inline void require_option(bool ok, const char* what) {
  if (!ok) throw std::invalid_argument(what);
}

/// Sizes that a machine can hold: nothing of zero, and at most 2^32 counts.
inline void require_sizes(const Trials& trials, std::size_t bins, std::size_t neurons) {
  constexpr std::size_t most = std::size_t{1} << 24;
  for (const std::size_t size : {trials.conditions, trials.repeats, bins, neurons}) {
    require_option(size >= 1 && size <= most, "a number of conditions, repeats, bins or neurons is 0 or above 2^24");
  }
  const double counts = static_cast<double>(trials.conditions) * static_cast<double>(trials.repeats) *
                        static_cast<double>(bins) * static_cast<double>(neurons);
  require_option(counts <= 0x1p32, "more than 2^32 counts");
  require_option(trials.count() >= 5, "fewer than 5 trials: every fifth is for validation");
}

/// Adds trial number `trial` to its split: its condition, `rates` (bins x neurons, counts per bin) as truth and Poisson
/// counts of these rates. Throws std::domain_error where a rate is no count of spikes.
inline Split& add_trial(Dataset& data, const Trials& trials, std::size_t trial, const std::vector<double>& rates,
                        std::uint64_t seed) {
  Split& split = Trials::is_valid(trial) ? data.valid : data.train;
  RandomStream random = drawn(seed, Drawn::counts, trial);
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const std::uint32_t count = poisson(random, rates[i]);
    if (count > 0xffff) throw std::domain_error("a rate of more than 65535 counts per bin");
    split.counts.push_back(static_cast<std::uint16_t>(count));
    if (i < data.observed_bins() * data.neurons) split.truth.push_back(static_cast<float>(rates[i]));
  }
  split.condition.push_back(static_cast<std::int32_t>(trials.condition(trial)));
  split.index.push_back(static_cast<std::int64_t>(trial));
  ++split.trials;
  return split;
}

}  // namespace ndt::inline NDT_TARGET::data
