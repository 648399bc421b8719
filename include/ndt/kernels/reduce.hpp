// ndt/kernels/reduce.hpp: sums and maxima over rows, in an order that depends on a row's length and the register alone.
#pragma once

#include <array>
#include <cstddef>
#include <limits>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
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

/// Rows that are worked on side by side, a step of all at a time: one alone would wait for its sums.
template <class V>
inline constexpr std::size_t rows_side_by_side = V::shuffles ? V::width : 4;

namespace detail {

/// How a sum and a maximum join registers, and the lanes of one.
template <class V>
struct Sum {
  static constexpr typename V::value_type start = 0;
  NDT_INLINE auto operator()(auto a, auto b) const noexcept { return a + b; }
  static NDT_INLINE typename V::value_type lanes(typename V::reg v) noexcept { return V::reduce_add(v); }
};
template <class V>
struct Max {
  static constexpr typename V::value_type start = -std::numeric_limits<typename V::value_type>::infinity();
  NDT_INLINE auto operator()(auto a, auto b) const noexcept { return V::max(a, b); }
  static NDT_INLINE typename V::value_type lanes(typename V::reg v) noexcept { return V::reduce_max(v); }
};

/// to[r] = the lanes of part(r) joined. Of many rows at once where registers can be shuffled: a row alone is four
/// steps that wait for one another. The bits are the same.
template <class V, class Join, class Part>
NDT_INLINE void join_rows(typename V::value_type* to, std::size_t rows, Part part) noexcept {
  std::size_t done = 0;
  if constexpr (V::shuffles) {
    constexpr std::size_t W = V::width;
    for (; rows - done > W / 4; done += min_size(W, rows - done)) {
      const std::size_t count = min_size(W, rows - done);
      std::array<typename V::reg, W> parts;
      for (std::size_t r = 0; r < count; ++r) parts[r] = part(done + r);
      for (std::size_t r = count; r < W; ++r) parts[r] = parts[0];
      V::store(to + done, V::fold_each(parts, Join{}), count);
    }
  }
  for (; done < rows; ++done) to[done] = Join::lanes(part(done));
}

}  // namespace detail

/// sums[r] = the sum of term(r, i, lanes) over n(r) elements, for every row.
template <class V, class Count, class Term>
NDT_INLINE void sum_rows(typename V::value_type* sums, std::size_t rows, Count n, Term term) noexcept {
  using Join = detail::Sum<V>;
  detail::join_rows<V, Join>(sums, rows, [&](std::size_t r) NDT_INLINE_LAMBDA {
    return fold<V>(
        n(r), Join::start, [&](std::size_t i, auto lanes) NDT_INLINE_LAMBDA { return term(r, i, lanes); }, Join{});
  });
}

/// The sum of term(i, lanes) over n elements.
template <class V, class Width, class Term>
NDT_INLINE typename V::value_type sum_of(Width n, Term term) noexcept {
  using Join = detail::Sum<V>;
  return Join::lanes(fold<V>(n, Join::start, term, Join{}));
}

/// largest[r] = the largest of row(r)[0..n(r)), for every row; minus infinity for n = 0. What it gives when NaN is
/// among them is not defined.
template <class V, class Count, class Row>
NDT_INLINE void max_rows(typename V::value_type* largest, std::size_t rows, Count n, Row row) noexcept {
  using Join = detail::Max<V>;
  detail::join_rows<V, Join>(largest, rows, [&](std::size_t r) NDT_INLINE_LAMBDA {
    const auto* const x = row(r);
    return fold<V>(
        n(r), Join::start, [x](std::size_t i, auto lanes) NDT_INLINE_LAMBDA { return V::load(x + i, lanes); }, Join{});
  });
}

}  // namespace ndt::inline NDT_TARGET::kernels
