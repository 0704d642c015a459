#!/bin/sh
# Ctrl-C and SIGTERM stop a run at a step boundary: exit code 1, a hint, a sealed record, and the
# resumed run is the run that nobody stopped.
. "$(dirname "$0")/common.sh"
make_start
train_dpo whole >/dev/null
want=$(digest whole)

for signal in INT TERM; do
    for at in 2 9 18; do
        rm -rf run
        # A background job of a script ignores SIGINT; the program asks for it again.
        (
            becomes=exec
            train_dpo run
        ) >out 2>err &
        pid=$!
        while [ "$(last_step run)" -lt $at ]; do kill -0 $pid || fail "want a run"; done
        kill -s $signal $pid
        found=0
        wait $pid || found=$?
        [ $found -eq 1 ] || fail "SIG$signal: want exit code 1, found $found"
        says "found a request to stop" "hint: stageline train --resume --out run goes on"
        one_line
        expect 0 "$program" verify run
        prints "run: interrupted" "0 open journals"
        expect 0 "$program" train --resume --out run --threads 1 --quiet
        [ "$(digest run)" = "$want" ] || fail "SIG$signal at step $at: want digest $want"
    done
done
# One trainer at a time: the second is refused and changes nothing.
rm -rf run
(
    becomes=exec
    train_dpo run
) >out 2>err &
pid=$!
while [ "$(last_step run)" -lt 1 ]; do kill -0 $pid || fail "want a run"; done
kill -s STOP $pid
expect 1 "$program" train --resume --out run --threads 1 --quiet
says "want to be the only trainer"
one_line
expect 0 "$program" verify run
prints "run: running"
kill -s CONT $pid
wait $pid || fail "want the first trainer to end well"
[ "$(digest run)" = "$want" ] || fail "want digest $want beside a second trainer"
# The end of a run is the end: going on with it changes nothing.
expect 0 "$program" train --resume --out run --threads 1 --quiet
[ "$(digest run)" = "$want" ] || fail "want a finished run to stay as it is"
