#!/bin/sh
# bench stage: a weak and a strong start give the side that gains more (the robust points of
# docs/stage-benchmark.md), killed and begun again it goes on, and what is done is not done again.
. "$(dirname "$0")/common.sh"
STAGELINE_PLOTS=${STAGELINE_SOURCE:?}/plots
export STAGELINE_PLOTS

bench() { # becomes=exec: in place of the shell, so that its process id is the program's
    ${becomes:-} "$program" bench stage --seeds 31 --starts 0,4 --rows plain --threads 1 "$@"
}
cells() {
    cat "$1/cells.jsonl" 2>/dev/null | wc -l
}

# kill -9 after the first cells: they stay
becomes=exec
bench --out stage >/dev/null 2>&1 &
pid=$!
becomes=
tries=0
while [ "$(cells stage)" -lt 2 ] && [ "$tries" -lt 1200 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
expect 1 bench --out stage
says 'want nobody else at work' 
kill -9 "$pid" 2>/dev/null || true
wait "$pid" 2>/dev/null || true
[ "$(cells stage)" -ge 2 ] || fail "want cells before the kill, found none"
cp stage/cells.jsonl before
expect 0 bench --out stage --json
cp out document
[ "$(cells stage)" -eq 4 ] || fail "want 4 cells, found $(cells stage)"
head -n 2 stage/cells.jsonl | cmp - before || [ "$(wc -l <before)" -ne 2 ] ||
    fail "cells of the first call changed"
grep -q '"measured": 2,' document || [ "$(wc -l <before)" -eq 4 ] || fail "want 2 cells measured"

# nothing is left to do; the numbers are the same
expect 0 bench --out stage --json
grep -q '"measured": 0,' out || fail "want no cell measured again"
sed -n '/"cells"/,$p' out >again
sed -n '/"cells"/,$p' document | cmp - again || fail "the document changed"

# physics: points 2 to 4 want starts 1 and 5 too; here the sides of two starts that are far apart
python=$(command -v python3) || skip "python3"
"$python" - document <<'EOF' || fail "the cells"
import json, sys
d = json.load(open(sys.argv[1]))
assert d["schema"] == "stageline.bench_stage/1", d["schema"]
cells = {(c["method"], c["strength"]): c for c in d["cells"]}
assert len(cells) == 4, cells.keys()
for method, room in (("dpo", 0.2), ("slic-hf", 0.5)):
    weak, strong = cells[method, 0.0], cells[method, 4.0]
    assert abs(weak["start"]["bs"] - 0.16) <= 0.05, weak["start"]
    assert abs(strong["start"]["bs"] - 0.73) <= 0.06, strong["start"]
    assert weak["off"]["gain"] > 0 and 0 < weak["on"]["gain"] <= 0.75 * weak["off"]["gain"], weak
    assert strong["on"]["gain"] - strong["off"]["gain"] >= room, strong
    assert weak["votes"] < 1000 and weak["fixed_votes"] == 8000, weak
    assert strong["off_off"]["gain"] is None  # one iteration
assert d["verdicts"][2]["all"]["right"] == 4, d["verdicts"]
assert 0 < d["share_of_sgemm"] < 1 and d["cpu_s"] > 0, d
EOF
for figure in effect path data; do
    [ -s "stage/stage_$figure.svg" ] || fail "want figure $figure"
done

# branch tests are put into the cells that are there, once; other cells stay as they were
expect 0 bench --out stage --branch 2 --starts 0 --json
cp out branches
"$python" - document branches <<'EOF' || fail "the branch tests"
import json, sys
before, after = (json.load(open(p)) for p in sys.argv[1:3])
assert after["measured"] == 0, after["measured"]
for old, new in zip(before["cells"], after["cells"]):
    b = new.pop("branch", None)
    assert old == new and (b is None) == (new["strength"] == 4.0), new
    if b:  # the weak start gains more by static data, which the cell's own iterations say too
        assert b["replicates"] == 2 and b["updates"] == 4 * 32 and b["votes"] == 2 * 1024, b
        assert abs(b["difference"] - (b["on"] - b["off"])) < 1e-9 and b["difference"] < 0, b
assert [t["clear"]["right"] for t in after["branch_tests"]] == [1, 1, 2, 1, 1, 2], after["branch_tests"]
assert any(c["point"] == 7 and c["held"] for c in after["acceptance"]), after["acceptance"]
assert any(r["rule"] == "guided by branch tests" and r["of"] == 1 for r in after["rules"])
EOF
cp stage/cells.jsonl with
expect 0 bench --out stage --branch 2 --starts 0
prints 'Branch tests beside the score' 'Cost of a branch test: 128 updates'
cmp with stage/cells.jsonl || fail "want no branch test again"
[ "$(wc -l <stage/stage_branch.tsv)" -eq 3 ] || fail "want two tests in the table"

# wrong input
expect 2 bench --out stage --branch 1
says 'want --branch of 2 to 64 replicates, found 1'
mkdir other
expect 1 "$program" bench stage --out other
says 'want a new folder, or one with cells.jsonl' 'hint: '
expect 2 "$program" bench stage --rows plian --out new
says 'found "plian"' 'did you mean "plain"?'
expect 2 "$program" bench stage --seeds 1,x --out new
says '--seeds' 'found "x"'
[ ! -e new ] || fail "want no folder after a wrong option"
sed 's/"settings":"./"settings":"x/' stage/cells.jsonl >changed
cp changed stage/cells.jsonl
expect 1 bench --out stage
says 'want cells of settings' 'hint: another version made it'
head -c 300 changed >stage/cells.jsonl
expect 1 bench --out stage
says 'stage/cells.jsonl:1'
one_line
