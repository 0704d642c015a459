#!/bin/sh
# The recipes of published runs, each on the tiny checkpoint of its family: audited, planned and trained
# for a few updates on rows of the format that it names, with a tokenizer of the checkpoint's size that
# is made here (bytes of ASCII and the marks of the family's chat format).
. "$(dirname "$0")/common.sh"
shared=${STAGELINE_SHARED:-$STAGELINE_SOURCE/../shared}
[ -d "$shared/goldens/models" ] || skip "no shared goldens"
command -v python3 >/dev/null || skip "no python3"
cat >make.py <<'PY'
import json, sys
folder, chat = sys.argv[1:3]
marks = {"zephyr": ["<unk>", "<s>", "</s>"], "llama-3": ["<|end_of_text|>", "<|begin_of_text|>", "<|eot_id|>",
         "<|start_header_id|>", "<|end_header_id|>"], "qwen2.5": ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
         "plain": ["<|endoftext|>", "<|padding|>", "<|end|>"]}[chat]
byte = {b: chr(b) for b in range(33, 127)}  # byte-level alphabet: printable ones stand for themselves
byte[10], byte[32] = chr(256 + 10), chr(256 + 32)
vocab = {c: len(marks) + i for i, c in enumerate(byte[b] for b in sorted(byte))}
vocab.update({m: i for i, m in enumerate(marks)})
added = [{"id": i, "content": m, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
          "special": True} for i, m in enumerate(marks)]
level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
json.dump({"version": "1.0", "added_tokens": added, "normalizer": None, "pre_tokenizer": level, "post_processor": None,
           "decoder": level, "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
           "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "vocab": vocab, "merges": []}},
          open(folder + "/tokenizer.json", "w"))
json.dump({"format": chat}, open(folder + "/chat_format.json", "w"))
PY
cat >rows.py <<'PY'
import json, sys
kind = sys.argv[1]
for i in range(40):
    q, good, bad = f"What is {i} and {i + 1}?", f"It is {2 * i + 1}.", f"Perhaps {i}, who can say so?"
    said = lambda a: [{"role": "user", "content": q}, {"role": "assistant", "content": a}]
    if kind == "ultrafeedback":
        row = {"prompt": q, "prompt_id": f"p{i}", "chosen": said(good), "rejected": said(bad),
               "score_chosen": 8.0, "score_rejected": 4.5}
    elif kind == "hh":
        row = {"chosen": f"\n\nHuman: {q}\n\nAssistant: {good}", "rejected": f"\n\nHuman: {q}\n\nAssistant: {bad}"}
    else:
        row = {"prompt": f"### Human: {q}\n### Assistant:\n", "chosen": good, "rejected": bad}
    print(json.dumps(row))
PY
# recipe  checkpoint  chat format  rows  what the form of its loss says
while read -r recipe family chat rows form; do
    cp -r "$shared/goldens/models/$family" "$recipe" && chmod -R u+w "$recipe"
    python3 make.py "$recipe" "$chat"
    python3 rows.py "$rows" >"$recipe.jsonl"
    sed "s|^  policy: .*|  policy: $scratch/$recipe|; s|^  source: .*|  source: $scratch/$recipe.jsonl|" \
        "$recipes/$recipe.yaml" >"$recipe.yaml"
    [ "$(diff "$recipes/$recipe.yaml" "$recipe.yaml" | grep -c '^>')" -eq 2 ] || fail "want two lines of $recipe changed"
    expect 0 "$program" audit "$recipe.yaml" --json
    prints '"rows": 40' '"kept": 40' '"errors": 0' '"has_tokens": true'
    expect 0 "$program" train "$recipe.yaml" --out "run-$recipe" --threads 1 --set train.prompts=16 \
        --set train.batch=8 --set train.micro_batch=4 --set record.min_free_gib=0
    says "run-$recipe: " "memory: parameters" "data: 40 rows, 40 kept"
    [ "$(last_step "run-$recipe")" -eq 2 ] || fail "want two updates of $recipe, found $(last_step "run-$recipe")"
    digest "run-$recipe" >/dev/null
    cp "run-$recipe/run.json" out
    prints "$form"
    echo "$recipe" >>done
done <<'LIST'
zephyr-dpo zephyr zephyr ultrafeedback "beta": 0.01
llama3-simpo llama llama-3 ultrafeedback "name": "simpo"
pythia-hh-rmsprop pythia plain hh "name": "rmsprop"
phi2-dpo phi2 plain strings "warmup_from_zero": true
qwen-dpo qwen2 qwen2.5 ultrafeedback "beta": 0.1
LIST
[ "$(wc -l <done)" -eq 5 ] || fail "want five published recipes"
for recipe in "$recipes"/*.yaml; do # every recipe that names a checkpoint is in the list, or real.sh's
    case ${recipe##*/} in method-* | world-* | smollm2-* | compare-*) continue ;; esac
    grep -qx "$(basename "$recipe" .yaml)" done || fail "want $recipe in the list"
done

# The recipes of the methods are of the built-in world: there is no file to audit, and audit says so.
for recipe in "$recipes"/method-*.yaml; do
    grep -q '^data:' "$recipe" && fail "want an audit of $recipe, which names a file"
done
expect 1 "$program" audit "$recipes/method-dpo.yaml"
one_line
says "data.source"
