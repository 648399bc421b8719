// ndt/autograd/activation.hpp: GELU and its gradient (kernels/activation.hpp). ReLU is part of linear().
#pragma once

#include <cstddef>

#include "ndt/autograd/tape.hpp"
#include "ndt/config.hpp"
#include "ndt/kernels/activation.hpp"
#include "ndt/kernels/elementary.hpp"
#include "ndt/kernels/map.hpp"

namespace ndt::inline NDT_TARGET {
namespace kernels {

/// d/dx x P(X <= x) = P(X <= x) + x e^(-x^2 / 2) / sqrt(2 pi).
template <class V>
NDT_INLINE typename V::reg gelu_slope(typename V::reg x) noexcept {
  using T = typename V::value_type;
  const auto density = exp<V>(x * x * V::set(T(-0.5))) * V::set(T(0.39894228040143267794));
  return V::fma(x, density, normal_cdf<V>(x));
}

}  // namespace kernels

/// y(M,N) = gelu(x).
template <class V>
Variable<typename V::value_type>* gelu(Tape<V>& tape, Variable<typename V::value_type>* x) {
  Variable<typename V::value_type>* const y = tape.variable(x->rows, x->columns);
  kernels::gelu_rows<V>(y->value, x->value, x->rows, x->columns);
  tape.record(y, [&tape, x, y] {
    const auto [gradient, accumulate] = tape.sink(x);
    for (std::size_t m = 0; m < x->rows; ++m) {
      kernels::for_lanes<V>(
          x->columns, [&, to = gradient, add = accumulate](std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
            const auto slope = kernels::gelu_slope<V>(V::load(x->value[m] + i, lanes));
            kernels::store_or_add<V>(to[m] + i, V::load(y->gradient[m] + i, lanes) * slope, lanes, add);
          });
    }
  });
  return y;
}

}  // namespace ndt::inline NDT_TARGET
