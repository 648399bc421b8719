// Softmax over a row.
#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <limits>
#include <numeric>

#include <ndt/kernels/softmax.hpp>

#include "../support/matrix.hpp"
#include "../support/noise.hpp"
#include "../support/policies.hpp"
#include "../support/reference.hpp"
#include "../support/widths.hpp"

namespace kernels = ndt::kernels;
using support::Guarded;
using support::Wide;

namespace {

template <class V>
std::vector<typename V::value_type> softmax_of(const std::vector<typename V::value_type>& scores,
                                               typename V::value_type scale = 1,
                                               support::Touch touch = support::Touch::end) {
  Guarded<typename V::value_type> x(scores, touch);
  kernels::softmax<V>(x.data(), x.size(), scale);
  return {x.begin(), x.end()};
}

}  // namespace

TEMPLATE_TEST_CASE("softmax is right and sums to 1 at every length and scale", "[kernels][softmax]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const auto& [spread, scale] : {std::pair<T, T>{3, 1}, {3, T(0.35)}, {40, 1}, {2, 7}}) {
    for (const std::size_t n : support::widths<V>()) {
      INFO("n " << n << " spread " << spread << " scale " << scale);
      const auto scores = support::noise<T>(n, n, T(1), spread);
      const auto expected =
          support::reference::softmax<T>({scores.begin(), scores.end()}, std::vector<Wide<T>>(n, 0), scale);
      const auto p = softmax_of<V>(scores, scale);
      CHECK(support::worst_in_epsilons(p, expected) < 1.5);
      CHECK(std::abs(std::accumulate(p.begin(), p.end(), Wide<T>(0)) - 1) < 2 * support::epsilon<T>);
      CHECK(support::same_bits(softmax_of<V>(scores, scale, support::Touch::beginning), p));
    }
  }
}

TEMPLATE_TEST_CASE("softmax stands huge scores, of either sign and all the same", "[kernels][softmax]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const std::size_t n : support::widths<V>()) {
    INFO("n " << n);
    for (const T base : {T(0), T(1e4), T(-1e4), T(-1e5)}) {
      for (const T p : softmax_of<V>(std::vector<T>(n, base))) {
        CHECK(std::abs(p * static_cast<T>(n) - 1) <= 2 * support::epsilon<T>);
      }
      std::vector<T> scores(n, base), one(n, T(0));
      scores[n / 2] = base + T(1e4), one[n / 2] = 1;
      CHECK(softmax_of<V>(scores) == one);
    }
  }
}

TEMPLATE_TEST_CASE("softmax of a row with NaN is NaN everywhere, wherever it is", "[kernels][softmax]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const std::size_t n : support::widths<V>()) {
    INFO("n " << n);
    std::size_t numbers = 0;
    for (std::size_t i = 0; i < n; ++i) {
      auto scores = support::noise<T>(n, n);
      scores[i] = std::numeric_limits<T>::quiet_NaN();
      for (const T p : softmax_of<V>(scores)) numbers += !std::isnan(p);
    }
    CHECK(numbers == 0);
  }
}

TEMPLATE_TEST_CASE("softmax of rows of different lengths gives each the bits that it has alone", "[kernels][softmax]",
                   NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  constexpr std::size_t most = 2 * V::width + 3;
  for (std::size_t rows = 0; rows <= most; ++rows) {
    std::vector<std::vector<T>> expected;
    std::deque<Guarded<T>> guarded;
    std::array<T*, most> x{};
    std::array<std::size_t, most> n{};
    for (std::size_t r = 0; r < rows; ++r) {
      n[r] = 1 + (7 * r + 3 * V::width) % (4 * V::width + 3);
      const auto scores = support::noise<T>(n[r], r, T(1), T(3));
      expected.push_back(softmax_of<V>(scores, T(0.35)));
      x[r] = guarded.emplace_back(scores, support::Touch::end).data();
    }
    kernels::softmax_rows<V>(x, n, rows, T(0.35));
    for (std::size_t r = 0; r < rows; ++r) {
      INFO("row " << r << " of " << rows);
      CHECK(support::same_bits(std::vector<T>(x[r], x[r] + n[r]), expected[r]));
    }
  }
}

TEMPLATE_TEST_CASE("softmax of nothing touches nothing", "[kernels][softmax]", NDT_POLICIES) {
  CHECK(softmax_of<TestType>({}).empty());
}
