// ndt/metrics/bits_per_spike.hpp: how much better rates are than knowing every neuron's mean alone.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <vector>

#include "ndt/metrics/poisson.hpp"

namespace ndt::inline NDT_TARGET::metrics {

/// Mean count of every neuron (column) over the rows where it was counted; NaN for one that never was.
template <RowSet Counts>
std::vector<double> mean_counts(const Counts& counts) {
  std::vector<double> sum(counts.columns), seen(counts.columns);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto* const row = counts[i];
    for (std::size_t n = 0; n < counts.columns; ++n) {
      const double k = checked_count(static_cast<double>(row[n]));
      if (std::isnan(k)) continue;
      sum[n] += k;
      seen[n] += 1;
    }
  }
  for (std::size_t n = 0; n < sum.size(); ++n) sum[n] /= seen[n];
  return sum;
}

/// (NLL of the null model - NLL of the rates) / spikes / ln 2, as nlb_tools computes it. The null model gives every
/// neuron its mean over these very rows. NaN without a spike, where nlb_tools divides by 0. Otherwise as poisson_nll().
template <RowSet Rates, RowSet Counts>
double bits_per_spike(const Rates& rates, const Counts& counts) {
  // ln n! is in both likelihoods and cancels.
  const auto nll = [](double rate, double n) { return rate - n * std::log(rate); };
  const Total model = total_of(rates, counts, [&](double rate, double n) { return nll(checked_rate(rate), n); });
  const std::vector<double> mean = mean_counts(counts);
  double null = 0, spikes = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto* const row = counts[i];
    double row_null = 0, row_spikes = 0;
    for (std::size_t n = 0; n < counts.columns; ++n) {
      const double k = static_cast<double>(row[n]);
      if (std::isnan(k)) continue;
      row_null += nll(mean[n] == 0 ? least_rate : mean[n], k);
      row_spikes += k;
    }
    null += row_null;
    spikes += row_spikes;
  }
  if (spikes == 0) return std::numeric_limits<double>::quiet_NaN();
  return (null - model.sum) / spikes / std::numbers::ln2;
}

/// Co-smoothing: bits per spike of neurons that the model was not shown. rates [trials, bins and more, neurons], the
/// held-out neurons last; counts [trials, bins, held-out neurons].
template <class R, class C>
double co_bps(const Trials<R>& rates, const Trials<C>& heldout_counts) {
  require(heldout_counts.columns <= rates.columns && heldout_counts.bins <= rates.bins,
          "more held-out neurons or bins than the rates have");
  return bits_per_spike(rates.bin_range(0, heldout_counts.bins)
                            .column_range(rates.columns - heldout_counts.columns, heldout_counts.columns),
                        heldout_counts);
}

/// Forward prediction: bits per spike of the bins after those that the model was shown. rates [trials, bins, neurons],
/// the forward bins last; counts [trials, forward bins, neurons], held-in before held-out.
template <class R, class C>
double fp_bps(const Trials<R>& rates, const Trials<C>& forward_counts) {
  require(forward_counts.bins <= rates.bins, "more forward bins than the rates have");
  return bits_per_spike(rates.bin_range(rates.bins - forward_counts.bins, forward_counts.bins), forward_counts);
}

}  // namespace ndt::inline NDT_TARGET::metrics
