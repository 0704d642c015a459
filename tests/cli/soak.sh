#!/bin/sh
# The loop of the demo for an hour: train, kill on the way, resume, verify, analyze, compare with the
# run that nothing ended; in one folder, so that what a round leaves behind would be seen.
# usage: soak.sh PROGRAM [SECONDS]
. "$(dirname "$0")/common.sh"
until=$(($(date +%s) + ${2:-3600}))
make_start
train_dpo whole >/dev/null
want=$(digest whole)
files=$(find . | wc -l)
rounds=0
killed=0
while [ "$(date +%s)" -lt $until ]; do
    rounds=$((rounds + 1))
    (
        becomes=exec
        train_dpo run
    ) >/dev/null 2>err &
    pid=$!
    until [ "$(last_step run)" -ge $((rounds % 28)) ]; do kill -0 $pid 2>/dev/null || break; done
    ! kill -9 $pid 2>/dev/null || killed=$((killed + 1))
    wait $pid 2>/dev/null || true
    if [ -f run/run.json ]; then
        expect 0 "$program" train --resume --out run --threads 1 --quiet
        [ "$(digest run)" = "$want" ] || fail "round $rounds: want digest $want"
        expect 0 "$program" analyze run
        prints "all as recorded, bit for bit"
    fi
    rm -rf run
    [ "$(find . -not -name out -not -name '*err' | wc -l)" -le "$files" ] ||
        fail "round $rounds: want nothing left behind, found $(ls)"
done
[ $rounds -gt 0 ] || fail "want a round"
echo "$rounds rounds, $killed killed, lost 0"
