#!/bin/sh
# Fuzzes the readers of outside bytes: sh tools/fuzz.sh [SECONDS] [TARGET...]
#   SECONDS  for each target (default 60)
#   TARGET   the name of a program in build-fuzz/tests, such as fuzz_model_config (default: all)
# libFuzzer under ASan and UBSan (clang). Inputs that are found go to build-fuzz/corpus/TARGET, faults to
# build-fuzz/faults; exit 1 when there is one. A fault that is mended joins tests/ROOM/corpus.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
wanted="build test"
. "$root/tools/common.sh"

seconds=${1:-60}
case $seconds in
'' | *[!0-9]*)
    say "usage: sh tools/fuzz.sh [SECONDS] [TARGET...]"
    exit 2
    ;;
esac
[ $# -eq 0 ] || shift

install_packages
folder=$root/build-fuzz
export CC=clang SL_ARENA_MALLOC=1 ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export LSAN_OPTIONS=suppressions="$root/tools/lsan.supp":print_suppressions=0
targets=$(cd "$root/tests" && for f in */fuzz_*.c; do
    room=${f%%/*} name=${f#*/fuzz_}
    [ "$room" = harness ] || echo "tests/$room/fuzz_${room}_${name%.c}"
done)
build "$folder" --buildtype=debugoptimized -Dlibfuzzer=true -Db_sanitize=address,undefined \
    -Db_lundef=false -Dc_args=-fsanitize=fuzzer-no-link
mkdir -p "$folder/faults"

red=0
for target in $targets; do
    name=${target##*/}
    if [ $# -gt 0 ]; then
        case " $* " in *" $name "*) ;; *) continue ;; esac
    fi
    room=$(basename "$(dirname "$target")")
    short=${name#fuzz_"$room"_}
    mkdir -p "$folder/corpus/$name"
    seeds=
    for d in "$root/tests/$room/corpus/$short" "$root/tests/$room/corpus" "$root/tests/$room/fixtures"; do
        [ -z "$seeds" ] && [ -d "$d" ] && seeds=$d
    done
    log=$folder/faults/$name.log
    code=0
    # shellcheck disable=SC2086 # no word or one
    "$folder/$target" "$folder/corpus/$name" $seeds -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 \
        -artifact_prefix="$folder/faults/$name-" -print_final_stats=1 >"$log" 2>&1 || code=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    [ $code -eq 0 ] || red=1
    printf '%s: %s executions, exit code %s\n' "$name" "${runs:-0}" $code
done
[ $red -eq 0 ] || say "faults: $folder/faults"
exit $red
