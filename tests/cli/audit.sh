#!/bin/sh
# Audits: real pairs give the statistics that are published beside them; what train refuses, an
# audit finds, at the same place; formats of every kind; a second file of probes.
. "$(dirname "$0")/common.sh"
shared=${STAGELINE_SHARED:-$STAGELINE_SOURCE/../shared}
fixtures=$STAGELINE_SOURCE/tests/datasets/fixtures
[ -f "$shared/data/alpacaeval/expected.json" ] || skip "no shared data"

expect 0 "$program" audit "$shared/data/alpacaeval/pairs.jsonl.gz" --json
python3 - "$shared/data/alpacaeval/expected.json" out <<'EOF2' || fail "want the published statistics"
import json, sys
want = json.load(open(sys.argv[1]))["pairs"]
found = json.load(open(sys.argv[2]))
count = {f["name"]: f["count"] for f in found["findings"]}
lengths = found["lengths"]
assert found["schema"] == "stageline.audit/1" and list(found)[0] == "schema"
equal = [
    (found["rows"], want["rows"]), (found["pairs"], want["rows"]),
    (found["prompts"], want["distinct_prompts"]),
    (count["duplicate"], want["exact_duplicate_rows"]),
    (count["contradiction"], want["rows_swapped_against_another_row"]),
    (count["leading-blank"], want["rows_with_leading_whitespace_answer"]),
    (lengths["chosen_longer"], want["chosen_longer"]),
    (lengths["chosen_shorter"], want["chosen_shorter"]),
    (lengths["equal"], want["equal_length"]),
    (found["errors"], 0), (lengths["chosen_tokens"], None), (found["tokenizer_sha256"], None),
]
close = [
    (lengths["chosen_chars"], want["mean_chosen_codepoints"]),
    (lengths["rejected_chars"], want["mean_rejected_codepoints"]),
    (lengths["lower"], want["chosen_longer_share_wilson95"][0]),
    (lengths["upper"], want["chosen_longer_share_wilson95"][1]),
]
bad = [p for p in equal if p[0] != p[1]] + [p for p in close if not abs(p[0] - p[1]) <= 1e-12 * abs(p[1])]
sys.exit(f"found, want: {bad}" if bad else 0)
EOF2
expect 0 "$program" audit "$shared/data/alpacaeval/pairs.jsonl.gz"
prints "7984 rows, 7984 kept, 7984 pairs, 805 prompts" "note    leading-blank       1609"

# Every format that is read has a fixture; an unpaired row is an error.
for file in "$fixtures"/*; do
    case $file in
    *unpaired*)
        expect 1 "$program" audit "$file"
        prints "error   unreadable" "field \"label\": want pairs"
        says "want data without errors, found 1 kind of them"
        one_line
        ;;
    *) expect 0 "$program" audit "$file" ;;
    esac
done
expect 0 "$program" audit - <"$fixtures/trl_implicit_prompt.jsonl.gz"
prints "1 rows, 1 kept, 1 pairs" "formats: messages 1"

# What train refuses: by file and line, with a hint that names the audit, which finds the same.
smollm2=$shared/data/tokenizers/smollm2
cat >recipe.yaml <<'EOF2'
model: {hidden: 16, intermediate: 16, heads: 2, kv_heads: 2, layers: 1}
data: {source: rows.jsonl, probe_share: 0}
measure: {prompts: 0}
record: {min_free_gib: 0, probe_every: 0, level: 0}
EOF2
cat >rows.jsonl <<'EOF2'
{"prompt":"one two","chosen":"\nyes","rejected":"\nno"}
{"prompt":"one tw","chosen":"o yes","rejected":"ice no"}
EOF2
expect 1 "$program" train recipe.yaml --out run --quiet --set "data.tokenizer=$smollm2"
says "rows.jsonl:2 field \"chosen\": want the prompt's tokens" "stageline audit" "data.allow_mismatch: true"
one_line
expect 1 "$program" audit recipe.yaml --tokenizer "$smollm2"
prints "error   prefix-mismatch        1   50.0 %" "    rows.jsonl:2 field \"chosen\""
expect 0 "$program" audit recipe.yaml --tokenizer "$smollm2" --set data.allow_mismatch=true
prints "warning prefix-mismatch"
expect 0 "$program" train recipe.yaml --out run --set "data.tokenizer=$smollm2" \
    --set data.allow_mismatch=true --set train.batch=2 --set data.max_answer=1
says "run: data: 2 rows, 2 kept, 0 prompts held out; dropped: 0 empty, 0 ties, 0 too long; cut: 0 prompts, 2 chosen, 2 rejected" \
    "1 across the border"
for count in '"rows":2' '"cut_chosen":2' '"prefix_mismatch":1'; do
    tr -d ' \n' <run/run.json | grep -qF "$count" || fail "want $count in run.json"
done

# A model says what ends a turn and what begins a sequence.
make_start
sed 's/"eos_token_id": *[^,]*,/"eos_token_id": 3,/; s/"bos_token_id": *[^,]*,/"bos_token_id": 1,/' \
    "$start/config.json" >config.json
mv config.json "$start/config.json"
grep -q '"eos_token_id": 3' "$start/config.json" || fail "want an end of turn in config.json"
echo '{"prompt_ids":[1,5],"chosen_ids":[4,3],"rejected_ids":[6,3]}' >rows.jsonl
echo '{"prompt_ids":[1,1],"chosen_ids":[4,3],"rejected_ids":[6,3]}' >>rows.jsonl
echo '{"prompt_ids":[1,7],"chosen_ids":[4,3],"rejected_ids":[6,2]}' >>rows.jsonl
expect 1 "$program" audit recipe.yaml --model "$start" --json
for name in double-bos eos-missing; do
    prints "\"name\": \"$name\""
done
expect 1 "$program" train recipe.yaml --out two --quiet --set "model.policy=$start"
says "rows.jsonl:2 field \"prompt\": want one beginning of a sequence, found two" "data.allow_double_bos: true"
expect 1 "$program" train recipe.yaml --out two --quiet --set "model.policy=$start" --set data.allow_double_bos=true
says "rows.jsonl:3 field \"rejected\": want an answer that an end of turn" "data.allow_eos_missing: true"
expect 0 "$program" train recipe.yaml --out two --quiet --set "model.policy=$start" --set train.batch=3 \
    --set data.allow_double_bos=true --set data.allow_eos_missing=true

# Prompts kept for measurement, in another format.
echo '{"prompt":"Name a colour.","chosen":" Blue.","rejected":" Red."}' >train.jsonl
expect 1 "$program" audit train.jsonl --probe "$fixtures/ultrafeedback_binarized.jsonl"
prints "error   probe-overlap          1  100.0 %" "    train.jsonl:1 field \"prompt\""
expect 0 "$program" audit train.jsonl

# A method that wants pairs does not find them in prompts.
sed "s|rows.jsonl|$fixtures/trl_completions.jsonl|" recipe.yaml >completions.yaml
expect 1 "$program" audit completions.yaml
prints "error   no-pair                2  100.0 %"
expect 0 "$program" audit completions.yaml --set method.name=sft
expect 1 "$program" audit "$STAGELINE_SOURCE/recipes/world-dpo.yaml"
says "want data.source to be a file, found the built-in world"
expect 1 "$program" audit none.jsonl
says "none.jsonl"
expect 2 "$program" audit
