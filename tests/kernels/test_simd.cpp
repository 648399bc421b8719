// What a policy promises to kernels, lane by lane.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <ndt/simd/words.hpp>

#include "../support/guarded.hpp"
#include "../support/matrix.hpp"
#include "../support/noise.hpp"
#include "../support/policies.hpp"

using support::apply;
using support::Guarded;
using support::lanes_of;
using support::Touch;

TEMPLATE_TEST_CASE("a load takes the lanes asked for, zeros the others and reads nothing else", "[simd]",
                   NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const Touch touch : support::both_ends) {
    for (std::size_t lanes = 0; lanes <= V::width; ++lanes) {
      INFO("lanes " << lanes);
      const auto numbers = support::noise<T>(lanes, 1, T(5));
      const Guarded<T> memory(numbers, touch);
      auto expected = numbers;
      expected.resize(V::width, T(0));
      CHECK(support::same_bits(lanes_of<V>(V::load(memory.data(), lanes)), expected));
      if (lanes == V::width) CHECK(support::same_bits(lanes_of<V>(V::load(memory.data())), expected));
    }
  }
}

TEMPLATE_TEST_CASE("a store writes the lanes asked for and leaves the memory behind them alone", "[simd]",
                   NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  const auto numbers = support::noise<T>(V::width, 2, T(5));
  const auto reg = V::load(numbers.data());
  for (std::size_t lanes = 0; lanes <= V::width; ++lanes) {
    INFO("lanes " << lanes);
    Guarded<T> exact(lanes), longer(lanes + 2 * V::width, Touch::beginning);
    V::store(exact.data(), reg, lanes);
    V::store(longer.data(), reg, lanes);
    CHECK(std::equal(exact.begin(), exact.end(), numbers.begin()));
    CHECK(std::equal(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(lanes), longer.begin()));
    CHECK(support::untouched(longer.data() + lanes, 2 * V::width));
  }
  Guarded<T> whole(V::width);
  V::store(whole.data(), reg);
  CHECK(support::same_bits(whole, numbers));
}

TEMPLATE_TEST_CASE("keep replaces exactly the lanes that do not exist, NaN or not", "[simd]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  std::vector<T> numbers = support::noise<T>(V::width, 3);
  for (const bool poisoned : {false, true}) {
    for (std::size_t lanes = 0; lanes <= V::width; ++lanes) {
      INFO("lanes " << lanes);
      auto given = numbers;
      const T nan = std::numeric_limits<T>::quiet_NaN();
      if (poisoned) std::fill(given.begin() + static_cast<std::ptrdiff_t>(lanes), given.end(), nan);
      auto expected = numbers;
      std::fill(expected.begin() + static_cast<std::ptrdiff_t>(lanes), expected.end(), T(-7));
      CHECK(support::same_bits(lanes_of<V>(V::keep(V::load(given.data()), lanes, T(-7))), expected));
    }
  }
}

TEMPLATE_TEST_CASE("reductions see every lane once", "[simd]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  std::vector<T> powers(V::width);  // their sum is exact and tells which were added how often
  for (std::size_t i = 0; i < V::width; ++i) powers[i] = std::ldexp(T(1), static_cast<int>(i));
  CHECK(V::reduce_add(V::load(powers.data())) == std::ldexp(T(1), static_cast<int>(V::width)) - T(1));
  for (std::size_t i = 0; i < V::width; ++i) {
    INFO("lane " << i);
    std::vector<T> lanes(V::width, T(-9));
    lanes[i] = T(-3);
    CHECK(V::reduce_max(V::load(lanes.data())) == T(-3));
  }
}

TEMPLATE_TEST_CASE("fold_each gives every row the bits of a reduction of its own", "[simd]", NDT_POLICIES) {
  using V = TestType;
  if constexpr (V::shuffles) {
    using T = typename V::value_type;
    const auto numbers = support::noise<T>(V::width * V::width, 3, T(5));
    std::array<typename V::reg, V::width> rows;
    std::vector<T> sums, largest;
    for (std::size_t r = 0; r < V::width; ++r) {
      rows[r] = V::load(numbers.data() + r * V::width);
      sums.push_back(V::reduce_add(rows[r]));
      largest.push_back(V::reduce_max(rows[r]));
    }
    CHECK(support::same_bits(lanes_of<V>(V::fold_each(rows, [](auto a, auto b) { return a + b; })), sums));
    CHECK(support::same_bits(lanes_of<V>(V::fold_each(rows, [](auto a, auto b) { return V::max(a, b); })), largest));
  }
}

