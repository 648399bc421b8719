// ndt/data/random_numbers.hpp: normal and Poisson numbers for generated data, equal on every machine.
#pragma once

#include <cstdint>
#include <stdexcept>

#include "ndt/config.hpp"
#include "ndt/core/random.hpp"
#include "ndt/data/portable_math.hpp"

namespace ndt::inline NDT_TARGET::data {

/// What numbers are drawn for: the `purpose` of a RandomPlace. Each item (a condition, a neuron, a trial) has a stream
/// of its own, so that more of one kind changes nothing in those that were there before.
enum class Drawn : std::uint32_t { initial_state = 0xDA7A0000, weights, counts, timing, movement };

inline RandomStream drawn(std::uint64_t seed, Drawn purpose, std::size_t item) noexcept {
  return RandomStream(RandomPlace{
      .seed = seed, .purpose = static_cast<std::uint32_t>(purpose), .item = static_cast<std::uint32_t>(item)});
}

/// Mean 0, standard deviation 1 (Box & Muller 1958, the cosine half). Up to 8.6 standard deviations away.
inline double normal(RandomStream& random) noexcept {
  const double u = 1.0 - random.uniform();  // in (0, 1], so that the logarithm is finite
  const double radius = sqrt(-2.0 * log(u));
  return times(radius, cos(times(2.0 * pi, random.uniform())));
}

/// -1 or 1.
inline double sign(RandomStream& random) noexcept { return random.below(2) == 0 ? -1.0 : 1.0; }

/// A Poisson number of this mean, by inversion of the distribution function, which is exact to the last bits of the
/// uniform number. A sum of Poisson numbers is one of the sum of their means, so a large mean is taken in parts: time
/// grows with the mean. Throws std::domain_error where the mean is not in [0, 10^6].
inline std::uint32_t poisson(RandomStream& random, double mean) {
  if (!(mean >= 0.0 && mean <= 1e6)) throw std::domain_error("a Poisson number needs a mean from 0 to a million");
  std::uint32_t total = 0;
  for (constexpr double part = 8.0; mean > 0.0; mean -= part) {
    const double m = mean < part ? mean : part;
    double u = random.uniform(), share = exp(-m);
    std::uint32_t count = 0;
    // Above 100 the shares are below 2^-200, and what rounding left of u will not be used up any more.
    while (u >= share && count < 100) {
      u -= share;
      share = times(share, m / ++count);
    }
    total += count;
  }
  return total;
}

}  // namespace ndt::inline NDT_TARGET::data
