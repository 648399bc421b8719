// ndt/metrics/forecast.hpp: the metrics of forecasts in SpikeProphecy, over rows of neurons, one row a bin.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "ndt/metrics/correlation.hpp"
#include "ndt/metrics/ridge.hpp"

namespace ndt::inline NDT_TARGET::metrics {

/// A signal whose standard deviation is no more than this counts as constant, a vector no longer as empty.
inline constexpr double forecast_epsilon = 1e-8;

/// Pearson's r over time of every neuron (column), mean over neurons; a neuron that is constant in either counts as 0.
template <RowSet P, RowSet C>
double aggregate_r(const P& predicted, const C& counts) {
  require_same_shape(predicted, counts, "prediction and counts of different shapes");
  const std::size_t rows = counts.size(), N = counts.columns;
  std::vector<double> mean_p(N), mean_c(N), pp(N), cc(N), pc(N);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t n = 0; n < N; ++n) {
      mean_p[n] += static_cast<double>(predicted[i][n]);
      mean_c[n] += static_cast<double>(counts[i][n]);
    }
  }
  for (std::size_t n = 0; n < N; ++n) mean_p[n] /= static_cast<double>(rows), mean_c[n] /= static_cast<double>(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t n = 0; n < N; ++n) {
      const double p = static_cast<double>(predicted[i][n]) - mean_p[n];
      const double c = static_cast<double>(counts[i][n]) - mean_c[n];
      pp[n] += p * p, cc[n] += c * c, pc[n] += p * c;
    }
  }
  double sum = 0;
  const double limit = forecast_epsilon * std::sqrt(static_cast<double>(rows));
  for (std::size_t n = 0; n < N; ++n) {
    const double p = std::sqrt(pp[n]), c = std::sqrt(cc[n]);
    if (p > limit && c > limit) sum += pc[n] / p / c;
  }
  return sum / static_cast<double>(N);
}

/// Pearson's r over time of the population's sum; 0 where either is constant.
template <RowSet P, RowSet C>
double pop_rate_r(const P& predicted, const C& counts) {
  require_same_shape(predicted, counts, "prediction and counts of different shapes");
  std::vector<double> p(counts.size()), c(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    for (std::size_t n = 0; n < counts.columns; ++n) {
      p[i] += static_cast<double>(predicted[i][n]);
      c[i] += static_cast<double>(counts[i][n]);
    }
  }
  const double r = pearson(p, c, forecast_epsilon);
  return std::isnan(r) ? 0 : r;
}

/// Pearson's r across neurons in every bin, mean over the bins where both vary; 0 without such a bin.
template <RowSet P, RowSet C>
double spatial_r(const P& predicted, const C& counts) {
  require_same_shape(predicted, counts, "prediction and counts of different shapes");
  std::vector<double> p(counts.columns), c(counts.columns);
  double sum = 0;
  std::size_t bins = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    for (std::size_t n = 0; n < counts.columns; ++n) {
      p[n] = static_cast<double>(predicted[i][n]);
      c[n] = static_cast<double>(counts[i][n]);
    }
    const double r = pearson(p, c, forecast_epsilon);
    if (std::isnan(r)) continue;
    sum += r;
    ++bins;
  }
  return bins == 0 ? 0 : sum / static_cast<double>(bins);
}

struct CosineSimilarity {
  double all_bins = 0;       ///< an empty bin counts as 0; NaN without bins
  double nonempty_bins = 0;  ///< bins where counts or prediction are empty are left out; 0 if all are
};

/// The cosine of the angle between the population's vectors, mean over bins, in both versions that are in use.
template <RowSet P, RowSet C>
CosineSimilarity cosine_similarity(const P& predicted, const C& counts) {
  require_same_shape(predicted, counts, "prediction and counts of different shapes");
  double all = 0, nonempty = 0;
  std::size_t bins = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    double pp = 0, cc = 0, pc = 0;
    for (std::size_t n = 0; n < counts.columns; ++n) {
      const double p = static_cast<double>(predicted[i][n]), c = static_cast<double>(counts[i][n]);
      pp += p * p, cc += c * c, pc += p * c;
    }
    const double length_p = std::sqrt(pp), length_c = std::sqrt(cc);
    const double cosine = pc / std::max(length_p, forecast_epsilon) / std::max(length_c, forecast_epsilon);
    all += cosine;
    if (length_p > forecast_epsilon && length_c > forecast_epsilon) nonempty += cosine, ++bins;
  }
  return {all / static_cast<double>(counts.size()), bins == 0 ? 0 : nonempty / static_cast<double>(bins)};
}

/// What SpikeProphecy calls co_bps, which is not the co_bps of the Neural Latents Benchmark: a ridge regression
/// (penalty 1) from predicted rates of shown neurons to the counts of held-out ones is fitted to the first rows, and
/// sum n log2(rate / mean) / sum n of the other rows, without the term rate - mean, is averaged over the held-out
/// neurons that spike there. 80 % of the rows are for the fit. NaN where none spikes, or there are fewer than ten rows
/// in either part.
template <class R, class C>
double ridge_bps(const Picked<R>& shown_rates, const Picked<C>& heldout_counts) {
  require(shown_rates.size() == heldout_counts.size(), "rates and counts with different numbers of rows");
  const std::size_t rows = shown_rates.size(), N = heldout_counts.columns;
  const std::size_t fitted = static_cast<std::size_t>(static_cast<double>(rows) * 0.8), scored = rows - fitted;
  if (fitted < 10 || scored < 10) return std::numeric_limits<double>::quiet_NaN();
  const LinearFit fit = ridge(shown_rates.range(0, fitted), heldout_counts.range(0, fitted), 1.0);
  const std::vector<double> rates = fit.predict(shown_rates.range(fitted, scored));
  double sum = 0;
  std::size_t neurons = 0;
  for (std::size_t n = 0; n < N; ++n) {
    double spikes = 0, gain = 0;
    for (std::size_t i = 0; i < scored; ++i) spikes += static_cast<double>(heldout_counts[fitted + i][n]);
    if (spikes < 1) continue;
    const double mean = std::max(spikes / static_cast<double>(scored), forecast_epsilon);
    for (std::size_t i = 0; i < scored; ++i) {
      const double rate = std::max(rates[i * N + n], forecast_epsilon);
      gain += static_cast<double>(heldout_counts[fitted + i][n]) * std::log2(rate / mean);
    }
    sum += gain / spikes;
    ++neurons;
  }
  return neurons == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(neurons);
}

}  // namespace ndt::inline NDT_TARGET::metrics
