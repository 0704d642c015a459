#!/bin/sh
# A grid of runs: the recipe of families in small, killed and gone on with, side by side by compare;
# runs that are complete stay as they are; wrong input.
. "$(dirname "$0")/common.sh"
python=${STAGELINE_PYTHON:-/usr/bin/python3}
[ -x "$python" ] || skip "want python3"
STAGELINE_PLOTS=${STAGELINE_SOURCE:?}/plots
export STAGELINE_PLOTS
families="qwen: model.family=qwen2; pythia: model.family=gpt_neox, model.rotary=0.5"

grid() { # becomes=exec: in place of the shell, so that its process id is the program's
    ${becomes:-} "$program" train "$recipes/compare-families.yaml" --threads 2 --quiet \
        --set grid.families="$families" --set grid.seeds="3 4" --set train.prompts=128 \
        --set grid.starts="weak: world.content=0; strong: world.content=4" --set measure.prompts=64 \
        --set measure.reference_prompts=100 --set measure.exact_prompts=64 \
        --set grid.first="model.hidden=32, model.intermediate=64, train.prompts=640" \
        --set grid.second="train.prompts=320" "$@"
}
whole() {
    find "$1" -name run.json -path '*/run-*' | wc -l
}

# kill -9 in the middle of the runs, then on from there
becomes=exec
grid --out families >/dev/null 2>&1 &
pid=$!
becomes=
tries=0
while [ "$(whole families 2>/dev/null)" -lt 3 ] && [ "$tries" -lt 2400 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
kill -9 "$pid" 2>/dev/null || true
wait "$pid" 2>/dev/null || true
expect 1 grid --out families
says 'want a new folder for the grid' 'hint: --resume goes on with it'
expect 0 "$program" train --resume --out families --threads 2 --quiet
[ "$(whole families)" -eq 16 ] || fail "want 16 runs, found $(whole families)"
[ "$(find families -maxdepth 1 -name 'base-*' | wc -l)" -eq 4 ] || fail "want 4 bases"
[ "$(find families -maxdepth 1 -name 'start-*' | wc -l)" -eq 8 ] || fail "want 8 starts"
sum() {
    find families -type f ! -name '*.lock' | sort | xargs cat | cksum
}
sum >before
expect 0 "$program" train --resume --out families --threads 1 --quiet
sum | cmp - before || fail "complete runs changed"

# side by side: the numbers are those of the runs, means over seeds
expect 0 "$program" compare families
prints 'these are tiny models of those architectures' 'not the published checkpoints'
expect 0 "$program" compare families --json
cp out document
for seed in 3 4; do
    expect 0 "$program" analyze "families/run-pythia-strong-slic-hf-$seed" --json
    cp out "run-$seed"
done
"$python" - <<'PY' || fail "the comparison"
import json
d = json.load(open("document"))
assert d["schema"] == "stageline.compare_grid/1" and d["interval"] == "seeds", d
assert d["runs"] == d["planned"] == 16
names = [(c["family"], c["start"], c["method"]) for c in d["cells"]]
assert names == [(f, s, m) for f in ("qwen", "pythia") for s in ("weak", "strong") for m in ("dpo", "slic-hf")]
assert len(d["iterations"]) == 8 * 3  # two iterations and the score after the last
runs = [json.load(open(f"run-{s}")) for s in (3, 4)]
gain = lambda r, origin: [g["gain"] for g in r["gains"] if g["iteration"] == 0 and g["origin"] == origin][0]
cell = d["cells"][-1]
for key in "static", "on_policy":
    mean = sum(gain(r, key) for r in runs) / 2
    assert abs(cell[key] - mean) < 1e-9, (key, cell, mean)
    assert cell[key + "_lower"] < mean < cell[key + "_upper"], cell
assert abs(cell["difference"] - cell["on_policy"] + cell["static"]) < 1e-9
rows = [r for r in d["iterations"] if (r["family"], r["start"], r["method"]) == names[-1]]
assert [r["iteration"] for r in rows] == [0, 1, 2] and rows[2]["static"] is None
assert [cell["bs_%d" % i] for i in range(3)] == [r["bs"] for r in rows]
PY
expect 0 "$program" compare families --out side --format latex
for file in cells.tsv cells.tex iterations.tsv family_effect.svg family_path.svg; do
    [ -s "side/$file" ] || fail "want side/$file"
done
expect 0 "$program" compare families --out twice --format latex
diff -r side twice || fail "want the same bytes"

# a part of the grid is compared as far as it is there
rm -r families/run-qwen-weak-dpo-3
expect 0 "$program" compare families --json
prints '"runs": 15' '"planned": 16'

# wrong input
expect 1 grid --out new --set grid.methods="a/b"
says 'grid.methods' 'want a name of letters' 'found "a/b"'
expect 1 grid --out new --set grid.methods="dpo; dpo"
says 'want a name once, found "dpo" again'
expect 1 grid --out new --set grid.starts=
says 'want a value in grid.starts, found none'
expect 2 grid --out new --set grid.methods="x: method.bta=1"
says 'method.bta' 'did you mean'
expect 1 grid --out new --set grid.seeds="1 x"
says 'grid.seeds' 'found "x"'
expect 1 grid --out new --set grid.start=none.yaml
says 'none.yaml'
expect 2 grid --out new --set grid.famlies=a
says 'did you mean'
[ ! -e new ] || fail "want no folder after a wrong recipe"
one_line
