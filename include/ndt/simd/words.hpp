// ndt/simd/words.hpp: words of 32 bits side by side, each in 64 bits so that its product with another has room: for
// random numbers. They are computed with by ^ and >>. What stands in the upper half of a word does not count.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ndt/config.hpp"
#include "ndt/simd/xsimd.hpp"

namespace ndt::inline NDT_TARGET::simd {

#if NDT_XSIMD && (defined(__SSE2__) || defined(__aarch64__))
#if defined(__AVX512F__)
using words = std::uint64_t __attribute__((vector_size(64)));
NDT_INLINE words product(words x, std::uint32_t m) noexcept {
  return words(_mm512_mul_epu32(__m512i(x), _mm512_set1_epi64(m)));
}
#elif defined(__AVX2__)
using words = std::uint64_t __attribute__((vector_size(32)));
NDT_INLINE words product(words x, std::uint32_t m) noexcept {
  return words(_mm256_mul_epu32(__m256i(x), _mm256_set1_epi64x(m)));
}
#elif defined(__SSE2__)
using words = std::uint64_t __attribute__((vector_size(16)));
NDT_INLINE words product(words x, std::uint32_t m) noexcept {
  return words(_mm_mul_epu32(__m128i(x), _mm_set1_epi64x(m)));
}
#else
using words = std::uint64_t __attribute__((vector_size(16)));
NDT_INLINE words product(words x, std::uint32_t m) noexcept { return words(vmull_u32(vmovn_u64(x), vdup_n_u32(m))); }
#endif
NDT_INLINE void store_lower(std::uint32_t* to, words x) noexcept {
  using halves = std::uint32_t __attribute__((vector_size(sizeof(words) / 2)));
  const halves lower = __builtin_convertvector(x, halves);
  __builtin_memcpy(to, &lower, sizeof(lower));
}
#else
using words = std::uint64_t;
/// The product of the lower half of x and m, whole.
NDT_INLINE words product(words x, std::uint32_t m) noexcept { return (x & 0xffffffff) * m; }
NDT_INLINE void store_lower(std::uint32_t* to, words x) noexcept { *to = static_cast<std::uint32_t>(x); }
#endif
/// Words in a register of them.
inline constexpr std::size_t words_width = sizeof(words) / sizeof(std::uint64_t);

}  // namespace ndt::inline NDT_TARGET::simd
