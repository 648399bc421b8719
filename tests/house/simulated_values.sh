#!/bin/sh
# simulated_values.sh [--all]: simulated data has the same values from every compiler, at every level of optimisation,
# on every machine, even where products and sums are fused. What is not installed is skipped, and with --all missed.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
missing=0

# values RUNNER COMPILER FLAG...: RUNNER is "" for this machine.
values() {
  runner=$1
  shift
  for program in "$1" $runner; do
    command -v "$program" >/dev/null && continue
    echo "skipped: $* ($program is not installed)"
    missing=$((missing + 1))
    return 0
  done
  "$@" -std=c++20 -DNDEBUG -I"$source/include" "$source/tests/house/simulated_values.cpp" -o "$folder/values"
  $runner "$folder/values" || { echo "other values: $*"; exit 1; }
  echo "the same values: $*"
}

values '' g++ -O0
values '' g++ -O3 -march=native
values '' g++ -O3 -march=native -ffp-contract=fast
values '' clang++ -O2 -march=native
values '' clang++ -O2 -march=native -ffp-contract=fast
values qemu-aarch64 aarch64-linux-gnu-g++ -static -O2
values qemu-aarch64 aarch64-linux-gnu-g++ -static -O3 -ffp-contract=fast
[ "${1:-}" != --all ] || [ $missing = 0 ]
