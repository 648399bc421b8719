// The golden files of the metrics (tools/golden/make_metrics.py), as the arrays that metrics take.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <ndt/metrics/psth.hpp>
#include <ndt/metrics/rows.hpp>
#include "golden.hpp"

namespace support {

struct MetricCase {
  std::string name;
  Golden golden;

  explicit MetricCase(const std::string& case_name)
      : name(case_name), golden(std::filesystem::path(NDT_GOLDEN_DIR) / "metrics" / (case_name + ".golden")) {}

  double number(const std::string& tensor) const { return golden[tensor].values.at(0); }
  const std::vector<double>& values(const std::string& tensor) const { return golden[tensor].values; }
  /// A tensor of three sizes, or of two as one trial.
  ndt::metrics::Trials<double> trials(const std::string& tensor) const {
    return of(golden[tensor].values, golden[tensor].extents);
  }
  ndt::metrics::Trials<std::int64_t> integers(const std::string& tensor) const {
    return of(golden[tensor].integers, golden[tensor].extents);
  }
  /// The trials of every condition, from the condition of every trial.
  ndt::metrics::Conditions conditions(std::size_t count) const {
    ndt::metrics::Conditions all(count);
    const auto& of_trial = golden["condition"].integers;
    for (std::size_t trial = 0; trial < of_trial.size(); ++trial) {
      if (of_trial[trial] >= 0) all[static_cast<std::size_t>(of_trial[trial])].push_back(trial);
    }
    return all;
  }

 private:
  template <class T>
  static ndt::metrics::Trials<T> of(const std::vector<T>& values, const ndt::Extents& e) {
    if (e.rank == 2) return {values.data(), e.size[0], e.size[1]};
    if (e.rank != 3) throw std::runtime_error("neither two sizes nor three");
    return {values.data(), e.size[0], e.size[1], e.size[2]};
  }
};

/// The cases FAMILY and FAMILY_..., sorted by name.
inline std::vector<MetricCase> metric_cases(const std::string& family) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(NDT_GOLDEN_DIR) / "metrics")) {
    const std::string name = entry.path().stem().string();
    if (name == family || name.rfind(family + "_", 0) == 0) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  if (names.empty()) throw std::runtime_error("no case of " + family);
  return {names.begin(), names.end()};
}

/// |a - r| / |r|, 0 where both are NaN, infinite where one is; where r is nothing, |a| itself.
inline double relative_error(double a, double r) {
  if (std::isnan(a) && std::isnan(r)) return 0;
  const double error = a == r ? 0 : std::abs(a - r) / (r == 0 ? 1 : std::abs(r));
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}

/// The largest |a - r|, relative to the largest |r|.
template <class A, class R>
double relative_error_of_all(const A& actual, const R& reference) {
  if (std::size(actual) != std::size(reference)) return std::numeric_limits<double>::infinity();
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < std::size(reference); ++i) {
    if (std::isnan(actual[i]) != std::isnan(reference[i])) return std::numeric_limits<double>::infinity();
    if (std::isnan(reference[i])) continue;
    worst = std::max(worst, std::abs(actual[i] - reference[i]));
    largest = std::max(largest, std::abs(reference[i]));
  }
  return worst == 0 ? 0 : worst / largest;
}

}  // namespace support
