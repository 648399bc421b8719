// ReLU, the gates, GELU and exp, in registers and on rows.
#include <cmath>
#include <limits>

#include <ndt/kernels/activation.hpp>

#include "../support/matrix.hpp"
#include "../support/noise.hpp"
#include "../support/policies.hpp"
#include "../support/reference.hpp"
#include "../support/widths.hpp"

namespace kernels = ndt::kernels;
using support::apply;
using support::Expected;
using support::Guarded;
using support::Matrix;
using support::Wide;

namespace {

template <class T>
Expected<T> gelu_expected(const std::vector<T>& x) {
  Expected<T> expected;
  for (const T v : x) {
    const Wide<T> p = support::reference::normal_cdf(Wide<T>(v));
    // As precise as the distribution function: relative below 0, absolute above.
    const Wide<T> size = v < 0 ? p * (2 + Wide<T>(v) * Wide<T>(v) * Wide<T>(0.75)) : 1;
    expected.add(v * p, std::abs(v) * size + std::numeric_limits<T>::min() / Wide<T>(support::epsilon<T>));
  }
  return expected;
}

}  // namespace

TEMPLATE_TEST_CASE("relu is the maximum with 0, and NaN for NaN", "[kernels][activation]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  const T inf = std::numeric_limits<T>::infinity(), tiny = std::numeric_limits<T>::denorm_min();
  const auto relu = [](auto v) { return kernels::relu<V>(v); };
  CHECK(apply<V>(relu, {-inf, -5, -tiny, T(-0.0), 0, tiny, 5, inf}) == std::vector<T>{0, 0, 0, 0, 0, tiny, 5, inf});
  CHECK(std::isnan(apply<V>(relu, {std::numeric_limits<T>::quiet_NaN()})[0]));
}

TEMPLATE_TEST_CASE("sigmoid is precise relative to itself, tanh to 1", "[kernels][activation]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const auto sigmoid = [](auto v) { return kernels::sigmoid<V>(v); };
  const auto tanh = [](auto v) { return kernels::tanh<V>(v); };
  for (const T range : {T(80), T(4), T(0.1)}) {
    INFO("range " << range);
    const auto x = support::noise<T>(40000, 3, T(0), range);
    Expected<T> expected_sigmoid, expected_tanh;
    for (const T v : x) {
      const Wide<T> s = 1 / (1 + std::exp(-Wide<T>(v)));
      expected_sigmoid.add(s, s);
      expected_tanh.add(std::tanh(Wide<T>(v)), 1);
    }
    CHECK(support::worst_in_epsilons(apply<V>(sigmoid, x), expected_sigmoid) < 2);
    CHECK(support::worst_in_epsilons(apply<V>(tanh, x), expected_tanh) < 2);
  }
  CHECK(apply<V>(sigmoid, {-inf, T(-1e4), 0, T(1e4), inf}) == std::vector<T>{0, 0, T(0.5), 1, 1});
  CHECK(apply<V>(tanh, {-inf, T(-1e4), 0, T(1e4), inf}) == std::vector<T>{-1, -1, 0, 1, 1});
  CHECK(std::isnan(apply<V>(sigmoid, {nan})[0]));
  CHECK(std::isnan(apply<V>(tanh, {nan})[0]));
}

TEMPLATE_TEST_CASE("gelu is x times the normal distribution function, not its tanh approximation",
                   "[kernels][activation]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  const T inf = std::numeric_limits<T>::infinity();
  const auto gelu = [](auto v) { return kernels::gelu<V>(v); };
  for (const T range : {T(37), T(4), T(0.1)}) {
    INFO("range " << range);
    const auto x = support::noise<T>(40000, 3, T(0), range);
    CHECK(support::worst_in_epsilons(apply<V>(gelu, x), gelu_expected(x)) < 2);
  }
  CHECK(apply<V>(gelu, {0, T(-0.0), T(-1e4), T(1e4), inf}) == std::vector<T>{0, 0, 0, T(1e4), inf});
  CHECK(std::isnan(apply<V>(gelu, {std::numeric_limits<T>::quiet_NaN()})[0]));
}

TEMPLATE_TEST_CASE("gelu_rows does every row at every width, in place or not, and leaves gaps alone",
                   "[kernels][activation]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const std::size_t gap : support::Sizes{0, 3}) {
    for (std::size_t width = 1; width <= 2 * V::width + 2; ++width) {
      INFO("width " << width << " gap " << gap);
      const auto numbers = support::noise<T>(3 * width, width, T(0), T(3));
      Matrix<T> x(numbers, width, gap), y(3, width, gap + 1);
      kernels::gelu_rows<V>(y.rows(), x.rows(), 3, width);
      kernels::gelu_rows<V>(x.rows(), x.rows(), 3, width);
      CHECK(support::worst_in_epsilons(y.values(), gelu_expected(numbers)) < 2);
      CHECK(support::same_bits(x.values(), y.values()));
      CHECK((x.gaps_untouched() && y.gaps_untouched()));
    }
  }
}

TEMPLATE_TEST_CASE("exp_row does every element at every length, in place or not", "[kernels][activation]",
                   NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (std::size_t n = 0; n <= 2 * V::width + 2; ++n) {
    INFO("n " << n);
    const auto numbers = support::noise<T>(n, n, T(0), T(9));
    Guarded<T> x(numbers), y(n);
    kernels::exp_row<V>(y.data(), x.data(), n);
    kernels::exp_row<V>(x.data(), x.data(), n);
    Expected<T> expected;
    for (const T v : numbers) expected.add(std::exp(Wide<T>(v)), std::exp(Wide<T>(v)));
    CHECK(support::worst_in_epsilons(y, expected) < 1);
    CHECK(support::same_bits(x, y));
  }
}
