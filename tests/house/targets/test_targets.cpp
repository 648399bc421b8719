// Units built for different instruction sets live in one binary: each keeps its own code, they share packed weights,
// and they agree.
#include <cstdio>
#include <vector>

#include "../../support/catch.hpp"
#include "../../support/compare.hpp"
#include "../../support/golden.hpp"
#include "unit.hpp"

extern const Unit unit_baseline, unit_avx2, unit_avx512;

namespace {

struct Expected {
  const char* target;
  bool runs_here;
  const Unit& unit;
};

std::vector<Expected> all_units() {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  return {{"x86_sse2", true, unit_baseline}, {"x86_avx2_fma", avx2, unit_avx2}, {"x86_avx512", avx512, unit_avx512}};
}

}  // namespace

TEST_CASE("units built for different instruction sets link together and agree", "[house][targets]") {
  for (const Expected& expected : all_units()) {
    CHECK(std::string(expected.unit.target) == expected.target);
    if (!expected.runs_here) {
      std::printf("skipped: this processor cannot run the %s unit (it is built and linked)\n", expected.target);
      continue;
    }
    for (const std::string& name : support::golden_names()) {
      INFO(expected.target << " " << name);
      const support::Golden golden = support::golden(name);
      const ndt::ModelConfig config = golden.config();
      const auto packed = golden.packed<ndt::simd::native<float>>();  // by this file's own instruction set
      const auto& counts = golden["counts"];
      const std::size_t trials = counts.extents.size[0], bins = counts.extents.size[1];
      std::vector<float> workspace(expected.unit.workspace_size(&config, bins));
      std::vector<float> log_rates(trials * bins * config.neurons);
      expected.unit.forward(log_rates.data(), &config, packed.data(), counts.integers.data(), trials, bins,
                            workspace.data(), workspace.size());
      CHECK(support::worst_error(log_rates, golden["output"].values) < support::log_rate_bound<float>);
    }
  }
}
