// ndt/kernels/scale_norm.hpp: y(T,D) = x * scale / max(|x|, epsilon) per row (Nguyen & Salazar 2019).
#pragma once

#include <cmath>
#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/kernels/reduce.hpp"

namespace ndt::inline NDT_TARGET::kernels {

/// scale is the learned scalar, |x| the L2 norm of a row; y may be x.
/// norms: null at inference, (T) of the unclamped |x| when a backward pass follows.
template <class V, class Width>
void scale_norm(Rows<typename V::value_type> y, Rows<const typename V::value_type> x, typename V::value_type scale,
                std::size_t bins, Width width, typename V::value_type epsilon,
                typename V::value_type* norms = nullptr) noexcept {
  using T = typename V::value_type;
  for (std::size_t t = 0; t < bins; ++t) {
    const T* const row = x[t];
    const T norm = std::sqrt(sum_of<V>(width, [=](std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
      const auto v = V::load(row + i, lanes);
      return v * v;
    }));
    // Written so that a NaN norm gives NaN: the comparison is false for it.
    const auto factor = V::set(scale / (norm < epsilon ? epsilon : norm));
    map<V>(
        y[t], width, [=](auto v) NDT_INLINE_LAMBDA { return v * factor; }, row);
    if (norms != nullptr) norms[t] = norm;
  }
}

}  // namespace ndt::inline NDT_TARGET::kernels
