// What dropout draws: how much, how scaled, and by what it is determined.
#include <cmath>
#include <vector>

#include <ndt/autograd/dropout.hpp>

#include "../support/matrix.hpp"
#include "../support/policies.hpp"

namespace {

template <class T>
std::vector<T> keep(std::size_t n, const ndt::RandomPlace& place, double rate) {
  std::vector<T> numbers(ndt::keep_size(n), T(-1));
  ndt::draw_keep(numbers.data(), n, place, rate);
  numbers.resize(n);
  return numbers;
}

}  // namespace

TEMPLATE_TEST_CASE("dropout drops as many as it says and keeps the mean", "[autograd]", float, double) {
  using T = TestType;
  const std::size_t n = 200000;
  for (const double rate : {0.0, 0.1, 0.2, 0.5, 0.9}) {
    INFO("rate " << rate);
    double dropped = 0, sum = 0;
    for (const T k : keep<T>(n, {.seed = 5, .purpose = 1}, rate)) {
      dropped += k == T(0);
      sum += static_cast<double>(k);
      if (k != T(0)) REQUIRE(std::abs(static_cast<double>(k) * (1 - rate) - 1) < 1e-4);
    }
    const double spread = std::sqrt(rate * (1 - rate) / n);
    CHECK(std::abs(dropped / n - rate) <= 5 * spread + 1e-5);
    CHECK(std::abs(sum / n - 1) <= 5 * spread / (1 - rate) + 1e-5);
  }
}

TEST_CASE("dropout is a function of its place, the same for floats and doubles", "[autograd]") {
  const ndt::RandomPlace place{.seed = 5, .purpose = 1, .item = 2, .step = 3};
  const auto numbers = keep<float>(1000, place, 0.3);
  CHECK(support::same_bits(numbers, keep<float>(1000, place, 0.3)));
  const auto doubles = keep<double>(1000, place, 0.3);
  for (std::size_t i = 0; i < numbers.size(); ++i) CHECK((numbers[i] == 0) == (doubles[i] == 0));
  // Fewer of them are the beginning of more.
  const auto fewer = keep<float>(130, place, 0.3);
  CHECK(std::equal(fewer.begin(), fewer.end(), numbers.begin()));
  for (int part = 0; part < 4; ++part) {
    ndt::RandomPlace other = place;
    if (part == 0) other.purpose += 1;
    if (part == 1) other.item += 1;
    if (part == 2) other.step += 1;
    if (part == 3) other.seed += 1;
    CHECK_FALSE(support::same_bits(numbers, keep<float>(1000, other, 0.3)));
  }
}

TEST_CASE("dropout's choices are the words of its place, half a word each", "[autograd]") {
  const ndt::RandomPlace place{.seed = 0x9e3779b97f4a7c15, .purpose = 1, .item = 0xffffffff, .step = 3};
  const double rate = 0.3;
  const auto numbers = keep<float>(1000, place, rate);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    // 16 blocks make 128 choices: by word, then by half, then by block.
    const std::size_t group = i / 128, word = i % 128 / 32, half = i % 32 / 16, block = 16 * group + i % 16;
    const std::uint32_t bits = place.words(static_cast<std::uint32_t>(block))[word] >> (16 * half) & 0xffff;
    CHECK((numbers[i] == 0) == (bits < std::lround(rate * 65536)));
  }
}

TEST_CASE("neighbouring choices of dropout are independent", "[autograd]") {
  const std::size_t n = 100000;
  const auto numbers = keep<double>(n, {.seed = 8}, 0.5);
  for (const std::size_t lag : std::vector<std::size_t>{1, 2, 15, 16, 17, 31, 32, 64, 127, 128}) {
    double both = 0;
    for (std::size_t i = 0; i + lag < n; ++i) both += numbers[i] != 0 && numbers[i + lag] != 0;
    INFO("lag " << lag);
    CHECK(std::abs(both / static_cast<double>(n - lag) - 0.25) < 5 * std::sqrt(0.25 * 0.75 / n));
  }
}
