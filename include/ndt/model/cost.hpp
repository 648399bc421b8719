// ndt/model/cost.hpp: how much arithmetic a model is.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/model/config.hpp"

namespace ndt::inline NDT_TARGET {

/// Floating-point operations of a window: multiply-adds of matrices and attention, each counted as two. Norms, softmax
/// and activations are not counted, and of attention only the pairs inside the band. A decoder of two layers counts as
/// what it is.
constexpr double window_flop(const ModelConfig& config, std::size_t bins) noexcept {
  const auto number = [](std::size_t n) { return static_cast<double>(n); };
  const Band band = config.band();
  double pairs = 0;
  for (std::size_t i = 0; i < bins; ++i) pairs += number(band.last(i, bins) + 1 - band.first(i));
  const double T = number(bins), D = number(config.width()), F = number(config.hidden_size);
  const double L = number(config.layers), N = number(config.neurons);
  const double middle = number(ModelConfig::decoder_hidden);
  const double embedder = config.linear_embedder ? N * D : 0;
  const double decoder = config.has_deep_decoder() ? D * middle + middle * N : D * N;
  return 2 * T * (L * (4 * D * D + 2 * D * F) + embedder + decoder) + 4 * L * D * pairs;
}

}  // namespace ndt::inline NDT_TARGET
