// ndt/kernels/packing.hpp: matrices as panels, the one layout of weights, keys and values.
//
// A panel holds 16 columns of a (K,N) matrix, row after row: element (k,j) of the matrix is element k*16 + j%16 of
// panel j/16. Columns beyond N are zero, but in a ring of keys, where nobody looks at them. 16 floats are one cache
// line and one AVX-512 register, two of AVX2, four of NEON, so one packed file serves every instruction set.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/view.hpp"
#include "ndt/simd.hpp"

namespace ndt::inline NDT_TARGET::kernels {

inline constexpr std::size_t panel_width = 16;

/// Packed panels; consecutive ones lie `stride` elements apart. Rows may be skipped by moving `data`.
template <class T>
struct Panels {
  const T* data = nullptr;
  std::size_t stride = 0;

  /// Elements from one row of a panel to the next.
  static constexpr std::size_t row_step() noexcept { return panel_width; }
  /// Without the first `row` rows.
  constexpr Panels from_row(std::size_t row) const noexcept { return {data + row * panel_width, stride}; }
};

/// A matrix that is not packed, read like one: 16 columns of it are a panel. It is read by whole registers, so its rows
/// must lie `step` >= round_up(N, 16) elements apart, the last one too; what stands behind the last column is not used.
template <class T>
struct PaddedRows {
  const T* data = nullptr;
  std::size_t step = 0;
  static constexpr std::size_t stride = panel_width;

