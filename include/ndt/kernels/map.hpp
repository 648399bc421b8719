// ndt/kernels/map.hpp: one operation on every element of a row.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/simd.hpp"

namespace ndt::inline NDT_TARGET::kernels {

/// Calls body(i, lanes) for the registers that cover n elements: whole ones, then what is left.
template <class V, class Body>
NDT_INLINE void for_lanes(std::size_t n, Body body) noexcept {
  std::size_t i = 0;
  for (; i + V::width <= n; i += V::width) body(i, simd::all_lanes{});
  if constexpr (V::width > 1) {
    if (i < n) body(i, n - i);
  }
}

/// y[i] = op(x[i], ...) for n elements. y may be any of the x.
template <class V, class Width, class Op, class... X>
NDT_INLINE void map(typename V::value_type* y, Width n, Op op, const X*... x) noexcept {
  for_lanes<V>(
      n, [&](std::size_t i, auto lanes) NDT_INLINE_LAMBDA { V::store(y + i, op(V::load(x + i, lanes)...), lanes); });
}

/// y[i] = x, or y[i] += x if `accumulate`, for the lanes of a register.
template <class V, class Lanes>
NDT_INLINE void store_or_add(typename V::value_type* y, typename V::reg x, Lanes lanes, bool accumulate) noexcept {
  V::store(y, accumulate ? x + V::load(y, lanes) : x, lanes);
}

/// x[i] = op(policy, x[i]) for a few elements, one for each row of something. For a single one a whole register's
/// division or root would take longer than its own; the bits are the same.
template <class V, class Op>
NDT_INLINE void map_rows(typename V::value_type* x, std::size_t rows, Op op) noexcept {
  const auto run = [=]<class P>(P policy) NDT_INLINE_LAMBDA {
    map<P>(
        x, rows, [=](auto v) NDT_INLINE_LAMBDA { return op(policy, v); }, x);
  };
  if constexpr (V::width > 1) {
    if (rows == 1) return run(simd::scalar<typename V::value_type>{});
  }
  run(V{});
}

/// y[i] = x[i] for n elements.
template <class V, class Width>
NDT_INLINE void copy(typename V::value_type* y, const typename V::value_type* x, Width n) noexcept {
  map<V>(
      y, n, [](auto v) NDT_INLINE_LAMBDA { return v; }, x);
}

}  // namespace ndt::inline NDT_TARGET::kernels
