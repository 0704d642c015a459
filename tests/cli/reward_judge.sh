#!/bin/sh
# A reward model that `train` made is a judge of `judge`, `measure` and `train`: its votes are those of
# its rewards, the record names the checkpoint, and a run does not go on with another one.
. "$(dirname "$0")/common.sh"
quick="--threads 1 --quiet --set record.min_free_gib=0"

# --- the built-in world, where rows are token ids: a reward model, a policy
# shellcheck disable=SC2086 # words of options
expect 0 "$program" train "$recipes/method-reward.yaml" --out reward $quick --set train.prompts=640
reward=reward/checkpoints/$(ls reward/checkpoints | tail -n 1)
make_start
expect 0 "$program" measure --policy "$start" --data world --judge "reward=$reward" --prompts 40 --quiet \
    --json --out measured --threads 1 --set record.min_free_gib=0
prints '"judge": "reward-'
hash=$(sed -n 's/^ *"judge_sha256": "\([0-9a-f]*\)".*/\1/p' measured/run.json)
[ ${#hash} -eq 64 ] || fail "want the checkpoint's hash in run.json, found \"$hash\""
prints "\"judge\": \"reward-$(printf %.12s "$hash")\""
expect 0 "$program" analyze measured --json
prints '"is_same": true'

# On-policy pairs labelled by it, killed and resumed: the rows of an unbroken run.
by_reward="--set measure.judge=reward --set policy.source=mix --set measure.counterfactual=false"
# shellcheck disable=SC2086
expect 0 train_dpo whole $by_reward --set judge.reward="$reward"
grep -q "\"judge_sha256\": \"$hash\"" whole/run.json || fail "want the judge's hash in the run"
# shellcheck disable=SC2086
(becomes=exec train_dpo broken $by_reward --set judge.reward="$reward" >/dev/null 2>&1) &
pid=$!
for _ in $(seq 600); do
    [ "$(last_step broken)" -ge 7 ] && break
    sleep 0.1
done
kill -9 $pid 2>/dev/null || true
wait $pid 2>/dev/null || true
expect 0 "$program" train --resume --out broken --threads 1 --quiet
[ "$(digest broken)" = "$(digest whole)" ] || fail "want the rows of an unbroken run"

# Another reward model in its place is another experiment.
cp -r "$reward" other
cp -r broken again
# shellcheck disable=SC2086
expect 0 "$program" train "$recipes/method-reward.yaml" --out reward2 $quick --set train.prompts=320
rm -rf "$reward"
cp -r "reward2/checkpoints/$(ls reward2/checkpoints | tail -n 1)" "$reward"
expect 1 "$program" train --resume --out again --threads 1 --quiet
one_line
says "want a reward model as judge with SHA-256"
rm -rf "$reward"
cp -r other "$reward"

# --- a tiny checkpoint of a family, as a reward model, over candidates of ids
shared=${STAGELINE_SHARED:-$STAGELINE_SOURCE/../shared}
[ -d "$shared/goldens/models" ] || skip "no shared goldens for the rest"
policy=$shared/goldens/models/zephyr
awk 'BEGIN { for (i = 0; i < 24; i++) {
    printf "{\"prompt_ids\":[1,%d,%d],\"chosen_ids\":[%d,9,2],\"rejected_ids\":[%d,%d,8,2]}\n",
        3 + i, 40 + i, 100 + i, 150 + i, 7 + i } }' >pairs.jsonl
awk 'BEGIN { for (i = 0; i < 24; i++) {
    printf "{\"prompt_id\":%d,\"prompt_ids\":[1,%d,%d],\"on_ids\":[%d,9,2],\"off_ids\":[%d,%d,8,2]}\n",
        i, 3 + i, 40 + i, 100 + i, 150 + i, 7 + i } }' >c.jsonl
# shellcheck disable=SC2086
expect 0 "$program" train "$recipes/method-reward.yaml" --out family $quick --set model.policy="$policy" \
    --set data.source=pairs.jsonl --set data.probe_share=0 --set train.prompts=24 --set train.batch=8 --set optim.learning_rate=1e-3
family=family/checkpoints/$(ls family/checkpoints | tail -n 1)
expect 0 "$program" score "$family" --data pairs.jsonl --ids -o rewards.jsonl
expect 0 "$program" judge --judge reward --reward "$family" --candidates c.jsonl -o votes.jsonl --json --quiet \
    --set temperature=0.5 --set threads=1
prints '"judge_sha256": "' '"votes": 24'
# p = sigmoid((r_on - r_off) / T) with the rewards that score gives
paste -d '|' rewards.jsonl votes.jsonl | sed 's/.*"reward_chosen": *\([-0-9.e]*\), *"reward_rejected": *\([-0-9.e]*\).*"vote": *\([-0-9.e]*\).*/\1 \2 \3/' |
    awk '{ p = 1 / (1 + exp(($2 - $1) / 0.5)); d = p - $3; if (d < 0) d = -d; if (NF != 3 || d > 1e-5) exit 1; n++ }
         END { exit n == 24 ? 0 : 1 }' || fail "want the sigmoid of the rewards' difference as votes"
expect 0 "$program" measure --policy "$policy" --data pairs.jsonl --judge "reward=$family" --prompts 12 \
    --max-new 4 --quiet --json --threads 1
prints '"judge": "reward-'
expect 0 "$program" judge --judge ensemble --member reward --member reward --reward "$family" \
    --candidates c.jsonl --quiet
prints '"judge":"ensemble"' '"agreement":1.0'

# --- what is wrong is one line
refused() {
    says_what=$1
    shift
    expect 1 "$@"
    one_line
    says "$says_what"
}
refused 'want a reward model, found a language model' "$program" measure --policy "$policy" \
    --data pairs.jsonl --judge "reward=$policy" --quiet
refused 'want the folder of a reward model, found none' "$program" judge --judge reward --candidates c.jsonl
refused 'key "judge.reward" nowhere' "$program" measure --policy "$policy" --data pairs.jsonl \
    --judge reward=nowhere --quiet
refused "want a reward model of the data's vocabulary of 174 tokens" "$program" measure --policy "$policy" \
    --data pairs.jsonl --judge "reward=$reward" --quiet
sed 's/\[100,9,2\]/[100,999,2]/' c.jsonl >far.jsonl
refused "far.jsonl:1 judge \"reward-" "$program" judge --judge reward --reward "$family" --candidates far.jsonl --quiet
says "pair 0 answer a: want token ids below 257, the reward model's vocabulary, found 999"
echo '{"prompt_id":1,"prompt":"p","on":"a","off":"b"}' >words.jsonl
refused "want a tokenizer for words" "$program" judge --judge reward --reward "$family" --candidates words.jsonl --quiet
expect 1 "$program" judge --judge reward --reward "$family" --candidates c.jsonl --set device=cudda
one_line
