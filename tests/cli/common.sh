# Shared by the end-to-end tests: the program under test, a scratch folder that goes away, helpers.
# usage: . common.sh with $1 = the program. STAGELINE_SOURCE: the root of the source tree.
set -eu
LC_ALL=C
export LC_ALL
program=$(CDPATH="" cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")
recipes=${STAGELINE_SOURCE:?}/recipes
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM HUP
cd "$scratch"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}
skip() {
    echo "skipped: $*"
    exit 77
}

# expect CODE COMMAND...: runs it into $scratch/out and $scratch/err and compares the exit code.
expect() {
    code_want=$1
    shift
    code_found=0
    "$@" >"$scratch/out" 2>"$scratch/err" || code_found=$?
    [ "$code_found" -eq "$code_want" ] || {
        cat "$scratch/out" "$scratch/err" >&2
        fail "want exit code $code_want, found $code_found: $*"
    }
}
# says TEXT...: every text stands in what the last command wrote to stderr.
says() {
    for text in "$@"; do
        grep -qF -- "$text" "$scratch/err" || {
            cat "$scratch/err" >&2
            fail "want \"$text\" on stderr, found the lines above"
        }
    done
}
# one_line: the error is one line "stageline: ..." and perhaps one "hint: ..." behind it.
one_line() {
    [ "$(grep -c '^stageline: ' "$scratch/err")" -eq 1 ] || {
        cat "$scratch/err" >&2
        fail "want one line of error, found the lines above"
    }
    [ "$(tail -n 2 "$scratch/err" | grep -vc '^stageline: \|^hint: ' || true)" -le 1 ] ||
        fail "want nothing behind error and hint"
}
prints() {
    for text in "$@"; do
        grep -qF -- "$text" "$scratch/out" || {
            cat "$scratch/out" >&2
            fail "want \"$text\" on stdout, found the lines above"
        }
    done
}

# digest RUN: of its live rows; the record must be whole.
digest() {
    "$program" verify "$1" | sed -n 's/^digest //p' | grep . || fail "want a whole record in $1"
}
# number KEY: the first whole number of that key in a document on stdin.
number() {
    sed -n "s/^ *\"$1\": \(-\{0,1\}[0-9][0-9]*\),\{0,1\}\$/\1/p" | head -n 1
}
# last_step RUN: of a run that may be running; -1 before there is one.
last_step() {
    step=$("$program" inspect "$1" --json 2>"$scratch/inspect.err" | number last_step) || step=
    echo "${step:--1}"
}

# A start policy in $start: ten updates of SFT.
make_start() {
    expect 0 "$program" train "$recipes/world-start.yaml" --out start --threads 1 --quiet \
        --set train.prompts=640 --set record.min_free_gib=0
    start=start/checkpoints/step-000000000010
    [ -f $start/model.safetensors ] || fail "want a checkpoint at step 10"
}
# train_dpo RUN [more options]: a tiny advised DPO run from $start: 2 x 16 updates, three
# measurements, two branches, checkpoints every 5 updates. becomes=exec: in place of this shell, so
# that its process id is the program's.
train_dpo() {
    run=$1
    shift
    ${becomes:-} "$program" train "$recipes/world-dpo.yaml" --out "$run" --threads 1 --quiet \
        --set model.policy="$start" --set train.prompts=256 --set train.batch=16 --set train.checkpoint_every=5 \
        --set measure.prompts=64 --set measure.exact_prompts=32 --set measure.reference_prompts=16 \
        --set record.min_free_gib=0 "$@"
}
