// ndt/train/ridge_fit.hpp: a read-out by ridge regression.
#pragma once

#include <cstddef>
#include <vector>

#include "ndt/config.hpp"
#include "ndt/metrics/ridge_search.hpp"
#include "ndt/train/readout_data.hpp"

namespace ndt::inline NDT_TARGET::train {

/// Penalties from 1e-4 to 1e6. More than nlb_tools tries: with history there are more features, and they resemble one
/// another.
inline std::vector<double> readout_penalties() { return metrics::half_decades(21); }

/// Fits config.kind ridge to `train`, with the penalty that five-fold cross-validation in it prefers, and scores both.
/// Folds are whole trials, but of a single one. Throws std::invalid_argument for fewer than five bins with behaviour,
/// NaN features, and as ReadoutRows.
inline FittedReadout fit_ridge(ReadoutConfig config, const ReadoutTrials& train, const ReadoutTrials& valid) {
  config.kind = ReadoutKind::ridge, config.gains = 0;
  config.outputs = train.behavior.columns;
  const ReadoutRows rows(train, config.history, config.lag), others(valid, config.history, config.lag);
  std::vector<const float*> x, y;
  std::vector<std::size_t> ends;
  // About every fifth trial goes into the same fold: files often have one condition after the other.
  for (std::size_t fold = 0; fold < 5; ++fold) {
    for (std::size_t trial = fold; trial < rows.behavior.trials; trial += 5) {
      for (std::size_t bin = 0; bin < rows.behavior.bins; ++bin) {
        if (!metrics::is_complete(rows.behavior.at(trial, bin), config.outputs)) continue;
        x.push_back(rows.inputs.at(trial, bin));
        y.push_back(rows.behavior.at(trial, bin));
      }
    }
    if (y.size() > (ends.empty() ? 0 : ends.back())) ends.push_back(y.size());
  }
  metrics::require(y.size() >= 5, "fewer than five bins with behaviour");
  if (ends.size() < 2) ends = metrics::equal_folds(y.size());
  const metrics::RidgeSearch search =
      metrics::ridge_search(metrics::Picked<float>{x, rows.inputs.columns}, metrics::Picked<float>{y, config.outputs},
                            readout_penalties(), ends);
  const metrics::LinearFit& fit = search.fit;

  FittedReadout readout;
  readout.config = config;
  readout.penalty = search.alpha;
  for (std::size_t o = 0; o < fit.outputs; ++o) {
    for (std::size_t i = 0; i < fit.features; ++i) {
      readout.weight.push_back(static_cast<float>(fit.weights[i * fit.outputs + o]));
    }
    readout.bias.push_back(static_cast<float>(fit.intercept[o]));
  }
  const auto score = [&](const ReadoutRows& of) {
    return readout_r2(
        of, trials_of(of), [] {}, [&](double* out, const float* inputs) { fit.predict(out, inputs); });
  };
  readout.r2_train = score(rows), readout.r2_valid = score(others);
  return readout;
}

}  // namespace ndt::inline NDT_TARGET::train
