// exp and the normal distribution function, against the standard library in a wider type.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <ndt/kernels/elementary.hpp>

#include "../support/matrix.hpp"
#include "../support/noise.hpp"
#include "../support/policies.hpp"
#include "../support/reference.hpp"

namespace kernels = ndt::kernels;
using support::apply;
using support::Expected;
using support::Wide;

namespace {

/// `count` numbers from `from` to `to`, irregular in their last bits.
template <class T>
std::vector<T> sweep(T from, T to, std::size_t count) {
  auto x = support::noise<T>(count, 1, T(0.5), T(0.5));
  const T step = (to - from) / static_cast<T>(count);
  for (std::size_t i = 0; i < count; ++i) x[i] = from + step * (static_cast<T>(i) + x[i]);
  return x;
}

/// ln 2^-125 and ln 2^128 for float: where exp gives 0 and infinity beyond.
template <class T>
const T exp_low = static_cast<T>(std::log(2.0L) * std::numeric_limits<T>::min_exponent);
template <class T>
const T exp_high = static_cast<T>(std::log(static_cast<long double>(std::numeric_limits<T>::max())));

/// Whether the policy's multiply-add rounds once: exp then is a little better.
template <class V>
bool is_fused() {
  using T = typename V::value_type;
  const T x = 1 + support::epsilon<T>;
  return support::lanes_of<V>(V::fma(V::set(x), V::set(x), V::set(-(x * x))))[0] != 0;
}

template <class V>
std::vector<typename V::value_type> exp_of(const std::vector<typename V::value_type>& x) {
  return apply<V>([](auto v) { return kernels::exp<V>(v); }, x);
}
template <class V>
std::vector<typename V::value_type> cdf_of(const std::vector<typename V::value_type>& x) {
  return apply<V>([](auto v) { return kernels::normal_cdf<V>(v); }, x);
}

}  // namespace

TEMPLATE_TEST_CASE("exp is right to about a unit in the last place over its whole range", "[kernels][elementary]",
                   NDT_POLICIES) {
  using T = typename TestType::value_type;
  for (const T top : {exp_high<T>, T(2), T(1e-3), T(1e-12)}) {
    INFO("up to " << top);
    const auto x = sweep<T>(top == exp_high<T> ? exp_low<T> : -top, top, 100000);
    Expected<T> expected;
    for (const T v : x) {
      const Wide<T> e = std::exp(Wide<T>(v));
      expected.add(e, e);
    }
    const auto y = exp_of<TestType>(x);
    CHECK(support::worst_in_epsilons(y, expected) < (is_fused<TestType>() ? 0.75 : 0.95));
    CHECK(std::none_of(y.begin(), y.end(), [](T v) { return std::fpclassify(v) == FP_SUBNORMAL; }));
  }
}

TEMPLATE_TEST_CASE("exp for numbers that are not positive has the bits of exp, and NaN for NaN",
                   "[kernels][elementary]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  auto x = sweep<T>(T(1.05) * exp_low<T>, T(0), 4000);
  for (T& each : x) each = std::min(each, T(0));
  for (const T edge : {T(0), -T(0), exp_low<T>, -std::numeric_limits<T>::max(), -std::numeric_limits<T>::infinity()}) {
    x.push_back(edge);
  }
  const auto plain = apply<V>([](auto v) { return kernels::exp<V>(v); }, x);
  CHECK(support::same_bits(apply<V>([](auto v) { return kernels::exp_nonpositive<V>(v); }, x), plain));
  const std::vector<T> nan(1, std::numeric_limits<T>::quiet_NaN());
  CHECK(std::isnan(apply<V>([](auto v) { return kernels::exp_nonpositive<V>(v); }, nan)[0]));
}

