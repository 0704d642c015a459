#!/bin/sh
# What is ours is for us alone; a run from elsewhere leads nowhere: not through links, not into a wait,
# not to a command that the user did not name. A checkpoint with another bit is not trained from.
. "$(dirname "$0")/common.sh"
make_start
train_dpo run --set train.iterations=1 >/dev/null

umask 022
for folder in run run/rank000 run/checkpoints run/checkpoints/step-000000000016; do
    [ "$(ls -ld "$folder" | cut -c1-10)" = drwx------ ] || fail "want $folder for its owner alone"
done
expect 0 "$program" analyze run --out tables
[ "$(ls -ld tables | cut -c1-10)" = drwx------ ] || fail "want tables for their owner alone"

# a pipe in place of a file would wait for a writer
for file in run.json decisions.log rank000/texts-000001.jsonl.gz rank000/seg-000001.h5 run.h5; do
    code=0
    cp -r run pipes
    rm -f pipes/$file
    mkfifo pipes/$file
    expect 1 timeout 60 "$program" verify pipes
    timeout 60 "$program" train --resume --out pipes --threads 1 --quiet >out 2>err || code=$?
    [ "${code:-0}" -le 1 ] || fail "want an end with a pipe as $file, found exit code $code"
    rm -rf pipes
done

# a folder that is a link to another place is not written into
mkdir elsewhere
for folder in rank000 checkpoints quarantine; do
    cp -r run links
    rm -rf links/$folder
    ln -s ../elsewhere links/$folder
    expect 1 "$program" train --resume --out links --threads 1 --quiet
    one_line
    [ -z "$(ls elsewhere)" ] || fail "want nothing written through links/$folder"
    rm -rf links
done

# one bit of the weights
cp -r run flipped
weights=flipped/checkpoints/step-000000000016/model.safetensors
printf '\001' | dd of=$weights bs=1 seek=$(($(wc -c <$weights) - 2)) conv=notrunc 2>dd.err
expect 1 "$program" verify flipped
prints "$weights"
rm -f flipped/rank000/seg-*.tmp
expect 1 "$program" train --resume --out flipped --threads 1 --quiet
says "$weights" CRC32C
rm -rf flipped

# a run of somebody else whose recipe starts a command
train_dpo theirs --set train.iterations=1 --set judge.command='touch started' >/dev/null
expect 0 "$program" train --resume --out theirs --threads 1 --quiet
if [ "$(id -u)" = 0 ]; then
    chown 65534 theirs/run.json
    expect 1 "$program" train --resume --out theirs --threads 1 --quiet
    says "another's that would start \"touch started\""
    one_line
fi
[ ! -e started ] || fail "want no command started"
