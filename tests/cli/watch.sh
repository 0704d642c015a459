#!/bin/sh
# Following a run from a second process, and deciding for it: the same decisions as within the
# trainer, none lost and none twice, whoever is killed.
. "$(dirname "$0")/common.sh"

# A start from which static data come first and on-policy data later.
expect 0 "$program" train "$recipes/world-start.yaml" --out start --threads 1 --quiet \
    --set train.prompts=16000 --set record.min_free_gib=0 --set record.level=0
start=start/checkpoints/step-000000000250
train_advised() {
    train_dpo "$@" --set train.iterations=4 --set train.prompts=256 --set measure.prompts=100 \
        --set measure.counterfactual=false --set optim.learning_rate=1.0e-3 --set record.level=0
}
train_outside() {
    train_advised "$@" --set policy.decider=outside
}
# in_background COMMAND...: its process id in $pid
in_background() {
    (
        becomes=exec
        "$@"
    ) >"$scratch/trainer.out" 2>"$scratch/trainer.err" &
    pid=$!
}
watch() {
    ${becomes:-} "$program" watch "$@" --wait 60
}
ended_well() {
    got=0
    wait "$1" || got=$?
    [ $got -eq 0 ] || {
        cat "$scratch/trainer.err" >&2
        fail "want exit code 0 of $2, found $got"
    }
}
# What a run says of itself, without its name, who decided and shares of wall time.
story() {
    "$program" analyze "$1" --out "$1.tables" --json | grep -v '"path"\|"attempts"\|"share"\|"norms"\|"splits"' >"$1.story"
}
same_story() {
    story "$1"
    diff one.story "$1.story" >&2 || fail "want the decisions of the run that decides itself"
    diff -r one.tables "$1.tables" >&2 || fail "want the rows of the run that decides itself"
    expect 0 "$program" analyze "$1"
    prints "all as recorded, bit for bit"
    expect 0 "$program" verify "$1"
    prints "4 decisions from outside"
    [ "$("$program" watch "$1" --once | grep -c 'decided by watch$')" -eq 4 ] ||
        fail "want four decisions, each once"
}

# --- following -------------------------------------------------------------------------------
train_advised one >/dev/null
story one
for action in static on_policy; do
    grep -q "\"action\": \"$action\"" one.story || fail "want both actions in the run, not $action"
done
train_advised alone >/dev/null
in_background train_advised watched
expect 0 watch watched
ended_well $pid "a run that is watched"
prints "watched: ended: complete at step 64" "watched: step 0: boundary score " \
    "static data next, decided by the run itself" "gradient norm"
[ "$(digest watched)" = "$(digest alone)" ] || fail "want the same record, watched or not"
expect 0 "$program" watch watched --once
prints "watched: complete, attempt 1" "step 64/64, iteration 4" "decisions: 4"
[ "$(head -n 1 "$scratch/out")" = "watched: complete, attempt 1" ] || fail "want the screen alone"

expect 1 "$program" watch nowhere
says "want a run with run.json" "hint: --wait"
one_line
# A run.json is there before its rows are: one that stays alone is named.
mkdir bare
cp watched/run.json bare/run.json
expect 1 "$program" watch bare --once
says "bare" "No such file"
one_line
expect 1 "$program" watch one --decide
says "want a run that takes its decisions from outside" "policy.decider=outside"
one_line
expect 2 "$program" watch one --once --decide

# --- on a terminal ---------------------------------------------------------------------------
if command -v script >/dev/null; then
    for columns in 40 100; do
        TERM=xterm script -qec "stty cols $columns rows 12; '$program' watch watched" typescript \
            >/dev/null </dev/null
        grep -q "$(printf '\033')\[" typescript || fail "want a screen that is drawn in place"
        widest=$(sed "s/$(printf '\033')\[[0-9]*[A-Z]//g" typescript | tr -d '\r' |
            sed '1d;/^watched: ended/d;/^Script/d' | awk '{ if (length > w) w = length } END { print w }')
        [ "$widest" -le $columns ] || fail "want no line over $columns columns, found $widest"
    done
