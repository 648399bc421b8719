#!/bin/sh
# install.sh: the two other ways to get the library work: installed with a pkg-config file, and as a meson subproject.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/main.cpp" <<'CODE'
#include <ndt/ndt.hpp>
int main() { return ndt::ModelConfig{.neurons = 4, .trial_length = 8, .max_spikes = 3}.validate().ok() ? 0 : 1; }
CODE

meson=/usr/bin/meson
quietly() { # COMMAND...: what it says is shown only if it fails
  "$@" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
}
quietly $meson setup "$folder/build" "$source" --prefix="$folder/prefix" -Dtests=disabled -Dbenchmarks=disabled \
  -Dtools=disabled
quietly $meson install -C "$folder/build"
flags=$(PKG_CONFIG_PATH=$folder/prefix/share/pkgconfig pkg-config --cflags ndt)
case $flags in *-ffp-contract=off*) ;; *) echo "the flag for exact bits is missing from: $flags"; exit 1 ;; esac
# shellcheck disable=SC2086
c++ -std=c++20 $flags "$folder/main.cpp" -o "$folder/installed"
"$folder/installed"
echo "installed: compiles and runs with pkg-config's flags"

mkdir -p "$folder/user/subprojects"
ln -s "$source" "$folder/user/subprojects/ndt"
cp "$folder/main.cpp" "$folder/user/"
# What README shows.
awk '/^...meson$/ { on = 1; next } /^...$/ { on = 0 } on' "$source/README.md" >"$folder/user/meson.build"
quietly $meson setup "$folder/user/build" "$folder/user"
quietly /usr/bin/ninja -C "$folder/user/build"
"$folder/user/build/user"
[ ! -e "$folder/user/build/subprojects/ndt/tests" ] || { echo "a subproject builds its tests"; exit 1; }
echo "subproject: compiles and runs, without the tests"
