#!/bin/sh
# The acceptance of docs/stage-benchmark.md, of both worlds: every point on every seed. Minutes.
. "$(dirname "$0")/common.sh"
STAGELINE_PLOTS=${STAGELINE_SOURCE:?}/plots
export STAGELINE_PLOTS

# accept POINTS OPTIONS...: all checks held, and as many of them as there must be
accept() {
    points=$1
    shift
    expect 0 "$program" bench stage --json --rows plain "$@"
    if grep -q '"held": false' out; then
        grep -B 3 -A 1 '"held": false' out >&2
        fail "a point is not held"
    fi
    [ "$(grep -c '"held": true' out)" -eq "$points" ] ||
        fail "want $points points, found $(grep -c '"held": true' out)"
}
accept 11 --out mini             # 1, and 2 and 3 by method, of two seeds; 4
accept 2 --full --seeds 11,12 --out full # 5 by method
[ -s full/stage_orders.svg ] || fail "want the figure of orders"
