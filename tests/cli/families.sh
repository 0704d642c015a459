#!/bin/sh
# The world's policy is a tiny model of any family: a random start, SFT, then one advised iteration.
. "$(dirname "$0")/common.sh"

for family in llama mistral phi qwen2 qwen3 gpt_neox; do
    rotary=0 # the family's default; a quarter of 12 would be odd
    [ "$family" != gpt_neox ] || rotary=0.5
    expect 0 "$program" train "$recipes/world-start.yaml" --out "start-$family" --quiet --threads 1 \
        --set model.family=$family --set model.rotary=$rotary --set train.prompts=640
    policy=$(echo "start-$family"/checkpoints/step-* | tr ' ' '\n' | tail -n 1)
    grep -q "\"model_type\":\"$family\"" "$policy/config.json" ||
        grep -q "\"model_type\": *\"$family\"" "$policy/config.json" || fail "want $family in $policy"
    expect 0 "$program" train "$recipes/world-dpo.yaml" --out "run-$family" --quiet --threads 1 \
        --set model.policy="$policy" --set train.prompts=128 --set train.iterations=1 \
        --set measure.exact_prompts=64 --set measure.reference_prompts=0 --set measure.prompts=64
    expect 0 "$program" analyze "run-$family"
done
