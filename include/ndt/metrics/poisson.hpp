// ndt/metrics/poisson.hpp: how likely counts are under rates.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

#include "ndt/metrics/rows.hpp"

namespace ndt::inline NDT_TARGET::metrics {

/// What a rate of exactly 0 is replaced with before its logarithm is taken (nlb_tools, evaluation.py).
inline constexpr double least_rate = 1e-9;

/// `rate` as the likelihood takes it. Throws std::invalid_argument for a negative, infinite or NaN rate.
inline double checked_rate(double rate) {
  if (!(rate >= 0) || std::isinf(rate)) throw std::invalid_argument("a rate is negative or not a finite number");
  return rate == 0 ? least_rate : rate;
}

/// Throws std::invalid_argument for a negative count. NaN, which means that nothing was counted, passes.
inline double checked_count(double count) {
  if (count < 0 || std::isinf(count)) throw std::invalid_argument("a count is negative or infinite");
  return count;
}

/// A sum over elements and how many there were.
struct Total {
  double sum = 0;
  std::size_t elements = 0;
  /// NaN where there were none.
  double mean() const noexcept {
    return elements == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(elements);
  }
};

/// term(value, count) summed over all elements whose count is not NaN. Rows are summed apart, so that long recordings
/// lose no digits.
template <RowSet Values, RowSet Counts, class Term>
Total total_of(const Values& values, const Counts& counts, Term term) {
  require_same_shape(values, counts, "rates and counts of different shapes");
  Total total;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto* const value = values[i];
    const auto* const count = counts[i];
    double row = 0;
    for (std::size_t n = 0; n < counts.columns; ++n) {
      const double k = checked_count(static_cast<double>(count[n]));
      if (std::isnan(k)) continue;
      row += term(static_cast<double>(value[n]), k);
      ++total.elements;
    }
    total.sum += row;
  }
  return total;
}

/// Poisson negative log-likelihood in nats, sum of rate - n ln rate + ln n! as in nlb_tools: elements whose count is
/// NaN are left out, a rate of 0 counts as 1e-9. rates and counts: rows of neurons, both per bin. Throws
/// std::invalid_argument for other shapes and for a negative, infinite or NaN rate of a counted element.
template <RowSet Rates, RowSet Counts>
Total poisson_nll(const Rates& rates, const Counts& counts) {
  return total_of(rates, counts, [](double rate, double n) {
    rate = checked_rate(rate);
    return rate - n * std::log(rate) + (n < 2 && (n == 0 || n == 1) ? 0.0 : std::lgamma(n + 1));
  });
}

/// The loss that the reference trains with and its papers report: exp(x) - n x for log rates x, without ln n!
/// (torch.nn.PoissonNLLLoss). Elements whose count is NaN are left out.
template <RowSet LogRates, RowSet Counts>
Total poisson_loss(const LogRates& log_rates, const Counts& counts) {
  return total_of(log_rates, counts, [](double x, double n) { return std::exp(x) - n * x; });
}

/// The same for models that give rates: rate - n ln(rate + 1e-8).
template <RowSet Rates, RowSet Counts>
Total poisson_loss_of_rates(const Rates& rates, const Counts& counts) {
  return total_of(rates, counts, [](double rate, double n) { return rate - n * std::log(rate + 1e-8); });
}

}  // namespace ndt::inline NDT_TARGET::metrics
