#!/bin/sh
# A real server as sampler and as judge: `transformers serve` (transformers 5), or llama-cpp-python's, with a
# real model (SmolLM2-135M-Instruct). STAGELINE_SERVER_PYTHON names an interpreter that has one of them
# (default python3), STAGELINE_SMOLLM2 a folder for the first (tools/real.sh makes it), STAGELINE_GGUF a file
# for the second. Minutes.
. "$(dirname "$0")/common.sh"
python=${STAGELINE_SERVER_PYTHON:-python3}
no_proxy=127.0.0.1
NO_PROXY=127.0.0.1
export no_proxy NO_PROXY
if [ -d "${STAGELINE_SMOLLM2:-}" ] && "$python" -c 'import sys, transformers.utils.import_utils as u
import transformers.cli.serve
sys.exit(not u.is_serve_available())' 2>/dev/null; then
    kind=transformers
    # transformers serve draws only where the folder says so: without do_sample it is greedy at any temperature.
    model=$scratch/served
    mkdir "$model"
    for file in config.json model.safetensors tokenizer.json tokenizer_config.json special_tokens_map.json; do
        ln -s "$STAGELINE_SMOLLM2/$file" "$model/$file"
    done
    echo '{"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2, "do_sample": true}' >"$model/generation_config.json"
elif [ -f "${STAGELINE_GGUF:-}" ] && "$python" -c 'import llama_cpp.server.app' 2>/dev/null; then
    kind=llama
    model=any
else
    skip "want transformers serve and STAGELINE_SMOLLM2, or llama_cpp.server and STAGELINE_GGUF"
fi
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port/v1
serve() {
    if [ $kind = llama ]; then
        "$python" -m llama_cpp.server --model "$STAGELINE_GGUF" --host 127.0.0.1 --port "$port" --n_ctx 2048 \
            --logits_all true >server.log 2>&1 &
    else
        HF_HUB_OFFLINE=1 "$python" -m transformers.cli.transformers serve "$model" --device cpu --host 127.0.0.1 \
            --port "$port" >server.log 2>&1 &
    fi
    server=$!
    trap 'kill -9 $server 2>/dev/null || :; rm -rf "$scratch"' EXIT
    for _ in $(seq 300); do
        "$python" -c "import urllib.request; urllib.request.urlopen('$url/models', timeout=2)" 2>/dev/null && return 0
        kill -0 $server 2>/dev/null || break
        sleep 2
    done
    tail -n 20 server.log >&2
    fail "want a server that answers at $url"
}
serve

# --- as a judge: both orders of every pair, each a probability or a refusal that is kept and counted
cat >c.jsonl <<'LINES'
{"prompt_id":1,"prompt":"What is the capital of France?","on":"The capital of France is Paris.","off":"Bananas are yellow."}
{"prompt_id":2,"prompt":"Name a primary colour.","on":"Red is a primary colour.","off":"I do not know what a colour is."}
{"prompt_id":3,"prompt":"What is 2 + 2?","on":"Four.","off":"It is a nice day, is it not?"}
{"prompt_id":4,"prompt":"Say hello.","on":"Hello!","off":"Goodbye."}
LINES
expect 0 "$program" judge --judge endpoint --url "$url" --model "$model" --candidates c.jsonl -o votes.jsonl \
    --both-orders --keep-failed --json --quiet --set timeout_s=300 --set batch=1
cp out judged.json
"$python" - <<'PY'
import json
doc = json.load(open("judged.json"))
votes = [json.loads(line) for line in open("votes.jsonl")]
assert doc["pairs"] == 4, doc
keys = {(v["prompt_id"], v.get("order")) for v in votes}
assert len(keys) == len(votes) and len(votes) >= 4, votes
given = [v["vote"] for v in votes if v["vote"] is not None]
assert given and all(0 <= p <= 1 for p in given), votes
print("judge:", doc["votes"], "votes,", doc["failed"], "failed, probabilities", given)
PY

# --- the server is killed in the middle: one line, what was given stays, a new one goes on
for i in 5 6 7 8 9 10 11 12; do
    sed "s/\"prompt_id\":[0-9]*/\"prompt_id\":$i/" c.jsonl | head -n 1
done >more.jsonl
"$program" judge --judge endpoint --url "$url" --model "$model" --candidates more.jsonl -o more-votes.jsonl \
    --keep-failed --quiet --set timeout_s=300 --set batch=1 --set retries=1 --set backoff_s=0.1 >out 2>err &
pid=$!
for _ in $(seq 600); do
    [ -s more-votes.jsonl ] && break
    kill -0 $pid 2>/dev/null || break
    sleep 0.1
done
kill -9 $server
code=0
wait $pid || code=$?
[ $code -eq 1 ] && one_line || [ $code -eq 0 ] || fail "want one line or the end, found exit code $code"
serve
expect 0 "$program" judge --judge endpoint --url "$url" --model "$model" --candidates more.jsonl -o more-votes.jsonl \
    --keep-failed --quiet --set timeout_s=300 --set batch=1 --resume
[ "$(wc -l <more-votes.jsonl)" -eq 8 ] || fail "want 8 votes, none twice or lost, found $(wc -l <more-votes.jsonl)"

# --- as the sampler of a measurement, and as its judge as well
awk 'BEGIN { split("sky sea sun moon tree bird", w, " "); for (i = 1; i <= 6; i++)
    printf "{\"prompt\":\"Describe the %s in one sentence.\",\"chosen\":\"The %s is there to be seen.\",\"rejected\":\"No.\"}\n", w[i], w[i] }' >pairs.jsonl
expect 0 "$program" measure --sampler "endpoint=$url" --data pairs.jsonl --judge command \
    --judge-command "$python $STAGELINE_SOURCE/examples/judge_overlap.py" --prompts 6 --max-new 24 --out measured \
    --json --quiet --set sampler.model="$model" --set sampler.batch=1 --set sampler.timeout_s=300 --set record.min_free_gib=0
prints '"votes": ' '"stage": "'
expect 0 "$program" verify measured
expect 0 "$program" analyze measured --json
prints '"is_same": true'
expect 0 "$program" measure --sampler "endpoint=$url" --data pairs.jsonl --judge "endpoint=$url" --prompts 2 \
    --max-new 16 --n 1 --json --quiet --set sampler.model="$model" --set judge.model="$model" --set sampler.batch=1 \
    --set judge.batch=1 --set sampler.timeout_s=300 --set judge.timeout_s=300 || cat "$scratch/err" >&2
