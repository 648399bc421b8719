// Counts to inputs: clipping for every type of count, the table, and the positions.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include <ndt/kernels/embedding.hpp>

#include "../support/expected.hpp"
#include "../support/matrix.hpp"
#include "../support/noise.hpp"
#include "../support/policies.hpp"
#include "../support/widths.hpp"

namespace kernels = ndt::kernels;
using support::Guarded;

namespace {

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

/// Counts as they are and as they should not be.
template <class Count>
std::vector<Count> wild_counts() {
  using Limits = std::numeric_limits<Count>;
  if constexpr (std::is_same_v<Count, bool>) {
    return {false, true};
  } else if constexpr (std::is_integral_v<Count>) {
    return {0, 1, 2, 3, 4, 5, 6, Limits::max(), Limits::lowest()};
  } else {
    return {0, 1, 2, 3, 4, 5, 6, 2.75, -0.5, Limits::max(), Limits::lowest(), Limits::infinity(), Limits::quiet_NaN()};
  }
}
/// What a count stands for, by numbers that hold every type's.
std::size_t expected_index(long double count, std::size_t limit) {
  return count > 0 ? static_cast<std::size_t>(std::min(count, static_cast<long double>(limit))) : 0;
}

}  // namespace

TEMPLATE_TEST_CASE("clip_count keeps counts between 0 and the limit, for every integer", "[kernels][embedding]",
                   std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t,
                   std::uint64_t, char, bool) {
  using Limits = std::numeric_limits<TestType>;
  CHECK(kernels::clip_count(TestType(0), 9) == 0);
  CHECK(kernels::clip_count(TestType(1), 9) == 1);
  CHECK(kernels::clip_count(TestType(1), 1) == 1);
  CHECK(kernels::clip_count(TestType(1), 0) == 0);
  CHECK(kernels::clip_count(Limits::max(), 0) == 0);
  CHECK(kernels::clip_count(Limits::max(), no_limit) == static_cast<std::size_t>(Limits::max()));
  if constexpr (Limits::digits > 1) {
    CHECK(kernels::clip_count(TestType(8), 9) == 8);
    CHECK(kernels::clip_count(TestType(9), 9) == 9);
    CHECK(kernels::clip_count(TestType(10), 9) == 9);
    CHECK(kernels::clip_count(Limits::max(), 9) == 9);
  }
  if constexpr (Limits::is_signed) {
    CHECK(kernels::clip_count(TestType(-1), 9) == 0);
    CHECK(kernels::clip_count(Limits::min(), 9) == 0);
    CHECK(kernels::clip_count(Limits::min(), no_limit) == 0);
  }
  static_assert(kernels::clip_count(TestType(1), 9) == 1);
}

TEMPLATE_TEST_CASE("clip_count keeps counts between 0 and the limit, whatever a float may hold", "[kernels][embedding]",
                   float, double, long double) {
  using Limits = std::numeric_limits<TestType>;
  const TestType nan = Limits::quiet_NaN();
  for (const std::size_t limit : {std::size_t{0}, std::size_t{9}, std::size_t{1} << 20}) {
    INFO("limit " << limit);
    CHECK(kernels::clip_count(Limits::infinity(), limit) == limit);
    CHECK(kernels::clip_count(Limits::max(), limit) == limit);
    CHECK(kernels::clip_count(static_cast<TestType>(limit), limit) == limit);
    CHECK(kernels::clip_count(static_cast<TestType>(limit + 1), limit) == limit);
    const TestType nothing[] = {0, TestType(-0.0), -1, Limits::lowest(), -Limits::infinity(), nan, -nan};
    for (const TestType count : nothing) CHECK(kernels::clip_count(count, limit) == 0);
  }
  CHECK(kernels::clip_count(TestType(8), 9) == 8);
  CHECK(kernels::clip_count(TestType(8.75), 9) == 8);
  CHECK(kernels::clip_count(TestType(0.75), 9) == 0);
  CHECK(kernels::clip_count(Limits::max(), no_limit) == no_limit);
}

TEMPLATE_TEST_CASE(
    "embed_counts writes clipped counts for every neuron and nothing else, in registers and between them",
    "[kernels][embedding]", bool, char, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t,
    std::uint32_t, std::int64_t, std::uint64_t, float, double, long double) {
  const std::vector<TestType> values = wild_counts<TestType>();
  std::vector<std::size_t> sizes{63, 64, 65, 127, 128, 129, 200};
  for (std::size_t N = 0; N <= 40; ++N) sizes.push_back(N);
  for (const std::size_t N : sizes) {
    for (const std::size_t limit : {std::size_t{0}, std::size_t{4}, std::size_t{1000}}) {
      INFO("N " << N << " limit " << limit);
      Guarded<TestType> counts(N);
      std::vector<float> expected;
      for (std::size_t n = 0; n < N; ++n) {
        counts[n] = values[n % values.size()];
        expected.push_back(static_cast<float>(expected_index(counts[n], limit)));
      }
      Guarded<float> x(N);
      kernels::embed_counts(x.data(), counts.data(), N, limit);
      CHECK(support::same_bits(x, expected));
    }
  }
}

TEMPLATE_TEST_CASE("embed_lookup puts the rows that the counts name side by side, and never reads past the table",
                   "[kernels][embedding]", std::int8_t, std::uint8_t, std::int16_t, std::uint64_t, float, double) {
  const std::size_t limit = 4;
  const std::vector<TestType> values = wild_counts<TestType>();
  for (const std::size_t E : support::Sizes{1, 2, 3}) {
    for (std::size_t N = 0; N <= 40; ++N) {
      INFO("N " << N << " E " << E);
      // One row more than the limit, as clip_count may give: anything beyond is a forbidden page.
      const Guarded<double> table(support::noise<double>((limit + 1) * E, 1));
      Guarded<TestType> counts(N);
      std::vector<double> expected;
      for (std::size_t n = 0; n < N; ++n) {
        counts[n] = values[n % values.size()];
        for (std::size_t e = 0; e < E; ++e) expected.push_back(table[expected_index(counts[n], limit) * E + e]);
      }
      Guarded<double> x(N * E);
      kernels::embed_lookup(x.data(), counts.data(), table.data(), N, E, limit);
      CHECK(support::same_bits(x, expected));
    }
  }
}

TEMPLATE_TEST_CASE("scale_and_shift multiplies, then adds the position, at every width", "[kernels][embedding]",
                   NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const support::Touch touch : support::both_ends) {
    for (const std::size_t width : support::widths<V>()) {
      INFO("width " << width);
      const auto numbers = support::noise<T>(width, width);
      Guarded<T> x(numbers, touch);
      const Guarded<T> positions(support::noise<T>(width, width + 1), touch);
      kernels::scale_and_shift<V>(x.data(), T(5.5), positions.data(), width);
      support::Expected<T> expected;
      for (std::size_t i = 0; i < width; ++i) {
        const support::Wide<T> product = support::Wide<T>(numbers[i]) * T(5.5), position = positions[i];
        expected.add(product + position, std::abs(product) + std::abs(position));
      }
      CHECK(support::worst_in_epsilons(x, expected) <= 1);
    }
  }
}
