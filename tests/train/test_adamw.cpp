// One hundred steps of both readings of AdamW against PyTorch, and the clipping of gradients.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <ndt/train/adamw.hpp>
#include "../support/catch.hpp"
#include "../support/compare.hpp"
#include "../support/golden.hpp"
#include "../support/policies.hpp"

namespace {

using ndt::train::adamw_step;
using ndt::train::adamw_update;
using ndt::train::clip_factor;
using ndt::train::sum_of_squares;
using ndt::train::TrainConfig;

template <class T>
std::vector<T> cast(const double* values, std::size_t n) {
  std::vector<T> result(n);
  for (std::size_t i = 0; i < n; ++i) result[i] = static_cast<T>(values[i]);
  return result;
}

}  // namespace

TEMPLATE_TEST_CASE("a hundred steps follow PyTorch's weights in both readings", "[train][adamw]", NDT_POLICIES) {
  using T = typename TestType::value_type;
  const support::Golden golden = support::golden("train/optimizer");
  const std::size_t steps = golden["gradients"].extents.size[0], n = golden["gradients"].extents.size[1];
  REQUIRE(steps == 100);
  const bool reproduce = GENERATE(false, true), decay = GENERATE(false, true);
  const std::string name = std::string(reproduce ? "reference" : "torch") + (decay ? "" : "_plain");
  INFO(name);
  const auto& settings = golden["settings"].values;
  TrainConfig config;
  config.reproduce = reproduce, config.weight_decay = decay ? settings[0] : 0.0, config.epsilon = settings[1];
  auto w = cast<T>(golden["weights"].values.data(), n);
  std::vector<T> m(n), v(n);
  double worst = 0.0;
  std::size_t clipped = 0;
  for (std::size_t step = 1; step <= steps; ++step) {
    const auto g = cast<T>(golden["gradients"].values.data() + (step - 1) * n, n);
    const double norm = std::sqrt(sum_of_squares(g.data(), n)), scale = clip_factor(norm, settings[2]);
    clipped += scale < 1.0;
    CHECK(std::abs(norm * scale - golden["clipped"].values[step - 1]) < (sizeof(T) == 4 ? 1e-5 : 1e-12));
    const double rate = golden["rates"].values[step - 1];
    adamw_update<TestType>(w.data(), m.data(), v.data(), g.data(), n, adamw_step(config, rate, step), scale);
    worst = std::max(worst, support::worst_error(w, cast<double>(golden[name].values.data() + (step - 1) * n, n)));
  }
  CHECK(clipped > 3);
  CHECK(clipped < 50);
  CHECK(worst < (sizeof(T) == 4 ? 1e-5 : 1e-12));
}

TEMPLATE_TEST_CASE("a step is the same however the arrays are cut", "[train][adamw]", NDT_POLICIES) {
  using T = typename TestType::value_type;
  constexpr std::size_t n = 53;
  std::vector<T> start(n), g(n);
  for (std::size_t i = 0; i < n; ++i) start[i] = std::sin(T(i)), g[i] = std::cos(T(3 * i));
  TrainConfig config;
  config.weight_decay = 0.1;
  const auto run = [&](std::size_t piece) {
    std::vector<T> w = start, m(n), v(n);
    for (std::size_t step = 1; step <= 3; ++step) {
      for (std::size_t i = 0; i < n; i += piece) {
        adamw_update<TestType>(w.data() + i, m.data() + i, v.data() + i, g.data() + i, std::min(piece, n - i),
                               adamw_step(config, 0.01, step), 0.5);
      }
    }
    return w;
  };
  const auto whole = run(n);
  for (std::size_t piece = 1; piece < n; ++piece) CHECK(run(piece) == whole);
}

TEST_CASE("a parameter without a gradient moves by its decay alone", "[train][adamw]") {
  TrainConfig config;
  config.weight_decay = 0.5;
  for (const bool reproduce : {false, true}) {
    config.reproduce = reproduce;
    double w = 2.0, m = 0.0, v = 0.0, g = 0.0;
    adamw_update<ndt::simd::scalar<double>>(&w, &m, &v, &g, 1, adamw_step(config, 0.01, 1));
    CHECK(w == 2.0 * (1.0 - 0.005));
  }
}

TEMPLATE_TEST_CASE("the sum of squares is exact to rounding at every length", "[train][adamw]", float, double) {
  for (std::size_t n = 0; n < 70; ++n) {
    std::vector<TestType> x(n);
    long double sum = 0.0L;
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = std::sin(TestType(i + 1)) * std::pow(TestType(10), TestType(i % 7) - TestType(3));
      sum += static_cast<long double>(x[i]) * static_cast<long double>(x[i]);
    }
    CHECK(std::abs(sum_of_squares(x.data(), n) - static_cast<double>(sum)) <= 1e-14 * static_cast<double>(sum));
  }
}

TEST_CASE("float gradients whose squares float cannot hold have a norm", "[train][adamw]") {
  const std::vector<float> large(100, 1e30f), small(100, 1e-30f);
  CHECK(std::abs(std::sqrt(sum_of_squares(large.data(), 100)) / 1e31 - 1.0) < 1e-6);
  CHECK(std::abs(std::sqrt(sum_of_squares(small.data(), 100)) / 1e-29 - 1.0) < 1e-6);
}

TEST_CASE("gradients are clipped only when they are too long", "[train][adamw]") {
  CHECK(clip_factor(0.0, 200.0) == 1.0);
  CHECK(clip_factor(199.0, 200.0) == 1.0);
  CHECK(std::abs(clip_factor(400.0, 200.0) - 0.5) < 1e-8);
  CHECK(clip_factor(400.0, 200.0) == 200.0 / (400.0 + 1e-6));
  CHECK(std::isnan(clip_factor(std::numeric_limits<double>::quiet_NaN(), 200.0)));
  CHECK(clip_factor(std::numeric_limits<double>::infinity(), 200.0) == 0.0);
}
