// ndt/autograd/attention.hpp: multi-head attention inside a context band, and its gradients (kernels/attention.hpp).
//
// With S = scale Q K^T inside the band, P = softmax(S) and C = P o keep (dropout on the weights), O = C V:
//   dC = dO V^T   dP = dC o keep   dS = P o (dP - rowsum(dP o P))   dQ = scale dS K   dK = scale dS^T Q   dV = C^T dO
// P is kept from the forward pass in blocks of rows, each with the columns that its rows see: memory and work grow with
// the band and not with the square of the trial.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "ndt/autograd/dropout.hpp"
#include "ndt/autograd/tape.hpp"
#include "ndt/config.hpp"
#include "ndt/core/band.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/attention.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/kernels/packing.hpp"
#include "ndt/kernels/reduce.hpp"

namespace ndt::inline NDT_TARGET {

/// How the weights of one head over `bins` bins are stored: blocks of `rows` bins, each of `columns` keys.
struct WeightBlocks {
  Band band;
  std::size_t bins, rows, columns;

  WeightBlocks(const Band& context, std::size_t T) noexcept : band(context), bins(T), rows(T), columns(0) {
    // The most that one bin sees decides how tall a block may be: what it holds outside the band is worked on too.
    std::size_t widest = 0;
    for (std::size_t i = 0; i < T; ++i) widest = max_size(widest, band.last(i, T) + 1 - band.first(i));
    if (widest < T) rows = max_size(24, widest / 2);
    rows = min_size(min_size(rows, 128), T);
    for (std::size_t b = 0; b < count(); ++b) columns = max_size(columns, end(b) - begin(b));
    columns = round_up(columns, kernels::panel_width);
  }
  std::size_t count() const noexcept { return divide_up(bins, rows); }
  std::size_t first_row(std::size_t block) const noexcept { return block * rows; }
  std::size_t last_row(std::size_t block) const noexcept { return min_size(bins, first_row(block) + rows); }
  /// The keys of a block: from the first panel that one of its rows sees to the last key.
  std::size_t begin(std::size_t block) const noexcept {
    return band.first(first_row(block)) / kernels::panel_width * kernels::panel_width;
  }
  std::size_t end(std::size_t block) const noexcept { return band.last(last_row(block) - 1, bins) + 1; }
  /// Elements of a head's weights, row after row.
  std::size_t size() const noexcept { return bins * columns; }
};

namespace kernels {

/// One head of one trial, as the backward pass reads it.
template <class T>
struct AttentionGradient {
  Rows<const T> queries, keys, values;  ///< (T, width)
  Rows<const T> out;                    ///< gradient of the head's output (T, width)
  Rows<T> dqueries, dkeys, dvalues;     ///< (T, width)
  const T* weights;                     ///< P as WeightBlocks lays it out, 0 outside the band
  const T* keep;                        ///< like P, or null
  std::size_t width;
  T scale;
  bool accumulate;  ///< gradients are added to what is there, as they must be where there are several blocks
};

/// Elements of scratch for attention_backward.
inline std::size_t attention_backward_scratch(const WeightBlocks& blocks, std::size_t width) noexcept {
  return packed_size(width, blocks.bins) + 3 * packed_size(blocks.bins, width) + 2 * blocks.rows * blocks.columns;
}

/// ds(rows,count) <- scale p o (dp - rowsum(dp o p)), from dc in ds and dp = dc o keep; kept(rows,count) = p o keep.
/// keep may be null: then dp is dc and kept is not written.
template <class V>
void softmax_backward(Rows<typename V::value_type> ds, Rows<const typename V::value_type> p,
                      Rows<typename V::value_type> kept, Rows<const typename V::value_type> keep, std::size_t rows,
                      std::size_t count, typename V::value_type scale) noexcept {
  constexpr std::size_t side_by_side = rows_side_by_side<V>;
  typename V::value_type mean[side_by_side];
  const auto length = [=](std::size_t) NDT_INLINE_LAMBDA { return count; };
  for (std::size_t first = 0; first < rows; first += side_by_side) {
    const std::size_t some = min_size(side_by_side, rows - first);
    if (keep.data == nullptr) {
      sum_rows<V>(mean, some, length, [&](std::size_t r, std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
        return V::load(ds[first + r] + i, lanes) * V::load(p[first + r] + i, lanes);
      });
    } else {
      sum_rows<V>(mean, some, length, [&](std::size_t r, std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
        const auto w = V::load(p[first + r] + i, lanes), k = V::load(keep[first + r] + i, lanes);
        const auto d = V::load(ds[first + r] + i, lanes) * k;
        V::store(kept[first + r] + i, w * k, lanes), V::store(ds[first + r] + i, d, lanes);
        return d * w;
      });
    }
    for (std::size_t r = first; r < first + some; ++r) {
      const auto centre = V::set(mean[r - first]), factor = V::set(scale);
      map<V>(
          ds[r], count, [=](auto d, auto w) NDT_INLINE_LAMBDA { return w * (d - centre) * factor; }, ds[r], p[r]);
    }
  }
}

template <class V>
void attention_backward(const AttentionGradient<typename V::value_type>& head, const WeightBlocks& blocks,
                        typename V::value_type* scratch) noexcept {
  using T = typename V::value_type;
  const std::size_t bins = blocks.bins, width = head.width, columns = blocks.columns;
  T* const values = scratch;
  T* const keys = values + packed_size(width, bins);
  T* const queries = keys + packed_size(bins, width);
  T* const out = queries + packed_size(bins, width);
  const Rows<T> ds{out + packed_size(bins, width), columns};
  const Rows<T> kept{ds.data + blocks.rows * columns, columns};
  pack_transposed<V>(values, head.values, bins, width, 0, bins);
  pack_rows<V>(keys, head.keys, bins, width, 0, bins);
  pack_rows<V>(queries, head.queries, bins, width, 0, bins);
  pack_rows<V>(out, head.out, bins, width, 0, bins);
  const auto rows_of = [&](const T* panels, std::size_t row) {
    return Panels<T>{panels, bins * panel_width}.from_row(row);
  };

  for (std::size_t b = 0; b < blocks.count(); ++b) {
    const std::size_t first = blocks.first_row(b), rows = blocks.last_row(b) - first;
    const std::size_t begin = blocks.begin(b), count = blocks.end(b) - begin;
    gemm<V>(ds, head.out.from(first), Panels<T>{values + begin * width, width * panel_width}, rows, width, count);
    const Rows<const T> p{head.weights + first * columns, columns};
    const Rows<const T> keep{head.keep == nullptr ? nullptr : head.keep + first * columns, columns};
    softmax_backward<V>(ds, p, kept, keep, rows, count, head.scale);
    const Columns<const T> c =
        head.keep == nullptr ? Columns<const T>{p.data, columns} : Columns<const T>{kept.data, columns};
    gemm<V>(head.dqueries.from(first), ds, rows_of(keys, begin), rows, count, width,
            TrainingEdge<T>{{.accumulate = head.accumulate}});
    gemm<V>(head.dkeys.from(begin), Columns<const T>{ds.data, columns}, rows_of(queries, first), count, rows, width,
            TrainingEdge<T>{{.accumulate = head.accumulate}});
    gemm<V>(head.dvalues.from(begin), c, rows_of(out, first), count, rows, width,
            TrainingEdge<T>{{.accumulate = head.accumulate}});
  }
}

}  // namespace kernels

/// What attention() needs beside its input.
struct AttentionOptions {
  std::size_t heads = 1;
  std::size_t bins = 0;  ///< of a trial: rows of the input are trials * bins
  Band band{};
  Dropout dropout{};  ///< on the weights; uses purpose ... purpose + heads - 1
};

namespace detail {

/// Copies the weights of a bin to where the backward pass reads them, and drops some of those that go on to the values.
template <class V>
struct KeepWeights {
  using T = typename V::value_type;
  const WeightBlocks& blocks;
  T* weights;
  const T* keep;

