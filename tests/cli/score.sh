#!/bin/sh
# Scoring: every tiny checkpoint against the numbers of another program, on both CPU backends; pairs
# and logits against the same numbers; a wrong checkpoint turns red; wrong input gets one line.
. "$(dirname "$0")/common.sh"
shared=${STAGELINE_SHARED:-$STAGELINE_SOURCE/../shared}
models=$shared/goldens/models
[ -d "$models" ] || skip "no shared goldens"

count=0
for folder in "$models"/*/; do
    for device in ref cpu; do
        expect 0 "$program" score "$folder" --golden "$folder/golden.h5" --device $device --threads 1
        prints '"schema": "stageline.golden/1"' '"failed": 0,' '"unknown": 0'
        [ "$(number passed <out)" -ge 80 ] || fail "want 80 tests or more of $folder"
        count=$((count + 1))
    done
done
[ $count -eq 22 ] || fail "want 11 checkpoints on 2 devices, found $count"

# The comparison notices a changed number of the architecture.
cp -r "$models/llama" wrong && chmod -R u+w wrong
sed 's/"rms_norm_eps": [^,]*/"rms_norm_eps": 1e-4/' "$models/llama/config.json" >wrong/config.json
expect 1 "$program" score wrong --golden wrong/golden.h5
one_line
says "want every test to pass"

# Pairs and logits, through their own doors, equal the reference values.
python=${STAGELINE_PYTHON:-/usr/bin/python3}
"$python" -c 'import h5py' 2>/dev/null || skip "want python3-h5py for the rest"
"$python" - "$models/zephyr/golden.h5" <<'PY'
import h5py, json, sys
g = h5py.File(sys.argv[1])
with open("pairs.jsonl", "w") as f:
    for i in range(4):
        n = int(g["pairs/prompt_len"][i])
        c, r = (g[f"pairs/{s}/{i}"][:].tolist() for s in ("chosen", "rejected"))
        json.dump({"prompt_ids": c[:n], "chosen_ids": c[n:], "rejected_ids": r[n:]}, f)
        f.write("\n")
with open("rows.jsonl", "w") as f:
    for row in g["ids"][:].tolist():
        json.dump({"ids": row}, f)
        f.write("\n")
PY
expect 0 "$program" score "$models/zephyr" --data pairs.jsonl --ids --json \
    --reference "$models/zephyr/ref"
cp out pairs.json
expect 0 "$program" score "$models/zephyr" --data pairs.jsonl --ids -o scores.jsonl --batch-tokens 1
expect 0 "$program" score "$models/zephyr" --ids-file rows.jsonl --logits all -o all.h5
expect 0 "$program" score "$models/zephyr" --ids-file rows.jsonl --logits top=5 -o top.h5
"$python" - "$models/zephyr/golden.h5" <<'PY'
import h5py, json, sys
import numpy as np
g = h5py.File(sys.argv[1])
rows = json.load(open("pairs.json"))["rows"]
lines = [json.loads(x) for x in open("scores.jsonl")]
for kind, key in (("policy_logps", "logp"), ("ref_logps", "ref_logp")):
    for side in ("chosen", "rejected"):
        want = g[f"pairs/{kind}/{side}"][:]
        got = np.array([r[f"{key}_{side}"] for r in rows])
        assert np.abs(got - want).max() < 2e-4, (kind, side, got, want)
for a, b in zip(rows, lines):  # the size of the batch does not matter
    assert abs(a["logp_chosen"] - b["logp_chosen"]) < 1e-4, (a, b)
    assert a["tokens_chosen"] == b["tokens_chosen"]
want = g["logits_f64"][:].reshape(-1, g["logits"].shape[-1])
a = h5py.File("all.h5")
assert np.abs(a["logits"][:] - want).max() < 5e-5
assert a["offsets"][:].tolist() == [0, 41, 82, 123]
wide = want.astype(np.float64)
lse = np.log(np.exp(wide - wide.max(1, keepdims=True)).sum(1)) + wide.max(1)
assert np.abs(a["logsumexp"][:] - lse).max() < 5e-5
t = h5py.File("top.h5")
best = np.sort(want, 1)[:, ::-1][:, :5]
assert np.abs(t["top/logits"][:] - best).max() < 5e-5
assert np.abs(np.take_along_axis(want, t["top/ids"][:], 1) - best).max() < 5e-5
PY

# Wrong use and wrong input.
expect 2 "$program" score "$models/llama"
says "want one of --data, --golden, --ids-file"
expect 2 "$program" score "$models/llama" --ids-file rows.jsonl --logits top=0 -o x.h5
one_line
expect 1 "$program" score "$models/llama" --data nowhere.jsonl
one_line
expect 1 "$program" score "$models/zephyr" --ids-file rows.jsonl --logits all -o all.h5
says "want a new file"
echo '{"prompt_ids": [1, 2], "chosen_ids": [3], "rejected_ids": [99999]}' >ids.jsonl
expect 1 "$program" score "$models/llama" --data ids.jsonl --ids
one_line
says "ids.jsonl:1" "99999"
echo '{"prompt": "a", "chosen": "b", "rejected": "c"}' >text.jsonl
expect 1 "$program" score "$models/llama" --data text.jsonl
one_line
says "text.jsonl:1"
expect 1 "$program" score "$models/llama" --golden text.jsonl
one_line
expect 1 "$program" score "$models/llama" --golden "$shared/goldens/traces/dpo.h5"
says "want reference values of a model"
[ ! -e x.h5 ] && [ ! -e x.h5.part ] || fail "want nothing left of a refused command"