  constexpr std::size_t row_step() const noexcept { return step; }
  constexpr PaddedRows from_row(std::size_t row) const noexcept { return {data + row * step, step}; }
};

/// Elements of a packed (K,N) matrix.
constexpr std::size_t packed_size(std::size_t K, std::size_t N) noexcept { return K * round_up(N, panel_width); }

/// Where element (k,j) of a packed matrix of K rows is.
constexpr std::size_t panel_place(std::size_t k, std::size_t j, std::size_t K) noexcept {
  return (j / panel_width * K + k) * panel_width + j % panel_width;
}

/// Packs the transpose of a matrix of (N,K): torch's Linear weight, or keys with one row per bin. `w` holds its rows
/// [first, last), and only they, that is columns of the panels, are written; the columns beyond N with the last of
/// them.
template <class T>
constexpr void pack_transposed(T* panels, Rows<const T> w, std::size_t N, std::size_t K, std::size_t first,
                               std::size_t last) noexcept {
  const std::size_t end = last == N && first < last ? round_up(N, panel_width) : last;
  for (std::size_t j = first; j < end;) {
    T* const panel = panels + j / panel_width * panel_width * K;
    const std::size_t from = j % panel_width;
    const std::size_t to = min_size(panel_width, from + (end - j));
    const std::size_t filled = j < N ? min_size(to, from + (N - j)) : from;
    const Rows<const T> source = w.from(j - first);
    const auto write = [&](auto begin, auto fill_end, auto pad_end) {
      for (std::size_t k = 0; k < K; ++k) {
        for (std::size_t c = begin; c < fill_end; ++c) panel[k * panel_width + c] = source[c - begin][k];
        for (std::size_t c = fill_end; c < pad_end; ++c) panel[k * panel_width + c] = T(0);
      }
    };
    if (filled - from == panel_width) {  // most panels: sizes that the compiler knows
      write(Dim<0>{}, Dim<panel_width>{}, Dim<panel_width>{});
    } else {
      write(from, filled, to);
    }
    j += to - from;
  }
}

/// The same by registers.
template <class V>
void pack_transposed(typename V::value_type* panels, Rows<const typename V::value_type> w, std::size_t N, std::size_t K,
                     std::size_t first, std::size_t last) noexcept {
  using T = typename V::value_type;
  if constexpr (!V::shuffles) {
    pack_transposed(panels, w, N, K, first, last);
  } else {
    for (std::size_t j = first; j < last;) {
      const std::size_t next = min_size(j / panel_width * panel_width + panel_width, last);
      if (j % panel_width != 0 || (next - j < panel_width && next != N)) {  // a piece of a panel
        pack_transposed(panels, w.from(j - first), N, K, j, next);
        j = next;
        continue;
      }
      for (std::size_t c = 0; c < panel_width; c += V::width) {
        T* const to = panels + panel_place(0, j, K) + c;
        const std::size_t filled = next - j < c ? 0 : min_size(V::width, next - j - c);
        const Rows<const T> source = w.from(filled == 0 ? 0 : j - first + c);
        std::size_t k = 0;
        const auto transpose = [&](auto keep) NDT_INLINE_LAMBDA {
          for (; k + 4 <= K; k += 4) {
            const auto columns = V::load_columns(source.data + k, source.stride, filled);
            for (std::size_t i = 0; i < 4; ++i) V::store(to + (k + i) * panel_width, keep(columns[i]));
          }
        };
        if (filled == V::width) {
          transpose([](auto v) NDT_INLINE_LAMBDA { return v; });
        } else if (filled != 0) {
          transpose([=](auto v) NDT_INLINE_LAMBDA { return V::keep(v, filled, T(0)); });
        }
        for (; k < K; ++k) {
          V::store(to + k * panel_width, V::set(T(0)));
          for (std::size_t i = 0; i < filled; ++i) to[k * panel_width + i] = source[i][k];
        }
      }
      j = next;
    }
  }
}

/// Packs column(K) as column j and nothing else: what pack_transposed does for one row that is not the last.
template <class T>
constexpr void pack_column(T* panels, const T* column, std::size_t K, std::size_t j) noexcept {
  T* const to = panels + panel_place(0, j, K);
  for (std::size_t k = 0; k < K; ++k) to[k * panel_width] = column[k];
}

/// Packs rows [first, last) of a matrix of (K,N), values with one row per bin. `m` holds these rows.
template <class T>
constexpr void pack_rows(T* panels, Rows<const T> m, std::size_t K, std::size_t N, std::size_t first,
                         std::size_t last) noexcept {
  for (std::size_t j = 0; j < N; j += panel_width) {
    T* const panel = panels + j * K;
    const auto write = [&](auto filled) {
      for (std::size_t k = first; k < last; ++k) {
        for (std::size_t c = 0; c < filled; ++c) panel[k * panel_width + c] = m[k - first][j + c];
        for (std::size_t c = filled; c < panel_width; ++c) panel[k * panel_width + c] = T(0);
      }
    };
    if (N - j >= panel_width) {
      write(Dim<panel_width>{});
    } else {
      write(N - j);
    }
  }
}

/// The same by registers.
template <class V>
void pack_rows(typename V::value_type* panels, Rows<const typename V::value_type> m, std::size_t K, std::size_t N,
               std::size_t first, std::size_t last) noexcept {
  if constexpr (V::width == 1) {
    pack_rows(panels, m, K, N, first, last);
  } else {
    for (std::size_t j = 0; j < round_up(N, panel_width); j += V::width) {
      auto* const panel = panels + panel_place(0, j, K);
      const auto write = [&](auto load) NDT_INLINE_LAMBDA {
        for (std::size_t k = first; k < last; ++k) V::store(panel + k * panel_width, load(m[k - first]));
      };
      if (j + V::width <= N) {
        write([=](const auto* row) NDT_INLINE_LAMBDA { return V::load(row + j); });
      } else if (j < N) {
        write([=](const auto* row) NDT_INLINE_LAMBDA { return V::load(row + j, N - j); });
      } else {
        write([](const auto*) NDT_INLINE_LAMBDA { return V::set(typename V::value_type(0)); });
      }
    }
  }
}

/// The inverse of pack_transposed for a whole matrix.
template <class T>
constexpr void unpack_transposed(Rows<T> w, const T* panels, std::size_t N, std::size_t K) noexcept {
  for (std::size_t j = 0; j < N; ++j) {
    for (std::size_t k = 0; k < K; ++k) w[j][k] = panels[panel_place(k, j, K)];
  }
}

}  // namespace ndt::inline NDT_TARGET::kernels
