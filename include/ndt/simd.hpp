// ndt/simd.hpp: the instruction set as a type. A kernel takes a policy V, which says what an element is, how many fit
// in a register and how registers are computed with. Only this file and those of simd/ name xsimd or an intrinsic.
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

#include <type_traits>

#include "ndt/config.hpp"
#include "ndt/simd/lanes.hpp"
#include "ndt/simd/mve.hpp"
#include "ndt/simd/scalar.hpp"
#include "ndt/simd/xs.hpp"

namespace ndt::inline NDT_TARGET::simd {

#if NDT_XSIMD
template <class T>
using native = xs<T, xsimd::default_arch>;
#elif defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 2)
template <class T>
using native = std::conditional_t<std::is_same_v<T, float>, mve, scalar<T>>;
#else
template <class T>
using native = scalar<T>;
#endif

}  // namespace ndt::inline NDT_TARGET::simd
