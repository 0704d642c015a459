#!/usr/bin/env python3
"""A transparent judge for trying the plumbing of `stageline judge`; no one should believe it.

The score of an answer is the share of the prompt's content words that it takes up, plus a little for
every content word of its own up to 40, so that an answer cannot win by length alone. The vote is the
sigmoid of four times the difference of the scores. Python's standard library is all it needs.

    stageline judge --judge command --command examples/judge_overlap.py \\
        --candidates examples/candidates.jsonl

Protocol: a line {"id", "prompt", "a", "b"} in, a line {"id", "p", "score_a", "score_b"} out.
"""
import json
import math
import re
import sys

COMMON = set("a an and are as at be because but by can did do does for from had has have how i if in is it "
             "its me my no not of on one only or our should so than that the their there they this to us was "
             "we were what when which who why will with you your".split())


def content_words(text):
    return [w for w in re.findall(r"\w+", text.lower()) if w not in COMMON]


def score(prompt, answer):
    asked, said = set(content_words(prompt)), set(content_words(answer))
    share = len(asked & said) / len(asked) if asked else 0.0
    return share + 0.01 * min(len(said - asked), 40)


def main():
    for line in sys.stdin:
        row = json.loads(line)
        if "prompt" not in row or "a" not in row or "b" not in row:
            print(json.dumps({"id": row["id"], "error": "this judge wants words, found token ids"}), flush=True)
            continue
        a, b = (score(row["prompt"], row[side]) for side in "ab")
        p = 1 / (1 + math.exp(4 * (b - a)))
        print(json.dumps({"id": row["id"], "p": p, "score_a": a, "score_b": b}), flush=True)


if __name__ == "__main__":
    main()
