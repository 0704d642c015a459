#!/bin/sh
# House rules that a machine can hold: no printing and no exit outside src/cli, no family names
# outside the tables, no leftovers, lengths of files and functions, randomness only from base/rng.
set -eu
root=${1:-${STAGELINE_SOURCE:-.}}
cd "$root"
red=0
complain() { # title, text
    [ -z "$2" ] && return 0
    echo "$1:"
    echo "$2"
    red=1
}
code() {
    find src kernels analysis datasets -name '*.[ch]' "$@" | sort
}
complain "printing outside src/cli" "$(code ! -path 'src/cli/*' -print0 | tr '\0' '\n' |
    xargs grep -nE '(^|[^a-z_])(printf|puts|putchar|fprintf *\( *std(out|err)|perror) *\(' || true)"
# src/run/cage.c ends the child process that it made.
complain "exit or abort outside src/cli" "$(code ! -path 'src/cli/*' ! -path src/run/cage.c | xargs grep -nE '(^|[^a-z_])(exit|abort|_exit) *\(' || true)"
complain "randomness or clocks as seeds" "$(code | xargs grep -nE '(^|[^a-z_])(rand|srand|random|drand48) *\(' || true)"
complain "qsort instead of sl_sort" "$(code ! -path src/base/sort.h | xargs grep -nE '(^|[^a-z_])qsort *\(' || true)"
complain "leftovers" "$(code | xargs grep -nE '\b(TODO|FIXME|XXX)\b|^#if 0' || true)"
complain "family names outside the tables" "$(find src kernels analysis datasets -name '*.c' |
    grep -vE 'famil|tensor_names|chat' | xargs awk '
        { line = $0; gsub(/\/\*[^*]*\*\//, "", line); if (line ~ /^ *\*/ || line ~ /^ *\/\*/) next
          if (tolower(line) ~ /(^|[^a-z])(llama|mistral|zephyr|phi2?|qwen[23]?|gpt_?neox|pythia)([^a-z0-9]|$)/ \
              && tolower(line) !~ /llama3|llama-factory|fallback, *"llama"/)
              print FILENAME ":" FNR ": " $0 }')"
complain "lines over 100 columns" "$(code | xargs awk 'length($0) > 100 { print FILENAME ":" FNR }')"
complain "files over 500 lines" "$(code ! -name schema.c -print0 | tr '\0' '\n' | xargs wc -l | awk '$2 != "total" && $1 > 500')"
complain "functions over 90 lines" "$(code | xargs awk '
    FNR == 1 { start = 0 }
    /^\{$/ { start = FNR }
    /^}$/ { if (start && FNR - start - 1 > 90) print FILENAME ":" start ": " FNR - start - 1; start = 0 }')"
complain "machine paths" "$(grep -rnE '/work/|/tmp/(build|team)|/root/' --include='*' README.md CHANGELOG.md docs src kernels analysis datasets tests tools recipes plots 2>/dev/null | grep -v 'tests/style/code.sh' || true)"
exit $red
