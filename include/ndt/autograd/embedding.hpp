// ndt/autograd/embedding.hpp: spike counts to the encoder's input, and the gradients of its tables
// (kernels/embedding.hpp).
#pragma once

#include <cstddef>

#include "ndt/autograd/tape.hpp"
#include "ndt/config.hpp"
#include "ndt/kernels/embedding.hpp"
#include "ndt/kernels/map.hpp"

namespace ndt::inline NDT_TARGET {

/// x(rows, neurons * E) = the rows of the table (.., E) that counts(rows, neurons) name, each clipped to `limit`. The
/// counts must stay where they are until backward() is done.
template <class V, class Count>
Variable<typename V::value_type>* lookup(Tape<V>& tape, const Count* counts, std::size_t rows, std::size_t neurons,
                                         std::size_t table, std::size_t limit) {
  using T = typename V::value_type;
  const auto w = tape.weight(table);
  const std::size_t E = w.columns;
  Variable<T>* const x = tape.variable(rows, neurons * E);
  for (std::size_t m = 0; m < rows; ++m) {
    kernels::embed_lookup(x->value[m], counts + m * neurons, w.packed, neurons, E, limit);
  }
  tape.record(x, [x, w, counts, neurons, limit, E] {
    for (std::size_t m = 0; m < x->rows; ++m) {
      const T* const d = x->gradient[m];
      for (std::size_t n = 0; n < neurons; ++n) {
        T* const row = w.gradient + kernels::clip_count(counts[m * neurons + n], limit) * E;
        for (std::size_t e = 0; e < E; ++e) row[e] += d[n * E + e];
      }
    }
  });
  return x;
}

/// x(rows, neurons) = the clipped counts as numbers. Nothing to train.
template <class V, class Count>
Variable<typename V::value_type>* numbers(Tape<V>& tape, const Count* counts, std::size_t rows, std::size_t neurons,
                                          std::size_t limit) {
  Variable<typename V::value_type>* const x = tape.variable(rows, neurons);
  for (std::size_t m = 0; m < rows; ++m) {
    kernels::embed_counts(x->value[m], counts + m * neurons, neurons, limit);
  }
  return x;
}

/// y = x scale + positions, row t of the table for bin t of every trial.
template <class V>
Variable<typename V::value_type>* scale_and_shift(Tape<V>& tape, Variable<typename V::value_type>* x,
                                                  typename V::value_type scale, std::size_t positions,
                                                  std::size_t bins) {
  using T = typename V::value_type;
  const auto p = tape.weight(positions);
  const std::size_t D = x->columns;
  Variable<T>* const y = tape.variable(x->rows, D);
  for (std::size_t m = 0; m < x->rows; ++m) {
    kernels::copy<V>(y->value[m], x->value[m], D);
    kernels::scale_and_shift<V>(y->value[m], scale, p.packed + m % bins * D, D);
  }
  tape.record(y, [&tape, x, y, p, scale, bins, D] {
    const auto factor = V::set(scale);
    const auto [gradient, accumulate] = tape.sink(x);
    for (std::size_t m = 0; m < y->rows; ++m) {
      const T* const d = y->gradient[m];
      if (p.gradient != nullptr) {
        T* const sum = p.gradient + m % bins * D;
        kernels::map<V>(
            sum, D, [](auto s, auto v) NDT_INLINE_LAMBDA { return s + v; }, sum, d);
      }
      if (accumulate) {
        kernels::map<V>(
            gradient[m], D, [=](auto s, auto v) NDT_INLINE_LAMBDA { return V::fma(v, factor, s); }, gradient[m], d);
      } else {
        kernels::map<V>(
            gradient[m], D, [=](auto v) NDT_INLINE_LAMBDA { return v * factor; }, d);
      }
    }
  });
  return y;
}

}  // namespace ndt::inline NDT_TARGET
