// Rows element by element and folded into one number, at every length.
#include <algorithm>
#include <limits>

#include <ndt/kernels/map.hpp>
#include <ndt/kernels/reduce.hpp>

#include "../support/expected.hpp"
#include "../support/matrix.hpp"
#include "../support/noise.hpp"
#include "../support/policies.hpp"

namespace kernels = ndt::kernels;
using support::Guarded;

namespace {

/// Past the unrolled loop twice, and every tail behind it.
template <class V>
constexpr std::size_t longest = 8 * V::width + 3;

}  // namespace

TEMPLATE_TEST_CASE("for_lanes covers every element once and in order", "[kernels][map]", NDT_POLICIES) {
  using V = TestType;
  for (std::size_t n = 0; n <= longest<V>; ++n) {
    INFO("n " << n);
    std::size_t next = 0;
    bool in_order = true;
    kernels::for_lanes<V>(n, [&](std::size_t i, auto lanes) {
      in_order = in_order && i == next;
      if constexpr (std::is_same_v<decltype(lanes), ndt::simd::all_lanes>) {
        next += V::width;
      } else {
        in_order = in_order && lanes > 0 && lanes < V::width;
        next += lanes;
      }
    });
    CHECK(in_order);
    CHECK(next == n);
  }
}

TEMPLATE_TEST_CASE("map reads and writes a row and nothing beside it, in place or not", "[kernels][map]",
                   NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const support::Touch touch : support::both_ends) {
    for (std::size_t n = 0; n <= longest<V>; ++n) {
      INFO("n " << n);
      const auto a = support::noise<T>(n, 1), b = support::noise<T>(n, 2);
      Guarded<T> x(a, touch), y(n, touch), copied(n, touch);
      const Guarded<T> z(b, touch);
      const auto op = [](auto u, auto v) { return u * V::set(T(2)) - v; };
      kernels::map<V>(y.data(), n, op, x.data(), z.data());
      kernels::copy<V>(copied.data(), x.data(), n);
      CHECK(support::same_bits(copied, a));
      kernels::map<V>(x.data(), n, op, x.data(), z.data());
      std::vector<T> expected(n);
      for (std::size_t i = 0; i < n; ++i) expected[i] = a[i] * T(2) - b[i];
      CHECK(support::same_bits(y, expected));
      CHECK(support::same_bits(x, expected));
    }
  }
}

TEMPLATE_TEST_CASE("sum_of adds every element once and lanes that do not exist never", "[kernels][reduce]",
                   NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const support::Touch touch : support::both_ends) {
    for (std::size_t n = 0; n <= longest<V>; ++n) {
      INFO("n " << n);
      const Guarded<T> x(support::noise<T>(n, n + 1), touch);
      support::Expected<T> sum;
      sum.add(0, 0);
      for (const T v : x) sum.value[0] += v + support::Wide<T>(1), sum.size[0] += std::abs(v) + support::Wide<T>(1);
      // The term is 1 where nothing was loaded: a sum over whole registers would be too large.
      const T actual =
          kernels::sum_of<V>(n, [&](std::size_t i, auto lanes) { return V::load(x.data() + i, lanes) + V::set(T(1)); });
      CHECK(support::worst_in_epsilons(std::vector<T>{actual}, sum) < 2);
    }
  }
}

TEMPLATE_TEST_CASE("sum_rows gives every row the bits of sum_of, for any number of rows and their lengths",
                   "[kernels][reduce]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  constexpr std::size_t most = 2 * V::width + 3;
  const std::vector<T> x = support::noise<T>(most * longest<V>, 5);
  for (std::size_t rows = 0; rows <= most; ++rows) {
    const auto length = [](std::size_t r) { return r * 7 % longest<V>; };
    const auto term = [&](std::size_t r, std::size_t i, auto lanes) {
      return V::load(x.data() + r * longest<V> + i, lanes);
    };
    Guarded<T> sums(rows);
    kernels::sum_rows<V>(sums.data(), rows, length, term);
    std::vector<T> expected;
    for (std::size_t r = 0; r < rows; ++r) {
      expected.push_back(kernels::sum_of<V>(length(r), [&](std::size_t i, auto lanes) { return term(r, i, lanes); }));
    }
    INFO("rows " << rows);
    CHECK(support::same_bits(sums, expected));
  }
}

TEMPLATE_TEST_CASE("max_rows finds the largest of each row wherever it is, below zero too", "[kernels][reduce]",
                   NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  const auto max_of = [](const T* x, std::size_t n) {
    T largest = 0;
    kernels::max_rows<V>(
        &largest, 1, [=](std::size_t) { return n; }, [=](std::size_t) { return x; });
    return largest;
  };
  CHECK(max_of(nullptr, 0) == -std::numeric_limits<T>::infinity());
  for (const support::Touch touch : support::both_ends) {
    for (std::size_t n = 1; n <= longest<V>; ++n) {
      INFO("n " << n);
      Guarded<T> x(support::noise<T>(n, n, T(-9)), touch);
      std::vector<T> found, expected;
      for (std::size_t i = 0; i < n; ++i) {
        const T before = x[i];
        x[i] = T(-1) - static_cast<T>(i);
        found.push_back(max_of(x.data(), n));
        expected.push_back(*std::max_element(x.begin(), x.end()));
        x[i] = before;
      }
      CHECK(found == expected);
    }
  }
}

TEMPLATE_TEST_CASE("max_rows finds the largest of every one of many rows", "[kernels][reduce]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  constexpr std::size_t most = 2 * V::width + 3, n = 2 * V::width + 1;
  const std::vector<T> x = support::noise<T>(most * n, 6, T(-9));
  for (std::size_t rows = 0; rows <= most; ++rows) {
    Guarded<T> largest(rows);
    kernels::max_rows<V>(
        largest.data(), rows, [](std::size_t) { return n; }, [&](std::size_t r) { return x.data() + r * n; });
    std::vector<T> expected;
    for (std::size_t r = 0; r < rows; ++r) expected.push_back(*std::max_element(&x[r * n], &x[r * n] + n));
    INFO("rows " << rows);
    CHECK(support::same_bits(largest, expected));
  }
}
