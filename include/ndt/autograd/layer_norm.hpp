// ndt/autograd/layer_norm.hpp: layer norm and its gradients (kernels/layer_norm.hpp).
#pragma once

#include <cstddef>

#include "ndt/autograd/tape.hpp"
#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
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
  // A register of dgain and dbias stays where it is while some rows pass.
  constexpr std::size_t side_by_side = rows_side_by_side<V>;
  T mean_g[side_by_side], mean_gz[side_by_side];
  const auto length = [=](std::size_t) NDT_INLINE_LAMBDA { return D; };
  for (std::size_t m = 0; m < M; m += side_by_side) {
    const std::size_t rows = min_size(side_by_side, M - m);
    const auto z = [&](std::size_t r, std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
      return (V::load(x[m + r] + i, lanes) - V::set(stats[2 * (m + r)])) * V::set(stats[2 * (m + r) + 1]);
    };
    const auto g = [&](std::size_t r, std::size_t i, auto lanes)
                       NDT_INLINE_LAMBDA { return V::load(dy[m + r] + i, lanes) * V::load(gain + i, lanes); };
    sum_rows<V>(mean_g, rows, length, g);
    // Lanes beyond D hold -mean rstd in z, but 0 in g.
    sum_rows<V>(mean_gz, rows, length, [&](std::size_t r, std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
      return g(r, i, lanes) * z(r, i, lanes);
    });
    for (T* const sums : {mean_g, mean_gz}) {
      map_rows<V>(sums, rows,
                  [=]<class P>(P, auto v) NDT_INLINE_LAMBDA { return P::divide(v, P::set(static_cast<T>(D))); });
    }
    for_lanes<V>(D, [&](std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
      const auto gi = V::load(gain + i, lanes);
      auto dg = V::load(dgain + i, lanes), db = V::load(dbias + i, lanes);
      for (std::size_t r = 0; r < rows; ++r) {
        const auto dyi = V::load(dy[m + r] + i, lanes), zi = z(r, i, lanes);
        dg = V::fma(dyi, zi, dg);
        db = db + dyi;
        store_or_add<V>(dx[m + r] + i,
                        (dyi * gi - V::set(mean_g[r]) - zi * V::set(mean_gz[r])) * V::set(stats[2 * (m + r) + 1]),
                        lanes, accumulate);
      }
      V::store(dgain + i, dg, lanes), V::store(dbias + i, db, lanes);
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
