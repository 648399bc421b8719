// ndt/metrics/r2.hpp: coefficient of determination.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "ndt/metrics/rows.hpp"

namespace ndt::inline NDT_TARGET::metrics {

/// 1 - sum (t - p)^2 / sum (t - mean t)^2 of every column, as scikit-learn's r2_score: a column of truth that never
/// changes scores 1 where it is met exactly and 0 where not. (A column is constant if all its values are equal. There
/// a rounded mean may make scikit-learn divide by almost nothing instead.) All NaN with fewer than two rows. Throws
/// std::invalid_argument for different shapes and for NaN or infinity.
template <RowSet Truth, RowSet Predicted>
std::vector<double> r2_of_columns(const Truth& truth, const Predicted& predicted) {
  require_same_shape(truth, predicted, "truth and prediction of different shapes");
  const std::size_t rows = truth.size(), columns = truth.columns;
  if (rows < 2) return std::vector<double>(columns, std::numeric_limits<double>::quiet_NaN());
  std::vector<double> mean(columns), residual(columns), spread(columns);
  std::vector<char> varies(columns);
  const auto* const first = truth[0];
  for (std::size_t i = 0; i < rows; ++i) {
    const auto* const t = truth[i];
    for (std::size_t c = 0; c < columns; ++c) {
      const double value = static_cast<double>(t[c]);
      require(std::isfinite(value), "truth holds NaN or infinity");
      mean[c] += value;
      if (t[c] != first[c]) varies[c] = 1;
    }
  }
  for (double& m : mean) m /= static_cast<double>(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto* const t = truth[i];
    const auto* const p = predicted[i];
    for (std::size_t c = 0; c < columns; ++c) {
      const double value = static_cast<double>(t[c]), error = value - static_cast<double>(p[c]);
      require(std::isfinite(error), "a prediction is NaN or infinite");
      residual[c] += error * error;
      spread[c] += (value - mean[c]) * (value - mean[c]);
    }
  }
  std::vector<double> score(columns, 1.0);
  for (std::size_t c = 0; c < columns; ++c) {
    if (residual[c] != 0) score[c] = varies[c] ? 1 - residual[c] / spread[c] : 0.0;
  }
  return score;
}

inline double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// The uniform mean of r2_of_columns().
template <RowSet Truth, RowSet Predicted>
double r2(const Truth& truth, const Predicted& predicted) {
  return mean_of(r2_of_columns(truth, predicted));
}

}  // namespace ndt::inline NDT_TARGET::metrics
