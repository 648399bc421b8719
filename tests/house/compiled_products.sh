#!/bin/sh
# compiled_products.sh NM OBJECT: fails if the paths of OBJECT, which leave their products to another file, have one of
# their own.
set -eu
nm=$1 object=$2
left=$("$nm" -C --undefined-only "$object" | grep -c 'kernels::gemm_registers<' || :)
echo "$left kinds of products left to another file"
# Those of floats, all of the list.
[ "$left" -ge 4 ] || { echo "too few: the check looks at the wrong thing"; exit 1; }
own=$("$nm" -C --defined-only "$object" | grep -E 'kernels::(gemm_registers|detail::tiles)' || :)
[ -z "$own" ] || { echo "compiled here: $own"; exit 1; }
