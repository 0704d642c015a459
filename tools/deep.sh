#!/bin/sh
# Checks that are slow or need a build of their own: sh tools/deep.sh threads | valgrind | static
#   threads   ThreadSanitizer over the writer thread, readers beside it, judges and samplers over pipes
#             and HTTP, with one thread of OpenMP, whose locks the sanitizer does not know
#   valgrind  memcheck over base, run and datasets, in a build without the limits of the child that
#             reads HDF5, in which valgrind cannot live, and without the tests of these limits
#   static    clang's analyzer and cppcheck over all sources; no test
# Exit 1 when there is a finding. Findings that are none are answered where they stand in the code.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
kind=${1:-}
wanted="build test"
. "$root/tools/common.sh"

# run_tests FOLDER "ROOM/NAME..." [options of meson test]: builds these programs and runs them.
run_tests() {
    folder=$1 tests=$2
    shift 2
    for t in $tests; do
        set -- "$@" "${t%/*} ${t#*/}"
    done
    log=$folder/meson-logs/stageline-deep.txt
    status=0
    meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 60 "$@" >"$log" 2>&1 </dev/null || status=$?
    cat "$log"
    exit $status
}
# programs "ROOM/NAME...": what ninja calls them.
programs() {
    for t in $1; do
        echo "tests/${t%/*}/test_${t%/*}_${t#*/}"
    done
}

check_threads() {
    tests="base/file run/writer run/crash run/reader remote/http remote/process judge/command judge/endpoint"
    targets=$(programs "$tests")
    export CC=clang OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
    build "$root/build-threads" --buildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false
    run_tests "$root/build-threads" "$tests"
}

check_valgrind() {
    tests="base/arena base/file base/hash base/json base/rng base/status base/text base/yaml
      run/arrays run/decision run/export run/index run/journal run/reader run/schema run/segment run/verify run/writer
      datasets/alpacaeval datasets/audit datasets/file datasets/formats datasets/pack datasets/world"
    targets=$(programs "$tests")
    export SL_ARENA_MALLOC=1
    build "$root/build-valgrind" --buildtype=debugoptimized -Dcaged=false
    run_tests "$root/build-valgrind" "$tests" \
        --wrap="valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --child-silent-after-fork=yes"
}

# Sources of the program, as the build compiles them: file, tab, its -I and -D.
sources() {
    python3 - "$root" <<'PY'
import json, os, shlex, sys
root, seen = sys.argv[1], set()
for e in json.load(open(root + "/build/compile_commands.json")):
    name = os.path.relpath(os.path.join(e["directory"], e["file"]), root)
    if name.startswith(("src/", "analysis/", "datasets/", "kernels/")) and name not in seen:
        seen.add(name)
        print(e["file"], *(a for a in shlex.split(e["command"]) if a.startswith(("-I", "-D"))))
PY
}

check_static() {
    build "$root/build" --buildtype=release
    red=0
    log=$root/build/meson-logs/analyzer.txt
    sources >"$root/build/sources.txt"
    : >"$log"
    while read -r line; do
        # shellcheck disable=SC2086 # words of a command
        (cd "$root/build" && clang --analyze --analyzer-output text -std=c11 -include "$root/tools/analyzer.h" $line >>"$log" 2>&1) || red=1
    done <"$root/build/sources.txt"
    cppcheck -q --enable=warning,performance,portability --inline-suppr --std=c11 \
        "-Djson_array_foreach(a,i,v)=for (i = 0; i < json_array_size(a) && (v = json_array_get(a, i)); i++)" \
        "-Djson_object_foreach(o,k,v)=for (k = json_first(o); k && (v = json_value(k)); k = json_next(o, k))" -I "$root" -I "$root/src" \
        --error-exitcode=1 "$root/src" "$root/analysis" "$root/datasets" >>"$log" 2>&1 || red=1
    [ ! -s "$log" ] || red=1
    cat "$log"
    exit $red
}

case $kind in
threads) ;;
valgrind | static) wanted="$wanted $kind" ;;
*)
    say "usage: sh tools/deep.sh threads | valgrind | static"
    exit 2
    ;;
esac
install_packages
check_$kind