else
    echo "not tried: a terminal (no program \"script\")"
fi

# --- deciding --------------------------------------------------------------------------------
in_background train_outside two
expect 0 watch two --decide
ended_well $pid "a run that is decided for"
prints "answered measurement 0 of step 0" "answered measurement 3 of step 48"
same_story two
want=$(digest two)

# Only one decides at a time.
in_background train_outside pair
trainer=$pid
in_background watch pair --decide
first=$pid
until [ -s pair/decisions.log ]; do sleep 0.01; done
expect 1 "$program" watch pair --decide
says "want to be the only decider, found another at work"
one_line
ended_well $first "the first decider"
ended_well $trainer "a run with two deciders"
same_story pair

# Ctrl-C ends a follower and a decider, with exit code 0; the trainer goes on with the next decider.
in_background train_outside told
trainer=$pid
in_background watch told
follower=$pid
in_background watch told --decide
until [ -s told/decisions.log ]; do sleep 0.01; done
kill -INT $pid $follower
ended_well $pid "a decider that was interrupted"
ended_well $follower "a follower that was interrupted"
expect 0 watch told --decide
ended_well $trainer "a run whose decider was interrupted"
same_story told
[ "$(digest told)" = "$want" ] || fail "want the same record, whoever was interrupted"

# The analyzer is killed after any of its answers, also while the trainer waits for the next.
for kills in 1 3; do
    rm -rf run
    in_background train_outside run
    trainer=$pid
    for at in 1 2 3; do
        [ $at -le $kills ] || continue
        in_background watch run --decide
        until "$program" verify run 2>/dev/null | grep -q " $at decisions from outside"; do
            kill -0 $pid 2>/dev/null || break
        done
        kill -9 $pid 2>/dev/null || true
        wait $pid 2>/dev/null || true
    done
    expect 0 watch run --decide
    ended_well $trainer "a run whose analyzer was killed"
    same_story run
    [ "$(digest run)" = "$want" ] || fail "want the same record, whoever was killed"
done

# The trainer is killed, with the analyzer and without: the answers stand at their steps.
for at in 0 16 17 35; do
    rm -rf run
    in_background train_outside run
    trainer=$pid
    in_background watch run --decide
    decider=$pid
    until [ "$(last_step run)" -ge $at ]; do :; done
    kill -9 $trainer 2>/dev/null || true
    wait $trainer 2>/dev/null || true
    [ $((at % 2)) -eq 0 ] || kill -9 $decider 2>/dev/null || true
    wait $decider 2>/dev/null || true
    in_background "$program" train --resume --out run --threads 1 --quiet
    until ! "$program" watch run --once | grep -q ': killed'; do :; done
    expect 0 watch run --decide
    ended_well $pid "a run that was killed at step $at"
    same_story run
    [ "$(digest run)" = "$want" ] || fail "want the same record, killed at step $at"
done

# Nobody decides: the data stay, and the run says so.
expect 0 train_outside late --set policy.wait_s=0.1
expect 0 "$program" train "$recipes/world-dpo.yaml" --out late2 --threads 1 \
    --set model.policy="$start" --set train.prompts=64 --set train.batch=16 \
    --set measure.prompts=16 --set measure.exact_prompts=32 --set measure.reference_prompts=16 \
    --set record.min_free_gib=0 --set policy.decider=outside --set policy.wait_s=0.1
says "no decision came from outside: the data stay as they are"
expect 0 "$program" watch late --once
prints "decisions: 0" "data: 0 % on-policy"
[ ! -e late/decisions.log ] || fail "want no decision"
expect 1 "$program" train "$recipes/world-dpo.yaml" --out new --set policy.decider=outside \
    --set policy.source=static --set model.policy="$start"
says "want policy.source advised with policy.decider outside"
