#!/bin/sh
# Every method's recipe trains as it stands, says its exact loss, and leaves a whole record.
. "$(dirname "$0")/common.sh"
count=0
for recipe in "$recipes"/method-*.yaml; do
    rm -rf run
    expect 0 "$program" train "$recipe" --out run --threads 1 --quiet --set train.prompts=96 \
        --set record.min_free_gib=0
    digest run >/dev/null
    grep -q '"loss_form": "' run/run.json || fail "want the exact form of the loss of $recipe"
    [ "$(last_step run)" -ge 2 ] || fail "want some updates of $recipe"
    count=$((count + 1))
done
[ $count -ge 17 ] || fail "want the recipes of 17 methods, found $count"

# The form says what the numbers depend on.
expect 0 "$program" train "$recipes/method-rpo.yaml" --out form --threads 1 --quiet \
    --set train.prompts=64 --set record.min_free_gib=0
cp form/run.json out
prints '"loss_form": "1*dpo (with reference, log-probabilities summed over answer tokens) + 0.2*nll'
prints '"name": "dpo + 0.2*nll"' 'beta 0.5, smoothing 0'
