#!/bin/sh
# analyze on sets of answers: files known by themselves, sentences and a document, two files, wrong
# input in one line.
. "$(dirname "$0")/common.sh"

# on-policy answers score 1 more than static ones, on all but every fourth prompt
awk 'BEGIN { for (i = 0; i < 200; i++) printf "{\"prompt\":\"p %d\",\"responses\":[\"a b c d %d\",\"a b c %d\"],\"rewards\":[%d,%d]}\n",
    i, i, i, (i % 4 > 0), (i % 4 > 0) }' >on.jsonl
awk 'BEGIN { for (i = 0; i < 200; i++) printf "{\"prompt\":\"p %d\",\"all_generated_responses\":[\"x y %d\"],\"all_rm_scores\":[0.5]}\n",
    i, i }' >off.jsonl

expect 0 "$program" analyze on.jsonl off.jsonl
prints "set 1: on: 400 answers to 200 prompts, 2 each" "set 2: off: 200 answers" "distinct_1" \
    "200 common prompts" "on: boundary score 0.7500" "length_gap"
expect 0 "$program" analyze on.jsonl off.jsonl --json
[ "$(head -n 2 out | tr -d ' \n')" = '{"schema":"stageline.candidates/1",' ] || fail "want the schema first"
! grep -q 'nan\|NaN' out || fail "want null for what is undefined"
gzip -c on.jsonl >on.jsonl.gz
expect 0 "$program" analyze on.jsonl.gz --tokens bytes --choose take=1 --choose cut=50 --seed 3
prints "tokens: bytes (vocabulary 256)" "answers cut to"
expect 0 "$program" analyze on.jsonl off.jsonl --tokens bytes --choose residual=1
prints "at equal length" "slope a token"
expect 0 "$program" analyze --list-metrics
prints "self_bleu_4" "vendi" "bs_hard" "arXiv 2210.02410"
"$program" analyze - --candidates <on.jsonl >out 2>err || fail "want answers from stdin"
prints "set 1: stdin: 400 answers"

# --- wrong input: one line, a hint, an exit code
expect 2 "$program" analyze on.jsonl --tokens word
expect 2 "$program" analyze on.jsonl --choose tak=1
expect 2 "$program" analyze on.jsonl --choose corpus=100000
expect 2 "$program" analyze on.jsonl --choose residual=2
printf '{"prompt_id":1,"vote":1}\n' >v.jsonl
expect 2 "$program" analyze on.jsonl v.jsonl
expect 2 "$program" analyze v.jsonl --tokens bytes
sed '3s/.*/{"prompt":"p","responses":[1]}/;4s/.*/junk/;5s/.*/{}/' on.jsonl >bad.jsonl
expect 1 "$program" analyze bad.jsonl
grep -q 'bad.jsonl:3: want texts in "responses"' err || fail "want the first bad row by its line"
grep -q '3 of 200 rows are bad' err || fail "want the number of bad rows"
expect 0 "$program" analyze bad.jsonl --allow-bad 0.02
prints "3 bad and left out"
