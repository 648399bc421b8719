# shellcheck shell=sh
# callgrind.sh, for scripts to read in: instructions FUNCTION PROGRAM ARGUMENT... says how many run inside FUNCTION.
counting=$(mktemp -d)
trap 'rm -rf "$counting"' EXIT

instructions() {
  function=$1
  shift
  valgrind --tool=callgrind "--toggle-collect=$function" --callgrind-out-file="$counting/out" "$@" \
    >"$counting/log" 2>&1 || { cat "$counting/log" >&2; exit 1; }
  awk '/^(summary|totals):/ {print $2; exit}' "$counting/out"
}
