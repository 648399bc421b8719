// ndt/data/mask_settings.hpp: how the masked objective is drawn. In brackets the reference's keys.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ndt/config.hpp"

namespace ndt::inline NDT_TARGET::data {

/// What one Bernoulli draw decides on [TRAIN.MASK_MODE].
enum class MaskMode : std::uint8_t {
  full,           ///< one element of one trial; its span runs along time
  timestep,       ///< one bin of one trial, all neurons
  neuron,         ///< one neuron of one trial, all bins; its span runs over neighbouring neurons
  timestep_only,  ///< one bin of all trials of the batch, all neurons
};

struct MaskSettings {
  MaskMode mode = MaskMode::timestep;  ///< [TRAIN.MASK_MODE]
  double ratio = 0.2;                  ///< selected for the loss [TRAIN.MASK_RATIO]
  double token_ratio = 1.0;            ///< selected elements that become the mask token [TRAIN.MASK_TOKEN_RATIO]
  double random_ratio = 0.5;           ///< of those left, what becomes a random count [TRAIN.MASK_RANDOM_RATIO]
  bool zero_mask = true;               ///< the mask token is 0, else max_spikes + 1 [TRAIN.USE_ZERO_MASK]
  std::size_t max_span = 1;            ///< in bins [TRAIN.MASK_MAX_SPAN]
  std::size_t ramp_start = 600;        ///< update from which on spans are drawn [TRAIN.MASK_SPAN_RAMP_START]
  std::size_t ramp_end = 1200;         ///< update from which on every batch has one [TRAIN.MASK_SPAN_RAMP_END]

  constexpr bool operator==(const MaskSettings&) const noexcept = default;

  /// Probability that a batch of this update draws a span width (reference: src/runner.py, train_epoch): 0 up to the
  /// start of the ramp, then straight up to 1 at its end. A ramp without length is a step.
  constexpr double expand_probability(std::size_t update) const noexcept {
    if (update >= ramp_end) return 1.0;
    if (update <= ramp_start) return 0.0;
    return static_cast<double>(update - ramp_start) / static_cast<double>(ramp_end - ramp_start);
  }
};

}  // namespace ndt::inline NDT_TARGET::data
