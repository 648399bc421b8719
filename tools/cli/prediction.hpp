// tools/cli/prediction.hpp: what a model says about the trials of a dataset, shown what the reference would show it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <ndt/data/dataset.hpp>
#include <ndt/metrics/rows.hpp>

#include "loaded_model.hpp"

namespace tool {

/// How a model meets a dataset. It may have been made for all neurons and bins, and then it is shown zeros for held-out
/// neurons and forward bins; or for those that it is shown alone.
struct Fit {
  std::size_t bins = 0, neurons = 0;              ///< of a window: the dataset's own, or the shown ones alone
  std::size_t shown_bins = 0, shown_neurons = 0;  ///< the first ones, with counts

  bool forward() const { return bins > shown_bins; }
  bool heldout() const { return neurons > shown_neurons; }
};

/// Refused, with both numbers, where the model's neurons are neither all nor the held-in ones, or its positions too
/// few. `model` and `data` name the files.
Fit fit_of(const ndt::ModelConfig& config, const ndt::data::Dataset& dataset, const std::string& model,
           const std::string& data);

struct Prediction {
  std::size_t trials = 0, bins = 0, neurons = 0;
  std::vector<float> output;  ///< [trials, bins, neurons], log rates or rates, as the model gives them
  std::vector<float> rates;   ///< the same as rates, in counts per bin
  std::vector<float> hidden;  ///< [trials, bins, width], if asked for
  std::size_t clipped = 0;    ///< counts above the model's max_spikes, which were lowered to it

  ndt::metrics::Trials<float> rate_view() const { return {rates.data(), trials, bins, neurons}; }
  ndt::metrics::Trials<float> output_view() const { return {output.data(), trials, bins, neurons}; }
};

/// The model over all trials of `split`, a split of `dataset`. Refused where a rate is infinite or not a number.
Prediction predict(LoadedModel& model, const Fit& fit, const ndt::data::Dataset& dataset, const ndt::data::Split& split,
                   std::size_t threads, const std::string& model_name, bool with_hidden = false);

}  // namespace tool
