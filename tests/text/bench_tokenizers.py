#!/usr/bin/env python3
"""Texts to ids: this program against the library `tokenizers`, one thread each, the same texts, in
turns; medians. usage: bench_tokenizers.py BENCH_ENCODE [TURNS]; needs ../shared and `tokenizers`
(exit code 77 says that one is missing)."""
import gzip
import json
import os
import statistics
import subprocess
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
try:
    import tokenizers
except ImportError:
    print("skipped: want the Python package tokenizers, found none")
    sys.exit(77)

ROWS = 1000
FILES = ["llama3/tokenizer", "mistral/tokenizer", "mistral/tokenizer_old", "phi2/tokenizer",
         "pythia/tokenizer", "qwen2/tokenizer", "smollm2/tokenizer"]


def read_texts(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for _, line in zip(range(ROWS), lines)]
    return [row[key] for row in rows for key in ("prompt", "chosen", "rejected")]


def compare(program, tokenizer, pairs, texts, turns):
    """Median seconds of both and the median of the ratios, turn by turn."""
    library = tokenizers.Tokenizer.from_file(tokenizer)
    ours, theirs = [], []
    with subprocess.Popen([program, tokenizer, pairs, str(ROWS), "turns"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True, bufsize=1) as child:
        for turn in range(turns + 1):
            child.stdin.write("\n")
            seconds, count = child.stdout.readline().split()
            begin = time.perf_counter()
            # the fastest form: no offsets
            found = library.encode_batch_fast(texts, add_special_tokens=False)
            end = time.perf_counter()
            if sum(len(e.ids) for e in found) != int(count):
                sys.exit(f"{tokenizer}: want the library's number of ids, found {count}")
            if turn:  # the first one warms both up
                ours.append(float(seconds))
                theirs.append(end - begin)
        child.stdin.close()
    ratio = statistics.median(b / a for a, b in zip(ours, theirs))
    return statistics.median(ours), statistics.median(theirs), ratio


def main():
    shared = os.environ.get("STAGELINE_SHARED") or os.path.join(
        os.environ.get("STAGELINE_SOURCE", "."), "..", "shared")
    pairs = os.path.join(shared, "data/alpacaeval/pairs.jsonl.gz")
    if not os.path.exists(pairs):
        print("skipped: no shared data")
        sys.exit(77)
    texts = read_texts(pairs)
    size = sum(len(text.encode()) for text in texts) / 1e6
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    print(f"tokenizers {tokenizers.__version__}, {len(texts)} texts, {size:.2f} MB, {turns} turns")
    print(f"{'':24} {'ours MB/s':>10} {'library':>10} {'ratio':>7}")
    for name in FILES:
        path = os.path.join(shared, "data/tokenizers", name + ".json")
        a, b, ratio = compare(sys.argv[1], path, pairs, texts, turns)
        print(f"{name:24} {size / a:10.2f} {size / b:10.2f} {ratio:7.2f}")


main()
