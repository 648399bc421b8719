#!/bin/sh
# no_shared_symbols.sh NM OBJECT...: fails if two objects define the same function, for the linker would keep one of
# them and run it on processors that it was not built for. What only ends the process does not count.
set -eu
nm=$1
shift
names() { "$nm" --defined-only --extern-only "$1" | awk 'NF == 3 && $3 !~ /^(DW\.ref|__clang_call_terminate$)/ {print $3}' | sort -u; }
for object in "$@"; do
  count=$(names "$object" | grep -c ndt || :)
  echo "$count symbols of the library in $(basename "$object")"
  [ "$count" -gt 20 ] || { echo "too few: the check looks at the wrong thing"; exit 1; }
done
shared=$(for object in "$@"; do names "$object"; done | sort | uniq -d)
[ -z "$shared" ] || { echo "defined more than once:"; echo "$shared" | head -20; exit 1; }