TEMPLATE_TEST_CASE("load_columns puts a row into each lane, repeats the last one and reads no other", "[simd]",
                   NDT_POLICIES) {
  using V = TestType;
  if constexpr (V::shuffles) {
    using T = typename V::value_type;
    for (const std::size_t stride : {std::size_t(4), std::size_t(7)}) {
      for (std::size_t rows = 1; rows <= V::width; ++rows) {
        INFO("stride " << stride << ", rows " << rows);
        const auto numbers = support::noise<T>((rows - 1) * stride + 4, 4, T(5));
        for (const Touch touch : support::both_ends) {
          const Guarded<T> memory(numbers, touch);
          const auto columns = V::load_columns(memory.data(), stride, rows);
          for (std::size_t c = 0; c < 4; ++c) {
            std::vector<T> expected(V::width);
            for (std::size_t r = 0; r < V::width; ++r) expected[r] = numbers[std::min(r, rows - 1) * stride + c];
            CHECK(support::same_bits(lanes_of<V>(columns[c]), expected));
          }
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("select_less picks by lane, and the second choice for NaN and equality", "[simd]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> left = {-1, 1, 0, T(-0.0), nan, inf, -inf, inf, -1};
  const auto chosen = [&](T right) {
    const auto select = [&](auto v) { return V::select_less(v, V::set(right), V::set(T(10)), V::set(T(20))); };
    return apply<V>(select, left);
  };
  CHECK(chosen(T(0)) == std::vector<T>{10, 20, 20, 20, 20, 20, 10, 20, 10});
  CHECK(chosen(inf) == std::vector<T>{10, 10, 10, 10, 20, 20, 10, 20, 10});
  CHECK(chosen(nan) == std::vector<T>(left.size(), T(20)));
}

#if NDT_XSIMD && (defined(__FMA__) || defined(__AVX512F__) || defined(__aarch64__))
// A library that makes a product and a sum of it gives results as good, at half the speed.
TEMPLATE_TEST_CASE("a multiply-add of vectors is one instruction and rounds once", "[simd]", ndt::simd::native<float>,
                   ndt::simd::native<double>) {
  using V = TestType;
  using T = typename V::value_type;
  const T step = std::numeric_limits<T>::epsilon();
  const std::vector<T> nearly_one(V::width, T(1) + step);
  const T square_without_its_last_bit = T(1) + 2 * step;
  const auto rest = apply<V>([=](auto x) { return V::fma(x, x, V::set(-square_without_its_last_bit)); }, nearly_one);
  CHECK(rest == std::vector<T>(V::width, step * step));
}
#endif

TEMPLATE_TEST_CASE("times_pow2 is exact for every normal exponent", "[simd]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  std::vector<T> exponents, expected;
  for (int n = std::numeric_limits<T>::min_exponent - 1; n < std::numeric_limits<T>::max_exponent; ++n) {
    exponents.push_back(static_cast<T>(n));
    expected.push_back(std::ldexp(T(1.25), n));
  }
  CHECK(support::same_bits(apply<V>([](auto v) { return V::times_pow2(V::set(T(1.25)), v); }, exponents), expected));
}

TEMPLATE_TEST_CASE("arithmetic on registers is that of numbers", "[simd]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  const auto x = support::noise<T>(97, 4, T(3), T(2));
  const T by = T(1.7);
  const auto b = V::set(by);
  const auto each = [&](auto f) {
    auto y = x;
    for (T& v : y) v = f(v);
    return y;
  };
  CHECK(apply<V>([=](auto v) { return v + b; }, x) == each([=](T v) { return v + by; }));
  CHECK(apply<V>([=](auto v) { return b - v; }, x) == each([=](T v) { return by - v; }));
  CHECK(apply<V>([=](auto v) { return v * b; }, x) == each([=](T v) { return v * by; }));
  CHECK(apply<V>([=](auto v) { return V::divide(b, v); }, x) == each([=](T v) { return by / v; }));
  CHECK(apply<V>([=](auto v) { return V::max(v, b); }, x) == each([=](T v) { return std::max(v, by); }));
  CHECK(apply<V>([=](auto v) { return V::sqrt(v); }, x) == each([=](T v) { return std::sqrt(v); }));
}

TEMPLATE_TEST_CASE("fma rounds once or twice, and multiplies the first two", "[simd]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  const auto x = support::noise<T>(97, 5, T(3), T(2));
  const T by = T(1.7), plus = T(-4.3);
  const auto fused = apply<V>([=](auto v) { return V::fma(v, V::set(by), V::set(plus)); }, x);
  bool all = true;
  for (std::size_t i = 0; i < x.size(); ++i) {
    all = all && (fused[i] == std::fma(x[i], by, plus) || fused[i] == x[i] * by + plus);
  }
  CHECK(all);
}

TEST_CASE("the lower halves of words are stored wherever a number of 32 bits may lie", "[simd]") {
  constexpr std::size_t W = ndt::simd::words_width;
  std::array<std::uint64_t, W> numbers;
  for (std::size_t i = 0; i < W; ++i) numbers[i] = (~i << 32) | (100 + i);
  for (std::size_t at = 0; at < 16; ++at) {
    INFO("at " << at);
    alignas(64) std::array<std::uint32_t, W + 17> memory{};
    ndt::simd::store_lower(memory.data() + at, std::bit_cast<ndt::simd::words>(numbers));
    for (std::size_t i = 0; i < memory.size(); ++i) CHECK(memory[i] == (i - at < W ? 100 + (i - at) : 0));
  }
}

TEST_CASE("the native policy uses the vectors that the build was made for", "[simd]") {
#if defined(NDT_NO_XSIMD)
  STATIC_REQUIRE(ndt::simd::native<float>::width == 1);
#elif defined(__AVX512F__)
  STATIC_REQUIRE(ndt::simd::native<float>::width == 16);
#elif defined(__AVX__)
  STATIC_REQUIRE(ndt::simd::native<float>::width == 8);
#elif defined(__SSE2__) || defined(__aarch64__)
  STATIC_REQUIRE(ndt::simd::native<float>::width == 4);
#endif
}
