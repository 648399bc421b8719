// ndt/readout/fingerprint.hpp: one number by which a model is known again.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "ndt/config.hpp"
#include "ndt/model/transformer.hpp"

namespace ndt::inline NDT_TARGET {

/// Of a bound model's configuration and weights, as floats: the same for every instruction set, static or dynamic
/// shape, float or double. FNV-1a over 64-bit numbers, so no proof against intent: a model file has a SHA-256 as well.
/// Reads all the weights once.
template <class Shape, class V>
constexpr std::uint64_t fingerprint(const Transformer<Shape, V>& model) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto mix = [&](std::uint64_t value) { hash = (hash ^ value) * 0x100000001b3u; };
  const ModelConfig& c = model.config();
  for (const std::size_t size : {c.neurons, c.trial_length, c.layers, c.heads, c.hidden_size, c.embed_dim, c.max_spikes,
                                 c.decoder_layers, c.band().forward, c.band().backward, c.band().wrap}) {
    mix(size == dyn ? ~std::uint64_t{0} : size);  // where size_t has 32 bits too
  }
  for (const bool flag : {c.linear_embedder, c.learnable_position, c.pre_norm, c.scale_norm, c.lograte,
                          c.activation == Activation::gelu}) {
    mix(flag ? 1 : 0);
  }
  mix(std::bit_cast<std::uint32_t>(static_cast<float>(c.norm_epsilon)));
  for (std::size_t i = 0; i < model.packed_size(); ++i) {
    const float weight = static_cast<float>(model.packed()[i]);
    // Padding, which is zero, depends on the type.
    if (weight != 0.0f) mix(std::bit_cast<std::uint32_t>(weight));
  }
  // 0 stands for no model.
  return hash == 0 ? 1 : hash;
}

}  // namespace ndt::inline NDT_TARGET
