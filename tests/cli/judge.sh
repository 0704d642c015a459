#!/bin/sh
# Votes of judges on candidates: what analyze reads, resumed after a kill without a vote twice or
# lost, one clear line for what is wrong, no key anywhere.
. "$(dirname "$0")/common.sh"
command -v python3 >/dev/null || skip "no python3"
examples=$STAGELINE_SOURCE/examples
play="exec python3 $STAGELINE_SOURCE/tests/judge/judge_play.py"
ln -s "$examples" examples

# refused CODE TEXT COMMAND...
refused() {
    code=$1
    text=$2
    shift 2
    expect "$code" "$program" judge --quiet "$@"
    one_line
    says "$text"
}

# --- the example of the help text, and from votes to a score
line=$("$program" judge --help | sed -n 's/^example: stageline //p')
# shellcheck disable=SC2086 # the words of a command line
expect 0 "$program" $line
prints '"prompt_id":"tea"' '"judge":"stored"' '"score_on":2.5'
[ "$(wc -l <out)" -eq 5 ] || fail "want 5 votes: 2 + 1 + 1 + 1 pairs"
expect 0 "$program" judge --judge command --command examples/judge_overlap.py \
    --candidates examples/candidates.jsonl -o v.jsonl --both-orders --json
prints '"schema": "stageline.judge/1"' '"votes": 10' '"pairs": 5' '"ties": 1' '"both_orders": true'
expect 0 "$program" analyze v.jsonl --json
prints '"prompts": 4' '"votes": 10' '"position_bias": {' '"ties": 1'
expect 1 "$program" judge --judge command --command examples/judge_pairrm.py \
    --candidates examples/candidates.jsonl --set backoff_s=0 2>/dev/null
[ -n "$(python3 -c 'import llm_blender' 2>&1)" ] && says "want the Python package llm_blender"

# PairRM's judge with a stand-in for its library: the longer answer, and a little for the first
mkdir -p stand-in/llm_blender
cat >stand-in/llm_blender/__init__.py <<'EOF'
from types import SimpleNamespace as Namespace
class Blender:
    def __init__(self):
        self.blender_config = Namespace(use_tqdm=True)
        self.ranker_config = Namespace(candidate_maxlength=20)
        self.ranker_tokenizer = lambda text, add_special_tokens: {"input_ids": text.split()}
    def loadranker(self, name):
        print("Successfully loaded", name)  # on stdout, as the library does
    def compare(self, prompts, a, b, batch_size, return_logits, mode):
        assert return_logits and mode == "[A,B]" and not self.blender_config.use_tqdm
        return [0.1 + len(x) - len(y) for x, y in zip(a, b)]
EOF
expect 0 env PYTHONPATH=stand-in "$program" judge --judge command --set env=PYTHONPATH --command examples/judge_pairrm.py \
    --candidates examples/candidates.jsonl -o pairrm.jsonl --both-orders --json --set batch=4 --label PairRM
prints '"judge": "PairRM"' '"votes": 10'
grep -q '"on_id":"2f5b6e43bd350942".*"vote":0.52497918747.*"order":"on-first"' pairrm.jsonl ||
    fail "want sigmoid(.1) for equal lengths, the on-policy one first"
grep -q '"truncated_on":true,"truncated_off":false' pairrm.jsonl || fail "want the cut of an answer of 25 words"

# --- 40 pairs, a kill in the middle, a line cut off, another kill, the rest
awk 'BEGIN { for (i = 0; i < 40; i++)
    printf "{\"prompt_id\": %d, \"step\": 7, \"prompt\": \"p\", \"on\": \"quality=%g\", \"off\": \"quality=1 %d\"}\n",
        i, i / 8, i }' >c.jsonl
expect 0 "$program" judge --judge command --command "$play fine whole.log" --candidates c.jsonl \
    -o whole.jsonl --both-orders --quiet
[ "$(wc -l <whole.jsonl)" -eq 80 ] || fail "want 80 votes"
judge_slowly="$play hangs slow.log 25"
"$program" judge --judge command --command "$judge_slowly" --candidates c.jsonl -o v40.jsonl \
    --both-orders --quiet --set batch=1 2>err &
pid=$!
for _ in $(seq 200); do
    [ -f slow.log.hung ] && break
    sleep 0.05
done
kill -9 $pid
wait $pid 2>/dev/null || true
kill "$(cat slow.log.hung)" # asleep, it does not see that nobody asks any more
[ "$(wc -l <v40.jsonl)" -eq 24 ] || fail "want the 24 votes of whole writes, found $(wc -l <v40.jsonl)"
printf '{"prompt_id":13,"on_id":"x' >>v40.jsonl
expect 1 "$program" judge --judge command --command "$play stays-dead dead.log 9" --candidates c.jsonl \
    -o v40.jsonl --both-orders --resume --quiet --set batch=1 --set retries=1 --set backoff_s=0
one_line
says "c.jsonl:17 judge \"command\": " "it said: no more" "hint: --resume goes on; 8 votes"
expect 0 "$program" judge --judge command --command "$play fine rest.log" --candidates c.jsonl \
    -o v40.jsonl --both-orders --resume --quiet
sort whole.jsonl >a
sort v40.jsonl >b
cmp a b || fail "want the votes of an unbroken run"
expect 0 "$program" judge --judge command --command "exit 1" --candidates c.jsonl -o v40.jsonl \
    --both-orders --resume --json # nothing left to ask
prints '"pairs": 0' '"skipped": 40' '"votes": 0' '"mean": null'
expect 0 "$program" judge --judge command --command "$play fine more.log" --candidates c.jsonl \
    -o v40.jsonl --both-orders --resume --quiet --label other # another judge's votes are others
