// The operands of a matrix product in guarded memory, and the product by the kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <ndt/kernels/linear.hpp>
#include <ndt/kernels/packing.hpp>

#include "matrix.hpp"
#include "noise.hpp"

namespace support {

/// w, which is (N,K), as panels of its transpose, written down from the definition of the layout.
template <class T>
std::vector<T> panels_of(const std::vector<T>& w, std::size_t N, std::size_t K) {
  std::vector<T> panels((N + 15) / 16 * 16 * K, T(0));
  for (std::size_t j = 0; j < N; ++j) {
    for (std::size_t k = 0; k < K; ++k) panels[j / 16 * 16 * K + k * 16 + j % 16] = w[j * K + k];
  }
  return panels;
}

/// Which parts of the edge are in use.
enum class Residual { none, other, self };
struct Use {
  bool accumulate = false, bias = false;
  Residual residual = Residual::none;
  bool relu = false;
};

/// Every combination of them.
inline std::vector<Use> all_uses() {
  std::vector<Use> all;
  for (const bool accumulate : {false, true}) {
    for (const bool bias : {false, true}) {
      for (const Residual residual : {Residual::none, Residual::other, Residual::self}) {
        for (const bool relu : {false, true}) all.push_back({accumulate, bias, residual, relu});
      }
    }
  }
  return all;
}

template <class V>
struct Product {
  using T = typename V::value_type;
  std::size_t M, K, N;
  std::vector<T> a, w, before, residual;
  Matrix<T> a_rows, residual_rows;
  Guarded<T> panels, bias;

  /// Every operand has another stride.
  Product(std::size_t rows, std::size_t inner, std::size_t columns, Touch touch = Touch::end)
      : M(rows),
        K(inner),
        N(columns),
        a(noise<T>(M * K, 1)),
        w(noise<T>(N * K, 2)),
        before(noise<T>(M * N, 3)),
        residual(noise<T>(M * N, 4)),
        a_rows(M, K, 3, touch),
        residual_rows(residual, N, 2, touch),
        panels(panels_of(w, N, K), touch),
        bias(noise<T>(N, 5), touch) {
    a_rows.fill(a);
  }
  ndt::kernels::Panels<T> b() const { return {panels.data(), K * ndt::kernels::panel_width}; }
  /// C as it is before the product.
  Matrix<T> start(std::size_t gap, Touch touch = Touch::end) const { return Matrix<T>(before, N, gap, touch); }
  /// The edge for the rows of c from `row` on.
  ndt::kernels::Edge<T> edge(const Use& use, const Matrix<T>& c, std::size_t row = 0) const {
    ndt::kernels::Edge<T> e;
    e.accumulate = use.accumulate;
    e.relu = use.relu;
    if (use.bias) e.bias = bias.data();
    if (use.residual == Residual::other) e.residual = residual_rows.rows().from(row);
    if (use.residual == Residual::self) e.residual = c.rows().from(row);
    return e;
  }
};

}  // namespace support
