#!/bin/sh
# A run that reaches infinity stops with exit code 3, names step and tensor or pair, keeps its last
# checkpoint and nothing of the failed update; the record stays whole.
. "$(dirname "$0")/common.sh"

# lr times decay above 1 multiplies every weight by -9 an update.
diverge() {
    "$program" train "$recipes/$1" --out run --threads 1 --quiet --set optim.learning_rate=1 \
        --set optim.weight_decay=10 --set optim.warmup=0 --set train.checkpoint_every=2 \
        --set record.min_free_gib=0 --set "$2" --set measure.counterfactual="${branch:-false}"
}

# rows TABLE: of the run.
rows() {
    "$program" inspect run --json | number "$1"
}

make_start
for recipe in world-start.yaml world-dpo.yaml; do
    rm -rf run
    policy=
    [ $recipe = world-start.yaml ] || policy=$start
    expect 3 diverge $recipe model.policy=$policy
    one_line
    grep -Eq '^stageline: step [0-9]+: want a finite .*(tensor "|pair [0-9a-f]{16})' err || {
        cat err >&2
        fail "want step and tensor or pair"
    }
    failed=$(sed -n 's/^stageline: step \([0-9]*\):.*/\1/p' err)
    [ "$failed" -gt 2 ] || fail "want a later step than $failed"
    expect 0 "$program" verify run
    prints "run: error, 1 attempt up to step $((failed - 1))"
    [ "$(rows steps)" -eq $((failed - 1)) ] || fail "want $((failed - 1)) steps"
    checkpoint=$(printf 'run/checkpoints/step-%012d' $(((failed - 1) / 2 * 2)))
    [ -f "$checkpoint/model.safetensors" ] || fail "want $checkpoint"
    expect 0 "$program" inspect "$checkpoint"
    # Going on meets the same step again.
    expect 3 "$program" train --resume --out run --threads 1 --quiet
    says "step $failed: "
    expect 0 "$program" verify run
done
# Token rows of the failed update are not there either: 10 tokens of each of 64 answers.
rm -rf run
expect 3 diverge world-start.yaml train.batch=64
[ "$(rows tokens)" -eq $(($(rows steps) * 640)) ] || fail "want 640 token rows an update"
# A branch that leaves no rows says that it was the branch.
rm -rf run
branch=true expect 3 diverge world-dpo.yaml model.policy="$start"
says "stageline: branch with the source not chosen step " 'tensor "'
expect 0 "$program" verify run
prints "run: error, 1 attempt up to step 0"
