#!/bin/sh
# run.h5 opens in any HDF5 tool at every moment: while the run is written, after SIGKILL and at the
# end; our own program shows the rows beside it.
. "$(dirname "$0")/common.sh"
command -v h5dump >/dev/null && command -v h5ls >/dev/null || skip "no h5dump or no h5ls"
make_start

# look: the tools accept run.h5 as it stands.
look() {
    h5dump -H run/run.h5 >dump 2>tool.err || fail "h5dump: $(cat tool.err)"
    h5ls -r run/run.h5 >list 2>tool.err || fail "h5ls: $(cat tool.err)"
    [ ! -s tool.err ] || fail "h5ls: $(cat tool.err)"
    for table in steps pairs votes boundary decisions; do
        grep -q "^/$table " list || fail "want /$table in run.h5, found $(cat list)"
    done
    if python3 -c 'import h5py' 2>/dev/null; then
        python3 -c 'import h5py; f = h5py.File("run/run.h5"); print(f["steps"][:].shape)' >/dev/null ||
            fail "h5py"
    fi
}
# rows TABLE: that run.h5 shows.
rows() {
    sed -n "s,^/$1  *Dataset {\([0-9]*\)[/}].*,\1,p" list
}

long="--set record.seal_every=1 --set train.prompts=2048"
# shellcheck disable=SC2086
(
    becomes=exec
    train_dpo run $long
) >/dev/null 2>err &
pid=$!
looks=0
seen=0
while kill -0 $pid 2>/dev/null; do
    [ -e run/run.h5 ] || continue
    look
    looks=$((looks + 1))
    now=$(rows steps)
    [ "$now" -ge $seen ] || fail "want ascending rows, found $now after $seen"
    seen=$now
    [ $seen -gt 0 ] && [ $looks -gt 5 ] && break
done
kill -9 $pid 2>/dev/null || fail "want a run that seals while it runs"
wait $pid 2>/dev/null || true
look
expect 0 "$program" train --resume --out run --threads 1 --quiet
look
[ "$(rows steps)" -eq 256 ] || fail "want 256 steps in run.h5, found $(rows steps)"
[ "$(rows steps)" -eq "$("$program" inspect run --json | number steps)" ] || fail "want equal rows"
h5dump -d /steps -s 255 -c 1 run/run.h5 >dump 2>&1 || fail "h5dump -d: $(cat dump)"
grep -q '256,$' dump || fail "want step 256 in the last row"
# What was sealed on the way, killed and resumed is what an unbroken run records.
# shellcheck disable=SC2086
train_dpo whole $long >/dev/null
[ "$(digest run)" = "$(digest whole)" ] || fail "want the digest of an unbroken run"
