#!/bin/sh
# step_symbols.sh NM OBJECT: fails if the step of a decoder refers to anything but itself and what only moves or
# computes. A thread, a lock, an allocation, an exception or a system call would need a name that is not on the list.
set -eu
nm=$1 object=$2
# __stack_chk_fail: of compilers that guard stacks by default. _GLOBAL_OFFSET_TABLE_: position-independent code.
allowed='memcpy|memset|memmove|sqrt|sqrtf|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_'
count=$("$nm" -C --defined-only "$object" | grep -c 'ndt::' || :)
echo "$count symbols of the library in $(basename "$object")"
[ "$count" -gt 20 ] || { echo "too few: the check looks at the wrong thing"; exit 1; }
names=$("$nm" --undefined-only "$object" | awk 'NF == 2 {print $2}' | sort -u)
echo "a step refers to: $(echo "$names" | tr '\n' ' ')"
foreign=$(echo "$names" | grep -vxE "$allowed|" || :)
[ -z "$foreign" ] || { echo "not on the list: $(echo "$foreign" | tr '\n' ' ')"; exit 1; }
