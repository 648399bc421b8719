// ndt/metrics/psth.hpp: responses averaged over the trials of a condition.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "ndt/metrics/r2.hpp"
#include "ndt/metrics/smoothing.hpp"

namespace ndt::inline NDT_TARGET::metrics {

/// The trials of every condition, as indices.
using Conditions = std::vector<std::vector<std::size_t>>;

struct Psth {
  std::size_t conditions = 0, bins = 0, neurons = 0;
  std::vector<double> values;  ///< (conditions, bins, neurons); NaN in the bins that a condition does not have

  Trials<double> view() const { return {values.data(), conditions, bins, neurons}; }
};

struct PsthOptions {
  double kernel_sd = 0;    ///< standard deviation of the smoothing, in bins; 0: none
  bool align_end = false;  ///< trials of different lengths end in the last bin, instead of beginning in the first
};

/// The mean of smoothed counts over the trials of every condition, as nlb_tools makes its PSTHs: of trials that differ
/// in length (NaN counts in the bins that one does not have) those shorter than 0.8 of the condition's mean are left
/// out, and the response is as long as the shortest of the rest. nlb_tools smooths the whole recording at 1 ms; here
/// every trial is smoothed by itself, in its own bins. counts [trials, bins, neurons]. A condition without trials is
/// NaN throughout. Throws std::invalid_argument for a trial that does not exist.
template <class C>
Psth make_psth(const Trials<C>& counts, std::span<const std::vector<std::size_t>> conditions,
               const PsthOptions& options = {}) {
  const std::size_t T = counts.bins, N = counts.columns;
  Psth psth{conditions.size(), T, N, std::vector<double>(conditions.size() * T * N)};
  std::vector<double> window;
  if (options.kernel_sd != 0) window = gaussian_window(options.kernel_sd);
  std::vector<double> trace(T), smoothed(T), seen(T * N);
  for (std::size_t condition = 0; condition < conditions.size(); ++condition) {
    std::vector<std::size_t> lengths;
    double mean_length = 0;
    for (const std::size_t trial : conditions[condition]) {
      require(trial < counts.trials, "a condition names a trial that does not exist");
      std::size_t length = 0;
      for (std::size_t t = 0; t < T; ++t) length += !std::isnan(static_cast<double>(counts.at(trial, t)[0]));
      lengths.push_back(length);
      mean_length += static_cast<double>(length) / static_cast<double>(conditions[condition].size());
    }
    double* const mean = psth.values.data() + condition * T * N;
    std::fill(seen.begin(), seen.end(), 0.0);
    std::size_t shortest = lengths.empty() ? 0 : T;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      if (static_cast<double>(lengths[i]) < 0.8 * mean_length) continue;
      shortest = std::min(shortest, lengths[i]);
      for (std::size_t n = 0; n < N; ++n) {
        for (std::size_t t = 0; t < T; ++t) {
          smoothed[t] = trace[t] = static_cast<double>(counts.at(conditions[condition][i], t)[n]);
        }
        if (!window.empty()) smooth(smoothed.data(), trace.data(), T, window);
        for (std::size_t t = 0; t < T; ++t) {
          if (std::isnan(smoothed[t])) continue;
          mean[t * N + n] += smoothed[t];
          seen[t * N + n] += 1;
        }
      }
    }
    for (std::size_t t = 0; t < T; ++t) {
      const bool has = options.align_end ? t >= T - shortest : t < shortest;
      for (std::size_t n = 0; n < N; ++n) {
        double& value = mean[t * N + n];
        value = has ? value / seen[t * N + n] : std::numeric_limits<double>::quiet_NaN();
      }
    }
  }
  return psth;
}

/// nlb_tools' PSTH R2: the mean of predicted rates over the trials of every condition against its PSTH, all conditions
/// one below the other, R2 as uniform mean over neurons. psth [conditions, bins, neurons], whose bins count where
/// neuron 0 is not NaN; rates [trials, bins, neurons]; jitter: for every trial the bins by which its rates are moved
/// later (earlier if negative) first, or empty. Conditions without trials are left out. Throws std::invalid_argument
/// for shapes that disagree and where rates are NaN, or moved away, in a bin that counts.
template <class P, class R>
double psth_r2(const Trials<P>& psth, const Trials<R>& rates, std::span<const std::vector<std::size_t>> conditions,
               std::span<const std::ptrdiff_t> jitter = {}) {
  require(psth.bins == rates.bins && psth.columns == rates.columns, "a PSTH of other bins or neurons than the rates");
  require(psth.trials == conditions.size(), "a PSTH of another number of conditions");
  require(jitter.empty() || jitter.size() == rates.trials, "jitter of another number of trials");
  std::vector<const P*> truth;
  std::vector<double> predicted;
  for (std::size_t condition = 0; condition < conditions.size(); ++condition) {
    const auto& trials = conditions[condition];
    if (trials.empty()) continue;
    for (std::size_t t = 0; t < psth.bins; ++t) {
      const P* const row = psth.at(condition, t);
      if (std::isnan(static_cast<double>(row[0]))) continue;
      truth.push_back(row);
      const std::size_t start = predicted.size();
      predicted.resize(start + psth.columns);
      for (const std::size_t trial : trials) {
        require(trial < rates.trials, "a condition names a trial that does not exist");
        const std::ptrdiff_t from = static_cast<std::ptrdiff_t>(t) - (jitter.empty() ? 0 : jitter[trial]);
        require(from >= 0 && from < static_cast<std::ptrdiff_t>(rates.bins),
                "jitter leaves no rates where the PSTH has some");
        const R* const rate = rates.at(trial, static_cast<std::size_t>(from));
        for (std::size_t n = 0; n < psth.columns; ++n) predicted[start + n] += static_cast<double>(rate[n]);
      }
      for (std::size_t n = 0; n < psth.columns; ++n) predicted[start + n] /= static_cast<double>(trials.size());
    }
  }
  return r2(Picked<P>{truth, psth.columns}, Trials<double>(predicted.data(), truth.size(), psth.columns));
}

}  // namespace ndt::inline NDT_TARGET::metrics
