// ndt/autograd/loss.hpp: the Poisson loss of the masked objective (reference: src/model.py and
// torch.nn.PoissonNLLLoss).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "ndt/autograd/tape.hpp"
#include "ndt/config.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/elementary.hpp"
#include "ndt/kernels/map.hpp"

namespace ndt::inline NDT_TARGET {

/// Counts and which of them enter the loss; both (rows, neurons).
template <class Count>
struct Targets {
  const Count* counts = nullptr;
  const std::uint8_t* selected = nullptr;  ///< 0 or 1
};

namespace kernels {

/// Added to a rate before its logarithm, as torch.nn.PoissonNLLLoss does.
inline constexpr double rate_epsilon = 1e-8;

/// Loss of every element: e^x - n x of log rates x, or x - n ln(x + 1e-8) of rates x. No log-factorial (M17).
/// Overwrites x(n) with the slope of it when `slope` is set. loss and count are (n).
template <class V>
void poisson_row(typename V::value_type* loss, typename V::value_type* slope, const typename V::value_type* x,
                 const typename V::value_type* count, std::size_t n, bool lograte) noexcept {
  using T = typename V::value_type;
  if (lograte) {
    for_lanes<V>(n, [&](std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
      const auto v = V::load(x + i, lanes), c = V::load(count + i, lanes), rate = exp<V>(v);
      V::store(loss + i, rate - c * v, lanes);
      V::store(slope + i, rate - c, lanes);
    });
  } else {
    for (std::size_t i = 0; i < n; ++i) {
      const T rate = x[i] + static_cast<T>(rate_epsilon);
      loss[i] = x[i] - count[i] * std::log(rate);
      slope[i] = T(1) - count[i] / rate;
    }
  }
}

}  // namespace kernels

/// What poisson_loss() found.
struct LossSum {
  double sum = 0;         ///< over the selected elements
  std::size_t count = 0;  ///< how many these are
};

/// The summed loss of the selected elements of y, log rates or rates. Seeds the backward pass with `weight` times its
/// gradient: 1 / (selected elements of the whole batch) makes it that of the mean.
template <class V, class Count>
LossSum poisson_loss(Tape<V>& tape, Variable<typename V::value_type>* y, const Targets<Count>& targets, bool lograte,
                     double weight) {
  using T = typename V::value_type;
  const std::size_t N = y->columns;
  const Rows<T> gradient = tape.sink(y).rows;
  T* const scratch = tape.scratch(2 * round_up(N, kernels::panel_width));
  T *const counts = scratch, *const loss = scratch + round_up(N, kernels::panel_width);
  const T factor = static_cast<T>(weight);
  LossSum total;
  for (std::size_t m = 0; m < y->rows; ++m) {
    const Count* const count = targets.counts + m * N;
    const std::uint8_t* const selected = targets.selected + m * N;
    for (std::size_t n = 0; n < N; ++n) counts[n] = static_cast<T>(count[n]);
    kernels::poisson_row<V>(loss, gradient[m], y->value[m], counts, N, lograte);
    double sum = 0;
    for (std::size_t n = 0; n < N; ++n) {
      // Chosen, not multiplied: an infinite loss that is not selected must not become NaN.
      sum += selected[n] != 0 ? static_cast<double>(loss[n]) : 0.0;
      total.count += selected[n] != 0;
      gradient[m][n] = selected[n] != 0 ? gradient[m][n] * factor : T(0);
    }
    total.sum += sum;
  }
  return total;
}

}  // namespace ndt::inline NDT_TARGET
