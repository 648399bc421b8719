// ndt/kernels/tile.hpp: the part of a product that lives in registers, in every size that they allow.
//
// A tile of C stays there while k runs from 0 to K - 1; each element is one chain of multiply-adds in ascending k, so
// its bits depend neither on the tile it falls into nor on who computes the other rows. Rows of A are broadcast element
// by element: K needs no tail and no alignment.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/activation.hpp"
#include "ndt/kernels/packing.hpp"
#include "ndt/simd.hpp"

namespace ndt::inline NDT_TARGET::kernels {

/// What happens to a tile before it is stored, in this order.
template <class T>
struct Edge {
  static constexpr bool training = false;
  bool accumulate = false;      ///< the chain starts from C instead of 0
  const T* bias = nullptr;      ///< (N), added to every row
  Rows<const T> residual = {};  ///< (M,N), added; may be C itself
  bool relu = false;            ///< negative results become 0
};

/// Of products in training, whose C and B come from far caches: each tile asks for all of what follows it at once, and
/// for the C that it will write. Code of its own, as short tiles feel every instruction. Between the bias and the
/// residual everything is multiplied with `factor`.
template <class T>
struct TrainingEdge : Edge<T> {
  static constexpr bool training = true;
  Rows<const T> factor = {};  ///< (M,N): dropout
};

/// The largest tiles for a policy: rows, and registers of columns for a number of rows, so that accumulators, a row of
/// B and one element of A fit the register file. For a single row B need not wait in registers: each of its registers
/// is used once, from memory.
template <class V>
struct tile_limits {
  /// Microcontrollers: few registers for pointers, so no tile crosses a panel and one pointer does for all its columns.
  /// Not elsewhere: given one pointer GCC 12 makes vectors of a scalar tile, and reads beyond the last row of A.
  static constexpr bool in_panel = NDT_MICROCONTROLLER != 0 && (V::width == 1 || V::registers < 16);
  static constexpr std::size_t rows = in_panel || V::width == 1 ? 2 : V::registers == 32 ? NDT_TALLEST_ROWS : 6;
  static constexpr std::size_t registers(std::size_t tile_rows) noexcept {
    // Divisors of a panel's width.
    if (in_panel) return (V::width == 1 ? 8 : 4) / tile_rows;
    if (tile_rows == 1) return 8;
    return max_size(1, min_size((V::registers - 1) / (tile_rows + 1), 4));
  }
};

namespace detail {

template <std::size_t I>
using index = std::integral_constant<std::size_t, I>;

/// f(index<0>), ..., f(index<N - 1>), written out: the compiler keeps an array that is only used so in registers.
template <std::size_t N, class F>
NDT_INLINE constexpr void unroll(F&& f) noexcept {
  [&]<std::size_t... I>(std::index_sequence<I...>) NDT_INLINE_LAMBDA { (f(index<I>{}), ...); }
  (std::make_index_sequence<N>{});
}
/// f(index<r>, index<q>) for all r < R and q < Q.
template <std::size_t R, std::size_t Q, class F>
NDT_INLINE constexpr void unroll(F&& f) noexcept {
  unroll<R * Q>([&](auto i) NDT_INLINE_LAMBDA { f(index<i / Q>{}, index<i % Q>{}); });
}

/// A(r, k) of a tile, with as many pointers as the layout needs.
template <class T, std::size_t R>
struct TileRows {
  const T* row[R];
  NDT_INLINE explicit TileRows(Rows<const T> a) noexcept {
    unroll<R>([&](auto r) NDT_INLINE_LAMBDA { row[r] = a[r]; });
  }
  template <std::size_t I>
  NDT_INLINE T at(index<I>, std::size_t k) const noexcept {
    return row[I][k];
  }
};
template <class T, std::size_t R>
struct TileColumns {
  const T* column;
  std::size_t stride;
  NDT_INLINE explicit TileColumns(Columns<const T> a) noexcept : column(a.data), stride(a.stride) {}
  template <std::size_t I>
  NDT_INLINE T at(index<I> r, std::size_t k) const noexcept {
    return column[k * stride + r];
  }
};
template <std::size_t R, class T>
NDT_INLINE TileRows<T, R> tile_reader(Rows<const T> a) noexcept {
  return TileRows<T, R>(a);
}
template <std::size_t R, class T>
NDT_INLINE TileColumns<T, R> tile_reader(Columns<const T> a) noexcept {
  return TileColumns<T, R>(a);
}

template <class T, class A, class B>
struct TileWork {
  Rows<T> c;          ///< (rows, columns), from the tiles' first element on
  A a;                ///< (rows, K): Rows or Columns
  B b;                ///< whole panels; the tiles start at register `first` of a row of them
  std::size_t K;      ///< length of this piece of every chain
  bool starts, ends;  ///< whether it is the first piece, and the last: the edge but for `accumulate` is the last one's
  std::size_t row;    ///< of C
  std::size_t first;  ///< register of B
  std::size_t columns;  ///< from the tiles' first column to the end of C: may end inside their last register
  const T* next;        ///< what is read of B after these tiles: each asks for its share of rows
  std::size_t share;    ///< rows asked for at a time
  std::size_t every;    ///< steps of k from one time to the next
};

/// How tiles ask for the rows of B that follow. With 32 registers for all panels of them, for the second cache, a share
/// every so many steps of k: more lines at once than a core can wait for would hold it up, and each time the loop of
/// multiply-adds starts anew. Smaller tiles gain nothing by that and feel the instructions: they ask for the first
/// panel, in the beginning, as training does for all, which has other work to hide them behind.
template <class V, class E>
struct tile_asks {
  static constexpr bool in_pieces = V::registers == 32 && !E::training;
  static constexpr bool all_panels = in_pieces || E::training;
  static constexpr std::uint32_t often = 64, seldom = 128;
  static constexpr std::uint32_t most_at_once = 8;  // rows; if that is too few, `often`

