// ndt/kernels/softmax.hpp: x(n) <- softmax(scale * x), in place.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/kernels/elementary.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/kernels/reduce.hpp"

namespace ndt::inline NDT_TARGET::kernels {

/// The maximum is subtracted first, so no exponent is above 0 and the largest term is exactly 1. scale > 0.
template <class V>
void softmax(typename V::value_type* x, std::size_t n, typename V::value_type scale) noexcept {
  using T = typename V::value_type;
  const auto largest = V::set(max_of<V>(x, n));
  const auto factor = V::set(scale);
  const T sum = sum_of<V>(n, [=](std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
    const auto e = exp<V>((V::load(x + i, lanes) - largest) * factor);
    V::store(x + i, e, lanes);
    return e;
  });
  const auto inverse = V::set(T(1) / sum);
  map<V>(
      x, n, [=](auto v) NDT_INLINE_LAMBDA { return v * inverse; }, x);
}

}  // namespace ndt::inline NDT_TARGET::kernels
