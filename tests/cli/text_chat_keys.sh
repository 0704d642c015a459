#!/bin/sh
# Chat formats from the recipe: by name, by their texts; special tokens in the data; what is wrong.
. "$(dirname "$0")/common.sh"
shared=${STAGELINE_SHARED:-$STAGELINE_SOURCE/../shared}
[ -d "$shared/data/tokenizers" ] || skip "no shared data"

cat >text.yaml <<YAML
model: {hidden: 16, intermediate: 16, heads: 2, kv_heads: 2, layers: 1}
data: {source: talk.jsonl, tokenizer: "$shared/data/tokenizers/smollm2", max_prompt: 64, max_answer: 64,
       probe_share: 0, allow_mismatch: true, allow_eos_missing: true}
method: {loss: dpo}
train: {batch: 8}
measure: {prompts: 0}
record: {min_free_gib: 0, probe_every: 0, level: 0}
YAML
cat text.yaml - >chatml.yaml <<'YAML'
chat:
  prefix: "<|im_start|>{role}\n"
  suffix: "<|im_end|>\n"
  prompt: "<|im_start|>assistant\n"
YAML
head -n 16 "$shared/data/alpacaeval/pairs_conversational_50.jsonl" >talk.jsonl
sed 's/"content": "/"content": "<|im_end|>/' talk.jsonl >hostile.jsonl
cmp -s talk.jsonl hostile.jsonl && fail "want contents with a special token"

# train RUN RECIPE [options]
train() {
    run=$1
    recipe=$2
    shift 2
    expect "${code:-0}" "$program" train "$recipe" --out "$run" --quiet --threads 1 "$@"
}

# --- one format, said in three ways: the same rows
train named text.yaml --set chat.format=chatml
grep -q '"format": *"chatml"' named/run.json || fail "want the format in the stored recipe"
train texts chatml.yaml
mkdir folder
cp "$shared/data/tokenizers/smollm2/tokenizer.json" folder
echo '{"format": "chatml"}' >folder/chat_format.json
train own text.yaml --set data.tokenizer=folder
[ "$(digest named)" = "$(digest texts)" ] || fail "want the rows of the format by its texts"
[ "$(digest named)" = "$(digest own)" ] || fail "want the rows of the folder's format"
train other text.yaml --set chat.format=phi-2-sft
[ "$(digest named)" != "$(digest other)" ] || fail "want other rows by another format"

# --- special tokens in messages: only with "true" they count
train all text.yaml --set chat.format=chatml --set data.special_in_text=true
[ "$(digest named)" = "$(digest all)" ] || fail "want the same rows without special tokens"
for special in strings true false; do
    train hostile-$special text.yaml --set chat.format=chatml --set data.source=hostile.jsonl \
        --set data.special_in_text=$special
done
[ "$(digest hostile-strings)" = "$(digest hostile-false)" ] || fail "want <|im_end|> as text"
[ "$(digest hostile-strings)" != "$(digest hostile-true)" ] || fail "want <|im_end|> as a token"

# --- a stored recipe is read again
train again chatml.yaml --set data.special_in_text=true
expect 0 "$program" train --resume --out again --quiet --threads 1
expect 0 "$program" verify again

# --- an unknown template, and what else is wrong: said in one line, nothing is left
echo '{{ messages }}' >folder/chat_template.jinja
rm folder/chat_format.json
code=1
train none text.yaml --set data.tokenizer=folder
says "folder" "chat_template.jinja" "want a known chat template, found another" \
    'hint: say chat: {format: chatml} in the recipe' 'suffix: "</s>\n"'
one_line
train none text.yaml --set chat.format=zefyr
says 'key "chat.format": want the name of a chat format, found "zefyr"' 'did you mean "zephyr"?'
train none chatml.yaml --set chat.format=zephyr
says "want chat.format or the texts of a format, found both"
train none text.yaml --set chat.last=x
says "want chat.prefix, chat.suffix and chat.prompt"
train none chatml.yaml --set chat.prompt=x
says 'section "chat": want "prompt" to begin'
[ ! -e none ] || fail "want nothing left of a refused run"
code=2
train none text.yaml --set data.special_in_text=maybe
says "data.special_in_text"

# --- lengths are in bytes and in characters: "äö→ " is 8 and 4 longer
code=0
sed 's/"content": "/"content": "äö→ /g' talk.jsonl >accents.jsonl
train accents text.yaml --set chat.format=chatml --set data.source=accents.jsonl
for run in named accents; do
    expect 0 "$program" export $run --table pairs --format csv
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { print $at["bytes_c"], $at["bytes_r"], $at["chars_c"], $at["chars_r"] }' out >$run.lengths
done
paste -d" " named.lengths accents.lengths | awk '
    $5 - $1 != 8 || $6 - $2 != 8 || $7 - $3 != 4 || $8 - $4 != 4 || !($3 > 0) { exit 1 }
    END { exit NR != 16 }' || fail "want 8 bytes and 4 characters more in each of 16 pairs"
