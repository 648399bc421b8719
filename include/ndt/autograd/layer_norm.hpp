// ndt/autograd/layer_norm.hpp: layer norm and its gradients (kernels/layer_norm.hpp).
#pragma once

#include <cstddef>

#include "ndt/autograd/tape.hpp"
#include "ndt/config.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/layer_norm.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/kernels/reduce.hpp"

namespace ndt::inline NDT_TARGET {
namespace kernels {

/// From dy(M,D), with z = (x - mean) rstd and g = dy gain:  dx = rstd (g - mean(g) - z mean(g z)), += if accumulate;
/// dgain(D) += sum dy z; dbias(D) += sum dy. stats: what layer_norm left. dx may be dy.
template <class V>
void layer_norm_backward(Rows<typename V::value_type> dx, Rows<const typename V::value_type> dy,
                         Rows<const typename V::value_type> x, const typename V::value_type* gain,
                         const typename V::value_type* stats, typename V::value_type* dgain,
                         typename V::value_type* dbias, std::size_t M, std::size_t D, bool accumulate) noexcept {
  using T = typename V::value_type;
  const T n = static_cast<T>(D);
  for (std::size_t m = 0; m < M; ++m) {
    const T *const row = x[m], *const d = dy[m];
    T* const out = dx[m];
    const auto mean = V::set(stats[2 * m]), rstd = V::set(stats[2 * m + 1]);
    const auto z = [=](std::size_t i, auto lanes) NDT_INLINE_LAMBDA { return (V::load(row + i, lanes) - mean) * rstd; };
    const auto g = [=](std::size_t i, auto lanes)
                       NDT_INLINE_LAMBDA { return V::load(d + i, lanes) * V::load(gain + i, lanes); };
    const auto mean_g = V::set(sum_of<V>(D, g) / n);
    // Lanes beyond D hold -mean rstd in z, but 0 in g.
    const auto mean_gz = V::set(
        sum_of<V>(D, [=](std::size_t i, auto lanes) NDT_INLINE_LAMBDA { return g(i, lanes) * z(i, lanes); }) / n);
    for_lanes<V>(D, [&](std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
      const auto dyi = V::load(d + i, lanes), zi = z(i, lanes);
      V::store(dgain + i, V::fma(dyi, zi, V::load(dgain + i, lanes)), lanes);
      V::store(dbias + i, V::load(dbias + i, lanes) + dyi, lanes);
      store_or_add<V>(out + i, (dyi * V::load(gain + i, lanes) - mean_g - zi * mean_gz) * rstd, lanes, accumulate);
    });
  }
}

}  // namespace kernels

/// y(M,D) from x(M,D); gain and bias by their place among the parameters.
template <class V>
Variable<typename V::value_type>* layer_norm(Tape<V>& tape, Variable<typename V::value_type>* x, std::size_t gain,
                                             std::size_t bias, typename V::value_type epsilon) {
  using T = typename V::value_type;
  const auto g = tape.weight(gain), b = tape.weight(bias);
  Variable<T>* const y = tape.variable(x->rows, x->columns);
  T* const stats = tape.template take<T>(2 * x->rows);
  kernels::layer_norm<V>(y->value, x->value, g.packed, b.packed, x->rows, x->columns, epsilon, stats);
  tape.record(y, [&tape, x, y, g, b, stats] {
    const auto [gradient, accumulate] = tape.sink(x);
    kernels::layer_norm_backward<V>(gradient, y->gradient, x->value, g.packed, stats, g.gradient, b.gradient, x->rows,
                                    x->columns, accumulate);
  });
  return y;
}

}  // namespace ndt::inline NDT_TARGET
