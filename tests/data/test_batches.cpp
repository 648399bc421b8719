#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <set>
#include <vector>

#include <ndt/data/batches.hpp>
#include "../support/catch.hpp"

namespace {

std::vector<std::uint32_t> shuffled(std::size_t trials, std::uint64_t seed, std::size_t epoch) {
  std::vector<std::uint32_t> order(trials);
  ndt::data::shuffle_trials(order, seed, epoch);
  return order;
}

TEST_CASE("an epoch holds every trial once, in an order of its own", "[data][batches]") {
  const std::size_t trials = GENERATE(0u, 1u, 2u, 3u, 100u);
  auto order = shuffled(trials, 1, 0);
  if (trials == 100) {
    CHECK(order == shuffled(trials, 1, 0));
    CHECK(order != shuffled(trials, 1, 1));
    CHECK(order != shuffled(trials, 2, 0));
  }
  std::sort(order.begin(), order.end());
  std::vector<std::uint32_t> all(trials);
  std::iota(all.begin(), all.end(), 0u);
  CHECK(order == all);
}

TEST_CASE("every order is as likely as the others", "[data][batches]") {
  std::array<double, 24> times{};
  constexpr std::size_t draws = 24000;
  for (std::size_t epoch = 0; epoch < draws; ++epoch) {
    const auto order = shuffled(4, 5, epoch);
    std::vector<std::uint32_t> sorted = {0, 1, 2, 3};
    std::size_t number = 0;
    while (sorted != order) std::next_permutation(sorted.begin(), sorted.end()), ++number;
    ++times[number];
  }
  double chi2 = 0.0;
  for (const double found : times) chi2 += (found - 1000.0) * (found - 1000.0) / 1000.0;
  CHECK(chi2 < 49.7);  // 23 degrees of freedom: one in a thousand is above
}

TEST_CASE("the last batch holds what is left", "[data][batches]") {
  const auto order = shuffled(1248, 1, 0);
  CHECK(ndt::data::batches_of(1248, 64) == 20);
  CHECK(ndt::data::batch_of(order, 64, 0).size() == 64);
  CHECK(ndt::data::batch_of(order, 64, 19).size() == 32);
  CHECK(ndt::data::batch_of(order, 64, 19).back() == order.back());
  CHECK(ndt::data::batches_of(1280, 64) == 20);
  CHECK(ndt::data::batches_of(3, 64) == 1);
  CHECK(ndt::data::batch_of(std::span(order).first(3), 64, 0).size() == 3);
  CHECK(ndt::data::batches_of(0, 64) == 0);
}

TEST_CASE("a part of the trials is as large as asked, without a trial twice", "[data][batches]") {
  const auto part = ndt::data::subset_of(101, 0.25, 1);
  CHECK(part.size() == 25);
  CHECK(std::set<std::uint32_t>(part.begin(), part.end()).size() == 25);
  CHECK(*std::max_element(part.begin(), part.end()) < 101);
  CHECK(ndt::data::subset_of(101, 0.25, 1) == part);
  CHECK(ndt::data::subset_of(101, 0.25, 2) != part);
  CHECK(ndt::data::subset_of(101, 1.0, 1).size() == 101);
}

}  // namespace
