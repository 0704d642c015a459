#!/bin/sh
# recipes/compare-families.yaml as it stands, on one seed: in every family and by both methods static
# data gain more from the weak start and on-policy data from the strong one. Minutes.
. "$(dirname "$0")/common.sh"
python=${STAGELINE_PYTHON:-/usr/bin/python3}
[ -x "$python" ] || skip "want python3"
expect 0 "$program" train "$recipes/compare-families.yaml" --out families --quiet --set grid.seeds=2
expect 0 "$program" compare families --json
"$python" - out <<'PY' || fail "the families"
import json, sys
d = json.load(open(sys.argv[1]))
assert d["runs"] == d["planned"] and d["interval"] in ("prompts", "seeds"), d["interval"]
cells = {(c["family"], c["start"], c["method"]): c for c in d["cells"]}
families = {f for f, _, _ in cells}
assert families == {"llama-3", "zephyr", "phi-2", "qwen", "pythia"} and len(cells) == 30
for family in families:
    for method in "dpo", "slic-hf":
        weak, middle, strong = (cells[family, s, method] for s in ("weak", "middle", "strong"))
        assert weak["difference_upper"] < 0 < strong["difference_lower"], (weak, strong)
        # bands of the world's starts (docs/stage-benchmark.md, point 1; .73 of full worlds at s = 4)
        for c, bs in (weak, 0.16), (middle, 0.34), (strong, 0.70):
            assert abs(c["bs_0"] - bs) <= 0.06, c
        assert weak["bs_0"] < weak["bs_1"] < weak["bs_2"], weak
assert "tiny models" in d["note"]
PY
