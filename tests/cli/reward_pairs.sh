#!/bin/sh
# A reward model trained on real pairs (AlpacaEval's, by a real tokenizer) against the rule that the
# longer answer is better: `score` says on held-out prompts which names the better answer more often,
# with an interval, and the numbers are those of its rows. The model is tiny and starts at random.
# Then it is the judge of a measurement.
. "$(dirname "$0")/common.sh"
shared=${STAGELINE_SHARED:-$STAGELINE_SOURCE/../shared}
[ -f "$shared/data/alpacaeval/pairs.jsonl.gz" ] || skip "no shared pairs"
command -v python3 >/dev/null || skip "no python3"
cp -r "$shared/data/tokenizers/smollm2" words && chmod -R u+w words
echo '{"format": "smollm2"}' >words/chat_format.json
python3 "$STAGELINE_SOURCE/tools/real_pairs.py" "$shared/data/alpacaeval/pairs.jsonl.gz" train.jsonl prompts.jsonl \
    --pairs 400 --each 2 --held-out heldout.jsonl >made
[ "$(wc -l <train.jsonl)" -ge 200 ] && [ "$(wc -l <heldout.jsonl)" -ge 100 ] || fail "want a few hundred pairs"
python3 - <<'PY'
import json
prompts = [{json.loads(line)["prompt"][0]["content"] for line in open(f)} for f in ("train.jsonl", "heldout.jsonl")]
assert not prompts[0] & prompts[1], "want prompts held out with all their pairs"
PY

tiny="--threads 1 --quiet --set record.min_free_gib=0 --set data.tokenizer=words --set data.allow_mismatch=true
    --set data.max_prompt=96 --set data.max_answer=64 --set model.hidden=16 --set model.intermediate=16
    --set model.layers=1 --set model.heads=2 --set model.kv_heads=2"
# shellcheck disable=SC2086 # words of options
expect 0 "$program" train "$recipes/method-reward.yaml" --out run $tiny --set data.source=train.jsonl \
    --set data.probe_share=0 --set train.prompts=0 --set train.batch=16
reward=run/checkpoints/$(ls run/checkpoints | tail -n 1)
expect 0 "$program" score "$reward" --data heldout.jsonl --tokenizer words --max-answer 64 --json --quiet --threads 1
cp out scores.json
python3 - <<'PY'
import json, math
doc = json.load(open("scores.json"))
pairs = [json.loads(line) for line in open("heldout.jsonl")]
t, by_prompt = doc["totals"], {}
win = lambda d: 0.5 if d == 0 else float(d > 0)
for row in doc["rows"]:
    p = pairs[row["line"] - 1]
    length = len(p["chosen"][0]["content"]) - len(p["rejected"][0]["content"])
    by_prompt.setdefault(p["prompt"][0]["content"], []).append(
        (win(row["reward_chosen"] - row["reward_rejected"]), win(length)))
means = [[sum(x) / len(v) for x in zip(*v)] for v in by_prompt.values()]
n = len(means)
assert t["prompts"] == n and t["level"] == 0.95, t
for key, xs in (("by_prompt", [m[0] for m in means]), ("longer_answer", [m[1] for m in means]),
                ("gain", [m[0] - m[1] for m in means])):
    mean = sum(xs) / n
    se = math.sqrt(sum((x - mean) ** 2 for x in xs) / (n - 1) / n)
    found = t[key]
    assert abs(found["value"] - mean) < 1e-9, (key, found, mean)
    # Student's quantile is 1.96 to 1.99 from 90 to infinitely many degrees of freedom
    assert 1.95 * se < mean - found["lower"] < 2.0 * se and 1.95 * se < found["upper"] - mean < 2.0 * se, (key, found, se)
want = "better" if t["gain"]["lower"] > 0 else "worse" if t["gain"]["upper"] < 0 else "undecided"
assert t["verdict"] == want and "rule" in t["sentence"], t
print(t["by_prompt"], t["longer_answer"], t["gain"], t["verdict"])
PY
expect 0 "$program" score "$reward" --data heldout.jsonl --tokenizer words --max-answer 64 --quiet --threads 1
prints '# reward model' '# the longer (rule)' '# difference, paired' 'that the answer of more characters is better'
[ "$(grep -vc '^#' out)" -eq $(($(wc -l <heldout.jsonl) + 1)) ] || fail "want a row a pair beside the lines of #"

# --- it serves as judge of a measurement of a model with the same words
# shellcheck disable=SC2086
expect 0 "$program" train "$recipes/method-sft.yaml" --out start $tiny --set data.source=train.jsonl \
    --set data.probe_share=0 --set train.prompts=32 --set train.batch=8
start=start/checkpoints/$(ls start/checkpoints | tail -n 1)
expect 0 "$program" measure --policy "$start" --data heldout.jsonl --tokenizer words --judge "reward=$reward" \
    --prompts 12 --max-new 8 --quiet --json --out measured --threads 1 --set judge.tokenizer=words \
    --set data.max_prompt=96 --set data.allow_mismatch=true --set record.min_free_gib=0
prints '"judge": "reward-' '"stage": "'
expect 0 "$program" analyze measured --json
prints '"is_same": true'
