// Small systems of equations.
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <ndt/core/solve.hpp>

#include "../support/catch.hpp"
#include "../support/noise.hpp"

TEST_CASE("solve finds what the product came from, with pivots where the diagonal is 0", "[core][solve]") {
  for (std::size_t n : {0u, 1u, 2u, 3u, 7u, 16u, 64u}) {
    for (const bool hollow : {false, true}) {
      if (hollow && n < 2) continue;
      std::vector<double> a = support::noise<double>(n * n, n + 1);
      for (std::size_t i = 0; hollow && i < n; ++i) a[i * n + i] = 0;
      const std::vector<double> x = support::noise<double>(n, n + 2);
      std::vector<double> b(n);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) b[i] += a[i * n + j] * x[j];
      }
      REQUIRE(ndt::solve(a.data(), b.data(), n, 1e-12));
      for (std::size_t i = 0; i < n; ++i) CHECK(std::abs(b[i] - x[i]) < 1e-9);
    }
  }
}

TEST_CASE("solve says when a system has no one solution", "[core][solve]") {
  const auto solved = [](std::vector<double> a, double precision) {
    std::vector<double> b(static_cast<std::size_t>(std::sqrt(static_cast<double>(a.size()))), 1.0);
    return ndt::solve(a.data(), b.data(), b.size(), precision);
  };
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(!solved({0}, 1e-12));
  CHECK(!solved({nan}, 1e-12));
  CHECK(!solved({1, 2, 2, 4}, 1e-12));
  CHECK(!solved({1, 2, 3, 4, 5, 6, 5, 7, 9}, 1e-12));  // the last row is the sum of the others
  CHECK(!solved({0, 1, 0, 2}, 1e-12));
  // The second row is the first, but for a millionth.
  CHECK(solved({1, 2, 1, 2 + 1e-6}, 1e-8));
  CHECK(!solved({1, 2, 1, 2 + 1e-6}, 1e-5));
}
