// ndt/train/masked_batch.hpp: trials of a data set as the loss wants them: masked inputs, targets and weights.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ndt/config.hpp"
#include "ndt/core/parallel_for.hpp"
#include "ndt/data/dataset.hpp"
#include "ndt/data/masking.hpp"
#include "ndt/train/gradient.hpp"

namespace ndt::inline NDT_TARGET::train {

/// The masked objective over one split of a data set.
struct MaskedObjective {
  const data::Dataset* dataset;
  const data::Split* split;
  data::MaskSettings settings;
  std::size_t max_spikes;      ///< larger counts of the input are clipped to it, targets stay
  std::uint32_t random_below;  ///< bound of random counts: see data/masking.hpp
  bool reproduce;

  data::TrialShape shape() const noexcept {
    return {dataset->bins, dataset->neurons, dataset->observed_bins(), dataset->heldin_neurons()};
  }
  const std::uint16_t* counts(std::size_t trial) const noexcept {
    return split->counts.data() + trial * dataset->bins * dataset->neurons;
  }
};

/// Memory for one batch, used again and again.
template <class T>
class MaskedBatch {
 public:
  /// Masks these trials. The numbers drawn belong to the trial's place in the split and to draw.step.
  template <class Policy = Serial>
  Batch<T, std::uint16_t> mask(const MaskedObjective& objective, std::span<const std::uint32_t> trials,
                               const data::MaskDraw& draw, const Policy& policy = {}) {
    const data::TrialShape shape = objective.shape();
    const data::MaskSettings& settings = objective.settings;
    // Clipped before anything is hidden: a count as large as the mask token must not be read as one.
    data::MaskValues values{data::mask_token(settings, objective.max_spikes), objective.random_below,
                            static_cast<std::uint32_t>(objective.max_spikes)};
    if (objective.reproduce) {
      // The reference bounds random counts by what the batch holds once all of it is hidden.
      each(trials, shape, policy, [&](const data::MaskedTrial<T, std::uint16_t>& out, std::size_t trial) {
        const std::size_t selected = data::select_elements(out.weight, shape, settings.mode, draw, trial);
        data::hide_elements(out.input, objective.counts(trial), out.weight, shape, settings, draw, trial, values);
        return selected;
      });
      values.random_below = data::largest_count(inputs_.data(), trials.size() * shape.elements());
    }
    each(trials, shape, policy, [&](const data::MaskedTrial<T, std::uint16_t>& out, std::size_t trial) {
      data::mask_trial(out, objective.counts(trial), shape, settings, draw, trial, values);
      return ignore_hidden(out, objective, shape);
    });
    return batch(objective, trials);
  }

  /// The same trials with nothing masked but what a model may not see.
  template <class Policy = Serial>
  Batch<T, std::uint16_t> unmask(const MaskedObjective& objective, std::span<const std::uint32_t> trials,
                                 const Policy& policy = {}) {
    const data::TrialShape shape = objective.shape();
    each(trials, shape, policy, [&](const data::MaskedTrial<T, std::uint16_t>& out, std::size_t trial) {
      return data::unmasked_trial(out, objective.counts(trial), shape, objective.reproduce);
    });
    return batch(objective, trials);
  }
  std::span<T> weights() noexcept { return weights_; }

 private:
  /// fill(out, trial) gives the number of selected elements.
  template <class Policy, class Fill>
  void each(std::span<const std::uint32_t> trials, const data::TrialShape& shape, const Policy& policy, Fill fill) {
    const std::size_t size = shape.elements();
    inputs_.resize(trials.size() * size), targets_.resize(trials.size() * size), weights_.resize(trials.size() * size);
    selected_.resize(trials.size());
    policy(trials.size(), [&](std::size_t i, std::size_t) {
      selected_[i] =
          fill({inputs_.data() + i * size, targets_.data() + i * size, weights_.data() + i * size}, trials[i]);
    });
  }

  /// Counts that a benchmark keeps to itself are in no loss. The number of elements that are.
  static std::size_t ignore_hidden(const data::MaskedTrial<T, std::uint16_t>& out, const MaskedObjective& objective,
                                   const data::TrialShape& shape) noexcept {
    const bool neurons = objective.split->heldout_hidden, bins = objective.split->forward_hidden;
    std::size_t selected = 0;
    for (std::size_t t = 0, i = 0; t < shape.bins; ++t) {
      for (std::size_t n = 0; n < shape.neurons; ++n, ++i) {
        if ((neurons && n >= shape.held_in) || (bins && t >= shape.observed_bins)) out.weight[i] = T(0);
        selected += out.weight[i] != T(0);
      }
    }
    return selected;
  }

  Batch<T, std::uint16_t> batch(const MaskedObjective& objective, std::span<const std::uint32_t> trials) const {
    std::size_t selected = 0;
    for (const std::size_t n : selected_) selected += n;
    return {trials,         objective.dataset->bins,
            inputs_.data(), {targets_.data(), weights_.data()},
            selected,       objective.settings.zero_mask ? LargestCount::max_spikes : LargestCount::mask_token};
  }

  std::vector<std::uint16_t> inputs_;
  std::vector<T> targets_, weights_;
  std::vector<std::size_t> selected_;
};

}  // namespace ndt::inline NDT_TARGET::train
