#!/bin/sh
# text: every row of the goldens through the program, chat formats, wrong input.
. "$(dirname "$0")/common.sh"
bytes=$STAGELINE_SOURCE/tests/text/corpus/bytes.json

# text VERB MODEL ROW [options]: one row through the program.
text() {
    row=$3
    verb=$1
    model=$2
    shift 3
    printf '%s\n' "$row" >row.jsonl
    expect 0 "$program" text "$verb" "$model" row.jsonl "$@"
}
# refuses VERB ROW TEXT: exit code 1 and one line with TEXT.
refuses() {
    printf '%s\n' "$2" >row.jsonl
    expect 1 "$program" text "$1" "$bytes" row.jsonl
    says "row.jsonl:1" "$3"
    one_line
}

# --- ids of a small file, from its own table
text encode "$bytes" '{"text": "ab12 <s>"}' --json
[ "$(cat out)" = '{"ids":[11,14,3,18],"ids_special":[11,14,3,18]}' ] || fail "want the ids 11 14 3 18"
text encode "$bytes" '{"text": "b<s>s"}' --json --no-special-in-text
[ "$(cat out)" = '{"ids":[1,7,7],"ids_special":[1,7,7]}' ] || fail "want <s> as ordinary text"
text encode "$bytes" '{"text": "ab"}'
prints "      11  ab"
text decode "$bytes" '{"ids": [18, 11, 10, 11], "ids_special": [0]}'
[ "$(cat out)" = '"<s>ab\nab"' ] || fail "want the text as JSON writes it"
text decode "$bytes" '{"ids": [18, 11]}' --json
[ "$(cat out)" = '{"text":"<s>ab","text_skip_special":"ab"}' ] || fail "want both texts"
printf '{"text": "a"}\n\n{"text": ""}' | gzip >rows.gz
expect 0 "$program" text encode "$bytes" rows.gz --json
[ "$(tail -n 1 out)" = '{"ids":[],"ids_special":[]}' ] && [ "$(wc -l <out)" -eq 2 ] ||
    fail "want a line for each row, blank lines skipped"
"$program" text encode "$bytes" - --json <rows.gz | cmp - out || fail "want the same from stdin"
line=$("$program" text --help | sed -n 's/^example: //p')
(cd "$STAGELINE_SOURCE" && PATH=$(dirname "$program"):$PATH && eval "$line") >out ||
    fail "want the example of the help to work"
prints "      18  <s>"
"$program" text --help >out
[ "$(wc -l <out)" -le 24 ] && [ "$(wc -L <out)" -le 100 ] || fail "want the help on a screen"

# --- chat
cat >said.txt <<'EOF'
<|user|>
Hi</s>
<|assistant|>

EOF
text chat "$bytes" '{"prompt": "Hi"}' --format zephyr
cmp out said.txt || fail "want a prompt by the format of that name"
for row in '[{"role": "user", "content": "Hi"}]' '{"prompt": [{"role": "user", "content": "Hi"}]}' \
    '{"messages": [{"role": "user", "content": "Hi"}]}'; do
    text chat "$bytes" "$row" --format zephyr
    cmp out said.txt || fail "want the same prompt of $row"
done
talk='[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]'
text chat "$bytes" "$talk" --format plain --json
[ "$(cat out)" = '{"text":"ab","ids":[11]}' ] || fail "want text and ids of a whole dialogue"
text chat "$bytes" "$talk" --format oasst --prompt
prints '<|endoftext|><|assistant|>'
text chat "$bytes" "$talk" --format oasst
prints '<|assistant|>b<|endoftext|>'
text chat "$bytes" '{"prompt": "a"}' --format oasst --no-prompt
! grep -q assistant out || fail "want no prompt with --no-prompt"
text chat "$bytes" '{"prompt": "<s>"}' --format plain --json
prints '"ids":[7]' # of <s> only the s has a token
text chat "$bytes" '{"prompt": "<s>"}' --format plain --json --special-in-text
prints '"ids":[18]'

