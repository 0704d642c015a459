#!/bin/sh
# `import`: every value of other trainers' logs is in the record, which all commands read; a log that was
# resumed has attempts; what is wrong is named, and nothing half-written stays.
. "$(dirname "$0")/common.sh"
fixtures=$STAGELINE_SOURCE/tests/import/fixtures
compare=$STAGELINE_SOURCE/tests/cli/import_compare.py
python=${STAGELINE_PYTHON:-python3}

# import_whole FORMAT LOG RUN: imports, verifies, exports all attempts, compares every value.
import_whole() {
    expect 0 "$program" import "$1" "$2" --out "$3"
    expect 0 "$program" verify "$3"
    expect 0 "$program" export "$3" --format jsonl --attempts all -o "$3.rows"
    "$python" "$compare" "$1" "$2" "$3" "$3.rows" || exit 1
}
import_whole trainer-state "$fixtures/trainer_state.json" state
# What such a log does not say is undefined, not 0: no noise of gradients, no cost of statistics.
expect 0 "$program" export state --table steps --format jsonl
! grep -v '"noise_s":null,"noise_g2":null' out | grep -q . || fail "want no noise of gradients in an imported log"
expect 0 "$program" analyze state
! grep -q "noise" out || fail "want no sentence on the noise of gradients"
import_whole llamafactory "$fixtures/trainer_log.jsonl" llama
import_whole wandb "$fixtures/wandb.jsonl" wandb
import_whole wandb "$fixtures/wandb.csv" wandb-csv
import_whole tensorboard "$fixtures/trainer.tfevents" events
import_whole tensorboard "$fixtures/scalars.tfevents" scalars
[ "$(digest wandb)" = "$(digest wandb-csv)" ] || fail "want one record of JSON lines and CSV"

# --- what is no number is said, with its count
expect 0 "$program" import llamafactory "$fixtures/trainer_log.jsonl" --out said
prints 'elapsed_time (7)' 'remaining_time (7)'
expect 0 "$program" import tensorboard "$fixtures/scalars.tfevents" --out said2 --json
prints '"schema": "stageline.import/1"' '"weights": 1' '"not_numbers": 2'

# --- resumed at 500 after logging to 1000: attempts apart, the live branch is followed
[ "$("$program" export wandb --table steps | cut -d, -f1 | tr '\n' ' ')" = "step 250 500 510 760 " ] ||
    fail "want the live branch 250 500 510 760"
[ "$("$program" export wandb --table steps --attempts all | wc -l)" -eq 7 ] || fail "want all rows of both attempts"
expect 0 "$program" inspect wandb --json
prints '"resumed_from": 509' '"format": "wandb"'

# --- gzip, stdin, the same answer each time
gzip -c "$fixtures/wandb.csv" >w.csv.gz
expect 0 "$program" import wandb w.csv.gz --out zipped
"$program" import wandb - --out piped <"$fixtures/wandb.csv" >/dev/null || fail "want to read stdin"
[ "$(digest zipped)" = "$(digest wandb)" ] && [ "$(digest piped)" = "$(digest wandb)" ] || fail "want one record"
# two event files of one log: the second begins where training resumed
expect 0 "$program" import tensorboard "$fixtures/scalars.tfevents" "$fixtures/scalars.tfevents" --out twice
prints 'twice: 2 attempts'

# --- the other commands
for run in state wandb events; do
    expect 0 "$program" analyze $run --out $run.tables
    expect 0 "$program" inspect $run
    expect 0 "$program" report $run --out $run.html
    grep -q tfevents $run.html || grep -q imported $run.html || grep -q trainer_state $run.html || true
    [ -s $run.html ] || fail "want a page of $run"
done
[ "$(grep -c loss events.tables/evals.tsv)" -gt 0 ] || fail "want eval/loss among the evals"
if command -v gnuplot >/dev/null; then
    expect 0 "$program" plot wandb --out figures --figure rewards
    [ -s figures/rewards.svg ] || fail "want the figure of margins"
fi

