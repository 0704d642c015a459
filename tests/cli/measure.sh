#!/bin/sh
# The stage of one checkpoint: on the built-in world, where the answer is known; with a judge outside
# on pairs of ids, where opposite judges give opposite scores; a judge that dies; wrong use.
. "$(dirname "$0")/common.sh"
python=${STAGELINE_PYTHON:-/usr/bin/python3}
[ -x "$python" ] || skip "want python3"

# The weak start stands in injection, and a record tells the same again without any model.
expect 0 "$program" train "$recipes/world-start.yaml" --out start --threads 1 --quiet \
    --set record.min_free_gib=0
start=$(ls -d start/checkpoints/* | tail -n 1)
expect 0 "$program" measure --policy "$start" --data world --judge truth --threads 1 --quiet --json \
    --out one --set record.min_free_gib=0
prints '"schema": "stageline.measure/1"' '"stage": "injection"' '"run": "one"'
votes=$(number votes <out)
[ "$votes" -lt 2000 ] || fail "want a measurement that stops early, found $votes votes"
expect 0 "$program" analyze one --json
prints '"is_same": true' '"stage": "injection"' "\"votes\": $votes"
expect 0 "$program" verify one
expect 0 "$program" measure --policy "$start" --data world --judge truth --threads 1 --quiet
prints "stage: preference injection" "$votes votes"
expect 1 "$program" measure --policy "$start" --data world --judge truth --quiet --out one
says "want a new folder"

# Judges outside, on rows of ids: who prefers the longer and who prefers the shorter answer.
"$python" - <<'PY'
import json, random
random.seed(3)
ids = lambda low, high: [random.randrange(0, 26) for _ in range(random.randint(low, high))]
with open("pairs.jsonl", "w") as f:
    for i in range(40):
        json.dump({"prompt_id": i, "prompt_ids": ids(2, 6), "chosen_ids": ids(1, 9), "rejected_ids": ids(1, 9)}, f)
        f.write("\n")
PY
cat >judge.py <<'PY'
import json, sys
sign = 1 if sys.argv[1] == "longer" else -1
for n, line in enumerate(sys.stdin):
    q = json.loads(line)
    if sys.argv[1] == "dies" and n == 30:
        sys.exit(3)
    a, b = len(q["a_ids"]), len(q["b_ids"])
    p = 0.5 if a == b else float((a > b) == (sign > 0))
    print(json.dumps({"id": q["id"], "p": p}), flush=True)
PY
for side in longer shorter; do
    expect 0 "$program" measure --policy "$start" --data pairs.jsonl --judge command --quiet --json \
        --judge-command "$python $scratch/judge.py $side" --prompts 12 --threads 1 \
        --set measure.delta=0 --set measure.alpha=1e-9 --set data.allow_eos_missing=true \
        --out "$side" --set record.min_free_gib=0
    cp out "$side.json"
done
"$python" - <<'PY'
import json
a, b = (json.load(open(f"{side}.json")) for side in ("longer", "shorter"))
assert a["prompts"] == b["prompts"] == 12 and a["votes"] == b["votes"] == 48, (a, b)
assert abs(a["bs"]["value"] + b["bs"]["value"] - 1) < 1e-12, (a["bs"], b["bs"])
assert abs(a["bs"]["se"] - b["bs"]["se"]) < 1e-12
assert abs(a["sequence"]["lower"] + b["sequence"]["upper"] - 1) < 1e-6
PY

# A judge that dies: one line, and the votes before it stay in the record.
expect 1 "$program" measure --policy "$start" --data pairs.jsonl --judge command --quiet \
    --judge-command "$python $scratch/judge.py dies" --prompts 12 --out dead --threads 1 \
    --set judge.retries=0 --set measure.alpha=1e-9 --set data.allow_eos_missing=true \
    --set record.min_free_gib=0
one_line
expect 0 "$program" verify dead
prints "votes"

# Wrong use.
expect 2 "$program" measure --data world --judge truth
says "want a checkpoint"
expect 1 "$program" measure --policy "$start" --data pairs.jsonl --judge truth --quiet
one_line
expect 1 "$program" measure --policy nowhere --data world --judge truth --quiet
one_line
expect 1 "$program" measure --policy "$start" --data pairs.jsonl --judge nobody --quiet
one_line
