#!/bin/sh
# A full disk: no start without the room that the recipe asks for; a disk that fills up on the way
# stops the run with one clear error, what was durable stays whole, and with room again it goes on to
# the record of a run that always had room.
. "$(dirname "$0")/common.sh"
mkdir disk
mount -t tmpfs -o size=24m tmpfs disk 2>/dev/null || skip "no right to mount a small file system"
trap 'umount "$scratch/disk"; rm -rf "$scratch"' EXIT

make_start
expect 1 "$program" train "$recipes/world-start.yaml" --out disk/run --threads 1 --quiet \
    --set record.min_free_gib=1
one_line
says "free" "hint: "
[ ! -e disk/run ] || fail "want nothing left behind"

train_dpo whole --set record.level=2 >/dev/null
want=$(digest whole)
for kib in 60 300 700 1000 1400 1800 2600 4000; do
    rm -rf disk/*
    # What is left of 24 MiB for the run: kib.
    head -c $(((24576 - kib) * 1024)) /dev/zero >disk/filler
    expect 1 train_dpo disk/run --set record.level=2
    one_line
    says "No space left on device"
    rm disk/filler
    if [ -f disk/run/run.json ]; then
        expect 0 "$program" verify disk/run --repair
        expect 0 "$program" train --resume --out disk/run --threads 1 --quiet
        [ "$(digest disk/run)" = "$want" ] || fail "$kib KiB: want digest $want"
        done_once=1
    fi
done
[ -n "${done_once:-}" ] || fail "want a run that the full disk stopped on the way"
