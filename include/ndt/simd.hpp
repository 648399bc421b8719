// ndt/simd.hpp: the instruction set as a type. A kernel takes a policy V, which says what an element is, how many fit
// in a register and how registers are computed with. Only this file and simd/words.hpp name xsimd or an intrinsic.
//
//   simd::scalar<T>      one element at a time: microcontrollers, and the second opinion of the tests
//   simd::xs<T, Arch>    xsimd 8.1 or newer
//   simd::mve            Arm's vectors for microcontrollers, float alone
//   simd::native<T>      the widest of them that this translation unit is built for
//
// What a policy has: value_type, reg, width (lanes of a register), registers (architectural, for the GEMM tile), and
// static functions load, store, set, fma, divide, max, sqrt, select_less, keep, reduce_add, reduce_max, times_pow2;
// registers have + - *. Functions that touch memory take `lanes`: all_lanes{} for a whole register, or how many of its
// first lanes exist. They read and write nothing beyond those lanes, whose rest is zero after a load. Where `shuffles`
// is true there are also fold_each and load_columns, which move elements between registers.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "ndt/config.hpp"

#if !defined(NDT_NO_XSIMD) && defined(__has_include)
#if __has_include(<xsimd/xsimd.hpp>)
#include <xsimd/xsimd.hpp>
#endif
#endif
#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>
#endif

namespace ndt::inline NDT_TARGET::simd {

/// In place of a number of lanes: the whole register.
struct all_lanes {};

/// Exponent arithmetic on the bits of an IEEE number. Adding `round_to_int` to a small x leaves the integer nearest to
/// x in the low bits of the sum; with the bias added too, a shift turns it into the number 2^x.
template <class T>
struct float_bits;
template <>
struct float_bits<float> {
  using integer = std::int32_t;
  using bits = std::uint32_t;
  static constexpr int mantissa = 23;
  static constexpr float bias = 127.0f;
  static constexpr float round_to_int = 12582912.0f;  // 1.5 * 2^23
};
template <>
struct float_bits<double> {
  using integer = std::int64_t;
  using bits = std::uint64_t;
  static constexpr int mantissa = 52;
  static constexpr double bias = 1023.0;
  static constexpr double round_to_int = 6755399441055744.0;  // 1.5 * 2^52
};

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

#if defined(XSIMD_VERSION_MAJOR) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)

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
  static constexpr bool shuffles = std::is_same_v<T, float> && width >= 4;

