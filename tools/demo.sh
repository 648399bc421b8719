#!/bin/sh
# tools/demo.sh: from spike counts to firing rates in one go. Installs what is missing, builds the tool in build/, makes
# counts on the spot and runs the models of weights/ on them. Everything it writes is in build/demo.
set -eu
cd "$(dirname "$0")/.."
. tools/packages.sh
need_build_packages
configure build -Dnative=true -Dopenmp=enabled -Dtools=enabled
echo 'building in build/ (a few minutes the first time)'
build build tools/ndt

folder=build/demo
rm -rf "$folder"
mkdir -p "$folder"

say() {
  printf '\n# %s\n' "$*"
}
ndt() {
  printf '$ build/tools/ndt %s\n' "$*"
  build/tools/ndt "$@"
}

say "Spike counts of 29 neurons whose rates follow a Lorenz system, and a model that was trained on such counts"
ndt simulate lorenz "$folder/lorenz.h5"
ndt inspect weights/lorenz.safetensors
say "The rates that it infers, beside the true ones (r2)"
ndt evaluate weights/lorenz.safetensors "$folder/lorenz.h5" --only r2,poisson_nll,bits_per_spike
ndt infer weights/lorenz.safetensors "$folder/lorenz.h5" "$folder/rates.h5" --key valid_data
say "The same without looking ahead, one bin at a time as in a rig"
ndt evaluate weights/lorenz_causal.safetensors "$folder/lorenz.h5" --only r2
ndt stream weights/lorenz_causal.safetensors "$folder/lorenz.h5" --key valid_data --out "$folder/stream.h5"
say "Its weights for firmware"
ndt convert weights/lorenz_causal.safetensors "$folder/lorenz_causal.hpp"
echo
echo "Rates are in $folder/rates.h5 and $folder/stream.h5 (HDF5: rates, log_rates), weights for firmware in"
echo "$folder/lorenz_causal.hpp. With a PyTorch checkpoint of your own:"
echo "build/tools/ndt infer CHECKPOINT.pth COUNTS.h5 RATES.h5"
