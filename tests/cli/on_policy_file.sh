#!/bin/sh
# On-policy pairs over a file of words, judged by a program outside: every pair rule, fresh each step
# or each iteration, what is kept of it and what is dropped; killed and resumed; both orders.
. "$(dirname "$0")/common.sh"
shared=${STAGELINE_SHARED:-$STAGELINE_SOURCE/../shared}
[ -d "$shared/data/tokenizers" ] || skip "no shared data"
python=${STAGELINE_PYTHON:-/usr/bin/python3}
"$python" -c "import h5py" 2>/dev/null || skip "want python3 with h5py"

gzip -dc "$shared/data/alpacaeval/pairs.jsonl.gz" | head -n 60 >pairs.jsonl
cat >recipe.yaml <<YAML
model: {hidden: 16, intermediate: 16, heads: 2, kv_heads: 2, layers: 1, embed_std: 0.3, matrix_std: 0.3}
data:
  source: pairs.jsonl
  tokenizer: $shared/data/tokenizers/smollm2
  max_prompt: 24
  max_answer: 12
  probe_share: 0.3
  allow_mismatch: true
method: {loss: dpo, beta: 0.5}
optim: {learning_rate: 1.0e-3}
train: {iterations: 2, prompts: 24, batch: 8, checkpoint_every: 2}
policy: {source: on-policy, candidates: 5, pair: best-worst, labels: best}
measure: {judge: command, prompts: 6, batch: 3}
judge: {command: $python $scratch/judge.py}
record: {min_free_gib: 0, probe_every: 0}
YAML
# Scores by the letters "e" of what it reads; nearly the judge of nobody, but every score is known.
cat >judge.py <<'PY'
import json, sys
sees_order = len(sys.argv) > 1
for line in sys.stdin:
    q = json.loads(line)
    a, b = q["a"].count("e"), q["b"].count("e")
    if sees_order: # likes what comes first a little more
        a += 0.5
    print(json.dumps({"id": q["id"], "score_a": a, "score_b": b, "truncated_a": len(q["a"]) > 60}), flush=True)
PY
cat >check.py <<'PY'
"""usage: check.py RUN RULE [plain]: lines of candidates against record, rule and judge; the digits of
sampled log-probabilities are those of the reference where the law is that of the model (plain)."""
import json, math, sys
from collections import defaultdict
import h5py

run, rule = sys.argv[1:3]
lines = [json.loads(l) for l in open(f"{run}/candidates.jsonl")]
h5 = h5py.File(f"{run}/run.h5")
pairs = defaultdict(list)
for p in h5["pairs"][:]:
    pairs[int(p["step"])].append(p)
seen, kept, repeats, fates = 0, 0, 0, defaultdict(int)
for line in lines:
    words, scores = line["all_generated_responses"], line["all_rm_scores"]
    ids = [tuple(i) for i in line["all_token_ids"]]
    seen += len(words)
    assert scores == [w.count("e") for w in words], line
    assert all(len(i) == len(l) and all(x <= 0 for x in l) for i, l in zip(ids, line["all_token_logps"]))
    repeats += len(ids) - len(set(ids))
    if "dropped" in line:
        fates[line["dropped"]] += 1
        continue
    kept += 1
    c, r = line["chosen_index"], line["rejected_index"]
    assert scores[c] > scores[r], line
    if rule in ("best-worst", "best-random"):
        assert scores[c] == max(scores)
    if rule == "best-worst":
        assert scores[r] == min(scores)
    if rule == "margin":
        assert scores[c] - scores[r] >= 2
trained = [p for rows in pairs.values() for p in rows]
assert kept == len(trained) > 8, (kept, len(trained))
assert all(p["source"] == 1 for p in trained)
if len(sys.argv) > 3: # in the order of the file: epoch 0 keeps it
    for line, p in zip([l for l in lines if "dropped" not in l], trained):
        got = sum(line["all_token_logps"][line["chosen_index"]])
        assert math.isclose(got, p["ref_logp_c"], rel_tol=1e-4), (got, p["ref_logp_c"])
names = {int(n["index"]): n["name"].decode() for n in h5["names"][:] if n["kind"] == 3}
evals = defaultdict(float)
for e in h5["evals"][:]:
    evals[names.get(int(e["eval"]), "")] += e["value"]
assert evals["drawn_duplicates"] == repeats, (evals, repeats)
assert evals["drawn_same"] == fates["same"] and evals["drawn_close"] == fates["close"], (evals, fates)
drawn = [c for c in h5["candidates"][:] if c["origin"] == 1]
assert len(drawn) >= seen and all(c["logp"] <= 0 for c in drawn)
votes = h5["votes"][:]
assert all(v["status"] == 0 and v["judge"] > 0 for v in votes)
assert any(v["purpose"] == 1 for v in votes) and any(v["purpose"] == 0 for v in votes)
assert all((v["cut"] & 1) == (v["chars_a"] > 60) for v in votes if v["order"] == 0)
print(f"{run}: {len(lines)} prompts, {kept} pairs, {repeats} repeats, {dict(fates)}")
PY
train() {
    run=$1
    shift
    ${becomes:-} "$program" train recipe.yaml --out "$run" --threads 1 --quiet "$@"
}

expect 0 train plain
expect 0 "$python" check.py plain best-worst plain
expect 0 "$program" analyze plain
prints "all as recorded, bit for bit"
for rule in best-random margin; do
    expect 0 train $rule --set policy.pair=$rule --set policy.margin=2 --set policy.temperature=0.8 \
        --set policy.top_p=0.9 --set policy.top_k=50
    expect 0 "$python" check.py $rule $rule
done
expect 0 train two --set policy.pair=two --set policy.candidates=2 --set policy.refill=1
expect 0 "$python" check.py two two
[ "$(sed 's/.*"step": *\([0-9]*\).*/\1/' two/candidates.jsonl | sort -un | wc -l)" -eq 6 ] ||
    fail "want answers drawn anew before each of 6 updates"

# Killed in the middle, the judge with it: the rows and the answers of an unbroken run.
(
    becomes=exec
    train broken >/dev/null 2>&1
) &
pid=$!
for _ in $(seq 600); do
    [ "$(last_step broken)" -ge 3 ] && break
    sleep 0.05
done
kill -9 $pid 2>/dev/null || true
wait $pid 2>/dev/null || true
expect 0 "$program" train --resume --out broken --threads 1 --quiet
[ "$(digest broken)" = "$(digest plain)" ] || fail "want the rows of an unbroken run"
cmp broken/candidates.jsonl plain/candidates.jsonl || fail "want the answers of an unbroken run"

# Both orders of every pair, each a row of its own.
expect 0 train orders --set judge.both_orders=true --set "judge.command=$python $scratch/judge.py orders" \
    --set policy.source=mix --set train.iterations=1
"$python" - <<'PY' || fail "want both orders of every vote"
from collections import defaultdict
import h5py
pairs = defaultdict(dict)
for v in h5py.File("orders/run.h5")["votes"][:]:
    key = (int(v["step"]), int(v["purpose"]), int(v["prompt_id"]), int(v["a_id"]), int(v["b_id"]))
    assert v["order"] not in pairs[key]
    pairs[key][int(v["order"])] = float(v["vote"])
assert pairs and all(sorted(p) == [0, 1] for p in pairs.values())
assert all(p[0] >= p[1] for p in pairs.values()) # who is shown first gains, up to certainty
assert sum(p[0] > p[1] for p in pairs.values()) > len(pairs) / 2
PY

# The same recipe without a judge says what it wants.
expect 1 train never --set measure.judge=truth
says "want the built-in world with judge \"truth\""
one_line