  void operator()(std::size_t bin, T* row, std::size_t begin, std::size_t end) const noexcept {
    const std::size_t origin = blocks.begin(bin / blocks.rows);
    T* const to = weights + bin * blocks.columns;
    std::fill_n(to, begin - origin, T(0));
    kernels::copy<V>(to + (begin - origin), row + begin, end - begin);
    std::fill(to + (end - origin), to + blocks.columns, T(0));
    if (keep == nullptr) return;
    kernels::map<V>(
        row + begin, end - begin, [](auto w, auto k) NDT_INLINE_LAMBDA { return w * k; }, row + begin,
        keep + bin * blocks.columns + (begin - origin));
  }
};

}  // namespace detail

/// y(trials * bins, D) from the queries, keys and values side by side, x(trials * bins, 3 D); heads are slices of each.
template <class V>
Variable<typename V::value_type>* attention(Tape<V>& tape, Variable<typename V::value_type>* x,
                                            const AttentionOptions& options) {
  using T = typename V::value_type;
  const std::size_t D = x->columns / 3, H = options.heads, width = D / H, bins = options.bins;
  const std::size_t trials = x->rows / bins;
  NDT_ASSERT(3 * D == x->columns && H * width == D && trials * bins == x->rows);
  const T scale = T(1) / std::sqrt(static_cast<T>(width));
  Variable<T>* const y = tape.variable(x->rows, D);
  const WeightBlocks blocks(options.band, bins);
  T* const weights = tape.template take<T>(trials * H * blocks.size());
  const bool drops = options.dropout.rate != 0;
  T* const keep = drops ? tape.template take<T>(trials * H * blocks.size() + keep_group) : nullptr;

  const std::size_t key_size = kernels::packed_size(width, bins), value_size = kernels::packed_size(bins, width);
  T* const keys = tape.scratch(key_size + value_size + kernels::attention_scratch_size<V>(bins));
  T* const values = keys + key_size;
  for (std::size_t trial = 0; trial < trials; ++trial) {
    for (std::size_t h = 0; h < H; ++h) {
      const std::size_t at = (trial * H + h) * blocks.size();
      const Rows<const T> row = x->value.from(trial * bins, h * width);
      kernels::pack_transposed<V>(keys, row.from(0, D), bins, width, 0, bins);
      kernels::pack_rows<V>(values, row.from(0, 2 * D), bins, width, 0, bins);
      if (drops) {
        const auto purpose = options.dropout.purpose + static_cast<std::uint32_t>(h);
        draw_keep(keep + at, blocks.size(), tape.draws().place(purpose, trial), options.dropout.rate);
      }
      const kernels::AttentionHead<T> head{
          row, {keys, width * kernels::panel_width}, {values, bins * kernels::panel_width}, bins, width, scale};
      kernels::attention<V>(y->value.from(trial * bins, h * width), head, options.band, 0, bins, values + value_size,
                            detail::KeepWeights<V>{blocks, weights + at, drops ? keep + at : nullptr});
    }
  }
  tape.record(y, [&tape, x, y, H, bins, scale, blocks, weights, keep] {
    const auto [gradient, accumulate] = tape.sink(x);
    // A single block writes everything at once; of several, each adds its part.
    const bool adds = accumulate || blocks.count() > 1;
    if (!accumulate && adds) std::fill_n(gradient.data, x->size(), T(0));
    const std::size_t columns = y->columns, head_width = columns / H;
    T* const scratch = tape.scratch(kernels::attention_backward_scratch(blocks, head_width));
    for (std::size_t trial = 0; trial < y->rows / bins; ++trial) {
      for (std::size_t h = 0; h < H; ++h) {
        const std::size_t first = trial * bins, column = h * head_width, at = (trial * H + h) * blocks.size();
        const auto part = [&](auto rows, std::size_t which) { return rows.from(first, which * columns + column); };
        const Rows<const T> in = x->value;
        const kernels::AttentionGradient<T> head{part(in, 0),
                                                 part(in, 1),
                                                 part(in, 2),
                                                 y->gradient.from(first, column),
                                                 part(gradient, 0),
                                                 part(gradient, 1),
                                                 part(gradient, 2),
                                                 weights + at,
                                                 keep == nullptr ? nullptr : keep + at,
                                                 head_width,
                                                 scale,
                                                 adds};
        kernels::attention_backward<V>(head, blocks, scratch);
      }
    }
  });
  return y;
}

}  // namespace ndt::inline NDT_TARGET
