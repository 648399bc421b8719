// ndt/metrics/smoothing.hpp: counts smoothed over time with a Gaussian.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "ndt/metrics/rows.hpp"

namespace ndt::inline NDT_TARGET::metrics {

/// The Gaussian with standard deviation `sd` in bins, cut at three of them on either side, of sum 1: 6 sd points
/// rounded down, as nlb_tools takes them, so with an even number its middle lies between two bins. Throws
/// std::invalid_argument where that leaves no point.
inline std::vector<double> gaussian_window(double sd) {
  require(sd >= 1.0 / 6 && sd < 1e6, "a kernel whose standard deviation is less than a sixth of a bin, or endless");
  std::vector<double> window(static_cast<std::size_t>(6 * sd));
  const double middle = (static_cast<double>(window.size()) - 1) / 2;
  double sum = 0;
  for (std::size_t i = 0; i < window.size(); ++i) {
    const double distance = (static_cast<double>(i) - middle) / sd;
    sum += window[i] = std::exp(-0.5 * distance * distance);
  }
  for (double& w : window) w /= sum;
  return window;
}

/// out (bins) = x (bins) convolved with `window`, as long as x and without what lies beyond its ends
/// (scipy.signal.convolve "same"). Stretches between NaNs are smoothed apart; NaN stays NaN.
inline void smooth(double* out, const double* x, std::size_t bins, const std::vector<double>& window) {
  const std::size_t before = (window.size() - 1) / 2;  // of the full convolution, these first values are cut
  for (std::size_t start = 0; start < bins;) {
    if (std::isnan(x[start])) {
      out[start] = x[start];
      ++start;
      continue;
    }
    std::size_t end = start;
    while (end < bins && !std::isnan(x[end])) ++end;
    for (std::size_t t = start; t < end; ++t) {
      double sum = 0;
      for (std::size_t k = 0; k < window.size(); ++k) {
        const std::size_t from = t + before;  // x[from - k], where that is in the stretch
        if (from >= start + k && from - k < end) sum += window[k] * x[from - k];
      }
      out[t] = sum;
    }
    start = end;
  }
}

}  // namespace ndt::inline NDT_TARGET::metrics
