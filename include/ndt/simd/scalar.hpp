// ndt/simd/scalar.hpp: one element at a time.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <type_traits>

#include "ndt/config.hpp"
#include "ndt/simd/float_bits.hpp"
#include "ndt/simd/lanes.hpp"

namespace ndt::inline NDT_TARGET::simd {

/// Microcontrollers, and the second opinion of the tests.
template <class T>
struct scalar {
  using value_type = T;
  using reg = T;
  static constexpr std::size_t width = 1;
  static constexpr std::size_t registers = 16;
  static constexpr bool shuffles = false;

  static NDT_INLINE reg load(const T* p, all_lanes = {}) noexcept { return *p; }
  static NDT_INLINE reg load(const T* p, std::size_t lanes) noexcept { return lanes == 0 ? T(0) : *p; }
  static NDT_INLINE void store(T* p, reg v, all_lanes = {}) noexcept { *p = v; }
  static NDT_INLINE void store(T* p, reg v, std::size_t lanes) noexcept {
    if (lanes != 0) *p = v;
  }
  static NDT_INLINE reg set(T x) noexcept { return x; }
  // Two roundings on purpose: std::fma is a library call where the hardware has none.
  static NDT_INLINE reg fma(reg a, reg b, reg c) noexcept {
#if defined(__ARM_FEATURE_FMA)
    if constexpr (std::is_same_v<T, float>) return __builtin_fmaf(a, b, c);
#endif
    return a * b + c;
  }
  static NDT_INLINE reg divide(reg a, reg b) noexcept { return a / b; }
  static NDT_INLINE reg max(reg a, reg b) noexcept { return a < b ? b : a; }
  static NDT_INLINE reg sqrt(reg v) noexcept { return std::sqrt(v); }
  /// a < b ? x : y
  static NDT_INLINE reg select_less(reg a, reg b, reg x, reg y) noexcept { return a < b ? x : y; }
  /// The lanes that exist; `fill` in the others.
  static NDT_INLINE reg keep(reg v, std::size_t lanes, T fill) noexcept { return lanes == 0 ? fill : v; }
  static NDT_INLINE T reduce_add(reg v) noexcept { return v; }
  static NDT_INLINE T reduce_max(reg v) noexcept { return v; }
  /// v 2^n for integral n between the exponents of normal numbers; anything finite or not for other n, without a trap.
  static NDT_INLINE reg times_pow2(reg v, reg n) noexcept {
    using B = float_bits<T>;
    const auto bits = std::bit_cast<typename B::bits>(n + (B::round_to_int + B::bias));
    return v * std::bit_cast<T>(static_cast<typename B::bits>(bits << B::mantissa));
  }
};

}  // namespace ndt::inline NDT_TARGET::simd
