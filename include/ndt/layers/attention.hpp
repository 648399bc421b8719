// ndt/layers/attention.hpp: multi-head self-attention, as torch.nn.MultiheadAttention with packed projections.
#pragma once

#include <cmath>
#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/arena.hpp"
#include "ndt/core/band.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/attention.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/kernels/packing.hpp"
#include "ndt/layers/linear.hpp"

namespace ndt::inline NDT_TARGET {

/// Buffers of one window of attention: what project() leaves for attend().
template <class T>
struct AttentionBuffers {
  Rows<T> projected;         ///< (T, 3 width): queries, keys, values
  T* keys = nullptr;         ///< every head's keys, packed
  T* values = nullptr;       ///< every head's values, packed
  std::size_t capacity = 0;  ///< bins that there is room for
  std::size_t key_size = 0;  ///< elements of one head's keys
  std::size_t value_size = 0;
};

template <class V, class Shape>
struct SelfAttention {
  using T = typename V::value_type;
  using Width = decltype(Shape{}.width());
  using Projected = decltype(Dim<3>{} * Width{});

  Linear<V, Width, Projected> in_proj;  ///< rows: queries, keys, values; heads are slices of each
  Linear<V, Width, Width> out_proj;
  std::size_t heads;
  std::size_t head_width;
  Band band;

  constexpr explicit SelfAttention(const Shape& shape) noexcept
      : in_proj(shape.width(), Dim<3>{} * shape.width()),
        out_proj(shape.width(), shape.width()),
        heads(shape.config.heads),
        head_width(shape.config.head_width()),
        band(shape.config.band()) {}

  template <class F, class Path>
  constexpr void visit_tensors(F&& f, const Path& path) {
    in_proj.visit_tensors(f, path, ".in_proj_weight", ".in_proj_bias");
    out_proj.visit_tensors(f, path + ".out_proj");
  }

  /// Room for the keys and values of `bins` bins of some trials, and for the projections of `rows` bins at a time.
  constexpr AttentionBuffers<T> plan(Arena<T>& arena, std::size_t bins, std::size_t rows,
                                     std::size_t trials = 1) const noexcept {
    const std::size_t stride = round_up(in_proj.outputs, kernels::panel_width);
    AttentionBuffers<T> buffers;
    buffers.projected = {arena.take(rows * stride), stride};
    buffers.capacity = bins;
    buffers.key_size = kernels::packed_size(head_width, bins);
    buffers.value_size = kernels::packed_size(bins, head_width);
    buffers.keys = arena.take(trials * heads * buffers.key_size);
    buffers.values = arena.take(trials * heads * buffers.value_size);
    return buffers;
  }
  /// The part of the buffers that belongs to one of several trials of `capacity` bins each.
  AttentionBuffers<T> trial(const AttentionBuffers<T>& buffers, std::size_t number) const noexcept {
    AttentionBuffers<T> own = buffers;
    own.projected = buffers.projected.from(number * buffers.capacity);
    own.keys += number * heads * buffers.key_size;
    own.values += number * heads * buffers.value_size;
    return own;
  }

  /// Queries, keys and values of bins [first, last), whose rows x holds. Different bins may be done at the same time.
  /// Of several trials x holds all bins, one trial behind the other.
  void project(const AttentionBuffers<T>& buffers, Rows<const T> x, std::size_t first, std::size_t last,
               std::size_t trials = 1) const noexcept {
    NDT_ASSERT(trials == 1 || (first == 0 && last == buffers.capacity));
    in_proj.forward(buffers.projected.from(first), x, trials * (last - first));
    for (std::size_t t = 0; t < trials; ++t) {
      const AttentionBuffers<T> own = trial(buffers, t);
      const Rows<T> projected = own.projected.from(first);
      keep(own, projected, first, last, [&](T* keys, std::size_t column) {
        kernels::pack_transposed<V>(keys, Rows<const T>(projected.from(0, column)), own.capacity, head_width, first,
                                    last);
      });
    }
  }
  /// Keys and values of one projected row, for a place of a ring. The keys' padding is not written, so that every place
  /// costs the same: ring_attention does not look at it.
  void keep_in_ring(const AttentionBuffers<T>& buffers, const T* projected, std::size_t place) const noexcept {
    keep(buffers, {projected, 0}, place, place + 1,
         [&](T* keys, std::size_t column) { kernels::pack_column(keys, projected + column, head_width, place); });
  }

  /// The heads' outputs side by side for bins [first, last) into context(T, width), once all bins are projected.
  /// average: null, or (T,T), to which the mean of the heads' softmax weights is added.
  void attend(Rows<T> context, const AttentionBuffers<T>& buffers, std::size_t bins, std::size_t first,
              std::size_t last, T* scratch, Rows<T> average) const noexcept {
    const auto share = V::set(T(1) / static_cast<T>(heads));
    const auto add_share = [=](std::size_t bin, const T* weights, std::size_t begin, std::size_t end) {
      T* const sum = average[bin] + begin;
      kernels::map<V>(
          sum, end - begin, [=](auto s, auto w) NDT_INLINE_LAMBDA { return V::fma(w, share, s); }, sum,
          weights + begin);
    };
    for (std::size_t h = 0; h < heads; ++h) {
      const kernels::AttentionHead<T> head = this->head(buffers, buffers.projected, h, bins);
      if (average.data != nullptr) {
        kernels::attention<V>(context.from(0, h * head_width), head, band, first, last, scratch, add_share);
      } else {
        kernels::attention<V>(context.from(0, h * head_width), head, band, first, last, scratch);
      }
    }
  }
  /// The same for one row of projections whose keys and values are in a ring: `count` places from `place` on.
  void attend_ring(T* context, const AttentionBuffers<T>& buffers, const T* projected, std::size_t place,
                   std::size_t count, T* scratch) const noexcept {
    for (std::size_t h = 0; h < heads; ++h) {
      kernels::ring_attention<V>(context + h * head_width, head(buffers, {projected, 0}, h, buffers.capacity), place,
                                 count, scratch);
    }
  }

 private:
  /// Keys, by pack_keys(a head's panels, its first column of projected rows), and values, for the places [first, last).
  template <class PackKeys>
  void keep(const AttentionBuffers<T>& buffers, Rows<const T> projected, std::size_t first, std::size_t last,
            PackKeys pack_keys) const noexcept {
    const std::size_t width = in_proj.inputs;
    for (std::size_t h = 0; h < heads; ++h) {
      pack_keys(buffers.keys + h * buffers.key_size, width + h * head_width);
      kernels::pack_rows<V>(buffers.values + h * buffers.value_size, projected.from(0, 2 * width + h * head_width),
                            buffers.capacity, head_width, first, last);
    }
  }
  /// What head h reads: queries from rows of projections, keys and values of `bins` bins.
  kernels::AttentionHead<T> head(const AttentionBuffers<T>& buffers, Rows<const T> projected, std::size_t h,
                                 std::size_t bins) const noexcept {
    return {projected.from(0, h * head_width),
            {buffers.keys + h * buffers.key_size, head_width * kernels::panel_width},
            {buffers.values + h * buffers.value_size, buffers.capacity * kernels::panel_width},
            bins,
            head_width,
            T(1) / std::sqrt(static_cast<T>(head_width))};
  }
};

}  // namespace ndt::inline NDT_TARGET
