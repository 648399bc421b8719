// ndt/kernels/reduce.hpp: sums and maxima over a row, in an order that depends on its length and the register alone.
#pragma once

#include <cstddef>
#include <limits>

#include "ndt/config.hpp"
#include "ndt/simd.hpp"

namespace ndt::inline NDT_TARGET::kernels {

/// Folds term(i, lanes) over n elements with `join`, starting from `start`, which also stands for lanes that do not
/// exist. Four chains run side by side: one alone would wait for the latency of every addition.
template <class V, class Term, class Join>
NDT_INLINE typename V::reg fold(std::size_t n, typename V::value_type start, Term term, Join join) noexcept {
  constexpr std::size_t W = V::width;
  const simd::all_lanes all;
  auto a = V::set(start), b = a, c = a, d = a;
  std::size_t i = 0;
  for (; i + 4 * W <= n; i += 4 * W) {
    a = join(a, term(i, all));
    b = join(b, term(i + W, all));
    c = join(c, term(i + 2 * W, all));
    d = join(d, term(i + 3 * W, all));
  }
  for (; i + W <= n; i += W) a = join(a, term(i, all));
  if constexpr (W > 1) {
    if (i < n) b = join(b, V::keep(term(i, n - i), n - i, start));
  }
  return join(join(a, b), join(c, d));
}

/// The sum of term(i, lanes) over n elements.
template <class V, class Width, class Term>
NDT_INLINE typename V::value_type sum_of(Width n, Term term) noexcept {
  return V::reduce_add(
      fold<V>(n, typename V::value_type(0), term, [](auto a, auto b) NDT_INLINE_LAMBDA { return a + b; }));
}

/// The largest of x[0..n); minus infinity for n = 0. What it gives when NaN is among them is not defined.
template <class V, class Width>
NDT_INLINE typename V::value_type max_of(const typename V::value_type* x, Width n) noexcept {
  using T = typename V::value_type;
  return V::reduce_max(fold<V>(
      n, -std::numeric_limits<T>::infinity(),
      [x](std::size_t i, auto lanes) NDT_INLINE_LAMBDA { return V::load(x + i, lanes); },
      [](auto a, auto b) NDT_INLINE_LAMBDA { return V::max(a, b); }));
}

}  // namespace ndt::inline NDT_TARGET::kernels