TEMPLATE_TEST_CASE("exp is exact, 0, infinite or NaN where it has to be", "[kernels][elementary]", NDT_POLICIES) {
  using T = typename TestType::value_type;
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const T largest = std::numeric_limits<T>::max(), tiny = std::numeric_limits<T>::denorm_min();
  CHECK(exp_of<TestType>({0, T(-0.0), tiny, -tiny}) == std::vector<T>{1, 1, 1, 1});
  const T above = std::nextafter(exp_high<T>, inf), below = std::nextafter(exp_low<T>, -inf);
  CHECK(exp_of<TestType>({above, above + 1, 2 * above, T(1e9), largest, inf}) == std::vector<T>(6, inf));
  // Bits: a 0 that is not -0.
  const auto zeros = exp_of<TestType>({std::nextafter(below, -inf), below - 1, 2 * below, T(-1e9), -largest, -inf});
  CHECK(support::same_bits(zeros, std::vector<T>(6, T(0))));
  for (const T v : exp_of<TestType>({nan, -nan})) CHECK(std::isnan(v));
}

TEMPLATE_TEST_CASE("exp near its ends is either right or already 0 or infinite, never denormal",
                   "[kernels][elementary]", NDT_POLICIES) {
  using T = typename TestType::value_type;
  std::vector<T> x;
  for (const T end : {exp_low<T>, exp_high<T>}) {
    T v = end * (1 - 40 * support::epsilon<T>);
    for (int i = 0; i < 200; ++i, v = std::nextafter(v, 2 * end)) x.push_back(v);
  }
  const auto y = exp_of<TestType>(x);
  bool right = true;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Wide<T> e = std::exp(Wide<T>(x[i]));
    const bool extreme = x[i] < 0 ? y[i] == 0 && x[i] <= exp_low<T> : std::isinf(y[i]) && x[i] >= exp_high<T>;
    right = right && (extreme || std::abs(y[i] - e) <= 2 * support::epsilon<T> * e);
  }
  CHECK(right);
  CHECK(std::none_of(y.begin(), y.end(), [](T v) { return std::fpclassify(v) == FP_SUBNORMAL; }));
}

TEMPLATE_TEST_CASE("normal_cdf has a few roundings of absolute error everywhere", "[kernels][elementary]",
                   NDT_POLICIES) {
  using T = typename TestType::value_type;
  for (const T range : {T(45), T(6), T(1), T(1e-6)}) {
    INFO("range " << range);
    const auto x = sweep<T>(-range, range, 60000);
    Expected<T> expected;
    for (const T v : x) expected.add(support::reference::normal_cdf(Wide<T>(v)), 1);
    CHECK(support::worst_in_epsilons(cdf_of<TestType>(x), expected) < 2);
  }
}

TEMPLATE_TEST_CASE("normal_cdf keeps its relative precision in the lower tail as long as results are normal",
                   "[kernels][elementary]", NDT_POLICIES) {
  using T = typename TestType::value_type;
  const auto x = sweep<T>(T(-38), T(0), 200000);
  Expected<T> expected;
  std::vector<T> normal;
  for (const T v : x) {
    const Wide<T> p = support::reference::normal_cdf(Wide<T>(v));
    if (p < 2 * std::numeric_limits<T>::min()) continue;
    normal.push_back(v);
    // Two roundings before e^(-x^2/2) are each worth x^2/2 of them behind it, and a square doubles the first.
    expected.add(p, p * (2 + Wide<T>(v) * Wide<T>(v) * Wide<T>(0.75)));
  }
  CHECK(normal.size() > 60000);
  CHECK(support::worst_in_epsilons(cdf_of<TestType>(normal), expected) < 1.5);
}

TEMPLATE_TEST_CASE("normal_cdf is 0, one half, 1 or NaN where it has to be", "[kernels][elementary]", NDT_POLICIES) {
  using T = typename TestType::value_type;
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  CHECK(cdf_of<TestType>({-inf, std::numeric_limits<T>::lowest(), T(-1e4), T(-39)}) == std::vector<T>(4, T(0)));
  CHECK(cdf_of<TestType>({inf, std::numeric_limits<T>::max(), T(1e4), T(39)}) == std::vector<T>(4, T(1)));
  for (const T half : cdf_of<TestType>({0, T(-0.0)})) CHECK(std::abs(half - T(0.5)) <= support::epsilon<T>);
  CHECK(std::isnan(cdf_of<TestType>({nan})[0]));
}
