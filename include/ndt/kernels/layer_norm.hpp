// ndt/kernels/layer_norm.hpp: y(T,D) = (x - mean) * rstd * gain + bias per row, as torch.nn.LayerNorm.
#pragma once

#include <cmath>
#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/kernels/reduce.hpp"

namespace ndt::inline NDT_TARGET::kernels {

/// Two passes on purpose: E[x^2] - E[x]^2 cancels. gain and bias are (D); y may be x.
/// stats: null at inference, (T,2) of {mean, rstd} when a backward pass follows.
template <class V, class Width>
void layer_norm(Rows<typename V::value_type> y, Rows<const typename V::value_type> x,
                const typename V::value_type* gain, const typename V::value_type* bias, std::size_t bins, Width width,
                typename V::value_type epsilon, typename V::value_type* stats = nullptr) noexcept {
  using T = typename V::value_type;
  const std::size_t D = width;
  const T n = static_cast<T>(D);
  constexpr std::size_t side_by_side = rows_side_by_side<V>;
  T mean[side_by_side], rstd[side_by_side];
  for (std::size_t t = 0; t < bins; t += side_by_side) {
    const std::size_t rows = min_size(side_by_side, bins - t);
    const auto length = [=](std::size_t) NDT_INLINE_LAMBDA { return width; };
    sum_rows<V>(mean, rows, length, [&](std::size_t r, std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
      return V::load(x[t + r] + i, lanes);
    });
    map_rows<V>(mean, rows, [=]<class P>(P, auto v) NDT_INLINE_LAMBDA { return P::divide(v, P::set(n)); });
    sum_rows<V>(rstd, rows, length, [&](std::size_t r, std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
      const auto d = V::load(x[t + r] + i, lanes) - V::set(mean[r]);
      return d * d;
    });
    map_rows<V>(rstd, rows, [=]<class P>(P, auto v) NDT_INLINE_LAMBDA {
      return P::divide(P::set(T(1)), P::sqrt(P::divide(v, P::set(n)) + P::set(epsilon)));
    });
    for (std::size_t r = 0; r < rows; ++r) {
      const auto centre = V::set(mean[r]), scale = V::set(rstd[r]);
      map<V>(
          y[t + r], width, [=](auto v, auto g, auto b) NDT_INLINE_LAMBDA { return V::fma((v - centre) * scale, g, b); },
          x[t + r], gain, bias);
      if (stats != nullptr) {
        stats[2 * (t + r)] = mean[r];
        stats[2 * (t + r) + 1] = rstd[r];
      }
    }
  }
}

}  // namespace ndt::inline NDT_TARGET::kernels
