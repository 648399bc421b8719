// ndt/simd/mve.hpp: Arm's vectors for microcontrollers, of float alone.
#pragma once

#include "ndt/config.hpp"

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 2)

#include <arm_mve.h>

#include <cmath>
#include <cstddef>

#include "ndt/simd/float_bits.hpp"
#include "ndt/simd/lanes.hpp"
#include "ndt/simd/scalar.hpp"

namespace ndt::inline NDT_TARGET::simd {

/// Vectors of a Cortex-M55 or M85 (Helium): four floats, eight registers. They flush subnormal numbers to zero.
struct mve {
  using value_type = float;
  using reg = float32x4_t;
  static constexpr std::size_t width = 4;
  static constexpr std::size_t registers = 8;
  static constexpr bool shuffles = false;

  static NDT_INLINE reg load(const float* p, all_lanes = {}) noexcept { return vldrwq_f32(p); }
  static NDT_INLINE reg load(const float* p, std::size_t lanes) noexcept { return vldrwq_z_f32(p, first(lanes)); }
  static NDT_INLINE void store(float* p, reg v, all_lanes = {}) noexcept { vstrwq_f32(p, v); }
  static NDT_INLINE void store(float* p, reg v, std::size_t lanes) noexcept { vstrwq_p_f32(p, v, first(lanes)); }
  static NDT_INLINE reg set(float x) noexcept { return vdupq_n_f32(x); }
  static NDT_INLINE reg fma(reg a, reg b, reg c) noexcept { return vfmaq_f32(c, a, b); }
  // There are no instructions for the two.
  static NDT_INLINE reg divide(reg a, reg b) noexcept {
    return reg{a[0] / b[0], a[1] / b[1], a[2] / b[2], a[3] / b[3]};
  }
  static NDT_INLINE reg sqrt(reg v) noexcept {
    return reg{std::sqrt(v[0]), std::sqrt(v[1]), std::sqrt(v[2]), std::sqrt(v[3])};
  }
  static NDT_INLINE reg max(reg a, reg b) noexcept { return select_less(a, b, b, a); }
  // Greater, as this instruction set takes "less" for "not greater or equal", which NaN is too.
  static NDT_INLINE reg select_less(reg a, reg b, reg x, reg y) noexcept { return vpselq_f32(x, y, vcmpgtq_f32(b, a)); }
  static NDT_INLINE reg keep(reg v, std::size_t lanes, float fill) noexcept {
    return vpselq_f32(v, set(fill), first(lanes));
  }
  static NDT_INLINE float reduce_add(reg v) noexcept { return (v[0] + v[1]) + (v[2] + v[3]); }
  static NDT_INLINE float reduce_max(reg v) noexcept {
    using one = scalar<float>;
    return one::max(one::max(v[0], v[1]), one::max(v[2], v[3]));
  }
  static NDT_INLINE reg times_pow2(reg v, reg n) noexcept {
    using B = float_bits<float>;
    const reg biased = n + set(B::round_to_int + B::bias);
    return v * vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(biased), B::mantissa));
  }

 private:
  static NDT_INLINE mve_pred16_t first(std::size_t lanes) noexcept { return vctp32q(lanes); }
};

}  // namespace ndt::inline NDT_TARGET::simd

#endif
