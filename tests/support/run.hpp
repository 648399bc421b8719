// Runs a model and keeps everything it can give.
#pragma once

#include <cstddef>
#include <limits>
#include <stdexcept>
#include <vector>

#include <ndt/ndt.hpp>

namespace support {

template <class T>
struct Recorded {
  std::vector<T> log_rates, hidden, layers, attention;
  bool operator==(const Recorded&) const = default;
};

/// together: the trials that the workspace has room for.
template <class Model, class Count, class Policy = ndt::Serial>
Recorded<typename Model::value_type> run(const Model& model, const std::vector<Count>& counts, std::size_t trials,
                                         std::size_t bins, const Policy& policy = {},
                                         ndt::LargestCount largest = ndt::LargestCount::max_spikes,
                                         std::size_t together = 1) {
  using T = typename Model::value_type;
  const ndt::ModelConfig& c = model.config();
  const T unset = std::numeric_limits<T>::quiet_NaN();
  Recorded<T> r;
  r.log_rates.assign(trials * bins * c.neurons, unset);
  r.hidden.assign(trials * bins * c.width(), unset);
  r.layers.assign(trials * c.layers * bins * c.width(), unset);
  r.attention.assign(trials * c.layers * bins * bins, unset);
  // What a workspace held before must not matter.
  const T beyond = T(-7);
  std::vector<T> workspace(model.workspace_size(bins, policy.workers(), together) + 1, unset);
  workspace.back() = beyond;
  model.forward({r.log_rates.data(), r.hidden.data(), r.layers.data(), r.attention.data()}, counts.data(), trials, bins,
                std::span<T>(workspace).first(workspace.size() - 1), policy, largest);
  if (workspace.back() != beyond) throw std::logic_error("the pass wrote beyond its workspace");
  return r;
}

}  // namespace support
