// How far two arrays are apart, in the sense of the contract.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace support {

/// max |a - r| / max(1, |r|); infinite where only one of the two is NaN.
template <class A, class R>
double worst_error(const A& actual, const R& reference) {
  if (std::size(actual) != std::size(reference)) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (std::size_t i = 0; i < std::size(actual); ++i) {
    const double a = static_cast<double>(actual[i]), r = static_cast<double>(reference[i]);
    if (std::isnan(a) != std::isnan(r)) return std::numeric_limits<double>::infinity();
    if (std::isnan(a) || a == r) continue;
    worst = std::max(worst, std::abs(a - r) / std::max(1.0, std::abs(r)));
  }
  return worst;
}

/// The larger of two errors; a NaN is the largest of all.
inline double worse(double worst, double error) {
  if (std::isnan(error)) return std::numeric_limits<double>::infinity();
  return error > worst ? error : worst;
}

/// The contract's bounds in float32; double is held to 1e-12.
template <class T>
inline constexpr double log_rate_bound = sizeof(T) == 4 ? 2e-5 : 1e-12;
template <class T>
inline constexpr double hidden_bound = sizeof(T) == 4 ? 5e-5 : 1e-12;

}  // namespace support
