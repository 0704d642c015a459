#!/bin/sh
# Preference pairs as text, strings and conversations, through a real tokenizer and chat format.
. "$(dirname "$0")/common.sh"
shared=${STAGELINE_SHARED:-$STAGELINE_SOURCE/../shared}
[ -d "$shared/data/tokenizers" ] || skip "no shared data"

cat >text.yaml <<'YAML'
model: {hidden: 16, intermediate: 16, heads: 2, kv_heads: 2, layers: 1}
data: {max_prompt: 32, max_answer: 32, probe_share: 0, allow_mismatch: true}
method: {loss: dpo}
train: {batch: 8}
measure: {prompts: 0}
record: {min_free_gib: 0, probe_every: 0, level: 0}
YAML
gzip -dc "$shared/data/alpacaeval/pairs.jsonl.gz" | head -n 32 >strings.jsonl
for data in conversational implicit_prompt; do
    head -n 16 "$shared/data/alpacaeval/pairs_${data}_50.jsonl" >"$data.jsonl"
done

expect 0 "$program" train text.yaml --out strings --quiet --threads 1 \
    --set data.source=strings.jsonl --set "data.tokenizer=$shared/data/tokenizers/smollm2"
grep -q '"tokenizer_sha256"' strings/run.json || fail "want the tokenizer's hash in run.json"
for data in conversational implicit_prompt; do
    expect 0 "$program" train text.yaml --out "$data" --quiet --threads 1 \
        --set "data.source=$data.jsonl" --set "data.tokenizer=$shared/data/tokenizers/qwen2"
    expect 0 "$program" verify "$data"
done

# What is missing is said, and nothing is left.
expect 1 "$program" train text.yaml --out none --quiet --set data.source=strings.jsonl
says "strings.jsonl:1" "want data.tokenizer"
expect 1 "$program" train text.yaml --out none --quiet --set data.source=conversational.jsonl \
    --set "data.tokenizer=$shared/data/tokenizers/smollm2"
says "want a chat template" "chat_format.json"
[ ! -e none ] || fail "want nothing left of a refused run"
