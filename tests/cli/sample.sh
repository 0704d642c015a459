#!/bin/sh
# Sampling: greedy tokens of another program, answers that depend on prompt and seed alone, recorded
# log-probabilities that scoring gives again, wrong input in one line.
. "$(dirname "$0")/common.sh"
shared=${STAGELINE_SHARED:-$STAGELINE_SOURCE/../shared}
models=$shared/goldens/models
[ -d "$models" ] || skip "no shared goldens"
python=${STAGELINE_PYTHON:-/usr/bin/python3}
"$python" -c 'import h5py' 2>/dev/null || skip "want python3-h5py"

# Greedy, every checkpoint: the tokens of the reference values.
for folder in "$models"/*/; do
    "$python" - "$folder/golden.h5" <<'PY'
import h5py, json, sys
g = h5py.File(sys.argv[1])
json.dump({"prompt_id": "greedy", "prompt_ids": g["greedy/prompt"][0].tolist()}, open("prompt.jsonl", "w"))
json.dump(g["greedy/tokens"][0].tolist()[g["greedy/prompt"].shape[1]:], open("want.json", "w"))
PY
    # an end-of-sequence token stops ours; theirs went on
    expect 0 "$program" sample "$folder" --prompts prompt.jsonl --temperature 0 --max-new 24 --quiet
    "$python" - <<'PY'
import json
got = json.loads(open("out").read())
answer, want = got["answers"][0], json.load(open("want.json"))
assert got["prompt_id"] == "greedy"
assert answer["ids"] == want[:len(answer["ids"])], (answer["ids"], want)
assert answer["stop"] == ("length" if len(answer["ids"]) == 24 else "eos")
PY
done

# The same answers whatever the batch, the order and the number of threads; other seeds, others.
model=$models/llama
"$python" - <<'PY'
import json, random
random.seed(5)
rows = [{"prompt_id": i, "prompt_ids": [random.randrange(3, 300) for _ in range(3 + i % 5)]} for i in range(9)]
open("a.jsonl", "w").write("".join(json.dumps(r) + "\n" for r in rows))
open("b.jsonl", "w").write("".join(json.dumps(r) + "\n" for r in rows[::-1]))
PY
expect 0 "$program" sample "$model" --prompts a.jsonl -n 3 --max-new 12 --seed 4 --threads 1 -o one.jsonl
expect 0 "$program" sample "$model" --prompts b.jsonl -n 3 --max-new 12 --seed 4 --batch 3 -o two.jsonl
expect 0 "$program" sample "$model" --prompts - -n 3 --max-new 12 --seed 5 <a.jsonl
"$python" - <<'PY'
import json
read = lambda name: {r["prompt_id"]: [a["ids"] for a in r["answers"]] for r in map(json.loads, open(name))}
one, two, other = read("one.jsonl"), read("two.jsonl"), read("out")
assert len(one) == 9 and all(len(a) == 3 for a in one.values())
assert one == two and one != other
assert len({tuple(a) for answers in one.values() for a in answers}) > 20
with open("pairs.jsonl", "w") as f:
    for r in map(json.loads, open("one.jsonl")):
        a, b = r["answers"][:2]
        json.dump({"prompt_ids": r["prompt_ids"], "chosen_ids": a["ids"], "rejected_ids": b["ids"]}, f)
        f.write("\n")
PY

# What was recorded at temperature 1 is what scoring gives.
expect 0 "$program" score "$model" --data pairs.jsonl --ids --json
"$python" - <<'PY'
import json
rows = json.load(open("out"))["rows"]
for got, r in zip(rows, map(json.loads, open("one.jsonl"))):
    for side, a in zip(("chosen", "rejected"), r["answers"]):
        assert abs(got[f"logp_{side}"] - a["logp"]) < 1e-3, (got, a["logp"])
        assert abs(sum(a["logps"]) - a["logp"]) < 1e-6
        assert len(a["logps"]) == len(a["ids"])
PY

# Wrong use and wrong input.
expect 2 "$program" sample "$model"
says "want --prompts"
expect 2 "$program" sample "$model" --prompts a.jsonl -n 0
one_line
expect 2 "$program" sample "$model" --prompts a.jsonl --top-p 0
one_line
expect 1 "$program" sample "$model" --prompts a.jsonl -o one.jsonl
says "want a new file"
echo '{"prompt": "words"}' >words.jsonl
expect 1 "$program" sample "$model" --prompts words.jsonl -o none.jsonl
one_line
says "words.jsonl:1" "want a tokenizer"
echo '{"prompt_ids": [1, 999999]}' >far.jsonl
expect 1 "$program" sample "$model" --prompts far.jsonl -o none.jsonl
says "far.jsonl:1" "999999"
echo '{"text": 1}' >none.jsonl.in
expect 1 "$program" sample "$model" --prompts none.jsonl.in -o none.jsonl
says "none.jsonl.in:1" 'want "prompt", "messages" or "prompt_ids"'
expect 1 "$program" sample "$model" --prompts a.jsonl --max-new 5000 -o none.jsonl
says "a.jsonl:1" "want at most"
[ ! -e none.jsonl ] && [ ! -e none.jsonl.part ] || fail "want nothing left of a refused command"
