#!/bin/sh
# stream_cost.sh PROGRAM: once the context is full a bin costs the same, however long the trial (1 %) and whatever the
# counts (5 %).
set -eu
program=$1
# shellcheck source=tests/house/callgrind.sh
. "$(dirname "$0")/callgrind.sh"
within() { # PERCENT COUNT OTHER
  difference=$(($2 - $3))
  [ $((difference < 0 ? -difference * 100 : difference * 100)) -le $(($1 * $3)) ]
}
for policy in causal delayed windowed; do
  # Look-ahead of 2 bins in each of 6 layers: the last of them is full 12 bins later. A window is slow to be counted,
  # and knows nothing of the trial.
  later='35 99 234' && [ $policy != windowed ] || later='35 60'
  first=$(instructions counted_step "$program" $policy 34 spikes)
  [ "$first" -gt 10000 ] || { echo "$policy: $first instructions were counted, which cannot be all"; exit 1; }
  echo "$policy: $first instructions at bin 34"
  for bin in $later; do
    count=$(instructions counted_step "$program" $policy "$bin" spikes)
    echo "$policy: $count at bin $bin"
    within 1 "$count" "$first" || { echo "more than 1 % from bin 34"; exit 1; }
  done
  for input in zero maximum extreme; do
    count=$(instructions counted_step "$program" $policy 36 $input)
    echo "$policy: $count for input $input"
    within 5 "$count" "$first" || { echo "more than 5 % from spikes"; exit 1; }
  done
done
