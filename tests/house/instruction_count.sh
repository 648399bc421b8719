#!/bin/sh
# instruction_count.sh FOLDER [--write]: the instructions of the main paths of FOLDER/instruction_count_avx2 and _scalar
# against instruction_counts.txt, at most 2 % from it either way: what is gained is written down too, by --write.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
programs=$1 file=$here/instruction_counts.txt
tolerance=2
# shellcheck source=tests/house/callgrind.sh
. "$(dirname "$0")/callgrind.sh"

for build in avx2 scalar; do
  for path in 'forward maze700' 'forward lorenz' 'forward fig5' 'stream maze700' 'stream lorenz' 'train_step lorenz'; do
    # shellcheck disable=SC2086
    count=$(instructions '*counted_path*' "$programs/instruction_count_$build" $path)
    echo "$build $path $count"
  done
done >"$counting/counts"
cat "$counting/counts"
if [ "${2:-}" = --write ]; then
  cp "$counting/counts" "$file"
  exit
fi
awk -v tolerance=$tolerance '
  NR == FNR { expected[$1 " " $2 " " $3] = $4; next }
  {
    name = $1 " " $2 " " $3
    if ($4 < 10000) { print name ": " $4 " cannot be all"; wrong = 1 }
    off = expected[name] ? 100 * ($4 / expected[name] - 1) : 100
    if (off > tolerance || off < -tolerance) {
      printf "%s: %d instructions, %+.1f %% of the %d written down\n", name, $4, off, expected[name]
      wrong = 1
    }
    delete expected[name]
  }
  END {
    for (name in expected) { print name ": not counted"; wrong = 1 }
    exit wrong
  }' "$file" "$counting/counts"
