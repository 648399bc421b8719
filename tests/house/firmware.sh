#!/bin/sh
# firmware.sh NDT FOLDER: examples/firmware with each model of weights/, built for a Cortex-M7 and a Cortex-M55 and run
# under emulation. What the boards print is held to what this machine computes (firmware/check.cpp), the images may not
# hold an allocator, and the tables of both READMEs are held to what is measured.
set -eu
ndt=$1 folder=$2
source=$(cd "$(dirname "$0")/../.." && pwd)
firmware=$source/examples/firmware
mkdir -p "$folder"
status=0
fail() {
  echo "$*"
  status=1
}

# build BOARD MODEL TARGET [NAME=VALUE...]: with the example's own Makefile.
build() {
  board=$1 model=$2 target=$3
  shift 3
  make -s --no-print-directory -f "$firmware/Makefile" BOARD="$board" MODEL="$source/weights/$model.safetensors" \
    OUT="$folder/$model" NDT="$ndt" CXX='ccache arm-none-eabi-g++' "$@" "$target"
}

# no_allocator IMAGE: nothing of the kind is in it.
no_allocator() {
  names=$(arm-none-eabi-nm "$1" | awk '{print $NF}')
  echo "$names" | grep -q '^reset$' || fail "$1: no symbols"
  found=$(echo "$names" |
    grep -E 'alloc|free|sbrk|_Zn[wa]|_Zd[la]|cxa|Unwind|personality|printf|atexit|mutex|pthread|_write|_exit' || :)
  [ -z "$found" ] || fail "$1 holds: $(echo "$found" | tr '\n' ' ')"
}

number() { # NAME FILE: what a board says about it
  awk -v name="$1" '$1 == name {print $2}' "$2"
}

# row NUMBER...: a line of the table, and whether README has it.
row() {
  echo "$*"
  awk -v said="$*" -F ' *[|] *' '
    BEGIN { n = split(said, now, " ") }
    $2 == now[1] && $3 == now[2] {
      good = 1
      for (i = 3; i <= n; ++i) {
        there = $(i + 1)
        gsub(" ", "", there)
        slack = 0.05 * now[i] + 200  # a tick is 40 instructions
        if (there + 0 < now[i] - slack || there + 0 > now[i] + slack) good = 0
      }
    }
    END { exit !good }' "$firmware/README.md" || fail "^ examples/firmware/README.md says something else"
}

# short_row FLASH RAM STACK INSTRUCTIONS: what the README of the project says, in kB and millions.
short_row() {
  awk -v said="$*" -F ' *[|] *' '
    BEGIN { n = split(said, now, " ") }
    NF == 7 && / kB .* million / {
      good = 1
      for (i = 1; i <= n; ++i) {
        unit = i < n ? 1000 : 1000000
        there = $(i + 2) * unit
        slack = 0.05 * now[i] + (i < n ? 100 : 10000)
        if (there < now[i] - slack || there > now[i] + slack) good = 0
      }
      if (good) found = 1
    }
    END { exit !found }' "$source/README.md" || fail "not in README.md: $*"
}

echo "model board: flash, RAM and stack in bytes, instructions a bin and a flush"
for model in tiny lorenz lorenz_causal chaotic_rnn chaotic_rnn_causal reach reach_causal; do
  check=
  for board in mps2-an500 mps3-an547; do
    image=$folder/$model/$board.elf said=$folder/$model/$board.txt
    build "$board" "$model" "$image"
    no_allocator "$image"
    if [ -z "$check" ]; then
      check=$folder/$model/check
      ccache g++ -std=c++20 -O1 -DNDEBUG -fno-math-errno -ffp-contract=off -I"$source/include" -I"$firmware" \
        -I"$folder/$model" -c "$source/tests/house/firmware/check.cpp" -o "$check.o"
      g++ "$check.o" -o "$check"
    fi
    build "$board" "$model" run >"$said" </dev/null || fail "$model on $board: ended with $?"
    "$check" <"$said" || fail "$model on $board: not what this machine computes"
    if "$check" spoil <"$said" >/dev/null; then fail "$model on $board: a wrong value passes"; fi
    # Flash: code, constants, weights and what .data starts as. RAM: .data, .bss and the stack's 8 kB.
    # shellcheck disable=SC2046
    set -- $(arm-none-eabi-size "$image" | tail -n 1)
    flash=$(($1 + $2)) ram=$(($2 + $3)) flush=$(number instructions_a_flush "$said")
    [ "$flush" -gt 1000 ] || flush=0 # nothing was left
    case $model in *_causal)
      short_row $flash $ram "$(number stack "$said")" "$(number instructions_a_bin "$said")" ;;
    esac
    row "$model" "$board" $flash $ram "$(number stack "$said")" "$(number instructions_a_bin "$said")" "$flush"
  done
done

echo "kernels with the board's vectors, and without:"
build mps3-an547 tiny run OUT="$folder/vectors" MAIN="$source/tests/house/firmware/vectors.cpp" </dev/null ||
  fail "they differ"

# The table of the largest models, for 6 and 12 layers: each stays under the budget, and two columns more do not.
largest() { # BOARD COLUMN
  sizes=$(awk -v column="$2" -F ' *[|] *' '/^## The largest/ {on = 1} /^## Vectors/ {on = 0}
    on && ($2 == 6 || $2 == 12) {printf "{%d,%d},{%d,%d},", $2, $column, $2, $column + 2}' "$firmware/README.md")
  said=$folder/largest-$1.txt
  mkdir -p "$folder/largest"
  rm -rf "$folder/largest/$1" # make does not see that sizes change
  build "$1" tiny run OUT="$folder/largest" MAIN="$source/tests/house/firmware/largest.cpp" \
    EXTRA="-DSIZES='$sizes'" >"$said" </dev/null ||
    fail "$1: ended with $?"
  echo "layers, width, instructions, bytes of weights and of state on $1:"
  cat "$said"
  # The first time there is a line about the header that was made, too.
  awk '/^[0-9]/ {++n; if (n % 2 == 1 && $3 >= 4000000 || n % 2 == 0 && $3 < 4000000) wrong = 1}
    END {exit wrong || n != 4}' "$said" || fail "$1: other sizes are the largest under 4 million instructions"
}
largest mps2-an500 3
largest mps3-an547 5
exit $status