[ "$(wc -l <v40.jsonl)" -eq 160 ] || fail "want 80 votes of each judge"

# --- Ctrl-C: what was given is there
rm -f slow.log*
"$program" judge --judge command --command "$judge_slowly" --candidates c.jsonl -o stop.jsonl \
    --quiet --set batch=1 2>err &
pid=$!
for _ in $(seq 200); do
    [ -f slow.log.hung ] && break
    sleep 0.05
done
kill -INT $pid
code=0
wait $pid || code=$?
[ $code -ne 0 ] || fail "want an exit code that says it is not done"
says "found a request to stop" "hint: --resume goes on"
[ "$(wc -l <stop.jsonl)" -ge 24 ] || fail "want the votes given before"

# --- failures that are kept are votes of null, which analyze drops and counts
expect 0 "$program" judge --judge command --command "$play declines d.log 30" --candidates c.jsonl \
    -o d.jsonl --keep-failed --json --quiet
prints '"failed": 10' '"votes": 40'
grep -q '"vote":null,.*"status":"refused"' d.jsonl || fail "want the status of a refusal"
expect 0 "$program" analyze d.jsonl --json
prints '"dropped": 10' '"prompts": 30'

# --- an endpoint, whose key is nowhere
mkfifo life # the server lives until it is closed
python3 "$STAGELINE_SOURCE/tests/remote/server.py" <life >port &
exec 9>life
for _ in $(seq 100); do
    [ -s port ] && break
    sleep 0.05
done
url=http://127.0.0.1:$(cat port)
sed 's/quality=[0-9.]*[0-9 ]*/[answer]&[end]/g' c.jsonl >e.jsonl
unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY || true
expect 0 env MY_KEY=s3same-key "$program" judge --judge endpoint --url "$url/chat/logprobs" \
    --model m1 --key-env MY_KEY --candidates e.jsonl -o e-votes.jsonl --quiet
prints "40 votes on 40 pairs by m1"
expect 1 env MY_KEY=s3same-key "$program" judge --judge endpoint --url "$url/auth" --model m1 \
    --key-env MY_KEY --candidates e.jsonl --quiet
one_line
says "found 401"
! grep -r 's3same' . || fail "want the key nowhere"
refused 1 'variable MY_KEY, found none' --judge endpoint --url "$url/auth" --model m1 --key-env MY_KEY \
    --candidates e.jsonl

exec 9>&-

# --- ensembles, the built-in world, answers with ids only
expect 0 "$program" judge --judge ensemble --member stored --member command \
    --command examples/judge_overlap.py --candidates examples/candidates.jsonl
prints '"judge":"ensemble"' '"agreement":1.0'
printf '{"prompt_id":"w","prompt_ids":[%s],"answers":[%s,%s]}\n' 1,2,3,4,5,6,7,8 \
    '{"source":"on-policy","ids":[1,2,3,4,5,6,7,8,9,10]}' \
    '{"source":"static","ids":[2,2,3,4,5,6,7,8,9,10]}' >w.jsonl
expect 0 "$program" judge --judge truth --candidates w.jsonl
prints '"judge":"truth"' '"len_on":10' '"score_off":'

# --- what is wrong is one line with its place
refused 2 'want --judge NAME' --candidates c.jsonl
refused 2 'want --candidates FILE' --judge stored
refused 2 '--set bacth=3' --judge stored --candidates c.jsonl --set bacth=3
refused 2 '--set batch=x' --judge stored --candidates c.jsonl --set batch=x
refused 2 'with -o VOTES' --judge stored --candidates c.jsonl --resume
refused 1 'did you mean "stored"?' --judge sotred --candidates c.jsonl
refused 1 'c.jsonl:1 judge "stored" pair 0 answer a: want a score' --judge stored --candidates c.jsonl
refused 1 'want a new file for the votes' --judge stored --candidates c.jsonl -o v.jsonl
refused 1 'e.jsonl:1: want' --judge stored --candidates c.jsonl -o e.jsonl --resume
candidates() {
    printf '%b' "$1" >bad.jsonl
    refused 1 "$2" --judge stored --candidates bad.jsonl
}
candidates '' 'bad.jsonl: want candidates, found an empty file'
candidates '\n{"prompt":"p","on":"a","off":"b"}\n' 'bad.jsonl:2: want "prompt_id"'
candidates '{"prompt_id":1,"on":"a","off":"b"}\n' 'bad.jsonl:1: want "prompt" (text) or "prompt_ids"'
candidates '{"prompt_id":1,"prompt":"p","on":"a"}\n' 'want "off" (text) or "off_ids"'
candidates '{"prompt_id":1,"prompt":"p","on":"a","off":"b","step":1.5}\n' '"step"'
candidates '{"prompt_id":1,"prompt":"p","answers":[{"text":"a","source":"statik"}]}\n' \
    'answer 0: want "source" on-policy or static'
candidates '{"prompt_id":1,"prompt":"p","answers":[{"text":"a","source":"static"}]}\n' \
    'found 1 answers of one source'
candidates '{"prompt_id":1,"prompt":"p","answers":[{"ids":[1,-2],"source":"static"}]}\n' 'want token ids in "ids"'
if [ -w /dev/full ]; then
    found=0
    "$program" judge --judge stored --candidates examples/candidates.jsonl >/dev/full 2>err || found=$?
    [ $found -eq 1 ] || fail "want exit code 1 when stdout is full, found $found"
    says "stdout: want to write"
fi
