// ndt/autograd/loss.hpp: the Poisson loss of the masked objective (reference: src/model.py and
// torch.nn.PoissonNLLLoss).
#pragma once

#include <cmath>
#include <cstddef>

#include "ndt/autograd/tape.hpp"
#include "ndt/config.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/elementary.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/kernels/reduce.hpp"

namespace ndt::inline NDT_TARGET {

/// What is to be predicted; both (rows, neurons) without gaps.
template <class T>
struct Targets {
  const T* counts = nullptr;
  const T* weight = nullptr;  ///< 1 for elements that enter the loss, else 0
};

namespace kernels {

/// Added to a rate before its logarithm, as torch.nn.PoissonNLLLoss does.
inline constexpr double rate_epsilon = 1e-8;

/// Loss and slope of n elements: e^x - c x of log rates x, or x - c ln(x + 1e-8) of rates x, for counts c; no
/// log-factorial. 0 where weight is 0, whatever x is there. slope may be null.
template <class V>
void poisson_row(typename V::value_type* loss, typename V::value_type* slope, const typename V::value_type* x,
                 const typename V::value_type* counts, const typename V::value_type* weight, std::size_t n,
                 bool lograte) noexcept {
  using T = typename V::value_type;
  const auto zero = V::set(T(0));
  const auto store = [=](T* to, std::size_t i, auto lanes, auto value) NDT_INLINE_LAMBDA {
    // Chosen and not multiplied: infinity that is not in the loss must not become NaN.
    V::store(to + i, V::select_less(zero, V::load(weight + i, lanes), value, zero), lanes);
  };
  if (lograte) {
    for_lanes<V>(n, [&](std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
      const auto v = V::load(x + i, lanes), c = V::load(counts + i, lanes), rate = exp<V>(v);
      store(loss, i, lanes, rate - c * v);
      if (slope != nullptr) store(slope, i, lanes, rate - c);
    });
  } else {
    // The standard library's logarithm: models of rates are rare.
    for (std::size_t i = 0; i < n; ++i) {
      const T rate = x[i] + static_cast<T>(rate_epsilon);
      loss[i] = weight[i] > T(0) ? x[i] - counts[i] * std::log(rate) : T(0);
      if (slope != nullptr) slope[i] = weight[i] > T(0) ? T(1) - counts[i] / rate : T(0);
    }
  }
}

}  // namespace kernels

/// The summed loss of the selected elements of y, log rates or rates. Seeds the backward pass with `factor` times its
/// gradient: 1 / (selected elements of the whole batch) makes it that of the mean. losses: null, or (rows, neurons) to
/// receive the loss of every element.
template <class V>
double poisson_loss(Tape<V>& tape, Variable<typename V::value_type>* y, const Targets<typename V::value_type>& targets,
                    bool lograte, double factor, typename V::value_type* losses = nullptr) {
  using T = typename V::value_type;
  const std::size_t N = y->columns;
  const Rows<T> gradient = tape.sink(y).rows;
  T* const scratch = tape.scratch(N);
  const auto scale = V::set(static_cast<T>(factor));
  double total = 0;
  for (std::size_t m = 0; m < y->rows; ++m) {
    T* const loss = losses == nullptr ? scratch : losses + m * N;
    T* const slope = gradient[m];
    kernels::poisson_row<V>(loss, slope, y->value[m], targets.counts + m * N, targets.weight + m * N, N, lograte);
    total += static_cast<double>(
        kernels::sum_of<V>(N, [=](std::size_t i, auto lanes) NDT_INLINE_LAMBDA { return V::load(loss + i, lanes); }));
    kernels::map<V>(
        slope, N, [=](auto d) NDT_INLINE_LAMBDA { return d * scale; }, slope);
  }
  return total;
}

}  // namespace ndt::inline NDT_TARGET
