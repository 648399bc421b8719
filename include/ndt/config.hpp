// ndt/config.hpp: version, compiler differences and the checks that every other header relies on.
// Every #if about a compiler or a target lives here; the ones about SIMD libraries, OpenMP and the system's pages live
// with what uses them (CONTRIBUTING.md names the files).
#pragma once

#define NDT_VERSION_MAJOR 0
#define NDT_VERSION_MINOR 1
#define NDT_VERSION_PATCH 0

#if defined(_MSVC_LANG) ? _MSVC_LANG < 202002L : __cplusplus < 202002L
#error "ndt needs C++20: compile with -std=c++20 or newer"
#endif

// Fast-math lets the compiler reorder sums and assume that no NaN exists, which breaks the promise of equal bits and
// the handling of bad input. Its parts are refused where the compiler tells of them. Define NDT_ALLOW_FAST_MATH to give
// both up knowingly.
#if !defined(NDT_ALLOW_FAST_MATH) && (defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || \
                                      (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__))
#error "ndt does not keep its numerical promises under -ffast-math: drop the flag or define NDT_ALLOW_FAST_MATH"
#endif
// Rounding is used as an operation, so it must happen where it is written (x87 keeps more digits).
#if defined(__FLT_EVAL_METHOD__) && (__FLT_EVAL_METHOD__ == 1 || __FLT_EVAL_METHOD__ == 2)
#error "ndt needs arithmetic in the type of its operands: compile with -msse2 -mfpmath=sse"
#endif

// At the head of a block whose order of operations is the algorithm. Clang can be told; GCC refuses the flags above.
#if defined(__clang__)
#define NDT_KEEP_ORDER _Pragma("clang fp reassociate(off)")
#else
#define NDT_KEEP_ORDER
#endif

// Before a short loop over an array: GCC would write it out element by element and then find nothing left for vectors.
#if defined(__GNUC__) && !defined(__clang__)
#define NDT_KEEP_LOOP _Pragma("GCC unroll 1")
#else
#define NDT_KEEP_LOOP
#endif

// Microcontrollers: memory for code and stack is short, and few registers are left for pointers.
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define NDT_MICROCONTROLLER 1
#else
#define NDT_MICROCONTROLLER 0
#endif

// Before the loop of multiply-adds: two steps in a turn, where there is room for the code. Fewer other instructions
// leave more of the decoder to another thread of the same core.
#if NDT_MICROCONTROLLER
#define NDT_TWO_STEPS
#elif defined(__clang__)
#define NDT_TWO_STEPS _Pragma("clang loop unroll_count(2)")
#elif defined(__GNUC__)
#define NDT_TWO_STEPS _Pragma("GCC unroll 2")
#else
#define NDT_TWO_STEPS
#endif

// Rows of the tallest tile with 32 registers. Nine by three registers, a row of B and an element of A fill them, but
// Clang 14, and GCC 12 for aarch64, read elements of A ahead and put sums on the stack instead.
#if defined(__AVX512F__) && defined(__GNUC__) && !defined(__clang__)
#define NDT_TALLEST_ROWS 9
#else
#define NDT_TALLEST_ROWS 8
#endif

// Hides from the compiler how the double `x` (a variable) came to be, so that a product is rounded before it is added,
// whatever the flags. GCC has no pragma for that: without -ffp-contract=off it fuses where the processor can.
#if defined(__GNUC__) && defined(__SSE2__)
#define NDT_HIDE_ORIGIN(x) asm("" : "+x"(x))
#elif defined(__GNUC__) && defined(__aarch64__)
#define NDT_HIDE_ORIGIN(x) asm("" : "+w"(x))
#else
#define NDT_HIDE_ORIGIN(x)               \
  do {                                   \
    volatile const double through = (x); \
    (x) = through;                       \
  } while (false)
#endif

#if defined(__GNUC__) || defined(__clang__)
#define NDT_INLINE inline __attribute__((always_inline))
#define NDT_INLINE_LAMBDA __attribute__((always_inline))
#define NDT_NOINLINE __attribute__((noinline))
#else
#define NDT_INLINE inline
#define NDT_INLINE_LAMBDA
#define NDT_NOINLINE
#endif

// Ask for the cache line at `address`, to read, to read later from the second cache, or to write. It need not be memory
// of ours: an instruction, no more.
#if defined(__GNUC__) || defined(__clang__)
#define NDT_PREFETCH(address) __builtin_prefetch(address)
#define NDT_PREFETCH_FAR(address) __builtin_prefetch(address, 0, 2)
#define NDT_PREFETCH_WRITE(address) __builtin_prefetch(address, 1)
#else
#define NDT_PREFETCH(address) ((void)0)
#define NDT_PREFETCH_FAR(address) ((void)0)
#define NDT_PREFETCH_WRITE(address) ((void)0)
#endif

// Marks functions that neither allocate nor lock nor call the system; checked by compilers that know the attribute.
#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::nonblocking)
#define NDT_NONBLOCKING [[clang::nonblocking]]
#endif
#endif
#ifndef NDT_NONBLOCKING
#define NDT_NONBLOCKING
#endif

// Broken preconditions stop a debug build and cost nothing in a release build. Define NDT_ASSERT to use another check.
#ifndef NDT_ASSERT
#ifdef NDEBUG
#define NDT_ASSERT(condition) ((void)0)
#else
#include <cassert>
#define NDT_ASSERT(condition) assert(condition)
#endif
#endif

// One binary may hold several translation units built with different -m flags. All names of the library live in an
// inline namespace called after the instruction set, so the linker never merges code of one unit into another. The
// levels below are told apart, which covers x86-64 and -v2 to -v4; flags in between (such as BMI without AVX2) are not.
#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
#define NDT_TARGET x86_avx512
#elif defined(__AVX512F__)
#define NDT_TARGET x86_avx512f
#elif defined(__AVX2__) && defined(__FMA__)
#define NDT_TARGET x86_avx2_fma
#elif defined(__AVX2__)
#define NDT_TARGET x86_avx2
#elif defined(__AVX__)
#define NDT_TARGET x86_avx
#elif defined(__SSE4_2__)
#define NDT_TARGET x86_sse4_2
#elif defined(__SSE4_1__)
#define NDT_TARGET x86_sse4_1
#elif defined(__SSSE3__)
#define NDT_TARGET x86_ssse3
#elif defined(__SSE2__)
#define NDT_TARGET x86_sse2
#elif defined(__aarch64__)
#define NDT_TARGET arm64_neon
#elif defined(__ARM_FEATURE_MVE)
#define NDT_TARGET arm_mve
#elif defined(__ARM_NEON)
#define NDT_TARGET arm_neon
#else
#define NDT_TARGET generic
#endif
