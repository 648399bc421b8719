#!/bin/sh
# attention_cost.sh PROGRAM: at a fixed band, twice the bins cost at most 2.1 times the instructions.
set -eu
program=$1
# shellcheck source=tests/house/callgrind.sh
. "$(dirname "$0")/callgrind.sh"
last=
for bins in 128 256 512 1024; do
  count=$(instructions counted_attention "$program" $bins)
  [ "$count" -gt 10000 ] || { echo "$bins bins: $count instructions were counted, which cannot be all"; exit 1; }
  echo "$bins bins: $count instructions"
  if [ -n "$last" ] && [ $((count * 10)) -gt $((last * 21)) ]; then
    echo "twice the bins cost more than 2.1 times the instructions"
    exit 1
  fi
  last=$count
done
