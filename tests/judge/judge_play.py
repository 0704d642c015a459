"""A judge that plays a part: judge_play.py MODE LOG [N]. The truth is in the answers: "quality=Q".
LOG counts over restarts: a line a reply, flushed before the reply. Python's standard library only."""
import json
import math
import os
import re
import sys
import time

mode, log = sys.argv[1], sys.argv[2]
limit = int(sys.argv[3]) if len(sys.argv) > 3 else 0


def replies():
    try:
        with open(log) as f:
            return sum(1 for _ in f)
    except FileNotFoundError:
        return 0


def quality(row, side):
    text = row.get(side)
    if text is None:
        return float(row[side + "_ids"][0])
    return float(re.search(r"quality=(-?[0-9.]+)", text).group(1))


def say(row, **more):
    with open(log, "a") as f:
        f.write("%d\n" % row["id"])
    out = {"id": row["id"]}
    if not more:
        bias = 1.0 if mode == "biased" else 0.0
        more = {"p": 1 / (1 + math.exp(quality(row, "b") - quality(row, "a") - bias))}
    print(json.dumps({**out, **more}), flush=True)


held = []
for line in sys.stdin:
    row = json.loads(line)
    n = replies()
    if mode == "dies" and n == limit and not os.path.exists(log + ".died"):
        open(log + ".died", "w").close()
        sys.exit("first death")
    elif mode == "stays-dead" and n >= limit:
        sys.exit("no more")
    elif mode == "hangs" and n == limit and not os.path.exists(log + ".hung"):
        with open(log + ".part", "w") as f:
            f.write(str(os.getpid()))
        os.rename(log + ".part", log + ".hung")
        time.sleep(1000)
    elif mode == "reversed":
        held.append(row)
        if len(held) == limit:
            for r in reversed(held):
                say(r)
            held = []
        continue
    if n < limit or mode in ("dies", "hangs", "biased"):
        say(row)
    elif mode == "garbage":
        print("Loading weights...", flush=True)
    elif mode == "unknown":
        say({"id": row["id"] + 1000}, p=0.5)
    elif mode == "twice":
        say(row, p=0.5)
        say(row, p=0.5)
    elif mode == "nan":
        say(row, p=float("nan"))
    elif mode == "range":
        say(row, p=1.25)
    elif mode == "text":
        say(row, p="0.5")
    elif mode == "neither":
        say(row, q=1)
    elif mode == "declines":
        say(row, error="the answer\nis empty")
    elif mode == "giant":
        say(row, p=0.5, padding="x" * (4 << 20))
    elif mode == "scores":
        say(row, score_a=quality(row, "a"), score_b=quality(row, "b"), truncated_a=True)
    else:
        say(row)
