#!/bin/sh
# Faults have exact exit codes, one clear line, a hint where a person can act, and leave nothing
# half-written behind. 1: data or environment, 2: the command line.
. "$(dirname "$0")/common.sh"
sft=$recipes/world-start.yaml
dpo=$recipes/world-dpo.yaml
small="--threads 1 --quiet --set train.prompts=640 --set record.min_free_gib=0"

# refused CODE "TEXT|TEXT..." COMMAND...: the exit code, the texts of stderr, nothing on stdout, and
# no folder "run".
refused() {
    code=$1
    texts=$2
    shift 2
    expect "$code" "$program" "$@"
    one_line
    old_ifs=$IFS
    IFS='|'
    for part in $texts; do
        IFS=$old_ifs
        says "$part"
    done
    IFS=$old_ifs
    [ ! -s "$scratch/out" ] || fail "want nothing on stdout: $*"
    [ ! -e run ] || fail "want nothing left behind: $*"
}
recipe() {
    printf '%b' "$1" >recipe.yaml
}

# --- the command line
refused 2 'want a command, found "bogus"|hint: stageline alone lists the commands' bogus
refused 2 'found "trian"|hint: did you mean "train"?' trian
refused 2 'found "--ouput"|hint: did you mean --out?' train --ouput x "$sft"
refused 2 'want --out RUN, found no value' train "$sft" --out
refused 2 'want --quiet without a value' train "$sft" --quiet=1
refused 2 'want a recipe, found none' train
refused 2 'found 2 arguments|hint: stageline train --help' train a b
refused 2 '--threads: want an integer, found "x"' train "$sft" --threads x
refused 2 'want threads >= 0, found -3' train "$sft" --threads -3 --out run
refused 2 '--device cpuu|want a backend (ref, cpu, cpu-bf16, cuda)|hint: did you mean "cpu"?' \
    train "$sft" --device cpuu --out run
refused 2 'want --resume without a recipe' train --resume "$sft"
refused 2 '--set method.bta=1 key "method.bta"|hint: did you mean "beta"?' \
    train "$sft" --set method.bta=1
refused 2 '--set methd.beta=1 section "methd"|hint: did you mean "method"?' \
    train "$sft" --set methd.beta=1
refused 2 'want a number from 0 up to 1, found "nan"' train "$sft" --set optim.learning_rate=nan
refused 2 'want section.key=value' train "$sft" --set optim.learning_rate
refused 2 'found 0 arguments' verify
refused 2 'want a run or a file of votes, found none' analyze
refused 2 'want one run with --out, found 2' analyze . . --out tables

if [ -w /dev/full ]; then
    found=0
    "$program" --help >/dev/null 2>err || fail "want help"
    "$program" train --help >/dev/full 2>err || found=$?
    [ $found -eq 1 ] || fail "want exit code 1 when stdout is full, found $found"
    says "stdout"
fi

# --- recipes
recipe 'method:\n  name: sft\n  bta: 0.1\n'
refused 1 'recipe.yaml:3 key "method.bta"|hint: did you mean "beta"?' train recipe.yaml --out run
recipe 'optim:\n  learning_rate: .nan\n'
refused 1 'recipe.yaml:2 key "optim.learning_rate": want a number' train recipe.yaml --out run
recipe 'method:\n  loss: dop\n'
refused 1 'key "method.loss"|hint: did you mean "dpo"?' train recipe.yaml --out run
recipe 'method:\n  name: stf\n'
refused 1 'recipe.yaml:2 key "method.name"|hint: did you mean "sft"?' train recipe.yaml --out run
recipe 'method:\n  beta: 1\nmethod:\n  beta: 2\n'
refused 1 'recipe.yaml:3 section "method": want a section once' train recipe.yaml --out run
refused 1 'none.yaml: want to read it, found: No such file' train none.yaml --out run
refused 1 'want train.micro_batch to divide train.batch, found 7 and 64' \
    train "$sft" --out run --set train.micro_batch=7
refused 1 'key "measure.judge": want a judge|hint: did you mean "truth"?' train "$dpo" --out run --set measure.judge=trutj
refused 1 'found "lama"|hint: ' train "$sft" --out run --set model.family=lama
generators() {
    refused 1 "key \"world.generators\"|$1" train "$dpo" --out run --set world.generators="$2"
}
generators 'found "x"' '0 1 x'
generators 'want at most 8 numbers, found "0 1 2 3 4 5 6 7 8"' '0 1 2 3 4 5 6 7 8'
refused 1 'want 2 to 8 static generators, found 1' train "$dpo" --out run --set world.generators=3
refused 1 'want 2 to 8 static generators, found 0' train "$dpo" --out run --set world.generators=

# --- models
refused 1 'key "model.policy" nowhere/config.json: want to read it' train "$dpo" --out run --set model.policy=nowhere
# shellcheck disable=SC2086
expect 0 "$program" train "$sft" --out start $small
policy=start/checkpoints/step-000000000010
cp -r $policy cut
size=$(wc -c <cut/model.safetensors)
head -c $((size - 1000)) $policy/model.safetensors >cut/model.safetensors
refused 1 'cut/model.safetensors: want ' train "$dpo" --out run --set model.policy=cut
refused 1 'cut/model.safetensors: want ' inspect cut
head -c 5 $policy/model.safetensors >cut/model.safetensors
refused 1 'cut/model.safetensors: want a safetensors file, found 5 bytes' inspect cut
rm cut/model.safetensors
refused 1 'cut' train "$dpo" --out run --set model.policy=cut

# --- folders
refused 1 'want a new folder for the run, found "start"|hint: --resume' train "$sft" --out start
refused 1 'nowhere/run: want to make the folder' train "$sft" --quiet --out nowhere/run
refused 1 'want a run to go on with, found nothing' train --resume --out run
refused 1 'found nothing at "nothing"' inspect nothing
refused 1 'nothing/run.json: want to read it' verify nothing
refused 1 'nothing: want to read it' analyze nothing
refused 1 'want run.json or config.json' inspect "$recipes"

# A plan that does not fit is refused before anything is loaded.
mkdir big
cat >big/config.json <<'JSON'
{"model_type": "llama", "hidden_size": 65536, "intermediate_size": 262144, "num_hidden_layers": 200,
 "num_attention_heads": 64, "num_key_value_heads": 64, "vocab_size": 128256}
JSON
expect 1 "$program" train "$recipes/world-dpo.yaml" --out too-big --quiet --set model.policy=big
says "GiB for parameters, gradients and moments" "hint:"
[ ! -e too-big ] || fail "want nothing left of a refused run"
