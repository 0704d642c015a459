#!/bin/sh
# Training runs of another program, step by step: five traces on both CPU backends through the
# program's own step; a changed setting, model or pair turns red; wrong input gets one line.
. "$(dirname "$0")/common.sh"
shared=${STAGELINE_SHARED:-$STAGELINE_SOURCE/../shared}
traces=$shared/goldens/traces
[ -d "$traces" ] || skip "no shared goldens"

for name in dpo:91 hinge:91 ipo:91 slic:77 sft:58; do
    for device in ref cpu; do
        expect 0 "$program" train --golden "$traces/${name%:*}.h5" --device $device --threads 1
        prints '"schema": "stageline.golden/1"' '"failed": 0,' '"unknown": 0'
        [ "$(number passed <out)" -eq "${name#*:}" ] ||
            fail "want ${name#*:} tests of ${name%:*}, found $(number passed <out)"
    done
done

# Each of these is a mistake that trainers make; the traces notice all of them.
red() {
    trace=$1
    shift
    expect 1 "$program" train --golden "$traces/$trace.h5" --threads 1 "$@"
    one_line
    says "want every test to pass"
}
red dpo --set optim.warmup_from_zero=false
red dpo --set optim.clip=0
red dpo --set method.smoothing=0.01
red ipo --set method.loss=ipo
red hinge --set method.beta=0.11
red slic --set method.loss=cpo-hinge
red sft --set optim.decay=all
red sft --set train.micro_batch=1 --set optim.beta2=0.99

# Micro-batches change nothing.
expect 0 "$program" train --golden "$traces/sft.h5" --threads 1 --set train.micro_batch=2
expect 0 "$program" train --golden "$traces/ipo.h5" --threads 1 --set train.micro_batch=1
# A file has one good answer to a prompt: it is the chosen one and what SFT imitates.
expect 0 "$program" train --golden "$traces/slic.h5" --threads 1 --set method.loss=slic-hf-target
# Nor does a live reference.
expect 0 "$program" train --golden "$traces/dpo.h5" --threads 1 --set reference.precompute=false

# A recipe may say where model and pairs stand; a pair that differs is noticed.
sed '3s/"chosen_ids": \[14/"chosen_ids": [15/' "$traces/pairs.jsonl" >pairs.jsonl
cmp -s pairs.jsonl "$traces/pairs.jsonl" && fail "want another pair, found the same"
printf 'model:\n  policy: %s\n' "$shared/goldens/models/llama" >here.yaml
expect 0 "$program" train here.yaml --golden "$traces/dpo.h5" --threads 1
red dpo --set data.source=pairs.jsonl
grep -A1 '"name": "data/chosen_ids/values"' out | grep -q '"pass": false' ||
    fail "want the changed pair to be named"

expect 1 "$program" train --golden "$shared/goldens/models/llama/golden.h5"
one_line
expect 1 "$program" train --golden nothing.h5
one_line
expect 2 "$program" train --golden "$traces/dpo.h5" --resume
one_line
