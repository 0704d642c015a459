#!/bin/sh
# Packages, build, all tests: sh tools/test.sh [--sanitize] [--full]
#   --sanitize  build with clang under ASan and UBSan, in its own folder
#   --full      also the long suites (slow, fault)
# or one of the checks of tools/deep.sh: sh tools/test.sh --threads | --valgrind | --static
# Last line: N passed, N failed, N skipped. Exit 1 when a test failed.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
wanted="build test"
. "$root/tools/common.sh"

folder=$root/build
suites="--no-suite slow"
kind=
for a in "$@"; do
    case $a in
    --sanitize) kind=sanitize ;;
    --full) suites= ;;
    --threads | --valgrind | --static) exec sh "$root/tools/deep.sh" "${a#--}" ;;
    *)
        say "usage: sh tools/test.sh [--sanitize] [--full] | --threads | --valgrind | --static"
        exit 2
        ;;
    esac
done

install_packages
if [ "$kind" = sanitize ]; then
    folder=$root/build-sanitize
    export CC=clang SL_ARENA_MALLOC=1 STAGELINE_SANITIZED=1
    export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1
    export LSAN_OPTIONS=suppressions="$root/tools/lsan.supp":print_suppressions=0
    build "$folder" --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
else
    build "$folder" --buildtype=release
fi

log=$folder/meson-logs/stageline-tests.txt
status=0
# shellcheck disable=SC2086 # no word or two
meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 4 $suites \
    >"$log" 2>&1 </dev/null || status=$?
cat "$log"
count() {
    sed -n "s/^$1: *\([0-9]*\).*/\1/p" "$log" | tail -n 1
}
passed=$(count Ok)
failed=$(($(count Fail) + $(count Timeout)))
skipped=$(count Skipped)
[ "$status" = 0 ] || [ "$failed" != 0 ] || failed=1
printf '%s passed, %s failed, %s skipped\n' "${passed:-0}" "$failed" "${skipped:-0}"
[ "$failed" = 0 ] && [ "${passed:-0}" != 0 ]
