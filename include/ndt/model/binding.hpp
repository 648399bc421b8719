// ndt/model/binding.hpp: packed weights as one block in which every tensor has its place. The order is that in which
// the layers list their tensors; nothing else describes the block.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/arena.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/name.hpp"
#include "ndt/core/tensor_spec.hpp"
#include "ndt/kernels/packing.hpp"
#include "ndt/layers/decoder.hpp"
#include "ndt/layers/embedding.hpp"
#include "ndt/layers/encoder_layer.hpp"
#include "ndt/layers/norm.hpp"

namespace ndt::inline NDT_TARGET {

/// Elements that a tensor takes in packed memory, up to the next boundary.
template <class T>
constexpr std::size_t packed_count(const TensorSpec& spec) noexcept {
  const std::size_t count = spec.layout == Layout::panels
                                ? kernels::packed_size(spec.extents.size[1], spec.extents.size[0])
                                : spec.extents.count();
  return round_up(count, alignment_bytes / sizeof(T));
}

/// Elements that a layer's tensors take.
template <class Layer>
constexpr std::size_t packed_size_of(Layer layer) noexcept {
  using T = typename Layer::T;
  std::size_t total = 0;
  layer.visit_tensors([&](NoName, const T*&, const TensorSpec& spec) { total += packed_count<T>(spec); }, NoName{});
  return total;
}

/// The layer with its tensors at `packed` and behind it.
template <class Layer>
NDT_INLINE constexpr Layer bound(Layer layer, const typename Layer::T* packed) noexcept {
  using T = typename Layer::T;
  layer.visit_tensors(
      [&](NoName, const T*& data, const TensorSpec& spec) {
        data = packed;
        packed += packed_count<T>(spec);
      },
      NoName{});
  return layer;
}

/// Elements of a whole model's packed weights.
template <class V, class Shape>
constexpr std::size_t model_packed_size(const Shape& shape) noexcept {
  return packed_size_of(Embedding<V, Shape>(shape)) +
         shape.config.layers * packed_size_of(EncoderLayer<V, Shape>(shape)) +
         packed_size_of(FinalNorm<V, Shape>(shape)) + packed_size_of(Decoder<V, Shape>(shape));
}

}  // namespace ndt::inline NDT_TARGET
