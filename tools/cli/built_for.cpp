// What the rest of the tool was compiled for, as data: this file has the same flags but no code of its own, so it is
// safe to look at on any processor.
#include "processor.hpp"

namespace tool {

extern const BuiltFor built_for;
constinit const BuiltFor built_for = {
#ifdef __SSE4_2__
    .sse4_2 = true,
#endif
#ifdef __AVX__
    .avx = true,
#endif
#ifdef __AVX2__
    .avx2 = true,
#endif
#ifdef __FMA__
    .fma = true,
#endif
#ifdef __BMI2__
    .bmi2 = true,
#endif
#ifdef __AVX512F__
    .avx512f = true,
#endif
#ifdef __AVX512VL__
    .avx512vl = true,
#endif
#ifdef __AVX512BW__
    .avx512bw = true,
#endif
#ifdef __AVX512DQ__
    .avx512dq = true,
#endif
#ifdef __AVX512VNNI__
    .avx512vnni = true,
#endif
#ifdef __AVX512BF16__
    .avx512bf16 = true,
#endif
};

}  // namespace tool