  static NDT_INLINE reg load(const T* p, all_lanes = {}) noexcept { return reg::load_unaligned(p); }
  static NDT_INLINE void store(T* p, const reg& v, all_lanes = {}) noexcept { v.store_unaligned(p); }
  // The library has masked memory only in its newest versions, and then not at run time everywhere.
  static NDT_INLINE reg load(const T* p, std::size_t lanes) noexcept {
#if defined(__AVX512F__)
    if constexpr (sizeof(reg) == 64) return load_masked512(p, lanes);
#endif
#if defined(__AVX__)
    if constexpr (sizeof(reg) == 32) return load_masked256(p, lanes);
#endif
    alignas(64) T copy[width] = {};
    for (std::size_t i = 0; i < lanes; ++i) copy[i] = p[i];
    return load(copy);
  }
  static NDT_INLINE void store(T* p, const reg& v, std::size_t lanes) noexcept {
#if defined(__AVX512F__)
    if constexpr (sizeof(reg) == 64) return store_masked512(p, v, lanes);
#endif
#if defined(__AVX__)
    if constexpr (sizeof(reg) == 32) return store_masked256(p, v, lanes);
#endif
    alignas(64) T copy[width];
    store(copy, v);
    for (std::size_t i = 0; i < lanes; ++i) p[i] = copy[i];
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
      return fold_lanes(v, [](const auto& a, const auto& b) NDT_INLINE_LAMBDA { return a + b; });
    }
    return sum_of_lanes(v);
  }
  static NDT_INLINE T reduce_max(const reg& v) noexcept {
    if constexpr (shuffles) {
      return fold_lanes(v, [](const auto& a, const auto& b) NDT_INLINE_LAMBDA { return max(a, b); });
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

  /// Lane r: all lanes of rows[r] joined, in the order in which reduce_add and reduce_max join them. `width` rows cost
  /// little more than four reductions.
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
  /// All lanes joined: of a row of four the second half to the first, then the two words, then rows in the same way.
  template <class Join>
  static NDT_INLINE T fold_lanes(reg v, Join join) noexcept {
    v = join(v, shuffle<other_pair>(v, v));
    v = join(v, shuffle<other_word>(v, v));
    if constexpr (width > 4) v = join(v, shuffle<next_row>(v, v));
    if constexpr (width > 8) v = join(v, shuffle<next_rows>(v, v));
    return ((lanes_of_reg)(typename reg::register_type)v)[0];
  }
  static constexpr int other_pair(int i) noexcept { return i ^ 2; }
  static constexpr int other_word(int i) noexcept { return i ^ 1; }
  static constexpr int next_row(int i) noexcept { return i ^ 4; }
  static constexpr int next_rows(int i) noexcept { return i ^ 8; }

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

#if defined(__AVX512F__)
  static NDT_INLINE reg load_masked512(const T* p, std::size_t lanes) noexcept {
    const auto mask = (1u << lanes) - 1u;
    if constexpr (std::is_same_v<T, float>) {
      return reg(_mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), p));
    } else {
      return reg(_mm512_maskz_loadu_pd(static_cast<__mmask8>(mask), p));
    }
  }
  static NDT_INLINE void store_masked512(T* p, const reg& v, std::size_t lanes) noexcept {
    const auto mask = (1u << lanes) - 1u;
    if constexpr (std::is_same_v<T, float>) {
      _mm512_mask_storeu_ps(p, static_cast<__mmask16>(mask), v);
    } else {
      _mm512_mask_storeu_pd(p, static_cast<__mmask8>(mask), v);
    }
  }
#endif
#if defined(__AVX__)
  // A window over ones and then zeros, `lanes` of the ones in it.
  static constexpr std::array<integer, 2 * width> mask_window = [] {
    std::array<integer, 2 * width> window{};
    for (std::size_t i = 0; i < width; ++i) window[i] = -1;
    return window;
  }();
  static NDT_INLINE __m256i mask256(std::size_t lanes) noexcept {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(mask_window.data() + (width - lanes)));
  }
  static NDT_INLINE reg load_masked256(const T* p, std::size_t lanes) noexcept {
    if constexpr (std::is_same_v<T, float>) {
      return reg(_mm256_maskload_ps(p, mask256(lanes)));
    } else {
      return reg(_mm256_maskload_pd(p, mask256(lanes)));
    }
  }
  static NDT_INLINE void store_masked256(T* p, const reg& v, std::size_t lanes) noexcept {
    if (lanes >= width) return store(p, v);
    if constexpr (std::is_same_v<T, float>) {
      store_floats(p, v, lanes);
    } else {
      store_floats(reinterpret_cast<float*>(p), _mm256_castpd_ps(v), 2 * lanes);  // two words each, never one
    }
  }
  // By halves: AMD's processors make tens of operations of a masked store.
  static NDT_INLINE void store_floats(float* p, __m256 v, std::size_t count) noexcept {
    __m128 part = _mm256_castps256_ps128(v);
    if (count >= 4) {
      _mm_storeu_ps(p, part);
      part = _mm256_extractf128_ps(v, 1);
      p += 4;
    }
    if ((count & 2) != 0) {
      _mm_storel_pi(reinterpret_cast<__m64*>(p), part);
      part = _mm_movehl_ps(part, part);
      p += 2;
    }
    if ((count & 1) != 0) _mm_store_ss(p, part);
  }
#endif
};

template <class T>
using native = xs<T, xsimd::default_arch>;

#elif defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 2)

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

template <class T>
using native = std::conditional_t<std::is_same_v<T, float>, mve, scalar<T>>;

#else

template <class T>
using native = scalar<T>;

#endif

}  // namespace ndt::inline NDT_TARGET::simd
