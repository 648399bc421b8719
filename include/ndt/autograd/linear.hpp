// ndt/autograd/linear.hpp: y = x W^T + b and its gradients (kernels/linear.hpp).
#pragma once

#include <cstddef>

#include "ndt/autograd/dropout.hpp"
#include "ndt/autograd/tape.hpp"
#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/linear.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/kernels/packing.hpp"

namespace ndt::inline NDT_TARGET {
namespace kernels {

/// db(N) += the sum of the rows of dy(M,N).
template <class V>
void add_column_sums(typename V::value_type* db, Rows<const typename V::value_type> dy, std::size_t M,
                     std::size_t N) noexcept {
  // `count` registers of columns from j on.
  const auto add = [&]<std::size_t count>(Dim<count>, std::size_t j, auto lanes) NDT_INLINE_LAMBDA {
    typename V::reg sum[count];
    for (std::size_t q = 0; q < count; ++q) sum[q] = V::load(db + j + q * V::width, lanes);
    for (std::size_t m = 0; m < M; ++m) {
      for (std::size_t q = 0; q < count; ++q) sum[q] = sum[q] + V::load(dy[m] + j + q * V::width, lanes);
    }
    for (std::size_t q = 0; q < count; ++q) V::store(db + j + q * V::width, sum[q], lanes);
  };
  constexpr Dim<4> together;  // so that a row's cache lines are used when they come
  std::size_t first = 0;
  for (; first + together * V::width <= N; first += together * V::width) add(together, first, simd::all_lanes{});
  for_lanes<V>(N - first, [&](std::size_t j, auto lanes) NDT_INLINE_LAMBDA { add(Dim<1>{}, first + j, lanes); });
}

/// dw(N,K) += dy(M,N)^T x(M,K). Rows of x are padded to whole panels, as those of a tape's variables are.
template <class V>
void add_outer_products(Rows<typename V::value_type> dw, Rows<const typename V::value_type> dy,
                        Rows<const typename V::value_type> x, std::size_t M, std::size_t N, std::size_t K) noexcept {
  using T = typename V::value_type;
  NDT_ASSERT(x.stride >= round_up(K, panel_width));
  gemm<V>(dw, Columns<const T>{dy.data, dy.stride}, PaddedRows<T>{x.data, x.stride}, N, M, K,
          TrainingEdge<T>{{.accumulate = true}});
}

/// dz(M,N) = scale dy, or 0 where y, which a ReLU and dropout gave, is 0. dz may be dy.
template <class V>
void relu_backward(Rows<typename V::value_type> dz, Rows<const typename V::value_type> dy,
                   Rows<const typename V::value_type> y, std::size_t M, std::size_t N,
                   typename V::value_type scale) noexcept {
  const auto zero = V::set(typename V::value_type(0)), factor = V::set(scale);
  for (std::size_t m = 0; m < M; ++m) {
    map<V>(
        dz[m], N, [=](auto d, auto v) NDT_INLINE_LAMBDA { return V::select_less(zero, v, d * factor, zero); }, dy[m],
        y[m]);
  }
}

}  // namespace kernels

/// Beside the product: what kernels::TrainingEdge fuses to it.
template <class T>
struct LinearOptions {
  Variable<T>* residual = nullptr;  ///< added to the result
  bool relu = false;                ///< not together with a residual
  Dropout dropout{};                ///< of the product, before the residual is added
};

/// y(M, outputs) from x(M, inputs); weight and bias by their place among the parameters.
template <class V>
Variable<typename V::value_type>* linear(Tape<V>& tape, Variable<typename V::value_type>* x, std::size_t weight,
                                         std::size_t bias, const LinearOptions<typename V::value_type>& options = {}) {
  using T = typename V::value_type;
  const auto w = tape.weight(weight), b = tape.weight(bias);
  NDT_ASSERT(x->columns == w.columns && !(options.relu && options.residual != nullptr));
  Variable<T>* const y = tape.variable(x->rows, w.rows);
  const Rows<const T> added = options.residual == nullptr ? Rows<const T>{} : options.residual->value;
  const Rows<const T> keep = options.dropout.rate == 0 ? Rows<const T>{} : detail::draw_keep(tape, y, options.dropout);
  kernels::gemm<V>(y->value, x->value, {w.packed, w.columns * kernels::panel_width}, x->rows, w.columns, w.rows,
                   kernels::TrainingEdge<T>{{.bias = b.packed, .residual = added, .relu = options.relu}, keep});
  tape.record(y, [&tape, x, y, w, b, keep, options] {
    const std::size_t M = x->rows, N = w.rows, K = w.columns;
    Rows<T> dz = y->gradient;
    if (options.relu) {
      // Whatever is above 0 was kept.
      kernels::relu_backward<V>(dz, dz, y->value, M, N, kept_scale<T>(options.dropout.rate));
    } else if (keep.data != nullptr) {
      if (options.residual != nullptr) dz.data = tape.scratch(y->size());  // it gets the gradient as it is
      kernels::keep_rows<V>(dz, y->gradient, keep, M, N);
    }
    kernels::add_column_sums<V>(b.gradient, dz, M, N);
    kernels::add_outer_products<V>({w.gradient, K}, dz, x->value, M, N, K);
    const auto [gradient, accumulate] = tape.sink(x);
    kernels::gemm<V>(gradient, dz, w.transposed, M, N, K, kernels::TrainingEdge<T>{{.accumulate = accumulate}});
    if (options.residual != nullptr) tape.pass(y, options.residual);
  });
  return y;
}

}  // namespace ndt::inline NDT_TARGET
