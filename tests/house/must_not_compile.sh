#!/bin/sh
# must_not_compile.sh COMPILER FLAG...: wrong dimensions are errors at compile time. Each case below must fail with the
# message it names, and the same code with the error taken out must compile.
try() { # CODE FLAG...: the compiler's answer
  code=$1
  shift
  printf '#include <ndt/ndt.hpp>\n%s\n' "$code" | "$@" -x c++ -fsyntax-only - 2>&1
}
good='constexpr ndt::ModelConfig c{.neurons = 6, .trial_length = 5, .heads = 2, .max_spikes = 3};
using M = ndt::StaticTransformer<c>; constexpr float w[M{}.packed_size()] = {}; constexpr M m{w};'
status=0
try "$good" "$@" || { echo "the good case does not compile"; status=1; }
refused() { # WHAT MESSAGE CODE
  what=$1 message=$2 code=$3
  shift 3
  answer=$(try "$code" "$@") && { echo "compiles: $what"; status=1; return; }
  echo "$answer" | grep -q "$message" || { echo "$what: not the expected message"; echo "$answer" | head -5; status=1; }
}
refused 'heads that do not divide the width' 'no such model can exist' "$(echo "$good" | sed 's/heads = 2/heads = 5/')" "$@"
refused 'a shape without neurons' 'no such model can exist' "$(echo "$good" | sed 's/neurons = 6/neurons = 0/')" "$@"
refused 'weights of another shape' 'no matching' "$(echo "$good" | sed 's/packed_size()/packed_size() + 16/')" "$@"
refused 'fast-math' 'does not keep its numerical promises' "$good" "$@" -ffast-math
refused 'no NaN' 'does not keep its numerical promises' "$good" "$@" -ffinite-math-only
refused 'C++17' 'needs C++20' "$good" "$@" -std=c++17
exit $status
