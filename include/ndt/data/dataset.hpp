// ndt/data/dataset.hpp: binned spike counts for training and evaluation, and what else is known of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ndt/config.hpp"

namespace ndt::inline NDT_TARGET::data {

/// Trials that belong together. All arrays are in C order; one that the data does not have is empty.
struct Split {
  std::size_t trials = 0;
  std::vector<std::uint16_t> counts;      ///< [trials, bins, neurons]; zero where hidden, see below
  std::vector<float> truth;               ///< [trials, observed bins, neurons], the rates, in counts per bin
  std::vector<float> behavior;            ///< [trials, observed bins, dims]; NaN where it is not known
  std::vector<std::int32_t> condition;    ///< [trials], from 0; -1 for trials of no condition
  std::vector<std::uint8_t> decode_mask;  ///< [trials, masks]: whether the trial belongs to decoder `mask`
  std::vector<std::int32_t> jitter;  ///< [trials], the bins by which a trial is shifted against its condition's PSTH
  std::vector<std::int64_t> index;   ///< [trials], the trial's number in the recording

  /// A benchmark may keep these counts to itself. They are zero in `counts` and nothing can be trained or scored on
  /// them.
  bool heldout_hidden = false;
  bool forward_hidden = false;
};

/// A training and a validation (NLB: "eval") split of the same recording.
///
/// The counts of a trial are one matrix of `bins` x `neurons`: held-out neurons, whose counts a model must not see,
/// stand after the others, and forward bins, which lie after what a model may see, after the observed bins.
struct Dataset {
  std::size_t bins = 0;     ///< all, observed and forward
  std::size_t neurons = 0;  ///< all, held-in and held-out
  std::size_t forward_bins = 0;
  std::size_t heldout_neurons = 0;
  std::size_t behavior_dims = 0;
  std::size_t decode_masks = 0;
  std::size_t conditions = 0;
  double bin_width = 0;  ///< in seconds; 0 where it is not known

  Split train, valid;
  /// [conditions, observed bins, neurons]: the mean rates of each condition, in counts per bin; NaN where not known.
  std::vector<float> psth;

  std::size_t observed_bins() const noexcept { return bins - forward_bins; }
  std::size_t heldin_neurons() const noexcept { return neurons - heldout_neurons; }
};

}  // namespace ndt::inline NDT_TARGET::data
