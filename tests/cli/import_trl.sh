#!/bin/sh
# A real DPOTrainer of TRL with examples/trl_callback.py beside it, killed and resumed: the losses computed from
# the record are those that TRL logged. STAGELINE_TRL_PYTHON names another interpreter than python3; skipped
# where it has no TRL.
. "$(dirname "$0")/common.sh"
python=${STAGELINE_TRL_PYTHON:-python3}
"$python" -c 'import trl' 2>/dev/null || skip "no TRL"

code=0
"$python" "$STAGELINE_SOURCE/tests/cli/import_trl.py" "$STAGELINE_SOURCE/examples" pairs.jsonl trained.json sigmoid \
    >trl.log 2>&1 || code=$?
[ $code -ne 77 ] || skip "no TRL"
[ $code -eq 0 ] || {
    tail -n 20 trl.log >&2
    fail "want the trainer to end well"
}
expect 0 "$program" import trl pairs.jsonl --out run
prints 'run: 2 attempts' 'steps 12' 'pairs 48' 'votes 24' 'boundary 2'
expect 0 "$program" verify run
expect 0 "$program" analyze run --out tables # looks derived again from the votes
expect 0 "$program" export run --format jsonl -o rows
"$python" - trained.json rows run tables <<'END' || fail "want the losses of TRL"
import csv, json, math, sys
trained, rows, run, tables = sys.argv[1:]
logged = {r["step"]: r for r in json.load(open(trained))["last"]}
table = lambda name: [json.loads(x) for x in open(f"{rows}/{name}.jsonl")]
close = lambda a, b: abs(a - b) <= 4e-6 * max(1, abs(b))  # TRL sums in float32
steps = {r["step"]: r for r in table("steps")}
assert sorted(steps) == sorted(logged) == list(range(1, 11)), sorted(steps)
losses = []
for s, r in logged.items():
    pairs = [p for p in table("pairs") if p["step"] == s]
    assert len(pairs) == 4  # 2 a micro-batch, 2 micro-batches an update
    d = [0.3 * (p["logp_c"] - p["ref_logp_c"] - p["logp_r"] + p["ref_logp_r"]) for p in pairs]
    loss = [math.log1p(math.exp(-x)) for x in d]
    losses += loss
    mean = sum(loss) / 4
    assert close(mean, r["loss"]) and close(steps[s]["loss"], r["loss"]), (s, mean, r["loss"])
    assert close(sum(d) / 4, r["rewards/margins"]) and close(steps[s]["margin"], r["rewards/margins"])
    assert close(sum(p["logp_c"] for p in pairs) / 4, r["logps/chosen"])
    assert close(steps[s]["grad_norm"], r["grad_norm"])
    for p in pairs:
        mine = [t for t in table("tokens") if t["step"] == s and t["pair_id"] == p["pair_id"] and t["side"] == "chosen"]
        assert len(mine) == p["tok_c"] and close(sum(t["logp"] for t in mine), p["logp_c"])
# what the analyzer says of the run's own loss
own = [r for r in csv.DictReader(open(f"{tables}/whatif.tsv"), delimiter="\t") if r["own"] == "1"]
assert len(own) == 1 and own[0]["loss"] == "dpo" and float(own[0]["beta"]) == 0.3, own
want = sum(r["loss"] for r in logged.values()) / len(logged)
assert close(float(own[0]["mean_loss"]), want), (own[0]["mean_loss"], want)
assert json.load(open(f"{run}/run.json"))["imported"]["settings"]["trl"]
END
[ "$(grep -c . tables/displacement.tsv)" -gt 1 ] || fail "want a displacement report"
