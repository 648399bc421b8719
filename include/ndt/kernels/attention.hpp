// ndt/kernels/attention.hpp: one head of scaled dot-product attention (Vaswani et al. 2017) inside a context band.
//
// Keys and values outside the band of a bin do not reach its result, not even as a product with 0: they are skipped,
// not masked, and may be NaN. A block of rows shares the keys that all of them see; the few that only some see are
// added row by row, before and after, so that every output is still one chain over ascending keys and its bits do not
// depend on the block.
#pragma once

#include <array>
#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/band.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/linear.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/kernels/packing.hpp"
#include "ndt/kernels/softmax.hpp"

namespace ndt::inline NDT_TARGET::kernels {

/// Rows whose scores are worked on together where they see the same keys: a few tiles, which share the work beside
/// their multiply-adds. Microcontrollers save the memory. Of the instruction set alone: scratch has this size, and
/// files of two compilers may meet in one program.
template <class V>
inline constexpr std::size_t attention_rows = NDT_MICROCONTROLLER != 0 ? tile_limits<V>::rows
                                              : V::registers == 32     ? 36
                                                                       : 2 * tile_limits<V>::rows;

/// Elements of scratch that attention over `bins` keys needs: one block of rows of scores.
template <class V>
constexpr std::size_t attention_scratch_size(std::size_t bins) noexcept {
  return attention_rows<V> * round_up(bins, panel_width);
}

/// What the rows of one head read.
template <class T>
struct AttentionHead {
  Rows<const T> queries;   ///< (T, width), not yet scaled
  Panels<T> keys;          ///< pack_transposed of (T, width); in a ring without its padding
  Panels<T> values;        ///< pack_rows of (T, width)
  std::size_t bins;        ///< T, of keys and values
  std::size_t head_width;  ///< width
  T scale;                 ///< 1 / sqrt(width)
};

namespace detail {

/// out(rows,width) = P V over the keys that each row sees. P is (rows,T), and its row r belongs to bin row + r.
template <class V>
void weighted_values(Rows<typename V::value_type> out, Rows<const typename V::value_type> weights,
                     const AttentionHead<typename V::value_type>& head, const Band& band, std::size_t row,
                     std::size_t rows) noexcept {
  // The keys [common, common_end) are seen by every row of the block.
  const std::size_t common = band.first(row + rows - 1);
  const std::size_t common_end = max_size(common, band.last(row, head.bins) + 1);
  const auto add = [&](std::size_t r, std::size_t count, std::size_t from, std::size_t to, bool accumulate) {
    gemm<V>(out.from(r), weights.from(r, from), head.values.from_row(from), count, to - from, head.head_width,
            {.accumulate = accumulate});
  };
  const bool even_start = band.first(row) == common;
  if (!even_start) {
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t end = min_size(common, band.last(row + r, head.bins) + 1);
      add(r, 1, band.first(row + r), max_size(end, band.first(row + r)), false);
    }
  }
  if (even_start || common < common_end) add(0, rows, common, common_end, !even_start);
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t end = band.last(row + r, head.bins) + 1;
    if (common_end < end) add(r, 1, common_end, end, true);
  }
}

}  // namespace detail

/// Attention of bins [first, last): out(T,width) receives their rows. scratch: attention_scratch_size elements.
/// on_weights(bin, weights, begin, end) sees the softmax weights of every row, weights[begin] ... weights[end - 1],
/// before they meet the values, and may change them.
template <class V, class OnWeights>
void attention(Rows<typename V::value_type> out, const AttentionHead<typename V::value_type>& head, const Band& band,
               std::size_t first, std::size_t last, typename V::value_type* scratch, OnWeights on_weights) noexcept {
  using T = typename V::value_type;
  constexpr std::size_t W = V::width, most_rows = attention_rows<V>;
  const std::size_t bins = head.bins;
  const Rows<T> scores{scratch, round_up(bins, panel_width)};
  // In a narrow band the keys that a taller block has in common would be fewer.
  const bool sees_all = band.first(bins - 1) == 0 && band.last(0, bins) == bins - 1;
  const std::size_t blocks = divide_up(last - first, sees_all ? most_rows : tile_limits<V>::rows);
  for (std::size_t block = 0, row = first; block < blocks; ++block) {
    const std::size_t rows = (last - row) / (blocks - block);
    const std::size_t low = band.first(row) / W, high = band.last(row + rows - 1, bins) / W + 1;
    // Whole registers of keys around the band; the scores that fall outside it are never looked at.
    gemm_registers<V>(scores, head.queries.from(row), head.keys, rows, head.head_width, round_up(bins, panel_width),
                      low, high, {});
    std::array<T*, most_rows> weights{};
    std::array<std::size_t, most_rows> seen{};
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t begin = band.first(row + r);
      weights[r] = scores[r] + begin, seen[r] = band.last(row + r, bins) + 1 - begin;
    }
    softmax_rows<V>(weights, seen, rows, head.scale);
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t begin = band.first(row + r);
      on_weights(row + r, scores[r], begin, begin + seen[r]);
    }
    detail::weighted_values<V>(out.from(row), scores, head, band, row, rows);
    row += rows;
  }
}

template <class V>
void attention(Rows<typename V::value_type> out, const AttentionHead<typename V::value_type>& head, const Band& band,
               std::size_t first, std::size_t last, typename V::value_type* scratch) noexcept {
  attention<V>(out, head, band, first, last, scratch,
               [](std::size_t, typename V::value_type*, std::size_t, std::size_t) NDT_INLINE_LAMBDA {});
}

/// One row, out(width), over keys and values in a ring of head.bins places: it sees `count` of them, from `place` on
/// and round the end. As attention is a sum over a set, a full ring is read from its first place, always alike. Scores
/// are computed by whole registers; those of other places, and of padding, are never looked at.
template <class V>
void ring_attention(typename V::value_type* out, const AttentionHead<typename V::value_type>& head, std::size_t place,
                    std::size_t count, typename V::value_type* scratch) noexcept {
  using T = typename V::value_type;
  if (count == head.bins) place = 0;
  const std::size_t end = min_size(place + count, head.bins), behind = end - place, before = count - behind;
  const Rows<T> scores{scratch, 0};
  const std::size_t low = before == 0 ? place / V::width : 0, high = divide_up(end, V::width);
  gemm_registers<V>(scores, head.queries, head.keys, 1, head.head_width, round_up(head.bins, panel_width), low, high,
                    {});
  // Weights side by side: those of [0, before), then those of [place, end).
  T* const weights = scratch + (before == 0 ? place : 0);
  if (before != 0) {
    for (std::size_t i = 0; i < behind; ++i) weights[before + i] = scratch[place + i];
  }
  softmax<V>(weights, count, head.scale);
  if (before != 0) gemm<V>({out, 0}, Rows<const T>{weights, 0}, head.values, 1, before, head.head_width);
  gemm<V>({out, 0}, Rows<const T>{weights + before, 0}, head.values.from_row(place), 1, behind, head.head_width,
          {.accumulate = before != 0});
}

}  // namespace ndt::inline NDT_TARGET::kernels
