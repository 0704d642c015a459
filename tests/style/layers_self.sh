#!/bin/sh
# The test of the test: a forbidden edge, a foreign library and a foreign inner header must turn
# layers.sh red.
set -eu
root=${STAGELINE_SOURCE:-.}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tests/style" "$work/src/base" "$work/src/run" "$work/analysis"
cp "$root/tests/style/rooms.txt" "$work/tests/style/"
for d in kernels src/text src/model datasets src/remote src/judge src/measure src/train src/cli; do
    mkdir -p "$work/$d"
done
sh "$root/tests/style/layers.sh" "$work" || { echo "want green on empty rooms"; exit 1; }
for bad in 'src/base/x.c|#include "run/run.h"' 'analysis/x.c|#include "train/train.h"' \
    'src/run/x.c|#include <cblas.h>' 'analysis/x.c|#include "run/journal_int.h"'; do
    printf '%s\n' "${bad#*|}" >"$work/${bad%%|*}"
    if sh "$root/tests/style/layers.sh" "$work" >/dev/null; then
        echo "want red, found green: $bad"
        exit 1
    fi
    rm "$work/${bad%%|*}"
done
