// ndt/train/validation.hpp: how well a model does on trials that it was not trained on.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "ndt/autograd/loss.hpp"
#include "ndt/config.hpp"
#include "ndt/core/parallel_for.hpp"
#include "ndt/kernels/activation.hpp"
#include "ndt/metrics/r2.hpp"
#include "ndt/model/transformer.hpp"
#include "ndt/tensor/buffer.hpp"
#include "ndt/train/masked_batch.hpp"

namespace ndt::inline NDT_TARGET::train {

/// NaN where the data does not tell.
struct Validation {
  double masked_loss = std::numeric_limits<double>::quiet_NaN();    ///< of masked elements, per element
  double unmasked_loss = std::numeric_limits<double>::quiet_NaN();  ///< of what the model sees, per element
  double r2 = std::numeric_limits<double>::quiet_NaN();             ///< of rates against true rates, mean over neurons
};

/// Runs a model over a whole split.
template <class V>
class Validator {
 public:
  using T = typename V::value_type;

  /// `objective` must outlive this.
  Validator(const MaskedObjective& objective, bool with_r2)
      : objective_(&objective), with_r2_(with_r2), trials_(objective.split->trials) {
    std::iota(trials_.begin(), trials_.end(), 0u);
  }

  template <class Policy = Serial>
  Validation run(const DynamicTransformer<V>& model, const data::MaskDraw& draw, const Policy& policy = {}) {
    Validation result;
    if (trials_.empty()) return result;
    result.masked_loss = loss(model, batch_.mask(*objective_, trials_, draw, policy), policy);
    result.unmasked_loss = loss(model, batch_.unmask(*objective_, trials_, policy), policy);
    if (with_r2_) result.r2 = r2(model.config().lograte);
    return result;
  }

 private:
  template <class Policy>
  double loss(const DynamicTransformer<V>& model, const Batch<T, std::uint16_t>& batch, const Policy& policy) {
    const std::size_t size = batch.bins * model.config().neurons, trials = batch.trials.size();
    output_.resize(trials * size), losses_.resize(trials * size), sums_.resize(trials);
    const std::size_t needed = model.workspace_size(batch.bins, policy.workers(), trials);
    if (workspace_.size() < needed) workspace_ = Buffer<T>(needed);
    model.forward({.log_rates = output_.data()}, batch.inputs, trials, batch.bins, workspace_, policy, batch.largest);
    policy(trials, [&](std::size_t i, std::size_t) {
      const std::size_t at = i * size;
      kernels::poisson_row<V>(losses_.data() + at, nullptr, output_.data() + at, batch.targets.counts + at,
                              batch.targets.weight + at, size, model.config().lograte);
      double sum = 0;
      for (std::size_t j = at; j < at + size; ++j) sum += static_cast<double>(losses_[j]);
      sums_[i] = sum;
    });
    return std::accumulate(sums_.begin(), sums_.end(), 0.0) / static_cast<double>(batch.selected);
  }

  /// Of the outputs that loss() left.
  double r2(bool lograte) {
    const data::Dataset& dataset = *objective_->dataset;
    if (objective_->split->truth.empty()) return std::numeric_limits<double>::quiet_NaN();
    if (lograte) kernels::exp_row<V>(output_.data(), output_.data(), output_.size());
    for (const T rate : output_) {
      if (!std::isfinite(rate)) return -std::numeric_limits<double>::infinity();
    }
    const std::size_t trials = trials_.size(), observed = dataset.observed_bins(), N = dataset.neurons;
    return metrics::r2(metrics::Trials(objective_->split->truth.data(), trials, observed, N),
                       metrics::Trials(output_.data(), trials, dataset.bins, N).bin_range(0, observed));
  }

  const MaskedObjective* objective_;
  bool with_r2_;
  std::vector<std::uint32_t> trials_;
  MaskedBatch<T> batch_;
  std::vector<T> output_, losses_;
  std::vector<double> sums_;
  Buffer<T> workspace_;
};

}  // namespace ndt::inline NDT_TARGET::train
