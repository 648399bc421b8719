#!/bin/sh
# tools/test.sh: installs what is missing, builds for this machine in build/, and runs every test that the native
# compiler can. Arguments go to `meson test`, such as names of tests.
set -eu
cd "$(dirname "$0")/.."
. tools/packages.sh
need_build_packages
configure build -Dnative=true -Dopenmp=enabled -Dtools=enabled
rm -f build/meson-logs/testlog.json
echo 'building in build/ (some ten minutes the first time, on two cores)'
build build
status=0
/usr/bin/meson test -C build --no-rebuild --print-errorlogs "$@" || status=$?
skipped=$(grep -c '^skipped: 1 test with recorded results' build/meson-logs/testlog.txt || :)
[ "$skipped" = 0 ] ||
  echo "skipped: $skipped tests with recorded results of the reference (NDT_REFERENCE_DIR is not set), Ok above"
exit $status
