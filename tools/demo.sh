#!/bin/sh
# Packages, build, main job: sh tools/demo.sh [DIR]   (DIR: where the demo writes, default demo-out)
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
wanted=build
targets=src/cli/stageline
. "$root/tools/common.sh"

install_packages
build "$root/build" --buildtype=release
out=${1:-$root/demo-out}
[ $# -gt 0 ] || rm -rf "$out"
exec "$root/build/src/cli/stageline" demo --out "$out"
