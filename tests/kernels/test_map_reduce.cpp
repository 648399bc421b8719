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

TEMPLATE_TEST_CASE("max_of finds the largest wherever it is, below zero too", "[kernels][reduce]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  CHECK(kernels::max_of<V>(static_cast<const T*>(nullptr), std::size_t{0}) == -std::numeric_limits<T>::infinity());
  for (const support::Touch touch : support::both_ends) {
    for (std::size_t n = 1; n <= longest<V>; ++n) {
      INFO("n " << n);
      Guarded<T> x(support::noise<T>(n, n, T(-9)), touch);
      std::vector<T> found, expected;
      for (std::size_t i = 0; i < n; ++i) {
        const T before = x[i];
        x[i] = T(-1) - static_cast<T>(i);
        found.push_back(kernels::max_of<V>(x.data(), n));
        expected.push_back(*std::max_element(x.begin(), x.end()));
        x[i] = before;
      }
      CHECK(found == expected);
    }
  }
}