  std::uint32_t every;  ///< steps of k
  std::uint32_t times;  ///< a tile
  std::uint32_t share;  ///< rows at a time: all blocks of rows together ask for about K

  NDT_INLINE constexpr tile_asks(std::size_t K, std::uint32_t row_blocks) noexcept : tile_asks(K, row_blocks, seldom) {
    if (in_pieces && share > most_at_once && K > often) *this = tile_asks(K, row_blocks, often);
  }

 private:
  NDT_INLINE constexpr tile_asks(std::size_t K, std::uint32_t row_blocks, std::uint32_t steps) noexcept
      : every(steps),
        times(in_pieces ? static_cast<std::uint32_t>(max_size(1, divide_up(K, steps))) : 1),
        share((static_cast<std::uint32_t>(K) + times * row_blocks / 2) / (times * row_blocks)) {}
};

/// `count` tiles of R rows and Q registers, one below the other. They share what follows from their columns.
template <class V, class A, class B, class E, std::size_t R, std::size_t Q>
void tiles_below(const TileWork<typename V::value_type, A, B>& work, const E& edge, std::size_t count) noexcept {
  using T = typename V::value_type;
  using reg = typename V::reg;
  constexpr std::size_t W = V::width, per_panel = panel_width / W, panels = divide_up(Q, per_panel);
  static_assert(panel_width % W == 0, "a panel holds whole registers");
  NDT_ASSERT(count == 1 || (R > 1 && count > 1));
  const std::size_t last_lanes = work.columns - (Q - 1) * W;  // the last register may be partly outside C
  const bool whole = last_lanes >= W;

  const auto column = [&](std::size_t at) NDT_INLINE_LAMBDA {
    return work.b.data + at / per_panel * work.b.stride + at % per_panel * W;
  };
  constexpr bool in_panel = tile_limits<V>::in_panel;
  NDT_ASSERT(!in_panel || work.first % per_panel + Q <= per_panel);
  const T* b[Q];
  // From one panel to the next by its stride alone: short rows of work feel what column() takes.
  unroll<Q>([&](auto q) NDT_INLINE_LAMBDA {
    if constexpr (in_panel) {
      b[q] = column(work.first) + q * W;
    } else if constexpr (q < per_panel) {
      b[q] = column(work.first + q);
    } else {
      b[q] = b[q - per_panel] + work.b.stride;
    }
  });

  // Runs f(r, q, lanes) over a tile, with the number of lanes only where a register is not full.
  const auto for_registers = [&](auto f) NDT_INLINE_LAMBDA {
    unroll<R, Q - 1>([&](auto r, auto q) NDT_INLINE_LAMBDA { f(r, q, simd::all_lanes{}); });
    if (whole) {
      unroll<R>([&](auto r) NDT_INLINE_LAMBDA { f(r, index<Q - 1>{}, simd::all_lanes{}); });
    } else {
      unroll<R>([&](auto r) NDT_INLINE_LAMBDA { f(r, index<Q - 1>{}, last_lanes); });
    }
  };

  // Copies: what is stored to C could otherwise be part of `work` and `edge`, for all that the compiler knows.
  Rows<T> c = work.c;
  A rows_of_a = work.a;
  const bool accumulate = edge.accumulate || !work.starts, clip = edge.relu && work.ends;
  const T* const bias = edge.bias == nullptr || !work.ends ? nullptr : edge.bias + work.first * W;
  Rows<const T> residual;
  if (edge.residual.data != nullptr && work.ends) residual = edge.residual.from(work.row, work.first * W);
  [[maybe_unused]] Rows<const T> factor;
  if constexpr (E::training) {
    if (edge.factor.data != nullptr && work.ends) factor = edge.factor.from(work.row, work.first * W);
  }
  const std::size_t K = work.K, row_step = work.b.row_step();
  [[maybe_unused]] const std::size_t panel_step = work.b.stride;
  const T* next = work.next;
  const std::size_t share = work.share;
  [[maybe_unused]] const std::size_t every = work.every;
  using asks = tile_asks<V, E>;
  const auto ask = [&]() NDT_INLINE_LAMBDA {
    for (std::size_t i = 0; i < share; ++i, next += row_step) {
      unroll<asks::all_panels ? panels : 1>([&](auto p) NDT_INLINE_LAMBDA {
        if constexpr (asks::in_pieces) {
          NDT_PREFETCH_FAR(next + p * panel_step);
        } else {
          NDT_PREFETCH(next + p * panel_step);
        }
      });
    }
  };
  for (;;) {
    if constexpr (R > 1 && !asks::in_pieces) ask();
    if constexpr (R > 1 && E::training) {
      unroll<R, panels>([&](auto r, auto p) NDT_INLINE_LAMBDA { NDT_PREFETCH_WRITE(c[R + r] + p * panel_width); });
    }
    const auto a = tile_reader<R>(rows_of_a);
    reg sum[R][Q];
    unroll<R, Q>([&](auto r, auto q) NDT_INLINE_LAMBDA { sum[r][q] = V::set(T(0)); });
    if (accumulate) {
      for_registers([&](auto r, auto q, auto lanes) NDT_INLINE_LAMBDA { sum[r][q] = V::load(c[r] + q * W, lanes); });
    }

    const auto multiply = [&](std::size_t k) NDT_INLINE_LAMBDA {
      reg row[Q];
      unroll<Q>([&](auto q) NDT_INLINE_LAMBDA { row[q] = V::load(b[q] + k * row_step); });
      unroll<R>([&](auto r) NDT_INLINE_LAMBDA {
        const reg x = V::set(a.at(r, k));
        unroll<Q>([&](auto q) NDT_INLINE_LAMBDA { sum[r][q] = V::fma(x, row[q], sum[r][q]); });
      });
    };
    if constexpr (R > 1 && asks::in_pieces) {
      for (std::size_t from = 0; from < K;) {
        ask();
        const std::size_t end = share == 0 ? K : min_size(K, from + every);
        NDT_TWO_STEPS
        for (std::size_t k = from; k < end; ++k) multiply(k);  // a k of its own, or GCC takes single steps
        from = end;
      }
    } else {
      NDT_TWO_STEPS
      for (std::size_t k = 0; k < K; ++k) multiply(k);
    }

    const auto add = [&](auto row_of) NDT_INLINE_LAMBDA {
      for_registers([&](auto r, auto q, auto lanes)
                        NDT_INLINE_LAMBDA { sum[r][q] = sum[r][q] + V::load(row_of(r) + q * W, lanes); });
    };
    if (bias != nullptr) add([&](auto) NDT_INLINE_LAMBDA { return bias; });
    if constexpr (E::training) {
      if (factor.data != nullptr) {
        for_registers([&](auto r, auto q, auto lanes)
                          NDT_INLINE_LAMBDA { sum[r][q] = sum[r][q] * V::load(factor[r] + q * W, lanes); });
        factor = factor.from(R);
      }
    }
    if (residual.data != nullptr) add([&](auto r) NDT_INLINE_LAMBDA { return residual[r]; });
    if (clip) unroll<R, Q>([&](auto r, auto q) NDT_INLINE_LAMBDA { sum[r][q] = relu<V>(sum[r][q]); });
    for_registers([&](auto r, auto q, auto lanes) NDT_INLINE_LAMBDA { V::store(c[r] + q * W, sum[r][q], lanes); });
    // Blocks are as equal as possible, so no two of them have a single row: a row alone knows that it is.
    if (R == 1 || --count == 0) return;
    c = c.from(R), rows_of_a = rows_of_a.from(R);
    if (residual.data != nullptr) residual = residual.from(R);
  }
}

template <class V, class A, class B, class E>
using TileFunction = void (*)(const TileWork<typename V::value_type, A, B>&, const E&, std::size_t) noexcept;

/// The tiles of R rows, by registers of columns - 1. Null where the registers would not do.
template <class V, class A, class B, class E, std::size_t R, std::size_t... Q>
constexpr std::array<TileFunction<V, A, B, E>, 8> tiles_of_rows(std::index_sequence<Q...>) noexcept {
  return {&tiles_below<V, A, B, E, R, Q + 1>...};
}
template <class V, class A, class B, class E, std::size_t... R>
constexpr std::array<std::array<TileFunction<V, A, B, E>, 8>, sizeof...(R)> all_tiles(
    std::index_sequence<R...>) noexcept {
  return {tiles_of_rows<V, A, B, E, R + 1>(std::make_index_sequence<tile_limits<V>::registers(R + 1)>{})...};
}

/// Every tile, by rows - 1 and registers - 1.
template <class V, class A, class B, class E>
inline constexpr auto tiles = all_tiles<V, A, B, E>(std::make_index_sequence<tile_limits<V>::rows>{});

}  // namespace detail

}  // namespace ndt::inline NDT_TARGET::kernels
