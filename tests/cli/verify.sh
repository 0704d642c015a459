#!/bin/sh
# verify finds every damaged file, names it, says what is lost, and exits with 1; what a crash leaves
# is not damage, and --repair makes a whole record of it. --dry-run changes nothing.
. "$(dirname "$0")/common.sh"
make_start
train_dpo whole >/dev/null
want=$(digest whole)
expect 0 "$program" verify whole --json
prints '"schema": "stageline.verify/1"' '"damaged": 0' "\"digest\": \"$want\""
[ "$(number steps <out)" -eq 32 ] || fail "want 32 steps"

# flip FILE OFFSET: another byte there.
flip() {
    byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    printf "\\$(printf %o $((byte ^ 255)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>dd.err
}
for file in rank000/seg-000001.h5 rank000/texts-000001.jsonl.gz run.h5; do
    rm -rf run
    cp -r whole run
    size=$(wc -c <run/$file)
    flip run/$file $((size / 2))
    expect 1 "$program" verify run
    prints "run/$file"
    says "want a whole record, found 1 damaged file"
    one_line
    expect 1 "$program" verify run --json
    prints '"damaged": 1'
done
# run.h5 is derived: repair makes it again. A segment is the record: it cannot be made up.
expect 0 "$program" verify run --repair
expect 0 "$program" verify run
rm -rf run
cp -r whole run
flip run/rank000/seg-000001.h5 5000
expect 1 "$program" verify run --repair
expect 1 "$program" analyze run
says "seg-000001.h5"
one_line

# What SIGKILL leaves is an open journal, perhaps with a torn end.
rm -rf run
(
    becomes=exec
    train_dpo run
) >/dev/null 2>&1 &
pid=$!
while [ "$(last_step run)" -lt 12 ]; do :; done
kill -9 $pid
wait $pid 2>/dev/null || true
printf 'torn' >>run/rank000/journal-000001.log
expect 0 "$program" verify run
prints "run: killed" "1 open journals"
before=$(find run -type f -exec cksum {} + | sort)
expect 0 "$program" verify run --dry-run
[ "$before" = "$(find run -type f -exec cksum {} + | sort)" ] || fail "want --dry-run to change nothing"
live=$(digest run)
expect 0 "$program" verify run --repair
prints "0 open journals"
[ "$(digest run)" = "$live" ] || fail "want the same rows after --repair"
expect 0 "$program" train --resume --out run --threads 1 --quiet
[ "$(digest run)" = "$want" ] || fail "want digest $want after repair and resume"
