// ndt/simd/lane_moves.hpp: elements that move between registers, by the compiler's own vectors: one source for every
// instruction set.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "ndt/config.hpp"

namespace ndt::inline NDT_TARGET::simd {

/// The compiler's own vectors of floats, whose shuffles every instruction set with registers of 128 bits or more has.
template <std::size_t lanes>
struct floats {
  using type = float;  // not a vector: registers of fewer than four
};
template <>
struct floats<4> {
  typedef float type __attribute__((vector_size(16)));
};
template <>
struct floats<8> {
  typedef float type __attribute__((vector_size(32)));
};
template <>
struct floats<16> {
  typedef float type __attribute__((vector_size(64)));
};

/// For registers of floats, at least four of them.
template <class Reg>
struct lane_moves {
  using T = typename Reg::value_type;
  using reg = Reg;
  static constexpr std::size_t width = reg::size;
  static constexpr bool possible = std::is_same_v<T, float> && width >= 4;

  /// Lane r: all lanes of rows[r] joined, in the order in which fold_lanes joins them. `width` rows cost little more
  /// than four reductions.
  template <class Join>
  static NDT_INLINE reg fold_each(const std::array<reg, width>& rows, Join join) noexcept {
    // A row of 128 bits is folded in itself, side by side with others, then rows of 128 bits are folded.
    std::array<reg, width / 2> pairs;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      pairs[i] =
          join(shuffle<low_words>(rows[2 * i], rows[2 * i + 1]), shuffle<high_words>(rows[2 * i], rows[2 * i + 1]));
    }
    std::array<reg, width / 4> quads;
    for (std::size_t i = 0; i < quads.size(); ++i) {
      quads[i] =
          join(shuffle<low_pairs>(pairs[2 * i], pairs[2 * i + 1]), shuffle<high_pairs>(pairs[2 * i], pairs[2 * i + 1]));
    }
    for (std::size_t count = quads.size(); count > 1; count /= 2) {
      for (std::size_t i = 0; i < count / 2; ++i) {
        quads[i] =
            join(shuffle<even_rows>(quads[2 * i], quads[2 * i + 1]), shuffle<odd_rows>(quads[2 * i], quads[2 * i + 1]));
      }
    }
    return quads[0];
  }
  /// columns[c]: element c of row r in lane r. Rows are `stride` elements apart; in lanes behind the last of `rows`,
  /// of which there is one at least, stands that one again.
  static NDT_INLINE std::array<reg, 4> load_columns(const T* first, std::size_t stride, std::size_t rows) noexcept {
    NDT_ASSERT(rows >= 1);
    std::array<reg, 4> part;  // rows i, i + 4, i + 8, ... one behind the other
    for (std::size_t i = 0; i < 4; ++i) {
      quad quads[width / 4];
      for (std::size_t j = 0; j < width / 4; ++j) {
        const std::size_t row = i + 4 * j < rows ? i + 4 * j : rows - 1;
        __builtin_memcpy(&quads[j], first + row * stride, sizeof(quad));
      }
      if constexpr (width == 4) {
        part[i] = as_reg(quads[0]);
      } else if constexpr (width == 8) {
        part[i] = as_reg(__builtin_shufflevector(quads[0], quads[1], 0, 1, 2, 3, 4, 5, 6, 7));
      } else {
        const auto low = __builtin_shufflevector(quads[0], quads[1], 0, 1, 2, 3, 4, 5, 6, 7);
        const auto high = __builtin_shufflevector(quads[2], quads[3], 0, 1, 2, 3, 4, 5, 6, 7);
        part[i] = as_reg(__builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
      }
    }
    const reg low01 = shuffle<low_words>(part[0], part[1]), low23 = shuffle<low_words>(part[2], part[3]);
    const reg high01 = shuffle<high_words>(part[0], part[1]), high23 = shuffle<high_words>(part[2], part[3]);
    return {shuffle<low_pairs>(low01, low23), shuffle<high_pairs>(low01, low23), shuffle<low_pairs>(high01, high23),
            shuffle<high_pairs>(high01, high23)};
  }
  /// All lanes joined: of a row of four the second half to the first, then the two words, then rows in the same way.
  template <class Join>
  static NDT_INLINE T fold_lanes(reg v, Join join) noexcept {
    v = join(v, shuffle<other_pair>(v, v));
    v = join(v, shuffle<other_word>(v, v));
    if constexpr (width > 4) v = join(v, shuffle<next_row>(v, v));
    if constexpr (width > 8) v = join(v, shuffle<next_rows>(v, v));
    return ((lanes_of_reg)(typename reg::register_type)v)[0];
  }

 private:
  using lanes_of_reg = typename floats<width>::type;
  using quad = floats<4>::type;
  static NDT_INLINE reg as_reg(lanes_of_reg v) noexcept { return reg((typename reg::register_type)v); }

  // Where each lane comes from: one register's are 0 ... width - 1, the other's follow. Rows are of four lanes.
  static constexpr int of_row(int lane) noexcept { return lane / 4 * 4; }
  static constexpr int second = static_cast<int>(width);
  static constexpr int low_words(int i) noexcept { return of_row(i) + i % 4 / 2 + (i % 2 == 0 ? 0 : second); }
  static constexpr int high_words(int i) noexcept { return low_words(i) + 2; }
  static constexpr int low_pairs(int i) noexcept { return of_row(i) + i % 2 + (i % 4 < 2 ? 0 : second); }
  static constexpr int high_pairs(int i) noexcept { return low_pairs(i) + 2; }
  static constexpr int even_rows(int i) noexcept { return 2 * of_row(i) + i % 4; }
  static constexpr int odd_rows(int i) noexcept { return even_rows(i) + 4; }

  template <auto place>
  static NDT_INLINE reg shuffle(const reg& a, const reg& b) noexcept {
    using held = typename reg::register_type;
    return [&]<int... lane>(std::integer_sequence<int, lane...>) NDT_INLINE_LAMBDA {
      return as_reg(__builtin_shufflevector((lanes_of_reg)(held)a, (lanes_of_reg)(held)b, place(lane)...));
    }
    (std::make_integer_sequence<int, second>{});
  }
  static constexpr int other_pair(int i) noexcept { return i ^ 2; }
  static constexpr int other_word(int i) noexcept { return i ^ 1; }
  static constexpr int next_row(int i) noexcept { return i ^ 4; }
  static constexpr int next_rows(int i) noexcept { return i ^ 8; }
};

}  // namespace ndt::inline NDT_TARGET::simd
