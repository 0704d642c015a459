#!/bin/sh
# `export`: rows as csv, jsonl and h5 are those that h5py reads from run.h5; whole or not there.
. "$(dirname "$0")/common.sh"

python=
for p in "${STAGELINE_PYTHON:-python3}" /usr/bin/python3; do
    "$p" -c 'import h5py' 2>/dev/null && python=$p
done

make_start
expect 0 train_dpo run --set record.level=2 --set record.probe_every=8

# --- every table, every column, against h5py
expect 0 "$program" export run --format csv -o all.csv
expect 0 "$program" export run --format jsonl -o all.jsonl
expect 0 "$program" export run --format h5 -o all.h5
[ -s all.csv/probe.csv ] && [ -s all.jsonl/topk.jsonl ] || fail "want wide tables in the export"
[ -z "$python" ] || "$python" "$STAGELINE_SOURCE/tests/cli/export_compare.py" run all.csv all.jsonl all.h5

# --- the same bytes again, on stdout as well
expect 0 "$program" export run --table pairs --format jsonl
cmp "$scratch/out" all.jsonl/pairs.jsonl || fail "want the same bytes on stdout"
expect 0 "$program" export run --format h5 -o again.h5
cmp all.h5 again.h5 || fail "want the same bytes of h5"
expect 0 "$program" export run --table steps --format h5 -o steps.h5
[ -s steps.h5 ] || fail "want a file of one table"

# --- tables of the analyzer: the numbers of the tsv
expect 0 "$program" analyze run --out tables
expect 0 "$program" export run --analysis --format csv -o analysis.csv
expect 0 "$program" export run --analysis --format jsonl -o analysis.jsonl
expect 0 "$program" export run --analysis --format h5 -o analysis.h5
[ "$(find tables -name '*.tsv' | wc -l)" -eq "$(find analysis.csv -type f | wc -l)" ] || fail "want every table"
tr '\t' ',' <tables/whatif.tsv | sed 's/\bnan\b//g' | cmp - analysis.csv/whatif.csv ||
    fail "want the numbers of whatif.tsv"
[ "$(tail -n +2 tables/margins.tsv | wc -l)" -eq "$(wc -l <analysis.jsonl/margins.jsonl)" ] || fail "want every row"
if [ -n "$python" ]; then
    "$python" - <<'END' || fail "want the tables of the analyzer in h5"
import csv, h5py, json, math
f = h5py.File("analysis.h5")
for name in f:
    rows = list(csv.DictReader(open(f"tables/{name}.tsv"), delimiter="\t"))
    lines = [json.loads(x) for x in open(f"analysis.jsonl/{name}.jsonl")]
    assert len(rows) == len(f[name]) == len(lines), name
    for i, r in enumerate(rows):
        for c, text in r.items():
            x, y = f[name][i][c], lines[i][c]
            if isinstance(x, bytes):
                assert x.decode() == text == y, (name, i, c)
            elif math.isnan(float(text)):
                assert math.isnan(x) and y is None, (name, i, c)
            else:
                assert x == float(text) == float(y), (name, i, c)
END
fi

# --- wrong input: one line, nothing left
expect 2 "$program" export run --table pears
says 'want --table to be one of those in --help, found "pears"' 'did you mean "pairs"?'
one_line
expect 2 "$program" export run --format parquet -o x
one_line
expect 2 "$program" export run --format jsonl
says 'want --table T on stdout'
expect 2 "$program" export run --format h5
says 'want -o FILE'
expect 1 "$program" export run --format csv -o all.csv
says 'want a new file or folder, found "all.csv"'
one_line
expect 1 "$program" export nowhere --table steps
one_line
expect 1 "$program" export run --table steps -o missing/steps.csv
one_line
[ -z "$(find . -name '*.part-*')" ] || fail "want nothing half-written"
[ -n "$python" ] || skip "no h5py"
