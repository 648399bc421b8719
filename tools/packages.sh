# tools/packages.sh: sourced by the scripts beside it. need PACKAGE... makes sure that Debian packages are there.

need() {
  missing=
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  [ -z "$missing" ] && return 0
  if [ "$(id -u)" = 0 ]; then
    as_root=
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root=sudo
  else
    echo "missing Debian packages:$missing" >&2
    echo "install them (apt-get install$missing) and run this again" >&2
    exit 1
  fi
  echo "installing:$missing"
  # shellcheck disable=SC2086
  { $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing; } \
    >/tmp/ndt-packages.$$ 2>&1 || { tail -n 20 /tmp/ndt-packages.$$ >&2; rm -f /tmp/ndt-packages.$$; exit 1; }
  rm -f /tmp/ndt-packages.$$
}

# What the headers, tests and benchmarks need, and what makes a second build fast.
need_build_packages() {
  need g++ meson ninja-build pkg-config ccache libxsimd-dev catch2 libbenchmark-dev
}

# configure FOLDER OPTION...: meson's build folder, made once and kept.
configure() {
  folder=$1
  shift
  if [ -f "$folder/build.ninja" ]; then
    /usr/bin/meson configure "$folder" "$@" >/dev/null
  else
    /usr/bin/meson setup "$folder" "$@" >"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }
    rm -f "$folder.log"
  fi
}
