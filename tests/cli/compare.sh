#!/bin/sh
# Models and runs side by side, from the command line to the figure.
. "$(dirname -- "$0")/common.sh"

# Two models and a judge; b wins always, so that strengths need a ridge.
for i in $(seq 40); do
    echo "{\"prompt_id\": $i, \"vote\": $((i % 2)), \"name\": \"a\", \"judge\": \"j\", \"family\": \"f_1\", \"baseline\": \"base\"}"
    echo "{\"prompt_id\": $i, \"vote\": 1, \"name\": \"b\", \"judge\": \"j\", \"family\": \"f_1\", \"baseline\": \"base\"}"
done >votes.jsonl
expect 0 "$program" compare votes.jsonl --json
prints '"schema": "stageline.compare/1"' '"family": "f_1"' '"baseline": "base"' '"difference": -0.5' '"p_holm"'
expect 0 "$program" compare votes.jsonl
prints "Bradley-Terry strengths" "Holm's over all 1 paired tests and over all 3 differences"
expect 0 "$program" compare votes.jsonl --format latex --out paper --figure pdf
prints '\begin{tabular}' 'f\_1'
for file in models.tsv models.tex paired.tsv strengths.tex differences.tsv models.pdf; do
    [ -s "paper/$file" ] || fail "want paper/$file"
done
[ ! -e paper/progress.pdf ] || fail "want no figure of progress without a run"
expect 0 "$program" compare votes.jsonl --format csv
prints "models,1,f_1,a,base,j,40,40,0.5,"

# The answers of the baseline give the score at equal length; another baseline's give nothing.
for i in $(seq 40); do echo "{\"prompt_id\": $i, \"baseline\": \"base\", \"output\": \"four\"}"; done >base.jsonl
for i in $(seq 40); do
    echo "{\"prompt_id\": $i, \"prompt\": \"$i\", \"model\": \"m\", \"baseline\": \"base\", \"output\": \"longer $i\", \"preference\": $((i % 2 + 1))}"
done >rated.jsonl
expect 0 "$program" analyze rated.jsonl --baselines base.jsonl
prints "with lengths controlled"
expect 0 "$program" compare rated.jsonl --baselines base.jsonl --json
sed 's/"base"/"else"/' base.jsonl >else.jsonl
expect 1 "$program" analyze rated.jsonl --baselines else.jsonl
says "want answers of a baseline that these votes met"

# Runs: the same data in another order have prompts in common.
make_start
expect 0 train_dpo one --set policy.source=static --set measure.counterfactual=false
expect 0 train_dpo two --set policy.source=static --set measure.counterfactual=false --set method.loss=ipo
expect 0 "$program" compare one two --out runs --json
prints '"method": "ipo"' '"unit": "margin_per_byte"' '"nats_per_byte_chosen"' '"interval": "sequence"'
for file in runs.tsv progress.tsv models.svg progress.svg; do
    [ -s "runs/$file" ] || fail "want runs/$file"
done
[ "$(grep -c '^one' runs/progress.tsv)" -eq 20 ] || fail "want twenty windows of run one"
awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["margin_per_byte"] != $at["margin_per_char"] { exit 1 }
    END { exit NR != 3 }' runs/runs.tsv || fail "want a character of the world's answers to be a byte"

# Wrong use.
expect 2 "$program" compare votes.jsonl --format latx
says 'want --format text, latex or csv' 'did you mean "latex"?'
expect 2 "$program" compare votes.jsonl --figure gif
expect 2 "$program" compare votes.jsonl --level 2
says "want --level"
expect 2 "$program" compare
expect 1 "$program" compare votes.jsonl --out paper
says "want a new folder"
expect 1 "$program" compare nowhere
one_line
[ -z "$(ls -d ./*.part-* 2>/dev/null)" ] || fail "want no half-made folder"
