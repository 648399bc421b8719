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
