// ndt/metrics/correlation.hpp: Pearson's correlation.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "ndt/metrics/rows.hpp"

namespace ndt::inline NDT_TARGET::metrics {

/// Pearson's r of two signals of equal length. NaN where one of them never changes: its standard deviation is at most
/// `least_sd`. Throws std::invalid_argument for different lengths.
inline double pearson(std::span<const double> x, std::span<const double> y, double least_sd = 0) {
  require(x.size() == y.size(), "signals of different lengths");
  const double n = static_cast<double>(x.size());
  double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) mean_x += x[i], mean_y += y[i];
  mean_x /= n, mean_y /= n;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double a = x[i] - mean_x, b = y[i] - mean_y;
    xx += a * a, yy += b * b, xy += a * b;
  }
  if (!(std::sqrt(xx / n) > least_sd && std::sqrt(yy / n) > least_sd)) return std::numeric_limits<double>::quiet_NaN();
  const double r = xy / std::sqrt(xx) / std::sqrt(yy);
  return r > 1 ? 1 : r < -1 ? -1 : r;
}

}  // namespace ndt::inline NDT_TARGET::metrics
