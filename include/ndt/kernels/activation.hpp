// ndt/kernels/activation.hpp: ReLU, GELU and exp on rows; sigmoid and tanh on registers, for gates.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/elementary.hpp"
#include "ndt/kernels/map.hpp"

namespace ndt::inline NDT_TARGET::kernels {

/// max(x, 0), and NaN for NaN.
template <class V>
NDT_INLINE typename V::reg relu(typename V::reg x) noexcept {
  const auto zero = V::set(typename V::value_type(0));
  return V::select_less(x, zero, zero, x);
}

/// 1 / (1 + e^-x).
template <class V>
NDT_INLINE typename V::reg sigmoid(typename V::reg x) noexcept {
  using T = typename V::value_type;
  const auto one = V::set(T(1));
  return V::divide(one, one + exp<V>(V::set(T(0)) - x));
}

/// The hyperbolic tangent, to about a unit in the last place of 1: near 0 it is not precise relative to itself.
template <class V>
NDT_INLINE typename V::reg tanh(typename V::reg x) noexcept {
  using T = typename V::value_type;
  return V::fma(V::set(T(2)), sigmoid<V>(x + x), V::set(T(-1)));
}

/// x P(X <= x) for a standard normal X: the exact GELU of torch.nn.functional.gelu, not its tanh approximation.
template <class V>
NDT_INLINE typename V::reg gelu(typename V::reg x) noexcept {
  return x * normal_cdf<V>(x);
}

/// y(T,D) = gelu(x); y may be x.
template <class V, class Width>
void gelu_rows(Rows<typename V::value_type> y, Rows<const typename V::value_type> x, std::size_t bins,
               Width width) noexcept {
  for (std::size_t t = 0; t < bins; ++t) {
    map<V>(
        y[t], width, [](auto v) NDT_INLINE_LAMBDA { return gelu<V>(v); }, x[t]);
  }
}

/// y[i] = e^x[i] for n elements: rates (counts per bin) from log rates. y may be x.
template <class V>
void exp_row(typename V::value_type* y, const typename V::value_type* x, std::size_t n) noexcept {
  map<V>(
      y, n, [](auto v) NDT_INLINE_LAMBDA { return exp<V>(v); }, x);
}

}  // namespace ndt::inline NDT_TARGET::kernels
