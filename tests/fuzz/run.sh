#!/bin/sh
# run.sh BUILD SECONDS: every fuzz target for so long, from seeds made on the spot.
set -eu
build=$(cd "$1" && pwd)
seconds=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$build/tests/fuzz/make_seeds" "$folder"
for target in "$build"/tests/fuzz/fuzz_*; do
  [ -f "$target" ] || continue  # not the folders of the build
  name=$(basename "$target" | sed 's/^fuzz_//')
  mkdir -p "$name"
  "$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 "$name" >"log" 2>&1 || {
    tail -n 40 log
    exit 1
  }
  echo "$name: $(awk '/stat::number_of_executed_units/ {print $2}' log) inputs, no finding"
done
