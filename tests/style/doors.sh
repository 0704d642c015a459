#!/bin/sh
# Every door compiles alone: a header includes what it needs. usage: doors.sh CC [FLAGS...]
set -eu
root=${STAGELINE_SOURCE:-.}
red=0
for h in $(cd "$root" && find src kernels analysis datasets -name '*.h' | sort); do
    echo "#include \"${h#src/}\"" | "$@" -std=c11 -D_GNU_SOURCE -fsyntax-only -Wall -Wextra -Werror \
        -I"$root" -I"$root/src" -x c - || {
        echo "door does not compile alone: $h"
        red=1
    }
done
exit $red
