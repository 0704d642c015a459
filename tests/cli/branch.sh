#!/bin/sh
# The branch test: on the built-in world it names the source that wins whole iterations of other
# seeds, says when the boundary score does not, and the run itself never sees it; elsewhere the judge
# compares the branch with the fork; wrong use.
. "$(dirname "$0")/common.sh"
python=${STAGELINE_PYTHON:-/usr/bin/python3}
[ -x "$python" ] || skip "want python3"
plain="--threads 1 --quiet --set record.min_free_gib=0 --set record.level=0 --set record.grad_split_every=0"

# Starts of the mini world (docs/stage-benchmark.md).
# shellcheck disable=SC2086 # the words of a command line
{
    expect 0 "$program" train "$recipes/world-start.yaml" --out base $plain --set model.hidden=32 \
        --set model.intermediate=64 --set optim.learning_rate=1.0e-2
    for s in 1 2 5; do
        expect 0 "$program" train "$recipes/world-start.yaml" --out "start-$s" $plain \
            --set model.policy="$(ls -d base/checkpoints/* | tail -n 1)" --set train.prompts=2560 \
            --set optim.learning_rate=2.0e-3 --set optim.warmup=0.5 --set world.content=$s \
            --set world.style="$(awk "BEGIN { print $s / 4 }")"
    done
}
start() {
    ls -d "start-$1"/checkpoints/* | tail -n 1
}
mini="--threads 1 --quiet --set train.prompts=1024 --set train.iterations=1 --set optim.learning_rate=8.0e-4
    --set record.min_free_gib=0 --set record.level=0 --set record.grad_split_every=0"

# The weak start is better off with static, the strong one with its own answers. The truth: a whole
# iteration of another seed, both sources.
# shellcheck disable=SC2086
for s in 1 5; do
    expect 0 "$program" measure "$recipes/world-dpo.yaml" $mini --policy "$(start $s)" --branch 32 \
        --json --out "measured-$s"
    cp out "measured-$s.json"
    expect 0 "$program" train "$recipes/world-dpo.yaml" $mini --out "truth-$s" --set seed=3 \
        --set model.policy="$(start $s)"
    expect 0 "$program" analyze "truth-$s" --json
    cp out "truth-$s.json"
    expect 0 "$program" verify "measured-$s"
done
"$python" - <<'PY'
import json
for s, winner in (1, "static"), (5, "on-policy"):
    b = json.load(open(f"measured-{s}.json"))["branch"]
    truth = {g["origin"]: g["gain"] for g in json.load(open(f"truth-{s}.json"))["gains"]}
    d = b["difference"]["value"]
    assert b["winner"] == winner and b["agrees"] is True and b["unit"] == "exact-reward", b
    assert (d > 0) == (truth["on_policy"] - truth["static"] > 0), (d, truth)
    gains = [[r["gain"] for r in b[k]["replicates"]] for k in ("static", "on_policy")]
    assert len(gains[0]) == len(gains[1]) == b["replicates"] == 2 and len(set(gains[0])) == 2, b
    pairs = [on - off for off, on in zip(*gains)]
    assert abs(d - sum(pairs) / 2) < 1e-12
    assert abs(b["difference"]["se"] - abs(pairs[0] - pairs[1]) / 2) < 1e-12
    # 2 x 32 updates of 32 pairs a source: 2 x 2048 on-policy answers, a vote a pair; exact reward
    # of the fork and of four branches takes an answer of each of 1024 prompts
    assert b["cost"]["updates"] == 128 and b["cost"]["votes"] == 2048, b["cost"]
    assert b["cost"]["answers"] == 2 * 2048 + 5 * 1024, b["cost"]
PY
[ "$(number votes_alone <measured-1.json)" -eq "$(number votes <measured-1.json)" ] ||
    fail "want the votes of the score beside the cost"

# Where 1/2 misleads: with the best and the worst of four answers own answers win at a lower score.
# shellcheck disable=SC2086
expect 0 "$program" measure "$recipes/world-dpo.yaml" $mini --policy "$(start 2)" --branch 32 \
    --set policy.candidates=4 --set policy.pair=best-worst
prints "stage: preference injection" "on-policy data win now" "BS = 0.5 misleads here"
# shellcheck disable=SC2086
expect 0 "$program" train "$recipes/world-dpo.yaml" $mini --out truth-2 --set seed=3 \
    --set model.policy="$(start 2)" --set policy.candidates=4 --set policy.pair=best-worst
expect 0 "$program" analyze truth-2 --json
"$python" - out <<'PY'
import json, sys
truth = {g["origin"]: g["gain"] for g in json.load(open(sys.argv[1]))["gains"]}
assert truth["on_policy"] > truth["static"], truth
PY
# So a run that branch tests decide for takes them, and the record alone gives the same decision.
# shellcheck disable=SC2086
expect 0 "$program" train "$recipes/world-dpo.yaml" $mini --out advised --set measure.counterfactual=false \
    --set model.policy="$(start 2)" --set policy.candidates=4 --set policy.pair=best-worst \
    --set policy.advice=branch --set measure.branch=32
expect 0 "$program" analyze advised
prints "preference injection; decision: on-policy data next" "all as recorded, bit for bit"
expect 0 "$program" export advised --table names
prints "branch test: on-policy data gain more"

# Several tests of one recipe give its threshold, from the records alone.
expect 0 "$program" analyze measured-1 measured-5
prints "no threshold: 2 branch tests: a threshold wants 4 or more" "on-policy data win now, as the score says"
for s in 2 5; do
    # shellcheck disable=SC2086
    expect 0 "$program" measure "$recipes/world-dpo.yaml" $mini --policy "$(start $s)" --branch 32 \
        --out "again-$s" --set seed=2
done
expect 0 "$program" analyze again-2 measured-5 measured-1 again-5
prints "threshold of this recipe: 0." "from 4 branch tests: on-policy data begin to gain more at a score of 0."
expect 0 "$program" analyze again-2 measured-5 measured-1 again-5 --json
"$python" - out measured-1.json <<'PY'
import json, sys
runs, one = (json.load(open(p)) for p in sys.argv[1:3])
t = runs["threshold"]
test = {r["path"]: r["branch_tests"][0] for r in runs["runs"]}
assert t["kind"] == "crossed" and t["tests"] == 4 and t["level"] == 0.95, t
assert test["measured-1"]["bs"] < t["value"] < test["measured-5"]["bs"], (t, test)
assert t["lowest"] == test["measured-1"]["bs"] == one["bs"]["value"], t
assert test["measured-1"]["difference"] == {k: one["branch"]["difference"][k] for k in ("value", "se", "lower", "upper")}
assert test["measured-1"]["winner"] == "static" and test["measured-1"]["agrees"] is True
assert "threshold" not in runs["runs"][0]
PY
expect 0 "$program" analyze measured-1 advised
prints "no threshold: policy.candidates is another in advised than in measured-1"
expect 0 "$program" analyze advised --json
prints '"kind": "too-few-tests"' '"reason": "1 branch test: a threshold wants 4 or more'
expect 0 "$program" analyze truth-1 --json
prints '"branch_tests": []' '"threshold": null'

# A branch that learns nothing gains nothing, exactly; undecided.
# shellcheck disable=SC2086
expect 0 "$program" measure "$recipes/world-dpo.yaml" $mini --policy "$(start 2)" --branch 2 --json \
    --branch-replicates 3 --set optim.learning_rate=0
prints '"winner": "undecided"' '"agrees": null' '"replicates": 3'
[ "$(grep -c '"gain": 0.0,' out)" -eq 8 ] || fail "want eight gains of 0"

# The measurement and the run are the same with and without it.
# shellcheck disable=SC2086
expect 0 "$program" measure "$recipes/world-dpo.yaml" $mini --policy "$(start 1)" --out alone
make_start
train_dpo without --set measure.branch=0 >/dev/null
train_dpo with --set measure.branch=3 >/dev/null
same() {
    for table in $3; do
        expect 0 "$program" export "$1" --table "$table" --format csv -o one.csv
        expect 0 "$program" export "$2" --table "$table" --format csv -o two.csv
        [ "$(wc -l <one.csv)" -gt 1 ] || fail "want rows of $table"
        cmp one.csv two.csv || fail "want the same rows of $table with and without the test"
        rm -f one.csv two.csv
    done
}
same alone measured-1 "boundary votes candidates"
same without with "steps pairs boundary votes candidates decisions"
cmp without/checkpoints/step-000000000032/model.safetensors \
    with/checkpoints/step-000000000032/model.safetensors || fail "want the same parameters"
expect 0 "$program" analyze with --out tables
[ "$(grep -c 'branch_gain_static' tables/evals.tsv)" -eq 4 ] || fail "want 2 gains an iteration"
[ "$(grep -c 'branch_gain_on_policy' tables/evals.tsv)" -eq 4 ] || fail "want 2 gains an iteration"

# Elsewhere: pairs of ids whose chosen answers say 10, and a judge that likes that.
"$python" - <<'PY'
import json, random
random.seed(3)
with open("pairs.jsonl", "w") as f:
    for i in range(200):
        prompt = [random.randrange(0, 26) for _ in range(4)]
        json.dump({"prompt_id": i, "prompt_ids": prompt, "chosen_ids": [10] * 6, "rejected_ids": [12] * 6}, f)
        f.write("\n")
PY
cat >judge.py <<'PY'
import json, sys
for line in sys.stdin:
    q = json.loads(line)
    a, b = q["a_ids"].count(10), q["b_ids"].count(10)
    print(json.dumps({"id": q["id"], "p": 0.5 if a == b else float(a > b)}), flush=True)
PY
cat >files.yaml <<'YAML'
seed: 1
data: {source: pairs.jsonl, max_answer: 6, allow_eos_missing: true, probe_share: 0.2}
method: {loss: dpo}
optim: {learning_rate: 2.0e-2, schedule: constant}
train: {batch: 8}
measure: {judge: command, prompts: 8, branch_prompts: 32}
record: {min_free_gib: 0}
YAML
expect 0 "$program" measure files.yaml --policy "$(start 2)" --judge-command "$python $scratch/judge.py" \
    --branch 16 --quiet --threads 1 --json
"$python" - out <<'PY'
import json, sys
b = json.load(open(sys.argv[1]))["branch"]
assert b["unit"] == "win-rate", b
for r in b["static"]["replicates"] + b["on_policy"]["replicates"]:
    assert -0.5 <= r["gain"] <= 0.5 and r["prompts"] == 32 and r["dropped"] == 0, r
assert b["static"]["gain"] > 0.1, b
assert b["cost"]["votes"] == 4 * 32 + 2 * 128 and b["cost"]["answers"] == 4 * 64 + 2 * 256, b["cost"]
PY

# Wrong use.
# shellcheck disable=SC2086
wrong() {
    code=$1 text=$2
    shift 2
    expect "$code" "$program" measure "$recipes/world-dpo.yaml" $mini --policy "$(start 1)" "$@"
    says "$text"
    one_line
}
wrong 2 "want --branch of 1 or more updates, found 0" --branch 0
wrong 2 "want --branch-replicates of 2 to 64, found 1" --branch 4 --branch-replicates 1
wrong 2 "want --branch K with --branch-replicates" --branch-replicates 2
wrong 1 "want at most 32 updates of a branch" --branch 33
wrong 1 "want no measure.branch with optim.keep_moments, found 4" --branch 4 \
    --set optim.keep_moments=true --set measure.counterfactual=false
wrong 1 "want method.name preference with measure.branch, found sft" --branch 4 --set method.name=sft
wrong 1 "want measure.branch > 0 with policy.advice branch" --set policy.advice=branch
wrong 1 "want measure.every 0 with policy.advice branch" --branch 4 --set policy.advice=branch \
    --set policy.refill=4 --set measure.every=4
wrong 1 "want policy.decider in-process with policy.advice branch" --branch 4 \
    --set policy.advice=branch --set policy.decider=outside
wrong 1 "want sampler.name policy" --branch 4 --sampler candidates=pairs.jsonl
