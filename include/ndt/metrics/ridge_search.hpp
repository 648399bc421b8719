// ndt/metrics/ridge_search.hpp: a ridge regression whose penalty is chosen by cross-validation.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "ndt/metrics/r2.hpp"
#include "ndt/metrics/ridge.hpp"

namespace ndt::inline NDT_TARGET::metrics {

/// So many penalties from 1e-4 on, two a decade.
inline std::vector<double> half_decades(int count) {
  std::vector<double> penalties;
  for (int i = 0; i < count; ++i) penalties.push_back(std::pow(10.0, -4.0 + 0.5 * i));
  return penalties;
}

/// The penalties that nlb_tools tries: up to 1.
inline std::vector<double> nlb_alphas() { return half_decades(9); }

struct RidgeSearch {
  double alpha = 0;            ///< the best
  std::vector<double> scores;  ///< of every alpha: R2 of the rows left out, mean over folds
  LinearFit fit;               ///< with the best alpha, to all rows
};

/// The ends of scikit-learn's folds, KFold(folds): as equal as possible in the order of the rows, the first ones a row
/// longer where they do not divide. Throws std::invalid_argument for fewer rows than folds.
inline std::vector<std::size_t> equal_folds(std::size_t rows, std::size_t folds = 5) {
  require(folds != 0 && rows >= folds, "fewer rows than folds");
  std::vector<std::size_t> ends;
  for (std::size_t fold = 1; fold <= folds; ++fold) {
    const std::size_t longer = rows % folds;
    ends.push_back(fold * (rows / folds) + (fold < longer ? fold : longer));
  }
  return ends;
}

/// scikit-learn's GridSearchCV(Ridge(), alphas): contiguous folds of the rows, each of which ends before the row
/// `ends[fold]`; score R2, uniform mean over outputs; of equal scores the first; then a fit to all rows. Throws
/// std::invalid_argument for folds that are not at least two parts of the rows, and as ridge().
template <class X, class Y>
RidgeSearch ridge_search(const Picked<X>& x, const Picked<Y>& y, std::span<const double> alphas,
                         std::span<const std::size_t> ends) {
  require(x.size() == y.size(), "features and outputs with different numbers of rows");
  require(!alphas.empty() && ends.size() >= 2, "no penalty to try, or fewer than two folds");
  const std::size_t folds = ends.size();
  const auto first_of = [&](std::size_t fold) { return fold == 0 ? 0 : ends[fold - 1]; };
  for (std::size_t fold = 0; fold < folds; ++fold) require(first_of(fold) < ends[fold], "a fold without rows");
  require(ends.back() == x.size(), "folds that do not end with the rows");
  const RidgeSums none(x.columns, y.columns, mean_row(x, y));
  std::vector<RidgeSums> sums(folds, none);
  RidgeSums all = none;
  for (std::size_t fold = 0; fold < folds; ++fold) {
    const std::size_t first = first_of(fold), count = ends[fold] - first;
    sums[fold].add(x.range(first, count), y.range(first, count));
    all += sums[fold];
  }
  RidgeSearch search;
  search.scores.resize(alphas.size());
  for (std::size_t fold = 0; fold < folds; ++fold) {
    RidgeSums others = none;
    for (std::size_t other = 0; other < folds; ++other) {
      if (other != fold) others += sums[other];
    }
    const std::size_t first = first_of(fold), count = ends[fold] - first;
    for (std::size_t a = 0; a < alphas.size(); ++a) {
      const std::vector<double> predicted = others.solve(alphas[a]).predict(x.range(first, count));
      search.scores[a] += r2(y.range(first, count), Trials<double>(predicted.data(), count, y.columns));
    }
  }
  std::size_t best = 0;
  for (std::size_t a = 0; a < alphas.size(); ++a) {
    search.scores[a] /= static_cast<double>(folds);
    // NaN, the score of folds of one row, loses against any number.
    if (search.scores[a] > search.scores[best] || (std::isnan(search.scores[best]) && !std::isnan(search.scores[a]))) {
      best = a;
    }
  }
  search.alpha = alphas[best];
  search.fit = all.solve(search.alpha);
  return search;
}

}  // namespace ndt::inline NDT_TARGET::metrics
