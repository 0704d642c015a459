#!/bin/sh
# A run that SIGKILL ended, wherever, goes on to the record of a run that nothing ended. Killed runs
# are also read while they are written.
. "$(dirname "$0")/common.sh"
make_start
train_dpo whole >/dev/null
want=$(digest whole)
killed=0

# kill_when CONDITION COMMAND...: starts the command and kills it as soon as the condition holds.
kill_when() {
    condition=$1
    shift
    (
        becomes=exec
        "$@"
    ) >/dev/null 2>"$scratch/err" &
    pid=$!
    polls=0
    deadline=$(($(date +%s) + 60))
    until eval "$condition"; do
        polls=$((polls + 1))
        [ $((polls % 200)) -gt 0 ] || [ "$(date +%s)" -lt $deadline ] ||
            fail "want $condition, found a run that stands still"
    done
    kill -9 $pid 2>/dev/null || true
    got=0
    wait $pid 2>/dev/null || got=$?
    [ $got -eq 137 ] && killed=$((killed + 1))
    [ $got -eq 137 ] || [ $got -eq 0 ] || fail "want a run that was killed, found exit code $got"
}
kill_at() {
    at=$1
    shift
    kill_when "[ \$(last_step run) -ge $at ]" "$@"
}
resume() {
    ${becomes:-} "$program" train --resume --out run --threads 1 --quiet
}

# check WHERE [WHOLE]: goes on to the end and compares with the run WHOLE.
check() {
    expect 0 resume
    found=$(digest run)
    [ "$found" = "$want" ] || fail "killed at $1: want digest $want, found $found"
    cmp run/candidates.jsonl "${2:-whole}/candidates.jsonl" ||
        fail "killed at $1: want the same answers, found others"
    expect 0 "$program" analyze run
    prints "all as recorded, bit for bit"
}

# At birth: before run.json nothing is a run.
kill_when "[ -d run ]" train_dpo run
if [ ! -e run/run.json ]; then
    expect 1 resume
    says "want a run with run.json" "hint: "
    one_line
fi
for file in run.json lock checkpoints rank000 rank000/journal-000001.log run.h5; do
    rm -rf run
    kill_when "[ -e run/$file ]" train_dpo run
    check "$file"
done

for at in 0 1 3 5 8 11 15 16 17 20 25 28 31; do
    rm -rf run
    kill_at $at train_dpo run
    if [ $((at % 2)) -eq 1 ] && [ $at -lt 28 ]; then # and once more on the way
        kill_at $((at + 3)) resume
    fi
    check "step $at"
done

# A reference that moves and moments that stay are state too.
state="--set reference.policy=mixed --set reference.precompute=false --set reference.every=3
    --set optim.keep_moments=true --set measure.counterfactual=false"
# shellcheck disable=SC2086 # words on purpose
train_dpo moving $state >/dev/null
want=$(digest moving)
for at in 8 15 16 22; do
    rm -rf run
    # shellcheck disable=SC2086
    kill_at $at train_dpo run $state
    check "step $at, moving reference" moving
done

# So is the policy that the answers of a refill came from, and the answers' file.
online="--set policy.source=on-policy --set policy.refill=3 --set policy.candidates=3
    --set policy.pair=best-worst --set policy.margin=1 --set measure.counterfactual=false"
# shellcheck disable=SC2086
train_dpo online $online >/dev/null
want=$(digest online)
[ "$(wc -l <online/candidates.jsonl)" -eq 512 ] || fail "want a line of answers a prompt"
for at in 2 5 11 15 16 21 31; do
    rm -rf run
    # shellcheck disable=SC2086
    kill_at $at train_dpo run $online
    if [ $at -eq 11 ]; then # what a write cut short leaves behind
        printf '{"prompt_id": "torn' >>run/candidates.jsonl
    fi
    check "step $at, fresh every 3 updates" online
done
# And the advisor's memory under a share that follows the score; checkpoints between its decisions.
soft="--set policy.advice=posterior --set policy.refill=4 --set measure.every=4
    --set train.checkpoint_every=3 --set train.keep_checkpoints=2 --set measure.counterfactual=false"
# shellcheck disable=SC2086
train_dpo soft $soft >/dev/null
want=$(digest soft)
last="step-000000000031 step-000000000032" # the last two, whatever happened before
for at in 2 4 7 8 13 16 18 27; do
    rm -rf run
    # shellcheck disable=SC2086
    kill_at $at train_dpo run $soft
    check "step $at, soft advice" soft
    found=$(cd run/checkpoints && echo *)
    [ "$found" = "$last" ] || fail "killed at step $at: want checkpoints $last, found $found"
done
# Branch tests that decide come again where they were cut off, and once.
branches="--set measure.branch=8 --set policy.advice=branch --set measure.counterfactual=false"
# shellcheck disable=SC2086
train_dpo branches $branches >/dev/null
want=$(digest branches)
for at in 0 16 20; do
    rm -rf run
    # shellcheck disable=SC2086
    kill_at $at train_dpo run $branches
    check "step $at, branch tests" branches
done
# A schedule is a function of the iteration alone.
plan="--set policy.source=schedule --set measure.counterfactual=false"
# shellcheck disable=SC2086
train_dpo plan $plan --set "policy.schedule=mix 0.3, on-policy" >/dev/null
want=$(digest plan)
for at in 6 16 21; do
    rm -rf run
    # shellcheck disable=SC2086
    kill_at $at train_dpo run $plan --set "policy.schedule=mix 0.3, on-policy"
    check "step $at, schedule" plan
done
# Gradients of pairs and norms of shards come back too.
gradients="--set record.level=3 --set record.pair_grad_every=8 --set train.micro_batch=4
    --set record.sketch=64 --set measure.counterfactual=false"
# shellcheck disable=SC2086
train_dpo gradients $gradients >/dev/null
want=$(digest gradients)
for at in 8 12; do
    rm -rf run
    # shellcheck disable=SC2086
    kill_at $at train_dpo run $gradients
    check "step $at, gradients of pairs" gradients
done
[ $killed -ge 10 ] || fail "want at least 10 runs killed on the way, found $killed"
echo "killed $killed times"