# --- wrong input
refuses encode '{"texts": "a"}' 'want "text" (text), found none'
refuses encode '["a"]' 'want an object with "text"'
refuses encode '{"text": 1}' 'found an integer'
refuses encode '{"text": "a"' 'want JSON'
refuses decode '{"ids": 7}' 'want "ids" (a list of token ids), found another value'
refuses decode '{"ids": [1, -1]}' 'found another value at 1'
refuses decode '{"ids": [4294967296]}' 'found another value at 0'
refuses chat '{"messages": []}' 'want at least one message'
refuses chat '{"message": []}' 'want "messages" (a list) or "prompt", found neither'
refuses chat '7' 'found neither'
refuses chat '{"prompt": "a\u0000b"}' 'want JSON'
printf '{"text": "a"}\n{"text": "\xff"}\n' >row.jsonl
expect 1 "$program" text encode "$bytes" row.jsonl --json
says "row.jsonl:2"
one_line
refuses chat '{"prompt": "a"}' 'want a chat template, found none'
says "hint: " "chat: {format: chatml}" "chat_format.json"
expect 1 "$program" text chat "$bytes" row.jsonl --format zefyr
says '"zefyr"' 'hint: did you mean "zephyr"?'
expect 1 "$program" text encode none.json row.jsonl
says "none.json"
expect 1 "$program" text encode "$bytes" none.jsonl
says "none.jsonl"
expect 2 "$program" text encod "$bytes"
says 'want encode, decode or chat, found "encod"' 'hint: did you mean encode?'
expect 2 "$program" text encode
expect 2 "$program" text encode "$bytes" row.jsonl --format zephyr
says "with chat only"
expect 2 "$program" text chat "$bytes" row.jsonl --prompt --no-prompt
expect 2 "$program" text chat "$bytes" row.jsonl --special-in-text --no-special-in-text
head -c 70000000 /dev/zero | tr '\0' ' ' >long.jsonl
echo '{"text": "a"}' >>long.jsonl
expect 1 "$program" text encode "$bytes" long.jsonl
says "long.jsonl:1" "want a line of at most 67108864 bytes"

# --- the goldens: ids, ids with special tokens, both texts, exact
shared=${STAGELINE_SHARED:-$STAGELINE_SOURCE/../shared}
[ -d "$shared/goldens/tokenizers" ] && [ -d "$shared/data/tokenizers" ] || skip "no shared data"
cat >rows.py <<'EOF'
"""rows.py KEY GOLDEN: the rows that the program reads; rows.py GOLDEN ENCODED DECODED SPECIAL:
compares what it said."""
import json, sys

def rows(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]

if len(sys.argv) == 3:
    key = "text" if sys.argv[1] == "text" else "ids"
    for row in rows(sys.argv[2]):
        print(json.dumps({key: row[sys.argv[1]]}))
    sys.exit()
golden, encoded, decoded, special = map(rows, sys.argv[1:])
if not len(golden) == len(encoded) == len(decoded) == len(special) or len(golden) < 400:
    sys.exit(f"want a line for each of {len(golden)} rows, at least 400")
for number, (want, a, b, c) in enumerate(zip(golden, encoded, decoded, special), 1):
    found = {"ids": a["ids"], "ids_special": a["ids_special"], "decoded": b["text"],
             "decoded_skip_special": c["text_skip_special"]}
    for key in found:
        if found[key] != want[key]:
            sys.exit(f"line {number}, {key}: want {want[key]!r}, found {found[key]!r}")
EOF
for name in llama3 mistral mistral_old phi2 pythia qwen2 smollm2; do
    golden=$shared/goldens/tokenizers/$name.jsonl
    model=$shared/data/tokenizers/$name
    [ $name = mistral_old ] && model=$shared/data/tokenizers/mistral/tokenizer_old.json
    for key in text ids ids_special; do
        python3 rows.py $key "$golden" >$key.jsonl
    done
    "$program" text encode "$model" text.jsonl --json >encoded.jsonl || fail "want ids of $name"
    "$program" text decode "$model" ids.jsonl --json >decoded.jsonl || fail "want texts of $name"
    "$program" text decode "$model" ids_special.jsonl --json >special.jsonl ||
        fail "want texts of $name"
    python3 rows.py "$golden" encoded.jsonl decoded.jsonl special.jsonl || fail "$name differs"
done

# --- a conversation by the real template, its ids as published
text chat "$shared/data/tokenizers/llama3" '{"prompt": "Hi"}' --json
prints '"ids":[128000,128006,882,128007,271,13347,128009,128006,78191,128007,271]'
text chat "$shared/data/tokenizers/llama3" '{"prompt": "<|eot_id|>"}' --json
[ "$(grep -o 128009 out | wc -l)" -eq 1 ] || fail "want one end of turn, that of the format"
