#!/bin/sh
# Readers beside a trainer: analyzers that read a live run again and again, half of them killed on
# the way, change nothing in it; a second trainer is refused under whatever name it finds the folder,
# and finds it free once the first was killed.
# usage: live.sh PROGRAM [READERS]
. "$(dirname "$0")/common.sh"
readers=${2:-24}
make_start
rotate="--set record.seal_every=1 --set train.prompts=512"
# shellcheck disable=SC2086 # words on purpose
train_dpo whole $rotate >/dev/null
want=$(digest whole)

# A new run by a process of its own, pid, until its first step is there.
begin_run() {
    rm -rf run
    (
        becomes=exec
        # shellcheck disable=SC2086
        train_dpo run $rotate
    ) >first.out 2>first.err &
    pid=$!
    until [ "$(last_step run)" -ge 1 ]; do kill -0 $pid || fail "want a run"; done
}
begin_run
kill -s STOP $pid
ln -s run link
mkdir sub
for name in run ./run/ sub/../run link "$scratch/run" "$scratch/link/"; do
    expect 1 "$program" train --resume --out "$name" --threads 1 --quiet
    says "want to be the only trainer"
    one_line
done
kill -s CONT $pid

read_count=0
killed=0
while [ $read_count -lt "$readers" ]; do
    read_count=$((read_count + 1))
    case $((read_count % 4)) in
    0) set -- verify run ;;
    1) set -- analyze run --json ;;
    2) set -- watch run --once ;;
    3) set -- inspect run ;;
    esac
    if [ $((read_count % 2)) -eq 0 ]; then
        "$program" "$@" >/dev/null 2>reader.err || {
            cat reader.err >&2
            fail "want $1 to read a live run"
        }
    else
        "$program" "$@" >/dev/null 2>&1 &
        reader=$!
        sleep "0.0$((read_count % 10))"
        ! kill -9 $reader 2>/dev/null || killed=$((killed + 1))
        wait $reader 2>/dev/null || true
    fi
done
wait $pid || {
    cat first.err >&2
    fail "want the trainer to end well"
}
[ "$(digest run)" = "$want" ] || fail "want digest $want beside readers"
[ "$killed" -gt 0 ] || fail "want readers killed in the middle"

# Killed, the first lets go of the folder.
begin_run
kill -9 $pid
wait $pid 2>/dev/null || true
expect 0 "$program" train --resume --out link --threads 1 --quiet
[ "$(digest run)" = "$want" ] || fail "want digest $want after a resume by another name"
echo "$read_count readers, $killed killed"
