// ndt/layers/encoder_layer.hpp: attention, feed-forward, two residual paths and two norms (reference: src/model.py,
// TransformerEncoderLayerWithHooks).
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/activation.hpp"
#include "ndt/layers/attention.hpp"
#include "ndt/layers/linear.hpp"
#include "ndt/layers/norm.hpp"
#include "ndt/model/config.hpp"

namespace ndt::inline NDT_TARGET {

/// The layer as two steps over bins, with every bin's keys and values complete between them:
/// project() for all bins, then transform() for all bins.
template <class V, class Shape>
struct EncoderLayer {
  using T = typename V::value_type;
  using Width = decltype(Shape{}.width());
  using Hidden = decltype(Shape{}.hidden_size());

  [[no_unique_address]] Shape shape;
  SelfAttention<V, Shape> self_attn;
  Linear<V, Width, Hidden> linear1;
  Linear<V, Hidden, Width> linear2;
  LayerNorm<V, Width> norm1;
  LayerNorm<V, Width> norm2;

  constexpr explicit EncoderLayer(const Shape& s) noexcept
      : shape(s),
        self_attn(s),
        linear1(s.width(), s.hidden_size()),
        linear2(s.hidden_size(), s.width()),
        norm1(s.width(), static_cast<T>(s.config.norm_epsilon)),
        norm2(s.width(), static_cast<T>(s.config.norm_epsilon)) {}

  template <class F, class Path>
  constexpr void visit_tensors(F&& f, const Path& path) {
    self_attn.visit_tensors(f, path + ".self_attn");
    linear1.visit_tensors(f, path + ".linear1");
    linear2.visit_tensors(f, path + ".linear2");
    norm1.visit_tensors(f, path + ".norm1");
    norm2.visit_tensors(f, path + ".norm2");
  }

  /// Queries, keys and values of bins [first, last) from the layer's input x(T, width). spare: (T, width). Or of all
  /// bins of several trials, one behind the other.
  void project(const AttentionBuffers<T>& attention, Rows<const T> x, Rows<T> spare, std::size_t first,
               std::size_t last, std::size_t trials = 1) const noexcept {
    self_attn.project(attention, attended(x.from(first), spare.from(first), trials * (last - first)), first, last,
                      trials);
  }
  /// What attention projects, row for row: x(count, width), or its norm, which is put into spare.
  Rows<const T> attended(Rows<const T> x, Rows<T> spare, std::size_t count) const noexcept {
    if (!shape.config.pre_norm) return x;
    norm1.forward(spare, x, count);
    return spare;
  }

  /// The rest of the layer for bins [first, last): x(T, width) becomes the layer's output. spare: (T, width),
  /// hidden: (T, hidden_size), scratch: kernels::attention_scratch_size. average: see SelfAttention::attend.
  void transform(Rows<T> x, const AttentionBuffers<T>& attention, Rows<T> spare, Rows<T> hidden, std::size_t bins,
                 std::size_t first, std::size_t last, T* scratch, Rows<T> average) const noexcept {
    self_attn.attend(spare, attention, bins, first, last, scratch, average);
    finish(x.from(first), spare.from(first), hidden.from(first), last - first);
  }
  /// What follows attention: x(count, width) becomes the layer's output. spare(count, width) holds the heads' outputs
  /// and is overwritten, as is hidden.
  void finish(Rows<T> x, Rows<T> spare, Rows<T> hidden, std::size_t count) const noexcept {
    const bool pre_norm = shape.config.pre_norm;
    self_attn.out_proj.forward(x, spare, count, {.residual = x});
    if (!pre_norm) norm1.forward(x, x, count);
    Rows<const T> input = x;
    if (pre_norm) {
      norm2.forward(spare, x, count);
      input = spare;
    }
    const bool gelu = shape.config.activation == Activation::gelu;
    linear1.forward(hidden, input, count, {.relu = !gelu});
    if (gelu) kernels::gelu_rows<V>(hidden, hidden, count, linear1.outputs);
    linear2.forward(x, hidden, count, {.residual = x});
    if (!pre_norm) norm2.forward(x, x, count);
  }
};

}  // namespace ndt::inline NDT_TARGET
