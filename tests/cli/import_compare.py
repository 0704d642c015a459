"""Every value of a log against the record made of it. usage: import_compare.py FORMAT LOG RUN EXPORT
EXPORT: folder of jsonl tables of all attempts. The log is read by Python's own json and csv; event files by what
TensorBoard read (LOG.json)."""
import collections
import csv
import json
import math
import sys

kind, log, run, export = sys.argv[1:]
STEPS = ["train/global_step", "_step", "Step"]


def text_value(text):
    try:
        return {"True": 1.0, "False": 0.0}.get(text) if text in ("True", "False") else float(text)
    except ValueError:
        return None


def read():
    if kind == "tensorboard":
        return [(step, tag, float(value)) for tag, step, value in json.load(open(log + ".json"))]
    if kind == "trainer-state":
        rows = [(r["step"], r) for r in json.load(open(log))["log_history"]]
    elif kind == "llamafactory":
        rows = [(r["current_steps"], r) for r in map(json.loads, open(log))]
    elif log.endswith(".csv"):
        rows = [{k: text_value(v) for k, v in r.items() if k and text_value(v) is not None}
                for r in csv.DictReader(open(log, newline=""))]
        rows = [(int(next(r[k] for k in STEPS if k in r)), r) for r in rows]
    else:
        rows = [(next(r[k] for k in STEPS if k in r), r) for r in map(json.loads, open(log))]
    skip = set(STEPS + ["step", "current_steps"])
    return [(s, k, v) for s, r in rows for k, v in r.items() if k not in skip and isinstance(v, (int, float))]


def number(x):
    return math.nan if x is None else float(x)


def table(name):
    return [json.loads(line) for line in open(f"{export}/{name}.jsonl")]


def key(step, name, value):
    return step, name, repr(float(value))


names = {r["index"]: r["name"] for r in table("names") if r["kind"] == "eval"}
evals = collections.Counter(key(r["step"], names[r["eval"]], number(r["value"])) for r in table("evals"))
steps = collections.defaultdict(list)
for r in table("steps"):
    steps[r["step"]].append(r)
clock = {(r["step"], r["utc_s"]) for r in table("clock")}
columns = json.load(open(f"{run}/run.json"))["imported"]["columns"]
values, missing = read(), []
seen_clock = set()
for step, name, value in values:
    column = columns.get(name)
    if column == "clock.utc_s":
        if step not in seen_clock and (step, value) not in clock:
            missing.append((step, name, value))
        seen_clock.add(step)
    elif column and math.isfinite(value) and any(number(r[column]) == value for r in steps[step]):
        pass
    elif evals[key(step, name, value)] > 0:
        evals[key(step, name, value)] -= 1
    else:
        missing.append((step, name, value))
if missing or not values:
    sys.exit(f"FAILED: {log}: {len(missing)} of {len(values)} values are not in the record: {missing[:3]}")
left = [k for k, n in evals.items() for _ in range(n)]
if left:
    sys.exit(f"FAILED: {log}: {len(left)} evals of the record are not in the log: {left[:3]}")
print(f"{log}: {len(values)} values, all there")
