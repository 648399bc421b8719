// ndt/autograd/scale_norm.hpp: scale norm and its gradients (kernels/scale_norm.hpp).
#pragma once

#include <cstddef>

#include "ndt/autograd/tape.hpp"
#include "ndt/config.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/kernels/reduce.hpp"
#include "ndt/kernels/scale_norm.hpp"

namespace ndt::inline NDT_TARGET {
namespace kernels {

/// With r = 1 / max(|x|, epsilon):  dx = scale r (dy - x (x . dy) r^2), the second term only where |x| is not clamped;
/// dscale += sum of (x . dy) r. norms: what scale_norm left. += into dx if accumulate.
template <class V>
void scale_norm_backward(Rows<typename V::value_type> dx, Rows<const typename V::value_type> dy,
                         Rows<const typename V::value_type> x, typename V::value_type scale,
                         const typename V::value_type* norms, typename V::value_type* dscale, std::size_t M,
                         std::size_t D, typename V::value_type epsilon, bool accumulate) noexcept {
  using T = typename V::value_type;
  for (std::size_t m = 0; m < M; ++m) {
    const T *const row = x[m], *const d = dy[m];
    T* const out = dx[m];
    const bool clamped = norms[m] < epsilon;
    const T r = T(1) / (clamped ? epsilon : norms[m]);
    const T dot = sum_of<V>(D, [=](std::size_t i, auto lanes)
                                   NDT_INLINE_LAMBDA { return V::load(row + i, lanes) * V::load(d + i, lanes); });
    *dscale += dot * r;
    const auto along = V::set(clamped ? T(0) : dot * r * r), factor = V::set(scale * r);
    for_lanes<V>(D, [&](std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
      store_or_add<V>(out + i, (V::load(d + i, lanes) - V::load(row + i, lanes) * along) * factor, lanes, accumulate);
    });
  }
}

}  // namespace kernels

/// y(M,D) from x(M,D); the scalar by its place among the parameters.
template <class V>
Variable<typename V::value_type>* scale_norm(Tape<V>& tape, Variable<typename V::value_type>* x, std::size_t scale,
                                             typename V::value_type epsilon) {
  using T = typename V::value_type;
  const auto s = tape.weight(scale);
  Variable<T>* const y = tape.variable(x->rows, x->columns);
  T* const norms = tape.template take<T>(x->rows);
  kernels::scale_norm<V>(y->value, x->value, *s.packed, x->rows, x->columns, epsilon, norms);
  tape.record(y, [&tape, x, y, s, norms, epsilon] {
    const auto [gradient, accumulate] = tape.sink(x);
    kernels::scale_norm_backward<V>(gradient, y->gradient, x->value, *s.packed, norms, s.gradient, x->rows, x->columns,
                                    epsilon, accumulate);
  });
  return y;
}

}  // namespace ndt::inline NDT_TARGET