# --- wrong input: one line, the place in it; nothing stays
bad() {
    rm -rf run
    expect 1 "$program" import "$1" "$2" --out run
    one_line
    [ ! -e run ] && [ -z "$(find . -name '*.part-*')" ] || fail "want nothing half-written"
}
bad trainer-state nowhere.json
says 'nowhere.json: want to read it'
echo '{"log_history": [{"loss": 1}]}' >t.json
bad trainer-state t.json
says 't.json log_history element 0: want "step" (a whole number from 0), found none' '--allow-bad'
echo '{"log_history": 3}' >t.json
bad trainer-state t.json
says 'want "log_history" (a list)'
echo '{"log_history": []}' >t.json
bad trainer-state t.json
says 'want rows, found none'
printf '{"current_steps": 1, "loss": 0.5}\n{"current_steps": 2, "loss": 0.5' >torn.jsonl
bad llamafactory torn.jsonl
says 'torn.jsonl:2' '1 of 2 rows are bad'
expect 0 "$program" import llamafactory torn.jsonl --out torn --allow-bad 0.5
prints '1 row, 1 bad' 'bad line 2: want JSON'
printf '{"current_steps": 1, "lo\377ss": 0.5}\n' >utf8.jsonl
bad llamafactory utf8.jsonl
says 'utf8.jsonl:1'
{
    printf '{"current_steps": 1, "x": "'
    head -c 10000000 /dev/zero | tr '\0' a
    echo '"}'
} >long.jsonl
bad llamafactory long.jsonl
says 'long.jsonl:1: want a line of at most 8388608 bytes'
printf '_step,loss\n1,0.5\n2\n' >short.csv
bad wandb short.csv
says 'short.csv:3: want 2 cells, found 1'
printf 'x,loss\n1,0.5\n' >nostep.csv
bad wandb nostep.csv
says 'nostep.csv:1: want a column of steps'
{
    printf '_step,loss\n1,'
    head -c 10000000 /dev/zero | tr '\0' 1
    echo
} >long.csv
bad wandb long.csv
says 'long.csv:2'
gzip -c "$fixtures/wandb.csv" | head -c 300 >cut.csv.gz
bad wandb cut.csv.gz
says 'want a whole gzip stream'
: >empty
bad wandb empty
bad tensorboard empty
says 'empty: want rows, found none'
# a flipped bit in the data of the second record, one in a length, a missing tail
flip() { # FILE BYTE
    "$python" -c 'import sys; b = bytearray(open(sys.argv[1], "rb").read()); b[int(sys.argv[2])] ^= 1; open("flipped", "wb").write(b)' "$@"
}
size=$(wc -c <"$fixtures/scalars.tfevents")
flip "$fixtures/scalars.tfevents" $((size - 10))
bad tensorboard flipped
says 'masked CRC32C' 'of the record'"'"'s data'
flip "$fixtures/scalars.tfevents" 3
bad tensorboard flipped
says 'flipped byte 0: want masked CRC32C' "of the record's length"
head -c $((size - 5)) "$fixtures/scalars.tfevents" >flipped
bad tensorboard flipped
says 'and the end'
expect 0 "$program" import tensorboard flipped --out tail --allow-bad 0.1
prints '1 bad, cut off at its end'
# usage
expect 2 "$program" import tensorbord x --out run
says 'did you mean "tensorboard"?'
expect 2 "$program" import wandb x
says 'want --out RUN'
expect 1 "$program" import wandb "$fixtures/wandb.csv" --out wandb
says 'wandb: want a new folder, found one there'

# its report says what it has, and no more
STAGELINE_PLOTS=${STAGELINE_SOURCE:?}/plots
export STAGELINE_PLOTS
expect 0 "$program" import trainer-state "$fixtures/trainer_state.json" --out reported
expect 0 "$program" report reported --out reported.html
grep -q 'This run measured no boundary score' reported.html || fail "want a report without a score"
grep -q 'neither votes nor pairs to look at' reported.html || fail "want no claim about warnings"
! grep -q '<h3>Figures' reported.html || fail "want no heading without a figure"
