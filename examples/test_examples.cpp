// The examples of the README run, and their numbers are right.
#include <fstream>
#include <sstream>

#include "../tests/support/catch.hpp"
#include "../tests/support/compare.hpp"
#include "../tests/support/golden.hpp"
#include "dynamic.cpp"
#include "embedded.cpp"
#include "recalibration.cpp"
#include "streaming.cpp"
#include "training.cpp"

namespace {

std::string text_of(const std::string& file) {
  std::ifstream stream(std::string(NDT_SOURCE_DIR) + "/" + file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the embedded example gives the log rates of its model", "[examples]") {
  const support::Golden golden = support::golden("tiny");
  const auto& counts = golden["counts"].integers;
  infer(std::vector<std::uint8_t>(counts.begin(), counts.end()).data());
  CHECK(support::worst_error(log_rates, golden["output"].values) < support::log_rate_bound<float>);
}

TEST_CASE("the streaming example gives rates and behaviour of its model, bin by bin, trial after trial", "[examples]") {
  REQUIRE(streaming::decoder.validate().ok());
  const support::Golden golden = support::golden("tiny");
  const auto& counts = golden["counts"].integers;
  const std::size_t N = tiny::config.neurons, T = tiny::config.trial_length;
  const std::vector<std::uint8_t> trial(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(T * N));
  for (std::size_t t = 0; t < 2 * T; ++t) {
    const auto& out = streaming::decode(&trial[t % T * N]);
    for (std::size_t n = 0; n < N; ++n) {
      const double expected = std::exp(golden["output"].values[t % T * N + n]);
      CHECK(std::abs(static_cast<double>(out.rates[n]) - expected) <= 2e-5 * std::max(1.0, expected));
    }
    // Log rates of three bins, the oldest first, through the packed panel of 16 outputs.
    for (std::size_t o = 0; o < 2; ++o) {
      double expected = tiny::readout[3 * N * 16 + o];
      for (std::size_t h = 0; h < 3; ++h) {
        const std::size_t bin = t % T + h < 2 ? 0 : t % T + h - 2;
        for (std::size_t n = 0; n < N; ++n) {
          expected += static_cast<double>(tiny::readout[(h * N + n) * 16 + o]) * golden["output"].values[bin * N + n];
        }
      }
      CHECK(std::abs(static_cast<double>(out.behavior[o]) - expected) <= 2e-5 * std::max(1.0, std::abs(expected)));
    }
  }
  CHECK(std::isfinite(streaming::decode(nullptr).behavior[0]));
  CHECK(streaming::decoder.counters().missing == 1);
}

TEST_CASE("the recalibration example comes to decode what is intended", "[examples]") {
  REQUIRE(recalibrating::begin());
  const support::Golden golden = support::golden("tiny");
  const auto& integers = golden["counts"].integers;
  const std::vector<std::uint8_t> counts(integers.begin(), integers.end());
  const std::size_t N = tiny::config.neurons, T = tiny::config.trial_length;
  // What is intended is a line of the first log rate, which the read-out looks at.
  double before = 0, after = 0;
  for (std::size_t t = 0; t < 400; ++t) {
    const double rate = golden["output"].values[t % T * N];
    const float intended[2] = {static_cast<float>(3 * rate), static_cast<float>(1 - rate)};
    const float* const velocity = recalibrating::decode(&counts[t % T * N], intended);
    const double error = std::abs(static_cast<double>(velocity[0] - intended[0]));
    if (t < 100) before = std::max(before, error);
    if (t >= 320) after = std::max(after, error);
  }
  CHECK(recalibrating::recalibration.counters().refits == 4);
  CHECK(after < before / 4);
}

TEST_CASE("the dynamic example gives the rates of any model", "[examples]") {
  const std::string name = GENERATE("base", "rates_decoder1");
  const support::Golden golden = support::golden(name);
  const auto& counts = golden["counts"];
  std::vector<double> expected = golden["output"].values;
  if (golden.config().lograte) {
    for (double& r : expected) r = std::exp(r);
  }
  const auto rates = infer(golden.config(), golden.packed<ndt::simd::native<float>>(),
                           std::vector<std::int32_t>(counts.integers.begin(), counts.integers.end()),
                           counts.extents.size[0], counts.extents.size[1]);
  CHECK(support::worst_error(rates, expected) < support::log_rate_bound<float>);
}

TEST_CASE("the training example finds rates", "[examples]") { CHECK(train_on_lorenz(250) > 0.2); }

TEST_CASE("the README shows the examples as they are", "[examples]") {
  const std::string readme = text_of("README.md");
  for (const char* file : {"examples/embedded.cpp", "examples/dynamic.cpp", "examples/streaming.cpp",
                           "examples/recalibration.cpp", "examples/training.cpp"}) {
    INFO(file);
    const std::string code = text_of(file);
    REQUIRE(!code.empty());
    CHECK(readme.find("```cpp\n" + code + "```") != std::string::npos);
  }
}
