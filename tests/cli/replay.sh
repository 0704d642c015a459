#!/bin/sh
# Other rules over recorded votes: of files by arithmetic, of a run against what the run did.
. "$(dirname -- "$0")/common.sh"

# 30 prompts in favour of the static side, then at another step 30 for the policy.
for i in $(seq 30); do echo "{\"prompt_id\": $i, \"vote\": 0, \"step\": 0}"; done >votes.jsonl
for i in $(seq 30); do echo "{\"prompt_id\": $i, \"vote\": 1, \"step\": 8}"; done >>votes.jsonl

# |wins - losses| = 15 stops the ratio test; a sample of 20 takes 20; 2000 are not there.
expect 0 "$program" replay votes.jsonl --rule sprt --rule fixed:n=20 --rule fixed
prints "injection by 15 prompts (15 votes)" "fine-tuning by 15 prompts (15 votes)" \
    "injection by 20 prompts (20 votes)" "the votes end before it answers (30 of 2000 prompts)" \
    "on-policy share 1.00, switches"
expect 0 "$program" replay votes.jsonl --rule sprt:c=2 --json
prints '"schema": "stageline.replay/1"' '"done": null' '"switches": 0' '"same_stage": null' '"score": null'
expect 0 "$program" replay --rules
prints "kelly:tau=0.5,delta=0.05,alpha=0.05,n=0,c=1"

# Of a run: its own rule takes the votes that it took and names the stages that it named.
make_start
expect 0 train_dpo run --set measure.delta=0.1
measured=$("$program" analyze run --json | grep -c '"is_same": true')
expect 0 "$program" replay run --rule kelly:delta=0.1 --json
prints "\"same_stage\": $measured" '"rule": "recorded"' '"rule": "off-then-on"' '"accuracy": 1'
expect 0 "$program" replay run --rule kelly:delta=0.1
sed -n 's/.*done: \(.* votes)\).*/\1/p' out >done
sed -n '/^ kelly/,/^  against/s/^  step [0-9]* *\(.* votes)\).*/\1/p' out >ours
[ -s done ] || fail "want measurements, found none"
diff done ours || fail "want what was done (<), found other stops (>)"

# Wrong use.
expect 2 "$program" replay votes.jsonl --rule kely
says "want a rule" 'did you mean "kelly"?'
expect 2 "$program" replay votes.jsonl --rule kelly:dleta=.1
says 'did you mean "delta"?'
expect 2 "$program" replay
says "want a run or a file of votes"
expect 1 "$program" replay nowhere.jsonl
one_line
: >empty.jsonl
expect 1 "$program" replay empty.jsonl
one_line
