// ndt/kernels/layer_norm.hpp: y(T,D) = (x - mean) * rstd * gain + bias per row, as torch.nn.LayerNorm.
#pragma once

#include <cmath>
#include <cstddef>

#include "ndt/config.hpp"
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
  for (std::size_t t = 0; t < bins; ++t) {
    const T* const row = x[t];
    const T mean =
        sum_of<V>(width, [=](std::size_t i, auto lanes) NDT_INLINE_LAMBDA { return V::load(row + i, lanes); }) / n;
    const auto centre = V::set(mean);
    const T variance = sum_of<V>(width,
                                 [=](std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
                                   const auto d = V::load(row + i, lanes) - centre;
                                   return d * d;
                                 }) /
                       n;
    const T rstd = T(1) / std::sqrt(variance + epsilon);
    const auto scale = V::set(rstd);
    map<V>(
        y[t], width, [=](auto v, auto g, auto b) NDT_INLINE_LAMBDA { return V::fma((v - centre) * scale, g, b); }, row,
        gain, bias);
    if (stats != nullptr) {
      stats[2 * t] = mean;
      stats[2 * t + 1] = rstd;
    }
  }
}

}  // namespace ndt::inline NDT_TARGET::kernels
