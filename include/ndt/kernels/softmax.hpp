// ndt/kernels/softmax.hpp: x <- softmax(scale * x), in place.
#pragma once

#include <array>
#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/kernels/elementary.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/kernels/reduce.hpp"

namespace ndt::inline NDT_TARGET::kernels {

/// The rows x[r], r < rows <= most, of n[r] elements each, one step of all at a time: what a row waits for, its largest
/// score and its sum, is ready when its turn comes again. The bits of a row do not depend on the others.
/// The maximum is subtracted first, so no exponent is above 0 and the largest term is exactly 1. scale > 0.
template <class V, std::size_t most>
void softmax_rows(const std::array<typename V::value_type*, most>& x, const std::array<std::size_t, most>& n,
                  std::size_t rows, typename V::value_type scale) noexcept {
  using T = typename V::value_type;
  NDT_ASSERT(rows <= most);
  constexpr std::size_t room = round_up(most, V::width);  // whole registers: GCC warns of masked ones beyond an array
  T largest[room], sum[room];
  const auto length = [&](std::size_t r) NDT_INLINE_LAMBDA { return n[r]; };
  max_rows<V>(largest, rows, length, [&](std::size_t r) NDT_INLINE_LAMBDA { return x[r]; });
  const auto factor = V::set(scale);
  sum_rows<V>(sum, rows, length, [&](std::size_t r, std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
    const auto e = exp_nonpositive<V>((V::load(x[r] + i, lanes) - V::set(largest[r])) * factor);
    V::store(x[r] + i, e, lanes);
    return e;
  });
  map_rows<V>(sum, rows, []<class P>(P, auto v) NDT_INLINE_LAMBDA { return P::divide(P::set(T(1)), v); });
  for (std::size_t r = 0; r < rows; ++r) {
    const auto inverse = V::set(sum[r]);
    map<V>(
        x[r], n[r], [=](auto v) NDT_INLINE_LAMBDA { return v * inverse; }, x[r]);
  }
}

/// One row x(n).
template <class V>
void softmax(typename V::value_type* x, std::size_t n, typename V::value_type scale) noexcept {
  softmax_rows<V, 1>({x}, {n}, 1, scale);
}

}  // namespace ndt::inline NDT_TARGET::kernels
