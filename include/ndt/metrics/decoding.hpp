// ndt/metrics/decoding.hpp: how well behaviour can be read from rates by a line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ndt/metrics/ridge_search.hpp"

namespace ndt::inline NDT_TARGET::metrics {

/// Bins of some trials that have behaviour: features and behaviour, row for row.
template <class X, class B>
struct DecodedRows {
  std::vector<const X*> x;
  std::vector<const B*> behavior;

  /// The rows of trials that column `group` of `mask` (one row a trial; none: all trials) holds, without those whose
  /// behaviour has a NaN.
  template <class M>
  DecodedRows(const Trials<X>& features, const Trials<B>& behaviors, const Trials<M>& mask, std::size_t group) {
    require(features.trials == behaviors.trials && features.bins == behaviors.bins,
            "rates and behaviour of different trials or bins");
    require(mask.size() == 0 || mask.size() == features.trials, "a decode mask of another number of trials");
    for (std::size_t trial = 0; trial < features.trials; ++trial) {
      if (mask.size() != 0 && !mask[trial][group]) continue;
      for (std::size_t bin = 0; bin < features.bins; ++bin) {
        const B* const row = behaviors.at(trial, bin);
        if (!is_complete(row, behaviors.columns)) continue;
        x.push_back(features.at(trial, bin));
        behavior.push_back(row);
      }
    }
  }
};

/// nlb_tools' behaviour R2 ("vel R2"). rates [trials, bins, neurons] and behavior [trials, bins, dimensions] of the
/// same bins, NaN where there is none. A ridge regression with its penalty by cross-validation (ridge_search) is
/// fitted to the training trials and scored on the others, R2 as uniform mean over dimensions. Masks [trials, groups]
/// give groups of trials a regression of their own, of which the mean is taken; without masks all trials are one
/// group. Throws std::invalid_argument for shapes that disagree, a group with fewer than five rows, NaN rates.
template <class X, class B, class M = std::uint8_t>
double behavior_r2(const Trials<X>& train_rates, const Trials<B>& train_behavior, const Trials<X>& eval_rates,
                   const Trials<B>& eval_behavior, const Trials<M>& train_mask = {}, const Trials<M>& eval_mask = {}) {
  require(train_rates.columns == eval_rates.columns, "training and evaluation with different numbers of neurons");
  require(train_behavior.columns == eval_behavior.columns && train_behavior.columns > 0,
          "training and evaluation with different behaviour");
  require(train_mask.columns == eval_mask.columns && (train_mask.size() == 0) == (eval_mask.size() == 0),
          "training and evaluation with different decode masks");
  const std::size_t groups = train_mask.size() == 0 ? 1 : train_mask.columns;
  require(groups > 0, "no group in the decode masks");
  const std::vector<double> alphas = nlb_alphas();
  double sum = 0;
  for (std::size_t group = 0; group < groups; ++group) {
    const DecodedRows<X, B> train(train_rates, train_behavior, train_mask, group);
    const DecodedRows<X, B> eval(eval_rates, eval_behavior, eval_mask, group);
    const RidgeSearch search =
        ridge_search(Picked<X>{train.x, train_rates.columns}, Picked<B>{train.behavior, train_behavior.columns}, alphas,
                     equal_folds(train.x.size()));
    const std::vector<double> predicted = search.fit.predict(Picked<X>{eval.x, eval_rates.columns});
    sum += r2(Picked<B>{eval.behavior, eval_behavior.columns},
              Trials<double>(predicted.data(), eval.x.size(), eval_behavior.columns));
  }
  return sum / static_cast<double>(groups);
}

}  // namespace ndt::inline NDT_TARGET::metrics
