// ndt/metrics/cholesky.hpp: symmetric systems of equations.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "ndt/metrics/rows.hpp"

namespace ndt::inline NDT_TARGET::metrics {

/// A = L L^T of a symmetric positive matrix, in double. A direction that rounding has made negative or nothing is left
/// out: its unknown is 0.
class Cholesky {
 public:
  /// a: (n,n), of which the lower triangle is read.
  Cholesky(std::vector<double> a, std::size_t n) : n_(n), l_(std::move(a)) {
    require(l_.size() == n * n, "a matrix that is not square");
    for (std::size_t i = 0; i < n; ++i) {
      double* const row = l_.data() + i * n;
      for (std::size_t j = 0; j <= i; ++j) {
        const double* const other = l_.data() + j * n;
        const double diagonal = row[j];
        double sum = diagonal;
        for (std::size_t k = 0; k < j; ++k) sum -= row[k] * other[k];
        if (j < i) {
          row[j] = other[j] == 0 ? 0 : sum / other[j];
        } else {
          const double noise = static_cast<double>(n) * std::numeric_limits<double>::epsilon() * diagonal;
          row[j] = sum > noise ? std::sqrt(sum) : 0;
        }
      }
    }
  }

  /// Element (i, j <= i) of L.
  double lower(std::size_t i, std::size_t j) const noexcept { return l_[i * n_ + j]; }

  /// x: (n,m), on entry the right sides, on return the solutions of A x = right side.
  void solve(double* x, std::size_t m) const noexcept {
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t k = 0; k < i; ++k) subtract(x + i * m, l_[i * n_ + k], x + k * m, m);
      divide(x + i * m, l_[i * n_ + i], m);
    }
    for (std::size_t i = n_; i-- > 0;) {
      for (std::size_t k = i + 1; k < n_; ++k) subtract(x + i * m, l_[k * n_ + i], x + k * m, m);
      divide(x + i * m, l_[i * n_ + i], m);
    }
  }

 private:
  static void subtract(double* x, double factor, const double* y, std::size_t m) noexcept {
    for (std::size_t o = 0; o < m; ++o) x[o] -= factor * y[o];
  }
  static void divide(double* x, double by, std::size_t m) noexcept {
    for (std::size_t o = 0; o < m; ++o) x[o] = by == 0 ? 0 : x[o] / by;
  }

  std::size_t n_;
  std::vector<double> l_;
};

}  // namespace ndt::inline NDT_TARGET::metrics
