#!/usr/bin/env python3
"""Short, real preference pairs as conversations, for tools/real.sh.

usage: real_pairs.py SOURCE PAIRS.jsonl PROMPTS.jsonl [--pairs N] [--prompts N] [--each N] [--held-out FILE]

SOURCE: rows {"prompt", "chosen", "rejected"} (JSONL, may be gzip'ed), or annotations.json of AlpacaEval
(a list of {"instruction", "output_1", "output_2", "preference"}; the preferred output is chosen).
One pair of each prompt (--each N: up to N), in the file's order, prompt and answers within the bounds below, so
that twenty updates of a model with 135 million parameters take minutes on two cores. --held-out FILE: every third
prompt, with all its pairs, goes there in place of PAIRS.jsonl.
"""
import argparse, gzip, json, sys

PROMPT_CHARACTERS, ANSWER_CHARACTERS = 200, (20, 400)


def rows(path):
    with open(path, "rb") as f:
        data = f.read()
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8")
    if not text.lstrip().startswith("["):
        yield from (json.loads(line) for line in text.splitlines() if line.strip())
        return
    for a in json.loads(text):
        preference = a.get("preference")
        if preference in (None, 0, 1.5):  # no vote, or a draw
            continue
        both = a["output_1"], a["output_2"]
        chosen, rejected = both if preference < 1.5 else both[::-1]
        yield {"prompt": a["instruction"], "chosen": chosen, "rejected": rejected}


def fits(row):
    low, high = ANSWER_CHARACTERS
    return len(row["prompt"]) <= PROMPT_CHARACTERS and all(low <= len(row[k]) <= high for k in ("chosen", "rejected"))


def conversation(row):
    return {
        "prompt": [{"role": "user", "content": row["prompt"]}],
        "chosen": [{"role": "assistant", "content": row["chosen"]}],
        "rejected": [{"role": "assistant", "content": row["rejected"]}],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("pairs")
    parser.add_argument("prompts")
    parser.add_argument("--pairs", dest="pair_count", type=int, default=160)
    parser.add_argument("--prompts", dest="prompt_count", type=int, default=3)
    parser.add_argument("--each", type=int, default=1)
    parser.add_argument("--held-out")
    a = parser.parse_args()
    taken = {}
    for row in rows(a.source):
        if fits(row) and (row["prompt"] in taken or len(taken) < a.pair_count + a.prompt_count):
            of_prompt = taken.setdefault(row["prompt"], [])
            if len(of_prompt) < a.each:
                of_prompt.append(row)
    chosen = list(taken.values())
    if len(chosen) <= a.prompt_count:
        sys.exit(f"real_pairs.py: {a.source}: want more than {a.prompt_count} short pairs, found {len(chosen)}")
    with open(a.prompts, "w", encoding="utf-8") as f:
        for of_prompt in chosen[: a.prompt_count]:
            f.write(json.dumps({"messages": conversation(of_prompt[0])["prompt"]}, ensure_ascii=False) + "\n")
    held_out = [i % 3 == 2 and a.held_out is not None for i in range(len(chosen))]
    for path, side in ((a.pairs, False), (a.held_out, True)):
        if path is None:
            continue
        parts = [p for i, p in enumerate(chosen) if i >= a.prompt_count and held_out[i] == side]
        with open(path, "w", encoding="utf-8") as f:
            for row in (row for of_prompt in parts for row in of_prompt):
                f.write(json.dumps(conversation(row), ensure_ascii=False) + "\n")
        print(f"{path}: {sum(map(len, parts))} pairs of {len(parts)} prompts")
    print(f"{a.prompts}: {a.prompt_count} prompts")


if __name__ == "__main__":
    main()
