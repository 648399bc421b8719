# tools/packages.sh: sourced by the scripts beside it.
# shellcheck shell=sh

# need PACKAGE...: makes sure that Debian packages are there.
need() {
  missing=
  for package in "$@"; do
    # shellcheck disable=SC2016
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" = 0 ]; then
    as_root=
  elif command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    as_root=sudo
  else
    echo "missing Debian packages:$missing" >&2
    echo "install them (apt-get install$missing) and run this again" >&2
    exit 1
  fi
  echo "installing:$missing"
  log=$(mktemp)
  # shellcheck disable=SC2086
  if ! { $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
}

# What the headers, tests, benchmarks and the tool need, and what makes a second build fast.
need_build_packages() {
  need g++ meson ninja-build pkg-config ccache libxsimd-dev catch2 libbenchmark-dev \
    libcli11-dev nlohmann-json3-dev libfmt-dev libhdf5-dev libyaml-cpp-dev libzip-dev nettle-dev
}

# configure FOLDER OPTION...: meson's build folder with these options, made anew when they change.
configure() {
  folder=$1
  shift
  if [ -f "$folder/build.ninja" ] && [ "$(cat "$folder/ndt-options" 2>/dev/null)" = "$*" ]; then return 0; fi
  rm -rf "$folder"
  mkdir -p "$folder"
  log=$(mktemp)
  if ! /usr/bin/meson setup "$folder" "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -rf "$log" "$folder"
    exit 1
  fi
  rm -f "$log"
  echo "$*" >"$folder/ndt-options"
}

# build FOLDER [TARGET...]: with ninja's line of progress where somebody watches.
build() {
  folder=$1
  shift
  if [ -t 1 ]; then
    /usr/bin/ninja -C "$folder" "$@"
  else
    /usr/bin/ninja -C "$folder" --quiet "$@"
  fi
}
