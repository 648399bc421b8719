// ndt/kernels/activation.hpp: ReLU, GELU and exp on rows.
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
