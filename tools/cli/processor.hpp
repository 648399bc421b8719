// tools/cli/processor.hpp: refuses to run where the instructions that the tool was built with do not exist.
#pragma once

namespace tool {

/// The instruction sets that the compiler was allowed to use.
struct BuiltFor {
  bool sse4_2 = false, avx = false, avx2 = false, fma = false, bmi2 = false;
  bool avx512f = false, avx512vl = false, avx512bw = false, avx512dq = false, avx512vnni = false, avx512bf16 = false;
};

}  // namespace tool
