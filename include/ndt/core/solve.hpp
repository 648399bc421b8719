// ndt/core/solve.hpp: a small system of equations, in memory of the caller's.
#pragma once

#include <cmath>
#include <cstddef>
#include <utility>

#include "ndt/config.hpp"

namespace ndt::inline NDT_TARGET {

/// Solves a x = b for a(n,n), row-major, by elimination with the largest pivot of each column (Golub & Van Loan 2013,
/// 3.4). a is overwritten, b(n) becomes x. False if a column has nothing left that `precision` of its largest element
/// would tell from nothing: b is then of no use. n^3 / 3 multiply-adds.
inline bool solve(double* a, double* b, std::size_t n, double precision) noexcept {
  for (std::size_t k = 0; k < n; ++k) {
    double largest = 0;
    std::size_t pivot = k;
    for (std::size_t i = 0; i < n; ++i) {
      if (std::abs(a[i * n + k]) > largest) largest = std::abs(a[i * n + k]);
      if (i > k && std::abs(a[i * n + k]) > std::abs(a[pivot * n + k])) pivot = i;
    }
    if (!(std::abs(a[pivot * n + k]) > precision * largest)) return false;
    for (std::size_t j = k; j < n; ++j) std::swap(a[k * n + j], a[pivot * n + j]);
    std::swap(b[k], b[pivot]);
    for (std::size_t i = k + 1; i < n; ++i) {
      const double factor = a[i * n + k] / a[k * n + k];
      for (std::size_t j = k + 1; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
      b[i] -= factor * b[k];
    }
  }
  for (std::size_t k = n; k-- > 0;) {
    for (std::size_t j = k + 1; j < n; ++j) b[k] -= a[k * n + j] * b[j];
    b[k] /= a[k * n + k];
  }
  return true;
}

}  // namespace ndt::inline NDT_TARGET
