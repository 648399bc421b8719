// ndt/layers/embedding.hpp: spike counts and positions to the encoder's input (reference: src/model.py,
// NeuralDataTransformer.forward and PositionalEncoding).
#pragma once

#include <cmath>
#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/tensor_spec.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/embedding.hpp"
#include "ndt/layers/linear.hpp"
#include "ndt/model/config.hpp"

namespace ndt::inline NDT_TARGET {

/// x = embed(counts) * sqrt(width) + positions. The factor applies to EMBED_DIM 0 too: a count of 1 enters as sqrt(N).
template <class V, class Shape>
struct Embedding {
  using T = typename V::value_type;
  using Neurons = decltype(Shape{}.neurons());
  using Width = decltype(Shape{}.width());

  [[no_unique_address]] Shape shape;
  const T* table = nullptr;          ///< (max_spikes + 2, EMBED_DIM), if there is one
  Linear<V, Neurons, Width> linear;  ///< LINEAR_EMBEDDER
  const T* positions = nullptr;      ///< (trial_length, width), learned or sinusoidal

  constexpr explicit Embedding(const Shape& s) noexcept : shape(s), linear(s.neurons(), s.width()) {}

  template <class F, class Path>
  constexpr void visit_tensors(F&& f, const Path& root) {
    const ModelConfig& config = shape.config;
    if (config.linear_embedder) {
      linear.visit_tensors(f, root + "embedder");
    } else if (config.has_table()) {
      f(root + "embedder.0.weight", table,
        TensorSpec{Extents(config.table_rows(), config.embed_dim), Layout::row_major, {}});
    }
    // The stored tables are used as they are: offsets changed between versions of the reference.
    if (config.learnable_position) {
      f(root + "pos_encoder.pos_embedding.weight", positions,
        TensorSpec{Extents(config.trial_length, config.width()), Layout::row_major, "pos_encoder.pe"});
    } else {
      f(root + "pos_encoder.pe", positions,
        TensorSpec{Extents(config.trial_length, 1, config.width()), Layout::row_major, {}});
    }
  }

  /// x(bins, width) from counts(bins, neurons), any integer or floating type, of `bins` bins that begin at position
  /// `first`. Counts above `limit` are clipped to it. spare: (bins, neurons) at least.
  template <class Count>
  void forward(Rows<T> x, const Count* counts, Rows<T> spare, std::size_t first, std::size_t bins,
               std::size_t limit) const noexcept {
    const ModelConfig& config = shape.config;
    const std::size_t N = shape.neurons(), D = shape.width();
    const T scale = std::sqrt(static_cast<T>(D));
    if (config.linear_embedder) {
      for (std::size_t t = 0; t < bins; ++t) kernels::embed_counts(spare[t], counts + t * N, N, limit);
      linear.forward(x, spare, bins);
    }
    for (std::size_t t = 0; t < bins; ++t) {
      if (config.has_table()) {
        kernels::embed_lookup(x[t], counts + t * N, table, N, config.embed_dim, limit);
      } else if (!config.linear_embedder) {
        kernels::embed_counts(x[t], counts + t * N, N, limit);
      }
      kernels::scale_and_shift<V>(x[t], scale, positions + (first + t) * D, shape.width());
    }
  }
};

}  // namespace ndt::inline NDT_TARGET
