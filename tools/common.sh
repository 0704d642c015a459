# Shared by demo.sh and test.sh: the packages and the build. Sourced, POSIX sh.
# Callers set `root` (the project's folder), `wanted` ("build", and "test", "python", "valgrind", "static") and
# may set `targets` (what ninja makes; empty: everything).

build_debian="gcc libc6-dev meson ninja-build pkg-config libopenblas-openmp-dev liblapacke-dev
  libhdf5-dev libcyaml-dev libyaml-dev libjansson-dev libpcre2-dev libutf8proc-dev zlib1g-dev
  libcurl4-openssl-dev libcmocka-dev gnuplot-nox"
test_debian="clang clang-format libomp-dev libclang-rt-dev hdf5-tools python3 python3-h5py tidy"

say() {
    printf '%s\n' "$*" >&2
}

other_system() {
    say "stageline: packages are installed automatically on Debian and Ubuntu only. Please install:"
    say "dnf:    gcc meson ninja-build pkgconf openblas-devel lapack-devel hdf5-devel libcyaml-devel"
    say "        libyaml-devel jansson-devel pcre2-devel utf8proc-devel zlib-devel libcurl-devel libcmocka-devel gnuplot"
    say "        tests also: clang hdf5 python3-h5py"
    say "pacman: gcc meson ninja pkgconf openblas lapacke hdf5 libcyaml libyaml jansson pcre2"
    say "        libutf8proc zlib curl cmocka gnuplot; tests also: clang openmp python-h5py"
    say "brew:   meson ninja pkg-config openblas lapack hdf5 libcyaml libyaml jansson pcre2 utf8proc"
    say "        zlib curl cmocka gnuplot libomp"
    say "then: meson setup build && ninja -C build"
    exit 1
}

install_packages() {
    packages=$build_debian
    case $wanted in *test*) packages="$packages $test_debian" ;; esac
    case $wanted in *valgrind*) packages="$packages valgrind" ;; esac
    case $wanted in *static*) packages="$packages cppcheck" ;; esac
    case $wanted in *python*) packages="$packages python3 python3-venv" ;; esac
    command -v dpkg-query >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1 || other_system
    missing=
    for p in $packages; do
        dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
    done
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 || {
            say "stageline: want root or sudo to install:$missing"
            exit 1
        }
        as_root=sudo
    fi
    say "installing:$missing"
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null
    # shellcheck disable=SC2086 # one word a package
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        $missing >/dev/null </dev/null
}

# The OpenMP build of OpenBLAS, also where another build is the system's default.
prefer_openmp_blas() {
    for d in /usr/lib/*/openblas-openmp/pkgconfig; do
        [ -d "$d" ] && export PKG_CONFIG_PATH="$d${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
    done
    return 0
}

# build FOLDER [meson options]
build() {
    folder=$1
    shift
    prefer_openmp_blas
    if [ -f "$folder/build.ninja" ]; then
        meson configure "$folder" "$@" >/dev/null
    else
        meson setup "$folder" "$root" "$@" >&2
    fi
    # shellcheck disable=SC2086 # one word a target
    ninja -C "$folder" ${targets:-} >&2
}
