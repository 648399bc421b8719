#!/bin/sh
# tools/demo.sh: from spike counts to firing rates in one go. Installs what is missing, builds the tool in build/, makes
# counts on the spot and runs the model of weights/ on them. Everything it writes is in build/demo.
set -eu
cd "$(dirname "$0")/.."
. tools/packages.sh
need_build_packages
configure build -Dnative=true -Dopenmp=enabled -Dtools=enabled
echo 'building in build/ (a few minutes the first time)'
/usr/bin/ninja -C build --quiet tools/ndt

folder=build/demo
rm -rf "$folder"
mkdir -p "$folder"

# A .npy file of uint8 counts [bins, neurons]: four neurons whose rates rise and fall, Poisson-like, the same every time.
bins=60 neurons=4
header="{'descr': '|u1', 'fortran_order': False, 'shape': ($bins, $neurons), }"
{
  printf '\223NUMPY\001\000\166\000%-117s\n' "$header"
  # Octal escapes, because a shell has no zero bytes.
  # shellcheck disable=SC2059
  printf "$(awk -v bins=$bins -v neurons=$neurons 'BEGIN {
    srand(1)
    for (t = 0; t < bins; ++t) for (n = 0; n < neurons; ++n) {
      rate = 0.4 * (1 + sin(t / 5 + 1.6 * n)); count = 0
      for (k = 0; k < 8; ++k) if (rand() < rate / 8) ++count
      printf "\\%03o", count
    }
  }')"
} >"$folder/counts.npy"

ndt() {
  printf '\n$ build/tools/ndt %s\n' "$*"
  build/tools/ndt "$@"
}

echo
echo "The model is untrained (random weights, 4 neurons), so its rates mean nothing: this shows the way, not a result."
ndt inspect weights/tiny.safetensors
ndt infer weights/tiny.safetensors "$folder/counts.npy" "$folder/rates.h5" --chop 20 --overlap 10
ndt convert weights/tiny.safetensors "$folder/firmware.hpp"
echo
echo "Rates are in $folder/rates.h5 (HDF5: rates, log_rates, rates_hz); weights for firmware are in $folder/firmware.hpp."
echo "With a PyTorch checkpoint of your own: build/tools/ndt infer CHECKPOINT.pth COUNTS.h5 RATES.h5"
