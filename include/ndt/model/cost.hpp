// ndt/model/cost.hpp: how much arithmetic a model is.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/model/config.hpp"

namespace ndt::inline NDT_TARGET {

namespace detail {

/// Of `rows` rows of work that attend to `pairs` keys in all.
constexpr double flop(const ModelConfig& config, double rows, double pairs) noexcept {
  const auto number = [](std::size_t n) { return static_cast<double>(n); };
  const double D = number(config.width()), F = number(config.hidden_size);
  const double L = number(config.layers), N = number(config.neurons);
  const double middle = number(ModelConfig::decoder_hidden);
  const double embedder = config.linear_embedder ? N * D : 0;
  const double decoder = config.has_deep_decoder() ? D * middle + middle * N : D * N;
  return 2 * rows * (L * (4 * D * D + 2 * D * F) + embedder + decoder) + 4 * L * D * pairs;
}

}  // namespace detail

/// Floating-point operations of a window: multiply-adds of matrices and attention, each counted as two. Norms, softmax
/// and activations are not counted, and of attention only the pairs inside the band. A decoder of two layers counts as
/// what it is.
constexpr double window_flop(const ModelConfig& config, std::size_t bins) noexcept {
  const Band band = config.band();
  double pairs = 0;
  for (std::size_t i = 0; i < bins; ++i) pairs += static_cast<double>(band.last(i, bins) + 1 - band.first(i));
  return detail::flop(config, static_cast<double>(bins), pairs);
}

/// What one row of work for the last bin of a trial costs, keys and values of the others being there: what a stream
/// pays for a bin where the context does not look ahead.
constexpr double bin_flop(const ModelConfig& config) noexcept {
  const Band band = config.band();
  const std::size_t last = config.trial_length - 1;
  return detail::flop(config, 1, static_cast<double>(band.last(last, config.trial_length) + 1 - band.first(last)));
}

}  // namespace ndt::inline NDT_TARGET
