// The whole model against float64 results of a plain PyTorch statement of it, for every switch.
#include "../support/catch.hpp"
#include "../support/compare.hpp"
#include "../support/golden.hpp"
#include "../support/run.hpp"

using support::worst_error;

TEMPLATE_TEST_CASE("forward gives the golden files' numbers", "[model][golden]", ndt::simd::scalar<float>,
                   ndt::simd::native<float>, ndt::simd::scalar<double>, ndt::simd::native<double>) {
  using T = typename TestType::value_type;
  const std::string name = GENERATE(from_range(support::golden_names()));
  INFO(name);
  const support::Golden golden = support::golden(name);
  const auto packed = golden.packed<TestType>();
  ndt::DynamicTransformer<TestType> model;
  REQUIRE(model.bind({golden.config()}, packed).ok());

  const auto& counts = golden["counts"];
  const auto r = support::run(model, counts.integers, counts.extents.size[0], counts.extents.size[1]);
  CHECK(worst_error(r.log_rates, golden["output"].values) < support::log_rate_bound<T>);
  CHECK(worst_error(r.hidden, golden["hidden"].values) < support::hidden_bound<T>);
  CHECK(worst_error(r.layers, golden["layers"].values) < support::hidden_bound<T>);
  CHECK(worst_error(r.attention, golden["attention"].values) < support::log_rate_bound<T>);
}

TEST_CASE("one above max_spikes is the mask's row of the table on request, and clipped otherwise", "[model][golden]") {
  using T = double;
  using V = ndt::simd::native<T>;
  support::Golden golden = support::golden("base");
  const ndt::ModelConfig c = golden.config();
  ndt::DynamicTransformer<V> model, swapped;
  const auto packed = golden.packed<V>();
  REQUIRE(model.bind({c}, packed).ok());
  // The same model with the last two rows of its table exchanged: what was the token's is now that of max_spikes.
  auto& table = golden.tensor("embedder.0.weight").values;
  std::swap_ranges(table.end() - static_cast<std::ptrdiff_t>(c.embed_dim), table.end(),
                   table.end() - static_cast<std::ptrdiff_t>(2 * c.embed_dim));
  const auto packed_swapped = golden.packed<V>();
  REQUIRE(swapped.bind({c}, packed_swapped).ok());

  std::vector<std::int64_t> token(2 * 11 * c.neurons), clipped, top;
  for (std::size_t i = 0; i < token.size(); ++i)
    token[i] = i % 3 == 0 ? static_cast<std::int64_t>(c.max_spikes + 1) : 1;
  clipped = top = token;
  for (auto& count : top) count = std::min(count, static_cast<std::int64_t>(c.max_spikes));
  for (auto& count : clipped) count = count == 1 ? 1 : 1000;
  for (const std::size_t trials : std::vector<std::size_t>{1, 2}) {
    const auto masked = [&](const auto& m, const auto& counts) {
      return support::run(m, counts, trials, 11, ndt::Serial{}, ndt::LargestCount::mask_token);
    };
    CHECK(masked(model, token) == support::run(swapped, top, trials, 11));
    CHECK(masked(model, clipped) == masked(model, token));
    CHECK(support::run(model, token, trials, 11) == support::run(model, top, trials, 11));
    CHECK_FALSE(masked(model, token) == support::run(model, token, trials, 11));
  }
}

TEST_CASE("every case of the script that makes golden files has its file", "[model][golden]") {
  std::ifstream script(std::string(NDT_SOURCE_DIR) + "/tools/golden/make_golden.py");
  std::vector<std::string> cases;
  bool inside = false;
  for (std::string line; std::getline(script, line);) {
    if (line.rfind("CASES", 0) == 0) inside = true;
    if (line == "}") inside = false;
    if (inside && line.rfind("    \"", 0) == 0) cases.push_back(line.substr(5, line.find('"', 5) - 5));
  }
  std::sort(cases.begin(), cases.end());
  REQUIRE(cases.size() > 40);
  CHECK(cases == support::golden_names());
}
