#!/bin/sh
# `bench analysis`: without Python every item runs and says so; with Python the numbers of both sides
# agree, and what its packages lack is named; numbers that differ end it. No time is looked at.
. "$(dirname "$0")/common.sh"
STAGELINE_TOOLS=$STAGELINE_SOURCE/tools
export STAGELINE_TOOLS
items=13

STAGELINE_PYTHON=/no/python expect 0 "$program" bench analysis --small --repeat 1 --json
[ "$(grep -c '"skipped": "no /no/python"' out)" -eq $items ] || fail "want $items items without Python"
expect 2 "$program" bench analysis --item nothing
says 'want --item of bench analysis, found "nothing"'
one_line

python=${STAGELINE_PYTHON:-/usr/bin/python3}
"$python" -c 'import numpy' 2>/dev/null || skip "no Python with numpy"
STAGELINE_PYTHON=$python expect 0 "$program" bench analysis --small --repeat 1 --json
[ "$(grep -cE '"(with|skipped)": ' out)" -eq $items ] || fail "want $items items, with or skipped"
prints '"with": "numpy'

mkdir wrong
sed 's/float(v) for v in result/float(v) + 0.01 for v in result/' "$STAGELINE_TOOLS/bench_analysis.py" >wrong/bench_analysis.py
STAGELINE_TOOLS=wrong STAGELINE_PYTHON=$python expect 3 "$program" bench analysis --small --repeat 1 --item kelly
says 'stageline: bench analysis kelly: want the numbers of numpy' 'found a difference of 0.0'
one_line
