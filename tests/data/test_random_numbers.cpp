#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include <ndt/data/random_numbers.hpp>
#include "../support/catch.hpp"

namespace {

namespace data = ndt::data;

struct Moments {
  double mean = 0, variance = 0, skewness = 0;
};

template <class Draw>
Moments moments(int draws, Draw&& draw) {
  double sum = 0, squares = 0, cubes = 0;
  for (int i = 0; i < draws; ++i) {
    const double x = draw();
    sum += x, squares += x * x, cubes += x * x * x;
  }
  const double m = sum / draws, v = squares / draws - m * m;
  return {m, v, (cubes / draws - 3 * m * v - m * m * m) / std::pow(v, 1.5)};
}

TEST_CASE("normal numbers fill the cells of the normal distribution", "[data][random_numbers]") {
  ndt::RandomStream random({.seed = 4});
  constexpr int draws = 200000, cells = 40;
  std::vector<int> counts(cells);
  for (int i = 0; i < draws; ++i) {
    const double share = 0.5 * std::erfc(-data::normal(random) / std::sqrt(2.0));  // uniform, if they are normal
    ++counts[static_cast<std::size_t>(std::min(cells - 1.0, share * cells))];
  }
  double chi2 = 0;
  for (const int count : counts) chi2 += std::pow(count - draws / cells, 2) / (draws / cells);
  CHECK(chi2 < 72.1);  // 39 degrees of freedom: one in a thousand is above
  const Moments m = moments(draws, [&] { return data::normal(random); });
  CHECK(std::abs(m.mean) < 4 / std::sqrt(draws));
  CHECK(std::abs(m.variance - 1) < 4 * std::sqrt(2.0 / draws));
  CHECK(std::abs(m.skewness) < 4 * std::sqrt(6.0 / draws));
}

TEST_CASE("neighbouring normal numbers are not correlated", "[data][random_numbers]") {
  ndt::RandomStream random({.seed = 6});
  constexpr int draws = 100000;
  double sum = 0, before = data::normal(random);
  for (int i = 0; i < draws; ++i) {
    const double now = data::normal(random);
    sum += before * now;
    before = now;
  }
  CHECK(std::abs(sum / draws) < 4 / std::sqrt(draws));
}

TEST_CASE("Poisson numbers have the distribution of their mean", "[data][random_numbers]") {
  const double mean = GENERATE(0.01, 0.12, 1.0, 7.9, 8.0, 8.1, 30.0);
  INFO(mean);
  ndt::RandomStream random({.seed = 8});
  constexpr int draws = 100000;
  std::vector<int> counts(200);
  for (int i = 0; i < draws; ++i) ++counts[std::min<std::size_t>(199, data::poisson(random, mean))];
  // Cells of less than 10 expected draws go into one.
  double chi2 = 0, rare_expected = 0, rare = 0;
  int cells = 0;
  for (int k = 0; k < 200; ++k) {
    const double expected = draws * std::exp(k * std::log(mean) - mean - std::lgamma(k + 1.0));
    const double seen = counts[static_cast<std::size_t>(k)];
    if (expected < 10) {
      rare_expected += expected, rare += seen;
    } else {
      chi2 += (seen - expected) * (seen - expected) / expected;
      ++cells;
    }
  }
  chi2 += (rare - rare_expected) * (rare - rare_expected) / std::max(rare_expected, 1.0);
  // Wilson & Hilferty: the value of chi2 that one in ten thousand exceeds, with `cells` degrees of freedom.
  const double a = 2.0 / (9.0 * cells);
  CHECK(chi2 < cells * std::pow(1 - a + 3.72 * std::sqrt(a), 3));
}

TEST_CASE("large Poisson means keep mean, variance and skewness", "[data][random_numbers]") {
  ndt::RandomStream random({.seed = 9});
  const double mean = GENERATE(100.0, 1234.5);
  constexpr int draws = 20000;
  const Moments m = moments(draws, [&] { return static_cast<double>(data::poisson(random, mean)) - mean; });
  CHECK(std::abs(m.mean) < 4 * std::sqrt(mean / draws));
  CHECK(std::abs(m.variance / mean - 1) < 4 * std::sqrt(2.0 / draws));
  CHECK(std::abs(m.skewness - 1 / std::sqrt(mean)) < 4 * std::sqrt(6.0 / draws));
}

TEST_CASE("means that no Poisson number has are refused", "[data][random_numbers]") {
  ndt::RandomStream random({.seed = 1});
  CHECK(data::poisson(random, 0.0) == 0);
  for (const double mean : {-0.1, 2e6, static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    CHECK_THROWS_AS(data::poisson(random, mean), std::domain_error);
  }
}

TEST_CASE("what is drawn for one trial or purpose is not drawn for another", "[data][random_numbers]") {
  const auto first = [](std::uint64_t seed, data::Drawn purpose, std::size_t item) {
    return data::drawn(seed, purpose, item).word();
  };
  CHECK(first(1, data::Drawn::counts, 0) == first(1, data::Drawn::counts, 0));
  CHECK(first(1, data::Drawn::counts, 0) != first(1, data::Drawn::counts, 1));
  CHECK(first(1, data::Drawn::counts, 0) != first(1, data::Drawn::weights, 0));
  CHECK(first(1, data::Drawn::counts, 0) != first(2, data::Drawn::counts, 0));
}

}  // namespace
