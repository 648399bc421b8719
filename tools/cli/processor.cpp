// Compiled for the oldest processor of the architecture, and run before anything else: what comes later may already
// use an instruction that is not there.
#include "processor.hpp"

#include <unistd.h>

namespace tool {

extern const BuiltFor built_for;

namespace {

#if defined(__x86_64__)
void say(const char* text) {
  unsigned length = 0;
  while (text[length] != '\0') ++length;
  if (write(STDERR_FILENO, text, length) < 0) _exit(2);
}

__attribute__((constructor(101))) void check_processor() {
  __builtin_cpu_init();
  const char* missing = nullptr;
#define NDT_NEEDS(field, feature) \
  if (built_for.field && !__builtin_cpu_supports(feature)) missing = feature
  NDT_NEEDS(sse4_2, "sse4.2");
  NDT_NEEDS(bmi2, "bmi2");
  NDT_NEEDS(avx, "avx");
  NDT_NEEDS(avx2, "avx2");
  NDT_NEEDS(fma, "fma");
  NDT_NEEDS(avx512f, "avx512f");
  NDT_NEEDS(avx512vl, "avx512vl");
  NDT_NEEDS(avx512bw, "avx512bw");
  NDT_NEEDS(avx512dq, "avx512dq");
  NDT_NEEDS(avx512vnni, "avx512vnni");
  NDT_NEEDS(avx512bf16, "avx512bf16");
  if (missing == nullptr) return;
  say("ndt: error: this processor has no ");
  say(missing);
  say(", the tool was built for one that has it, a build made on this machine\n");
  _exit(2);
}
#endif

}  // namespace
}  // namespace tool
