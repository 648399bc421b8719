// ndt/metrics/speed.hpp: neural speed and produced intervals, the "tp corr" of dmfc_rsg.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "ndt/metrics/correlation.hpp"

namespace ndt::inline NDT_TARGET::metrics {

/// nlb_tools' speed-tp correlation. The speed of a trial is the mean distance between its rate vectors in neighbouring
/// bins from Set to Go, the bins where the first held-out neuron was counted (is not NaN). Pearson's r of speed with
/// the produced interval tp is taken inside each group of trials, and its mean over groups returned: more negative is
/// better. heldout_counts [trials, bins, held-out neurons]; rates [trials, bins, neurons]; behavior [trials, columns],
/// of which the first three (is_eye, theta, is_short) make the groups and the last is tp; trials with NaN there are
/// left out. NaN where a group has no correlation. Throws std::invalid_argument for shapes that disagree and for a
/// group of one trial.
template <class C, class R, class B>
double speed_tp_correlation(const Trials<C>& heldout_counts, const Trials<R>& rates, const Trials<B>& behavior) {
  require(heldout_counts.trials == rates.trials && heldout_counts.bins == rates.bins && heldout_counts.columns > 0,
          "rates and counts of different trials or bins");
  require(behavior.size() == rates.trials && behavior.columns >= 4, "behaviour that is not [trials, 4 or more]");
  std::map<std::array<double, 3>, std::pair<std::vector<double>, std::vector<double>>> groups;
  for (std::size_t trial = 0; trial < rates.trials; ++trial) {
    const B* const about = behavior[trial];
    const std::array<double, 3> group{static_cast<double>(about[0]), static_cast<double>(about[1]),
                                      static_cast<double>(about[2])};
    if (std::isnan(group[0]) || std::isnan(group[1]) || std::isnan(group[2])) continue;
    double path = 0;
    std::size_t steps = 0;
    const R* last = nullptr;
    for (std::size_t t = 0; t < rates.bins; ++t) {
      if (std::isnan(static_cast<double>(heldout_counts.at(trial, t)[0]))) continue;
      const R* const now = rates.at(trial, t);
      if (last != nullptr) {
        double squares = 0;
        for (std::size_t n = 0; n < rates.columns; ++n) {
          const double step = static_cast<double>(now[n]) - static_cast<double>(last[n]);
          squares += step * step;
        }
        path += std::sqrt(squares);
        ++steps;
      }
      last = now;
    }
    groups[group].first.push_back(path / static_cast<double>(steps));
    groups[group].second.push_back(static_cast<double>(about[behavior.columns - 1]));
  }
  double sum = 0;
  for (const auto& [group, pairs] : groups) {
    require(pairs.first.size() >= 2, "a group of one trial has no correlation");
    sum += pearson(pairs.first, pairs.second);
  }
  return groups.empty() ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(groups.size());
}

}  // namespace ndt::inline NDT_TARGET::metrics
