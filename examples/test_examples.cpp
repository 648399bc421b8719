// The examples of the README run, and their numbers are right.
#include <fstream>
#include <sstream>

#include "../tests/support/catch.hpp"
#include "../tests/support/compare.hpp"
#include "../tests/support/golden.hpp"
#include "dynamic.cpp"
#include "embedded.cpp"
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

TEST_CASE("the streaming example gives the rates of its model, bin by bin, trial after trial", "[examples]") {
  const support::Golden golden = support::golden("tiny");
  const auto& counts = golden["counts"].integers;
  const std::size_t N = tiny::config.neurons, T = tiny::config.trial_length;
  const std::vector<std::uint8_t> trial(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(T * N));
  for (std::size_t t = 0; t < 2 * T; ++t) {
    const float* const rates = streaming::rates_of(&trial[t % T * N]);
    for (std::size_t n = 0; n < N; ++n) {
      const double expected = std::exp(golden["output"].values[t % T * N + n]);
      CHECK(std::abs(static_cast<double>(rates[n]) - expected) <= 2e-5 * std::max(1.0, expected));
    }
  }
  CHECK(std::isfinite(streaming::rates_of(nullptr)[0]));
  CHECK(streaming::decoder.counters().missing == 1);
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
  for (const char* file :
       {"examples/embedded.cpp", "examples/dynamic.cpp", "examples/streaming.cpp", "examples/training.cpp"}) {
    INFO(file);
    const std::string code = text_of(file);
    REQUIRE(!code.empty());
    CHECK(readme.find("```cpp\n" + code + "```") != std::string::npos);
  }
}
