#!/bin/sh
# two_steps.sh OBJDUMP OBJECT...: fails unless every tile in OBJECT has a loop of multiply-adds that takes two steps of
# k in a turn, with hardly anything beside what it loads and multiplies, and none that takes one. valgrind counts
# instructions of AVX2 at most: without this nothing notices that the compiler no longer unrolls a loop of AVX-512, or
# keeps a sum in memory. For GCC's code, in objects without link-time optimisation.
set -eu
objdump=$1
shift
[ $# -gt 0 ]
for object; do
  "$objdump" -d --no-show-raw-insn "$object" | awk -v object="$object" '
    # Loops of a function end in a jump back and are as short as their multiply-adds and loads allow: longer ones are
    # outer loops, or code that was moved behind them. Each tile needs one of two steps a turn and none of one.
    function look(    i, start, adds, kept, j, most, two, one) {
      step = rows * registers
      for (i = 1; i <= lines; ++i) {
        if (!(i in target) || !(target[i] in place) || place[target[i]] >= i) continue
        start = place[target[i]]; adds = 0; kept = 0
        for (j = start; j <= i; ++j) {
          if (text[j] ~ /^vfn?madd/) ++adds
          if (text[j] ~ /[xyz]mm/ && text[j] ~ /\(%rsp|-0x[0-9a-f]+\(%rbp/) ++kept
        }
        most = adds / step * (step + rows + registers) + 16
        if (i - start + 1 > most) continue
        if (adds == 2 * step && kept == 0) ++two
        if (adds == step) ++one
      }
      ++tiles
      if (two > 0 && one == 0) return
      printf "%s: a tile of %d rows by %d registers: %d loops of two steps in a turn without the stack, %d of one\n",
             object, rows, registers, two, one
      ++wrong
    }
    /^[0-9a-f]+ <.*>:$/ {
      if (tile) look()
      tile = match($2, /ELm[0-9]+ELm[0-9]+EEEvRK/) && $2 ~ /tiles_below/
      if (tile) { split(substr($2, RSTART, RLENGTH), part, /[^0-9]+/); rows = part[2]; registers = part[3] }
      lines = 0; split("", place); split("", target); split("", text)
      next
    }
    tile && /^ *[0-9a-f]+:\t/ {
      split($0, field, "\t")
      gsub(/[ :]/, "", field[1])
      text[++lines] = field[2]; place[field[1]] = lines
      if (field[2] ~ /^j/) { split(field[2], word, / +/); target[lines] = word[2] }
    }
    END {
      if (tile) look()
      printf "%s: %d tiles\n", object, tiles
      if (tiles < 20) { print "too few: the check looks at the wrong thing"; exit 1 }
      exit wrong > 0
    }'
done
