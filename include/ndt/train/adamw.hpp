// ndt/train/adamw.hpp: AdamW (Loshchilov & Hutter 2019) in two readings, and the clipping of gradients.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "ndt/config.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/simd.hpp"
#include "ndt/train/config.hpp"

namespace ndt::inline NDT_TARGET::train {

/// The numbers of one step, the same for every parameter. Call their maker once a step.
struct AdamWStep {
  double beta1 = 0.9, beta2 = 0.999;
  double rate = 0.0;        ///< factor of m / (denominator)
  double root = 1.0;        ///< factor of sqrt(v) in the denominator
  double epsilon = 1e-8;    ///< added to the denominator
  double keep = 1.0;        ///< factor of the weights: 1 - learning rate * weight decay
  bool decay_last = false;  ///< whether the weights are decayed after the step rather than before it
};

/// `step` counts from 1. With m and v the moving averages of gradient and squared gradient, and c1 = 1 - beta1^step,
/// c2 = 1 - beta2^step:
///
///   as torch.optim.AdamW              w = w (1 - rate decay);  w = w - rate m / c1 / (sqrt(v / c2) + epsilon)
///   `reproduce`, as pytorch_transformers 1.2.0, which the reference uses: epsilon is added to the root of the
///   uncorrected v, and the decay comes after the step
///                                     w = w - rate sqrt(c2) / c1 m / (sqrt(v) + epsilon);  w = w (1 - rate decay)
///
/// All parameters are decayed, biases and norms too, in both.
inline AdamWStep adamw_step(const TrainConfig& config, double learning_rate, std::uint64_t step) noexcept {
  const double c1 = 1.0 - std::pow(config.beta1, static_cast<double>(step));
  const double c2 = 1.0 - std::pow(config.beta2, static_cast<double>(step));
  AdamWStep numbers{.beta1 = config.beta1, .beta2 = config.beta2, .epsilon = config.epsilon};
  numbers.keep = 1.0 - learning_rate * config.weight_decay;
  numbers.decay_last = config.reproduce;
  numbers.rate = config.reproduce ? learning_rate * std::sqrt(c2) / c1 : learning_rate / c1;
  numbers.root = config.reproduce ? 1.0 : 1.0 / std::sqrt(c2);
  return numbers;
}

/// One step for n parameters w with their gradients g, in one pass over the four arrays; m and v begin as zeros. The
/// gradients are multiplied by `scale`, the factor of clipping, on the way. An element's new value does not depend on
/// how the arrays are divided among calls.
template <class V>
void adamw_update(typename V::value_type* w, typename V::value_type* m, typename V::value_type* v,
                  const typename V::value_type* g, std::size_t n, const AdamWStep& step, double scale = 1.0) noexcept {
  using T = typename V::value_type;
  const auto set = [](double x) { return V::set(static_cast<T>(x)); };
  const auto beta1 = set(step.beta1), rest1 = set(1.0 - step.beta1), beta2 = set(step.beta2),
             rest2 = set(1.0 - step.beta2), factor = set(scale), root = set(step.root), epsilon = set(step.epsilon),
             rate = set(-step.rate), before = set(step.decay_last ? 1.0 : step.keep),
             after = set(step.decay_last ? step.keep : 1.0);
  kernels::for_lanes<V>(n, [&](std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
    const auto gradient = V::load(g + i, lanes) * factor;
    const auto mean = V::fma(beta1, V::load(m + i, lanes), rest1 * gradient);
    const auto square = V::fma(beta2, V::load(v + i, lanes), rest2 * gradient * gradient);
    V::store(m + i, mean, lanes);
    V::store(v + i, square, lanes);
    const auto denominator = V::fma(V::sqrt(square), root, epsilon);
    V::store(w + i, V::fma(rate, V::divide(mean, denominator), V::load(w + i, lanes) * before) * after, lanes);
  });
}

/// The sum of x[i]^2 in float64, in an order that depends on n alone: the same on every machine.
template <class T>
double sum_of_squares(const T* x, std::size_t n) noexcept {
  NDT_KEEP_ORDER
  constexpr std::size_t lanes = 16;
  double partial[lanes] = {};
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (std::size_t j = 0; j < lanes; ++j) {
      const double value = static_cast<double>(x[i + j]);
      partial[j] += value * value;
    }
  }
  for (std::size_t j = 0; i + j < n; ++j) {
    const double value = static_cast<double>(x[i + j]);
    partial[j] += value * value;
  }
  for (std::size_t half = lanes / 2; half > 0; half /= 2) {
    for (std::size_t j = 0; j < half; ++j) partial[j] += partial[j + half];
  }
  return partial[0];
}

/// What gradients are multiplied by so that their norm, sqrt of the sum of squares over all parameters, does not exceed
/// max_norm: torch.nn.utils.clip_grad_norm_. A norm that is NaN gives NaN; check it first.
inline double clip_factor(double norm, double max_norm) noexcept {
  const double factor = max_norm / (norm + 1e-6);
  return factor > 1.0 ? 1.0 : factor;
}

}  // namespace ndt::inline NDT_TARGET::train
