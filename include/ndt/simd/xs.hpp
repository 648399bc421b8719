// ndt/simd/xs.hpp: registers of xsimd 8.1 or newer.
#pragma once

#include "ndt/simd/xsimd.hpp"

#if NDT_XSIMD

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <type_traits>

#include "ndt/config.hpp"
#include "ndt/simd/float_bits.hpp"
#include "ndt/simd/lane_moves.hpp"
#include "ndt/simd/lanes.hpp"
#include "ndt/simd/masked_memory.hpp"

namespace ndt::inline NDT_TARGET::simd {

// Asks for the function, not for the version: it was called hadd before 9.0. Found by argument-dependent look-up,
// outside the policy, whose own reduce_add would hide it.
template <class R>
NDT_INLINE auto sum_of_lanes(const R& v) noexcept {
  if constexpr (requires { reduce_add(v); }) {
    return reduce_add(v);
  } else {
    return hadd(v);
  }
}

/// Elements of T in registers of an architecture of xsimd's.
template <class T, class Arch>
struct xs {
  using value_type = T;
  using reg = xsimd::batch<T, Arch>;
  static constexpr std::size_t width = reg::size;
#if defined(__AVX512F__) || defined(__aarch64__)
  static constexpr std::size_t registers = 32;
#else
  static constexpr std::size_t registers = 16;
#endif
  using moves = lane_moves<reg>;
  static constexpr bool shuffles = moves::possible;

  static NDT_INLINE reg load(const T* p, all_lanes = {}) noexcept { return reg::load_unaligned(p); }
  static NDT_INLINE void store(T* p, const reg& v, all_lanes = {}) noexcept { v.store_unaligned(p); }
  static NDT_INLINE reg load(const T* p, std::size_t lanes) noexcept {
    if constexpr (masked_memory<reg>::there) {
      return masked_memory<reg>::load(p, lanes);
    } else {
      alignas(64) T copy[width] = {};
      for (std::size_t i = 0; i < lanes; ++i) copy[i] = p[i];
      return load(copy);
    }
  }
  static NDT_INLINE void store(T* p, const reg& v, std::size_t lanes) noexcept {
    if constexpr (masked_memory<reg>::there) {
      masked_memory<reg>::store(p, v, lanes);
    } else {
      alignas(64) T copy[width];
      store(copy, v);
      for (std::size_t i = 0; i < lanes; ++i) p[i] = copy[i];
    }
  }
  static NDT_INLINE reg set(T x) noexcept { return reg(x); }
  // The library's is a product and a sum on AVX-512, at least up to 8.1: twice the instructions.
  static NDT_INLINE reg fma(const reg& a, const reg& b, const reg& c) noexcept {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float> && sizeof(reg) == 64) return reg(_mm512_fmadd_ps(a, b, c));
    if constexpr (std::is_same_v<T, double> && sizeof(reg) == 64) return reg(_mm512_fmadd_pd(a, b, c));
#endif
    return xsimd::fma(a, b, c);
  }
  // On NEON the library refines estimates, which are a few units off: the instructions are not, nor are single numbers
  // where there are none.
  static NDT_INLINE reg divide(const reg& a, const reg& b) noexcept {
#if defined(__aarch64__)
    if constexpr (std::is_same_v<T, float> && sizeof(reg) == 16) return reg(vdivq_f32(a, b));
#elif defined(__ARM_NEON)
    T x[width], y[width];
    store(x, a), store(y, b);
    for (std::size_t i = 0; i < width; ++i) x[i] /= y[i];
    return load(x);
#endif
    return a / b;
  }
  static NDT_INLINE reg max(const reg& a, const reg& b) noexcept { return xsimd::max(a, b); }
  static NDT_INLINE reg sqrt(const reg& v) noexcept {
#if defined(__aarch64__)
    if constexpr (std::is_same_v<T, float> && sizeof(reg) == 16) return reg(vsqrtq_f32(v));
#elif defined(__ARM_NEON)
    T x[width];
    store(x, v);
    for (std::size_t i = 0; i < width; ++i) x[i] = std::sqrt(x[i]);
    return load(x);
#endif
    return xsimd::sqrt(v);
  }
  static NDT_INLINE reg select_less(const reg& a, const reg& b, const reg& x, const reg& y) noexcept {
    return xsimd::select(a < b, x, y);
  }
  static NDT_INLINE reg keep(const reg& v, std::size_t lanes, T fill) noexcept {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float> && sizeof(reg) == 64) {
      return reg(_mm512_mask_mov_ps(_mm512_set1_ps(fill), static_cast<__mmask16>((1u << lanes) - 1u), v));
    }
#endif
    return xsimd::select(load(lane_numbers.data()) < reg(static_cast<T>(lanes)), v, reg(fill));
  }
  static NDT_INLINE T reduce_add(const reg& v) noexcept {
    if constexpr (shuffles) {
      return moves::fold_lanes(v, [](const auto& a, const auto& b) NDT_INLINE_LAMBDA { return a + b; });
    }
    return sum_of_lanes(v);
  }
  static NDT_INLINE T reduce_max(const reg& v) noexcept {
    if constexpr (shuffles) {
      return moves::fold_lanes(v, [](const auto& a, const auto& b) NDT_INLINE_LAMBDA { return max(a, b); });
    }
    alignas(64) T lane[width];
    store(lane, v);
    for (std::size_t half = width / 2; half > 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) lane[i] = lane[i] < lane[i + half] ? lane[i + half] : lane[i];
    }
    return lane[0];
  }
  static NDT_INLINE reg times_pow2(const reg& v, const reg& n) noexcept {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float> && sizeof(reg) == 64) return reg(_mm512_scalef_ps(v, n));
#endif
    using B = float_bits<T>;
    const reg biased = n + reg(B::round_to_int + B::bias);
    return v * as_float(as_integer(biased) << B::mantissa);
  }

  /// See lane_moves.
  static NDT_INLINE reg fold_each(const std::array<reg, width>& rows, auto join) noexcept {
    return moves::fold_each(rows, join);
  }
  static NDT_INLINE std::array<reg, 4> load_columns(const T* first, std::size_t stride, std::size_t rows) noexcept {
    return moves::load_columns(first, stride, rows);
  }

 private:
  using integer = typename float_bits<T>::integer;
  using ireg = xsimd::batch<integer, Arch>;

  static constexpr std::array<T, width> lane_numbers = [] {
    std::array<T, width> numbers{};
    for (std::size_t i = 0; i < width; ++i) numbers[i] = static_cast<T>(i);
    return numbers;
  }();

  // bitwise_cast took the batch type up to 9.x and takes the element type since.
  template <class R>
  static NDT_INLINE ireg as_integer(const R& v) noexcept {
    if constexpr (requires {
                    { xsimd::bitwise_cast<integer>(v) } -> std::same_as<ireg>;
                  }) {
      return xsimd::bitwise_cast<integer>(v);
    } else {
      return xsimd::bitwise_cast<ireg>(v);
    }
  }
  template <class R>
  static NDT_INLINE reg as_float(const R& v) noexcept {
    if constexpr (requires {
                    { xsimd::bitwise_cast<T>(v) } -> std::same_as<reg>;
                  }) {
      return xsimd::bitwise_cast<T>(v);
    } else {
      return xsimd::bitwise_cast<reg>(v);
    }
  }
};

}  // namespace ndt::inline NDT_TARGET::simd

#endif
