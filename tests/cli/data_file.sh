#!/bin/sh
# Preference pairs from a file: the same twice, interrupted and resumed the same, and never resumed
# with other data or another start policy.
. "$(dirname "$0")/common.sh"
make_start

# ids SEED: 200 pairs of token ids of the start's vocabulary, prompts of 8, answers of 4 to 9.
ids() {
    awk -v seed="$1" '
        function list(n,   i, text) {
            for (i = 0; i < n; i++)
                text = text (i ? "," : "") int(rand() * 27)
            return "[" text "]"
        }
        BEGIN {
            srand(seed)
            for (i = 0; i < 200; i++)
                printf "{\"prompt_ids\":%s,\"chosen_ids\":%s,\"rejected_ids\":%s}\n", list(8),
                    list(4 + int(rand() * 6)), list(4 + int(rand() * 6))
        }'
}
ids 7 >pairs.jsonl
cat >recipe.yaml <<'EOF'
data:
  source: pairs.jsonl
  allow_eos_missing: true # the answers are any ids
method:
  beta: 0.2
optim:
  learning_rate: 1.0e-3
train:
  batch: 16
  epochs: 3
  checkpoint_every: 4
measure:
  prompts: 0
record:
  min_free_gib: 0
EOF
train_file() {
    run=$1
    shift
    ${becomes:-} "$program" train recipe.yaml --out "$run" --threads 1 --quiet \
        --set model.policy="$start" "$@"
}
expect 0 train_file whole
want=$(digest whole)
expect 0 train_file again
[ "$(digest again)" = "$want" ] || fail "want one digest of one recipe"
gzip -c pairs.jsonl >packed.jsonl.gz
expect 0 train_file packed --set data.source=packed.jsonl.gz
[ "$(digest packed)" = "$want" ] || fail "want the same pairs from a gzip'ed file"

(
    becomes=exec
    train_file run --set train.epochs=15
) >out 2>err &
pid=$!
while [ "$(last_step run)" -lt 5 ]; do kill -0 $pid || fail "want a run"; done
kill -s INT $pid
wait $pid && fail "want a run that was stopped"
before=$(digest run)

mv pairs.jsonl kept.jsonl
ids 8 >pairs.jsonl
expect 1 "$program" train --resume --out run --threads 1 --quiet
says "run/run.json: want data with SHA-256 " "hint: "
one_line
mv kept.jsonl pairs.jsonl

mkdir kept
mv $start/model.safetensors kept
cp start/checkpoints/step-000000000000/model.safetensors $start
expect 1 "$program" train --resume --out run --threads 1 --quiet
says "run/run.json: want a start policy with SHA-256 " "hint: "
one_line
mv kept/model.safetensors $start
[ "$(digest run)" = "$before" ] || fail "want a refused run to stay as it was"

expect 0 train_file long --set train.epochs=15
expect 0 "$program" train --resume --out run --threads 1 --quiet
[ "$(digest run)" = "$(digest long)" ] || fail "want the digest of an unbroken run"
