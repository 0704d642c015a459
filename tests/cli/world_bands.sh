#!/bin/sh
# The frozen settings of the built-in world keep its acceptance bands: the boundary score of 1000 prompts
# rises with the strength of the start, and stands where docs/math.md says.
. "$(dirname "$0")/common.sh"

last() { # newest checkpoint of a run
    echo "$1"/checkpoints/step-* | tr ' ' '\n' | tail -n 1
}
for seed in 1 2; do
    expect 0 "$program" train "$recipes/world-start.yaml" --out "base-$seed" --quiet --threads 1 \
        --set seed=$seed --set world.seed=$seed
    for s in 0 1 2 3 4 5; do
        expect 0 "$program" train "$recipes/world-start.yaml" --out "start-$seed-$s" --quiet \
            --threads 1 --set seed=$seed --set world.seed=$seed --set world.content=$s \
            --set world.style="$(awk "BEGIN { print $s / 4 }")" --set train.prompts=2560 \
            --set optim.learning_rate=2.0e-3 --set optim.warmup=0.5 \
            --set model.policy="$(last "base-$seed")"
        expect 0 "$program" train "$recipes/world-dpo.yaml" --out "run-$seed-$s" --quiet \
            --threads 1 --set seed=$seed --set world.seed=$seed --set train.iterations=1 \
            --set train.prompts=32 --set measure.exact_prompts=0 \
            --set measure.counterfactual=false --set measure.prompts=0 --set policy.source=static \
            --set model.policy="$(last "start-$seed-$s")"
        expect 0 "$program" analyze "run-$seed-$s" --out "tables-$seed-$s"
        # the first fixed score is that of the start, before any update
        awk -v s=$s '$1 == 0 && $2 == "bs_fixed" { print s, $3 }' "tables-$seed-$s/evals.tsv" \
            >>"scores-$seed"
    done
    awk '
        BEGIN { split(".16 .21 .34 .54 .73 .82", want, " "); red = 0; before = 0 }
        { rows++ }
        $2 <= before { print "want the score to rise, found " $2 " at strength " $1; red = 1 }
        $1 != 1 && ($2 < want[$1 + 1] - .06 || $2 > want[$1 + 1] + .06) {
            print "want " want[$1 + 1] " +- .06 at strength " $1 ", found " $2; red = 1
        }
        { before = $2 }
        END { if (rows != 6) { print "want 6 scores, found " rows; red = 1 } exit red }' \
        "scores-$seed" >&2 || fail "seed $seed"
done
