// ndt/simd/masked_memory.hpp: loads and stores of part of a register, for xsimd's batches: the library has them only in
// its newest versions, and then not at run time everywhere.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include "ndt/config.hpp"
#include "ndt/simd/float_bits.hpp"
#include "ndt/simd/xsimd.hpp"

namespace ndt::inline NDT_TARGET::simd {

/// Of registers of the instruction sets that this unit is built for: load and store of the first lanes alone.
template <class Reg>
struct masked_memory {
  static constexpr bool there = false;
};

#if NDT_XSIMD && defined(__AVX__)
template <class Reg>
requires(sizeof(Reg) == 32) struct masked_memory<Reg> {
  using T = typename Reg::value_type;
  using reg = Reg;
  static constexpr bool there = true;

  static NDT_INLINE reg load(const T* p, std::size_t lanes) noexcept {
    if constexpr (std::is_same_v<T, float>) {
      return reg(_mm256_maskload_ps(p, mask(lanes)));
    } else {
      return reg(_mm256_maskload_pd(p, mask(lanes)));
    }
  }
  static NDT_INLINE void store(T* p, const reg& v, std::size_t lanes) noexcept {
    if (lanes >= width) return v.store_unaligned(p);
    if constexpr (std::is_same_v<T, float>) {
      store_floats(p, v, lanes);
    } else {
      store_floats(reinterpret_cast<float*>(p), _mm256_castpd_ps(v), 2 * lanes);  // two words each, never one
    }
  }

 private:
  using integer = typename float_bits<T>::integer;
  static constexpr std::size_t width = reg::size;

  // A window over ones and then zeros, `lanes` of the ones in it.
  static constexpr std::array<integer, 2 * width> mask_window = [] {
    std::array<integer, 2 * width> window{};
    for (std::size_t i = 0; i < width; ++i) window[i] = -1;
    return window;
  }();
  static NDT_INLINE __m256i mask(std::size_t lanes) noexcept {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(mask_window.data() + (width - lanes)));
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
};
#endif

#if NDT_XSIMD && defined(__AVX512F__)
template <class Reg>
requires(sizeof(Reg) == 64) struct masked_memory<Reg> {
  using T = typename Reg::value_type;
  using reg = Reg;
  static constexpr bool there = true;

  static NDT_INLINE reg load(const T* p, std::size_t lanes) noexcept {
    const auto mask = (1u << lanes) - 1u;
    if constexpr (std::is_same_v<T, float>) {
      return reg(_mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), p));
    } else {
      return reg(_mm512_maskz_loadu_pd(static_cast<__mmask8>(mask), p));
    }
  }
  static NDT_INLINE void store(T* p, const reg& v, std::size_t lanes) noexcept {
    const auto mask = (1u << lanes) - 1u;
    if constexpr (std::is_same_v<T, float>) {
      _mm512_mask_storeu_ps(p, static_cast<__mmask16>(mask), v);
    } else {
      _mm512_mask_storeu_pd(p, static_cast<__mmask8>(mask), v);
    }
  }
};
#endif

}  // namespace ndt::inline NDT_TARGET::simd
