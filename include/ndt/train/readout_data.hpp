// ndt/train/readout_data.hpp: activity and behaviour of trials, as a read-out is fitted to them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "ndt/config.hpp"
#include "ndt/metrics/r2.hpp"
#include "ndt/metrics/rows.hpp"
#include "ndt/readout/config.hpp"

namespace ndt::inline NDT_TARGET::train {

/// Features [trials, bins, width] as a decoder gives them, and behaviour [trials, bins, dimensions], NaN where there is
/// none.
struct ReadoutTrials {
  metrics::Trials<float> features, behavior;
};

/// What the read-out looks at in every bin, and the behaviour that belongs to it: NaN where that lies outside the
/// trial.
class ReadoutRows {
 public:
  /// Throws std::invalid_argument for trials or bins that disagree, and for a lag that leaves no bin.
  ReadoutRows(const ReadoutTrials& data, std::size_t history, std::int64_t lag) {
    using metrics::require;
    const auto& [x, y] = data;
    require(x.trials == y.trials && x.bins == y.bins, "features and behaviour of different trials or bins");
    const auto bins = static_cast<std::int64_t>(x.bins);
    require(lag < bins && lag > -bins, "a lag as long as a trial");
    inputs_.reserve(x.size() * history * x.columns);
    behavior_.reserve(y.size() * y.columns);
    for (std::size_t trial = 0; trial < x.trials; ++trial) {
      for (std::size_t bin = 0; bin < x.bins; ++bin) {
        // The oldest first; before the trial stands its first bin.
        for (std::size_t back = history; back-- > 0;) {
          const float* const from = x.at(trial, bin < back ? 0 : bin - back);
          inputs_.insert(inputs_.end(), from, from + x.columns);
        }
        const std::int64_t of = static_cast<std::int64_t>(bin) + lag;
        const bool inside = of >= 0 && of < bins;
        for (std::size_t c = 0; c < y.columns; ++c) {
          behavior_.push_back(inside ? y.at(trial, static_cast<std::size_t>(of))[c]
                                     : std::numeric_limits<float>::quiet_NaN());
        }
      }
    }
    inputs = {inputs_.data(), x.trials, x.bins, history * x.columns};
    behavior = {behavior_.data(), x.trials, x.bins, y.columns};
  }
  ReadoutRows(const ReadoutRows&) = delete;
  ReadoutRows& operator=(const ReadoutRows&) = delete;

  metrics::Trials<float> inputs, behavior;  ///< the same trials and bins

 private:
  std::vector<float> inputs_, behavior_;
};

/// Numbers of trials.
using TrialList = std::vector<std::size_t>;

/// R2 of a read-out in these trials, uniform mean over dimensions, over the bins that have behaviour.
/// start() begins a trial, step(behavior, inputs) gives that of the next bin.
template <class Start, class Step>
double readout_r2(const ReadoutRows& rows, const TrialList& trials, Start start, Step step) {
  const std::size_t outputs = rows.behavior.columns;
  std::vector<const float*> truth;
  std::vector<double> given, row(outputs);
  for (const std::size_t trial : trials) {
    start();
    for (std::size_t bin = 0; bin < rows.inputs.bins; ++bin) {
      step(row.data(), rows.inputs.at(trial, bin));
      if (!metrics::is_complete(rows.behavior.at(trial, bin), outputs)) continue;
      truth.push_back(rows.behavior.at(trial, bin));
      given.insert(given.end(), row.begin(), row.end());
    }
  }
  return metrics::r2(metrics::Picked<float>{truth, outputs},
                     metrics::Trials<double>(given.data(), truth.size(), outputs));
}

/// All of them, or those for which `wanted` holds.
template <class Wanted>
TrialList trials_of(const ReadoutRows& rows, Wanted wanted) {
  TrialList trials;
  for (std::size_t trial = 0; trial < rows.inputs.trials; ++trial) {
    if (wanted(trial)) trials.push_back(trial);
  }
  return trials;
}
inline TrialList trials_of(const ReadoutRows& rows) {
  return trials_of(rows, [](std::size_t) { return true; });
}

/// A read-out as numbers: the tensors of ndt/readout/readout.hpp, row-major.
struct FittedReadout {
  ReadoutConfig config;
  std::vector<float> weight, bias, gain, mean;
  double penalty = 0;  ///< by cross-validation in training trials; of a Kalman filter the shrinkage, by a fifth of them
  double inflation = 1;  ///< of its noise, likewise
  double r2_train = 0, r2_valid = 0;
};

}  // namespace ndt::inline NDT_TARGET::train
