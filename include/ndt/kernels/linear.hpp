// ndt/kernels/linear.hpp: C(M,N) = A(M,K) B(K,N) with B in panels, by tiles, and what is fused to the edge of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/packing.hpp"
#include "ndt/kernels/tile.hpp"

namespace ndt::inline NDT_TARGET::kernels {

namespace detail {

/// `size` things in as few blocks of at most `limit` as will do, as equal as possible. A row of a small matrix is so
/// little work that divisions would show: there is a single one, of 32 bits, and none where one block does.
struct Blocks {
  std::uint32_t count, least, smaller;  ///< blocks; things in a smaller one; how many are

  NDT_INLINE constexpr explicit Blocks(std::size_t size) noexcept  // one
      : count(1), least(static_cast<std::uint32_t>(size)), smaller(1) {}
  NDT_INLINE constexpr Blocks(std::size_t size, std::size_t limit) noexcept
      : count(static_cast<std::uint32_t>(divide_up(size, limit))), least(static_cast<std::uint32_t>(size)), smaller(1) {
    if (count == 1) return;
    least = static_cast<std::uint32_t>(size) / count;
    smaller = count - (static_cast<std::uint32_t>(size) - least * count);
  }
  NDT_INLINE constexpr std::size_t operator[](std::size_t block) const noexcept {
    return least + (block < smaller ? 0 : 1);
  }
  NDT_INLINE constexpr std::size_t largest() const noexcept { return least + (smaller < count ? 1 : 0); }
};

/// Steps of k that tiles of so many registers of columns take at most: what they read of B stays in the first cache.
template <class V>
constexpr std::size_t longest_chain(std::size_t registers) noexcept {
  return registers * V::width * sizeof(typename V::value_type) > 192 ? 128 : 256;
}

/// Rows of a tile for M rows, K steps and so many registers of columns: tall and narrow or, with 32 registers, low and
/// wide, whichever reads less. A tile of R rows and Q registers reads R + Q operands a step for its R Q multiply-adds.
/// Where the chain of a wide tile would be cut, and C read and written once more, it has to be much less; where it must
/// not be cut, such a tile would leave the first cache.
template <class V>
constexpr std::size_t tallest(std::size_t M, std::size_t K, std::size_t registers, bool may_cut) noexcept {
  using Limits = tile_limits<V>;
  if constexpr (V::registers == 32) {
    constexpr std::size_t low = 6, tall = Limits::rows;
    static_assert(Limits::registers(low) == 4, "the tallest tiles that are so wide");
    const auto reads = [=](std::size_t rows) {
      return M * divide_up(registers, Limits::registers(rows)) + registers * divide_up(M, rows);
    };
    const bool fits = K <= longest_chain<V>(Limits::registers(low));
    const std::size_t percent = fits ? 100 : may_cut ? 75 : 0;
    return M > low && 100 * reads(low) < percent * reads(tall) ? low : tall;
  }
  return Limits::rows;
}

}  // namespace detail

/// Columns [first, last) of C, counted in registers of V, for M rows. N is the number of columns that C has: a register
/// that crosses it is stored in part. A: Rows, or Columns of a matrix that is read as its transpose. B: Panels, or
/// PaddedRows. `edge`: an Edge or a TrainingEdge; like `c`, what it points at starts at column 0.
template <class V, class A = Rows<const typename V::value_type>, class B = Panels<typename V::value_type>,
          class E = Edge<typename V::value_type>>
void gemm_registers(Rows<typename V::value_type> c, A a, B b, std::size_t M, std::size_t K, std::size_t N,
                    std::size_t first, std::size_t last, const E& edge) noexcept {
  using T = typename V::value_type;
  constexpr std::size_t W = V::width;
  if (M == 0 || first >= last) return;
  // Blocks as equal as possible: a few rows less everywhere beat one thin block at the end.
  using Limits = tile_limits<V>;
  // A chain is cut where a block's panels and what is read of A would leave the first cache. Its next piece starts from
  // C, which must not be the residual then; one block of rows reads B but once.
  const bool may_cut = edge.residual.data == nullptr;
  const detail::Blocks row_blocks(M, detail::tallest<V>(M, K, last - first, may_cut));
  const std::size_t widest = M == 1 ? Limits::registers(1) : Limits::registers(row_blocks.largest());
  const detail::Blocks column_blocks =
      M == 1 ? detail::Blocks(last - first, Limits::registers(1)) : detail::Blocks(last - first, widest);
  const std::size_t longest = detail::longest_chain<V>(column_blocks.largest());
  const bool cut = K > longest && row_blocks.count > 1 && may_cut;
  const detail::Blocks chain = cut ? detail::Blocks(K, longest) : detail::Blocks(K);
  for (std::size_t cb = 0, q = first; q < last; ++cb) {
    const std::size_t Q = Limits::in_panel ? min_size(widest - q % widest, last - q) : column_blocks[cb];
    for (std::size_t piece = 0, k = 0; piece < chain.count; k += chain[piece++]) {
      detail::TileWork<T, A, B> work{.c = c.from(0, q * W),
                                     .a = a.from(0, k),
                                     .b = b.from_row(k),
                                     .K = chain[piece],
                                     .starts = piece == 0,
                                     .ends = piece + 1 == chain.count,
                                     .row = 0,
                                     .first = q,
                                     .columns = N - q * W,
                                     .next = nullptr,
                                     .share = 0,
                                     .every = 0};
      std::size_t asked = 0;  // rows, by each tile
      if (row_blocks.count > 2 && !(work.ends && q + Q == last)) {
        const B follows = work.ends ? b : b.from_row(k + work.K);
        work.next = follows.data + (work.ends ? q + Q : q) * W / panel_width * b.stride;
        const detail::tile_asks<V, E> asks(work.K, row_blocks.count);
        work.share = asks.share, work.every = asks.every, asked = asks.share * asks.times;
      }
      // The panels of this block stay in the first cache while all rows pass: those in smaller blocks, then the others.
      const std::size_t R = row_blocks.least, few = row_blocks.smaller;
      detail::tiles<V, A, B, E>[R - 1][Q - 1](work, edge, few);
      if (few == row_blocks.count) continue;
      work.c = work.c.from(few * R), work.a = work.a.from(few * R), work.row = few * R;
      work.next += few * asked * b.row_step();
      detail::tiles<V, A, B, E>[R][Q - 1](work, edge, row_blocks.count - few);
    }
    q += Q;
  }
}

/// C(M,N) = A(M,K) B(K,N) and then the edge. C must not overlap A or B.
template <class V, class A = Rows<const typename V::value_type>, class B = Panels<typename V::value_type>,
          class E = Edge<typename V::value_type>>
void gemm(Rows<typename V::value_type> c, A a, B b, std::size_t M, std::size_t K, std::size_t N,
          const E& edge = {}) noexcept {
  gemm_registers<V, typename A::read_only>(c, a, b, M, K, N, 0, divide_up(N, V::width), edge);
}

}  // namespace ndt::inline NDT_TARGET::kernels
