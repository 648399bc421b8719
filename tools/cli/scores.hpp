// tools/cli/scores.hpp: every metric that a dataset and a model's predictions allow, and why not the others.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <ndt/data/dataset.hpp>

#include "prediction.hpp"

namespace tool {

struct Score {
  std::string name;
  std::optional<double> value;  ///< nothing where it was not computed; NaN where it has no value
  std::string missing;          ///< what file or model lack for it; empty: nothing
};

struct Scored {
  const ndt::data::Dataset& dataset;
  const ndt::data::Split& split;  ///< the trials to score, one of the dataset's
  const Fit& fit;
  bool lograte;
  std::optional<double> psth_sd;         ///< make PSTHs of smoothed counts: the kernel's standard deviation in bins
  const Prediction* of_split = nullptr;  ///< of `split`
  const Prediction* of_train = nullptr;  ///< rates of the training trials, for behaviour R2
};

/// All metrics in the order in which they are shown, with what is missing for them and no value yet. Looks at no
/// predictions.
std::vector<Score> available(const Scored& scored);

/// The same with values; only those in `wanted` are computed, all if it is empty.
std::vector<Score> scores(const Scored& scored, const std::vector<std::string>& wanted = {});

}  // namespace tool
