// ndt/train/optimizer.hpp: one step of AdamW over all parameters, with the gradient clipped.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ndt/autograd/parameters.hpp"
#include "ndt/config.hpp"
#include "ndt/core/finite.hpp"
#include "ndt/core/parallel_for.hpp"
#include "ndt/tensor/buffer.hpp"
#include "ndt/train/adamw.hpp"
#include "ndt/train/config.hpp"

namespace ndt::inline NDT_TARGET::train {

/// The name of the first tensor with a NaN or an infinity among `values`, laid out like Parameters::values(); empty if
/// there is none.
template <class T>
std::string not_finite(const Parameters<T>& parameters, std::span<const T> values) {
  for (const Parameter& p : parameters.list()) {
    if (p.value + p.extents.count() > values.size()) continue;
    for (const T x : values.subspan(p.value, p.extents.count())) {
      if (!is_finite(x)) return p.name;
    }
  }
  return {};
}

template <class V>
class Optimizer {
 public:
  using T = typename V::value_type;

  explicit Optimizer(std::size_t size) : mean_(size), square_(size) {}

  /// The L2 norm of the gradient, in an order that does not depend on the policy.
  template <class Policy = Serial>
  double norm(std::span<const T> gradient, const Policy& policy = {}) {
    partial_.resize(parts_of(gradient.size()));
    for_parts(gradient.size(), policy, [&](std::size_t part, std::size_t first, std::size_t count) {
      partial_[part] = sum_of_squares(gradient.data() + first, count);
    });
    double sum = 0;
    for (const double x : partial_) sum += x;
    return std::sqrt(sum);
  }

  /// values(...) one step further along -gradient; factor: of clip_factor(). The steps so far say how far the moving
  /// averages have settled.
  template <class Policy = Serial>
  void update(std::span<T> values, std::span<const T> gradient, const AdamWStep& step, double factor,
              const Policy& policy = {}) {
    for_parts(gradient.size(), policy, [&](std::size_t, std::size_t first, std::size_t count) {
      adamw_update<V>(values.data() + first, mean_.data() + first, square_.data() + first, gradient.data() + first,
                      count, step, factor);
    });
  }

  /// The moving averages of gradient and squared gradient, as a checkpoint keeps them.
  std::span<T> mean() noexcept { return mean_; }
  std::span<T> square() noexcept { return square_; }

 private:
  Buffer<T> mean_, square_;
  std::vector<double> partial_;
};

}  // namespace ndt::inline NDT_TARGET::train
