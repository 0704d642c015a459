#!/usr/bin/env python3
"""PairRM (llm-blender/PairRM) as a judge of `stageline judge`; needs the Python package llm_blender
and the model's weights, and says so when they are not there.

    stageline judge --judge command --command examples/judge_pairrm.py --both-orders \\
        --candidates examples/candidates.jsonl -o votes.jsonl --set batch=32

The vote on (a, b) is the sigmoid of PairRM's logit with a first: one order only, because stageline
asks for the other one by itself, records both and averages. PairRM reads 1224 tokens of the prompt
and 412 of an answer; an answer that is cut is named by "truncated_a" and "truncated_b".

Protocol: a line {"id", "prompt", "a", "b"} in, a line {"id", "p", ...} out. Everything that is there
to read is judged as one batch.
"""
import json
import math
import os
import select
import sys


def stop(text):
    print("judge_pairrm.py: " + text, file=sys.stderr, flush=True)
    sys.exit(1)


def load():
    try:
        import llm_blender
    except ImportError as fault:
        stop("want the Python package llm_blender, found: %s; pip install llm-blender" % fault)
    blender = llm_blender.Blender()
    try:
        blender.loadranker("llm-blender/PairRM")
    except Exception as fault:  # no network, no weights, no memory: all the same to the caller
        stop("want the weights of llm-blender/PairRM, found: %s" % fault)
    return blender


def batches():
    """Lists of questions: a whole line is waited for, what follows at once belongs to it."""
    rest = b""
    while True:
        piece = os.read(0, 1 << 20)
        if not piece:
            return
        rest += piece
        while select.select([0], [], [], 0.05)[0]:
            piece = os.read(0, 1 << 20)
            if not piece:
                break
            rest += piece
        *lines, rest = rest.split(b"\n")
        questions = [json.loads(line) for line in lines if line.strip()]
        if questions:
            yield questions


def main():
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not an answer
    blender = load()
    blender.blender_config.use_tqdm = False

    def is_cut(text):
        ids = blender.ranker_tokenizer(text, add_special_tokens=False)["input_ids"]
        return len(ids) > blender.ranker_config.candidate_maxlength

    for questions in batches():
        texts = [q for q in questions if all(key in q for key in ("prompt", "a", "b"))]
        for q in questions:
            if q not in texts:
                print(json.dumps({"id": q["id"], "error": "PairRM wants words, found token ids"}), file=out)
        if texts:
            logits = blender.compare([q["prompt"] for q in texts], [q["a"] for q in texts],
                                     [q["b"] for q in texts], batch_size=len(texts),
                                     return_logits=True, mode="[A,B]")
            for q, logit in zip(texts, logits):
                print(json.dumps({"id": q["id"], "p": 1 / (1 + math.exp(-max(-700.0, min(700.0, float(logit))))),
                                  "truncated_a": is_cut(q["a"]), "truncated_b": is_cut(q["b"])}), file=out)
        out.flush()


if __name__ == "__main__":
    main()
