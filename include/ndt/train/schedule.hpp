// ndt/train/schedule.hpp: the learning rate of an update.
#pragma once

#include <cmath>
#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/train/config.hpp"

namespace ndt::inline NDT_TARGET::train {

/// The learning rate with which update number `update`, counted from 0, is done. With w the warm-up and n num_updates:
///
///   not scheduled  the initial rate
///   cosine         initial * (update + 1) / w for update < w,
///                  then initial * (1 + cos(pi * (update - w) / (n - w))) / 2, and 0 from n on
///   inverse_sqrt   initial * (update + 1) / w for update + 1 < w, then initial * sqrt(w / (update + 1))
///
/// `reproduce` (reference: src/runner.py, src/utils.py, WarmupCosineSchedule of pytorch_transformers 1.2.0): warm-ups
/// count `update` and not update + 1, so that the first one is spent at a rate of 0 (of 1e-8 * initial for
/// inverse_sqrt); the inverse square root is multiplied by the initial rate twice, once because it is made of it and
/// once because its user takes it for a factor; the cosine rises again beyond n.
inline double learning_rate(const TrainConfig& config, std::size_t update) noexcept {
  constexpr double pi = 3.14159265358979323846;
  const double initial = config.learning_rate;
  const bool reproduce = config.reproduce;
  const auto count = static_cast<double>(reproduce ? update : update + 1);
  const auto warmup = static_cast<double>(max_size(config.warmup, 1));
  if (!config.scheduled) return initial;
  switch (config.schedule) {
    case Schedule::cosine: {
      if (update < config.warmup) return initial * (count / warmup);
      if (!reproduce && update >= config.num_updates) return 0.0;
      const std::size_t left = config.num_updates > config.warmup ? config.num_updates - config.warmup : 1;
      const double progress = static_cast<double>(update - config.warmup) / static_cast<double>(left);
      return initial * (0.5 * (1.0 + std::cos(pi * progress)));
    }
    case Schedule::inverse_sqrt: {
      if (reproduce) {
        constexpr double lowest = 1e-8;
        if (count < warmup) return initial * (lowest + count * ((initial - lowest) / warmup));
        return initial * (initial * std::sqrt(warmup) / std::sqrt(count));
      }
      return count < warmup ? initial * (count / warmup) : initial * std::sqrt(warmup / count);
    }
  }
  return initial;
}

}  // namespace ndt::inline NDT_TARGET::train
