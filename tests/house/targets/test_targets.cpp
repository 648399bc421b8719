// Units built for different instruction sets live in one binary: each keeps its own code, they share packed weights,
// and they agree.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "../../support/catch.hpp"
#include "../../support/compare.hpp"
#include "../../support/golden.hpp"
#include "unit.hpp"

extern const Unit unit_baseline, unit_avx2, unit_avx512;

namespace {

/// The unit's log rates of every golden file, against the file's.
void check(const Unit& unit, const char* target, bool runs_here) {
  CHECK(std::string(unit.target) == target);
  if (!runs_here) {
    std::printf("skipped: this processor cannot run the %s unit, which was built and linked\n", target);
    std::exit(77);  // what meson shows as skipped
  }
  for (const std::string& name : support::golden_names()) {
    INFO(target << " " << name);
    const support::Golden golden = support::golden(name);
    const ndt::ModelConfig config = golden.config();
    const auto packed = golden.packed<ndt::simd::native<float>>();  // by this file's own instruction set
    const auto& counts = golden["counts"];
    const std::size_t trials = counts.extents.size[0], bins = counts.extents.size[1];
    std::vector<float> workspace(unit.workspace_size(&config, bins));
    std::vector<float> log_rates(trials * bins * config.neurons);
    unit.forward(log_rates.data(), &config, packed.data(), counts.integers.data(), trials, bins, workspace.data(),
                 workspace.size());
    CHECK(support::worst_error(log_rates, golden["output"].values) < support::log_rate_bound<float>);
  }
}

const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");

}  // namespace

TEST_CASE("the unit for the oldest processor agrees", "[baseline]") { check(unit_baseline, "x86_sse2", true); }
TEST_CASE("the unit for AVX2 agrees", "[avx2]") { check(unit_avx2, "x86_avx2_fma", has_avx2); }
TEST_CASE("the unit for AVX-512 agrees", "[avx512]") { check(unit_avx512, "x86_avx512", has_avx512); }
