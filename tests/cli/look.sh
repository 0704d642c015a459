#!/bin/sh
# analyze and inspect: sentences for people, one document for scripts, numbers that agree with what
# is known from elsewhere.
. "$(dirname "$0")/common.sh"
make_start
train_dpo run >/dev/null

# --- analyze a run
expect 0 "$program" analyze run --out tables
prints "run: complete, 1 attempt, step 32" "measurement 0 at step 0: boundary score 0." \
    "3 looks" "all as recorded, bit for bit" "the branch not taken" "cost: "
for table in boundary margins source gradients diversity gains evals; do
    [ -s tables/$table.tsv ] || fail "want table $table"
    awk -F '\t' 'NR == 1 { n = NF } NF != n { exit 1 }' tables/$table.tsv ||
        fail "want equal columns in $table"
done
[ "$(wc -l <tables/margins.tsv)" -eq 33 ] || fail "want a row an update in margins.tsv"
expect 0 "$program" analyze run --json
[ "$(head -n 2 out | tr -d ' \n')" = '{"schema":"stageline.run/1",' ] || fail "want the schema first"
prints '"differences": 0' '"is_same": true'
! grep -q 'nan\|NaN' out || fail "want null for what is undefined"
expect 0 "$program" analyze run run --json
prints '"schema": "stageline.runs/1"'

# --- analyze votes: 600 of 800 prompts won
awk 'BEGIN { for (i = 0; i < 800; i++) printf "{\"prompt_id\": %d, \"vote\": %d}\n", i, (i % 4 > 0) }' >v.jsonl
expect 0 "$program" analyze v.jsonl
prints "boundary score 0.7500 (se 0.0153)" "from 800 votes on 800 prompts: fine-tuning"
gzip -c v.jsonl >v.jsonl.gz
"$program" analyze v.jsonl.gz --json | grep -v path | grep -v sha256 | grep -v name >a
"$program" analyze - --json <v.jsonl | grep -v path | grep -v sha256 | grep -v name >b
cmp a b || fail "want one analysis of a file, its gzip and stdin"
expect 0 "$program" analyze v.jsonl run --seed 3 --json
prints '"schema": "stageline.analysis/1"' '"judge": "truth"'
printf '{"prompt_id": 1, "vote": 1}\n{"prompt_id": 2, "vote": 3}\n' >bad.jsonl
expect 1 "$program" analyze bad.jsonl
says 'bad.jsonl:2: want "vote" in [0,1], found 3'
one_line
expect 2 "$program" analyze v.jsonl --out tables
expect 2 "$program" analyze v.jsonl --golden x
printf '{"tests": [{"name": "a", "metric": "no such metric", "inputs": {}, "params": {}, "expected": 1, "tol": 0}]}' >g.json
expect 1 "$program" analyze --golden g.json
prints '"schema": "stageline.golden/1"' '"unknown": 1'

# --- inspect
expect 0 "$program" inspect run
prints "kind: run" "state: complete" "last_step: 32" "method.beta: 0.5" "steps: 32"
expect 0 "$program" inspect $start --json
[ "$(number parameters <out)" -eq 48912 ] || fail "want 48912 parameters"
prints '"kind": "model"' '"storage": "F32"' '"hidden_size": 48'
cp $start/config.json other-config.json
expect 0 "$program" inspect other-config.json
prints "weights: none" "parameters: 48912"
# Sizes of a public model of 8 billion parameters, from its config.json alone.
cat >8b-config.json <<'EOF'
{"model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
 "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256,
 "max_position_embeddings": 131072, "rope_theta": 500000.0, "torch_dtype": "bfloat16",
 "rms_norm_eps": 1e-5, "tie_word_embeddings": false, "hidden_act": "silu"}
EOF
expect 0 "$program" inspect 8b-config.json --json
[ "$(number parameters <out)" -eq 8030261248 ] || fail "want 8030261248 parameters"
# The plan grows with the batch as its activations do, and has no floor but the parameters.
expect 0 "$program" inspect $start --json --batch 1 --length 8
one=$(sed -n 's/.*"cache_bytes": \([0-9]*\).*/\1/p' out)
expect 0 "$program" inspect $start --json --batch 4 --length 8
four=$(sed -n 's/.*"cache_bytes": \([0-9]*\).*/\1/p' out)
[ "$one" -eq $((2 * 2 * 4 * 12 * 8 * 4)) ] || fail "want 2 x L x K x E x tokens x 4 bytes, found $one"
[ "$four" -eq $((4 * one)) ] || fail "want four times as much for four sequences"
expect 2 "$program" inspect $start --length 19
expect 0 "$program" inspect v.jsonl.gz --json
[ "$(number rows <out)" -eq 800 ] || fail "want 800 rows"
prints '"format": "votes"' '"bad_rows": 0'
printf '{"prompt": "a", "chosen": "b", "rejected": "c"}\nno json\n' >p.jsonl
expect 0 "$program" inspect p.jsonl
prints "format: pairs" "rows: 1" "bad_rows: 1" "first_bad: p.jsonl:2"

# --- every command has its help with an example, on a screen of 24 lines and 100 columns
"$program" >out
[ "$(wc -L <out)" -le 100 ] || fail "want the list of commands within 100 columns"
for command in $(awk '/^  [a-z]/ { print $1 }' <out); do
    expect 0 "$program" $command --help
    prints "usage: stageline $command" "example: stageline $command"
    [ "$(wc -l <out)" -le 24 ] && [ "$(wc -L <out)" -le 100 ] ||
        fail "want the help of $command on a screen"
done
