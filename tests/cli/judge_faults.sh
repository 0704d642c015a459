#!/bin/sh
# Judges that die, hang, write garbage, answer out of order or say 429 and 500 in the middle of `train`,
# `measure` and `judge`: the rows are those of a run without a fault, or the command stops with one line
# and goes on from there; no vote is there twice or missing, and the key is in no file.
. "$(dirname "$0")/common.sh"
shared=${STAGELINE_SHARED:-$STAGELINE_SOURCE/../shared}
[ -d "$shared/data/tokenizers/smollm2" ] || skip "no shared tokenizers"
python=${STAGELINE_PYTHON:-/usr/bin/python3}
"$python" -c 'import h5py' 2>/dev/null || skip "want python3-h5py"
no_proxy=127.0.0.1
NO_PROXY=127.0.0.1
export no_proxy NO_PROXY

# The law of both judges: the longer answer, by characters. Faults come once each, by a file.
cat >law.py <<'PY'
import math, os
def p_of(a, b):
    return 1 / (1 + math.exp((len(b) - len(a)) / 20))
def asked():
    with open("asked", "a") as f:
        f.write("x")
    return os.path.getsize("asked")
def fault(at):  # the fault of this question, once
    if not os.path.exists("fault"):
        return None
    name = open("fault").read().strip()
    if asked() < at:
        return None
    os.remove("fault")
    return name
PY
cat >judge.py <<'PY'
import json, os, sys, time
import law
held = []
def say(q):
    print(json.dumps({"id": q["id"], "p": law.p_of(q["a"], q["b"])}), flush=True)
for line in sys.stdin:
    q = json.loads(line)
    if os.path.exists("reorder"):
        held.append(q)
        if len(held) == int(open("reorder").read()):
            for h in reversed(held):
                say(h)
            held = []
        continue
    fault = law.fault(37)
    if fault == "dies":
        os._exit(3)
    if fault == "killed":
        os.kill(os.getpid(), 9)
    if fault == "hangs":
        open("hung", "w").close()
        time.sleep(1000)
    if fault == "garbage":
        print('{"id": 1, "p": "yes', flush=True)
    if fault == "twice":
        say(q)
    say(q)
PY
cat >server.py <<'PY'
import json, math, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import law
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_):
        pass
    def say(self, status, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(data)
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Authorization"] == "Bearer s3same"
        text = body["messages"][0]["content"]
        a, b = text.split("<<A:")[1].split(":A>>")[0], text.split("<<B:")[1].split(":B>>")[0]
        fault = law.fault(37)
        if fault in ("429", "500"):
            return self.say(int(fault), "busy")
        if fault == "hangs":
            time.sleep(4)
            return self.say(500, "late")
        if fault == "garbage":
            return self.say(200, '{"choices": [{"mess')
        if fault == "killed":
            os._exit(1)
        p = law.p_of(a, b)
        top = [{"token": t, "logprob": math.log(x)} for t, x in (("A", p), ("B", 1 - p))]
        content = [{"token": "A", "logprob": top[0]["logprob"], "top_logprobs": top}]
        self.say(200, json.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": "A"},
                                               "logprobs": {"content": content}}]}))
class Server(ThreadingHTTPServer):
    daemon_threads = True
    def handle_error(self, *_):  # a client that was killed
        pass
server = Server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Handler)
with open("port.new", "w") as f:
    f.write(str(server.server_port))
os.rename("port.new", "port")
server.serve_forever()
PY
printf 'Which is better?\n{prompt}\n<<A:{a}:A>>\n<<B:{b}:B>>\n' >prompt.txt
cp -r "$shared/data/tokenizers/smollm2" words && chmod -R u+w words
echo '{"format": "smollm2"}' >words/chat_format.json
awk 'BEGIN { for (i = 0; i < 48; i++)
    printf "{\"prompt\":[{\"role\":\"user\",\"content\":\"question %d?\"}],\"chosen\":[{\"role\":\"assistant\",\"content\":\"yes %d and more\"}],\"rejected\":[{\"role\":\"assistant\",\"content\":\"no\"}]}\n",
        i, i }' >pairs.jsonl
tiny="--threads 1 --quiet --set data.tokenizer=words --set data.source=pairs.jsonl --set data.max_prompt=32
    --set data.max_answer=8 --set record.min_free_gib=0"
# shellcheck disable=SC2086 # words of options
expect 0 "$program" train "$recipes/method-sft.yaml" --out start $tiny --set train.prompts=16 --set train.batch=8 \
    --set model.hidden=16 --set model.intermediate=16 --set model.layers=1 --set model.heads=2 \
    --set model.kv_heads=2 --set data.probe_share=0
start=start/checkpoints/$(ls start/checkpoints | tail -n 1)

# train_by RUN: 2 updates of 8 on-policy pairs and a measurement of 8 prompts, of 2 x 2 votes each.
train_by() {
    run=$1
    shift
    # shellcheck disable=SC2086
    MY_KEY=s3same "$program" train "$recipes/method-dpo.yaml" --out "$run" $tiny --set model.policy="$start" \
        --set data.probe_share=0.5 --set train.prompts=16 --set train.batch=8 --set train.iterations=1 \
        --set train.checkpoint_every=1 --set policy.source=on-policy --set policy.refill=1 \
        --set measure.exact_prompts=0 --set measure.counterfactual=false \
        --set measure.prompts=8 --set measure.delta=0 --set measure.alpha=1e-9 --set judge.batch=4 \
        --set judge.timeout_s=2 --set judge.backoff_s=0.01 "$@"
}
measure_by() {
    run=$1
    shift
    MY_KEY=s3same "$program" measure --policy "$start" --data pairs.jsonl --tokenizer words --out "$run" --json --quiet \
        --threads 1 --max-new 8 --prompts 12 --set data.max_prompt=32 --set measure.delta=0 --set measure.alpha=1e-9 \
        --set judge.batch=4 --set judge.timeout_s=2 --set judge.backoff_s=0.01 --set record.min_free_gib=0 "$@"
}
# votes_of RUN WANT: as many votes, each of another pair of answers at its step.
votes_of() {
    "$python" - "$1" "$2" <<'PY'
import h5py, sys
t = h5py.File(sys.argv[1] + "/run.h5")["votes"][:]
ids = {(int(r["step"]), int(r["prompt_id"]), int(r["a_id"]), int(r["b_id"]), int(r["order"]), int(r["purpose"])) for r in t}
assert len(ids) == len(t) == int(sys.argv[2]), (sys.argv[1], len(ids), len(t), sys.argv[2])
assert ((t["vote"] > 0) & (t["vote"] < 1) & (t["status"] == 0)).all(), "want every vote there"
PY
}
begin() { # FAULT
    rm -f asked hung reorder
    echo "$1" >fault
}
by_command="--set measure.judge=command"
command="judge.command=$python judge.py"
serve() {
    rm -f port
    "$python" server.py ${1:-} 2>server.err &
    server=$!
    trap 'kill $server 2>/dev/null || :; rm -rf "$scratch"' EXIT
    for _ in $(seq 200); do
        [ -s port ] && break
        sleep 0.05
    done
}
serve
port=$(cat port)
by_server="--set measure.judge=endpoint --set judge.url=http://127.0.0.1:$port/v1 --set judge.model=m1
    --set judge.key_env=MY_KEY --set judge.prompt=prompt.txt"

# --- runs without a fault, which the others must equal
rm -f fault
# shellcheck disable=SC2086
expect 0 train_by whole $by_command --set "$command"
# shellcheck disable=SC2086
expect 0 train_by whole-server $by_server
# shellcheck disable=SC2086
expect 0 measure_by measured $by_command --set "$command"
cp out measured.json
# shellcheck disable=SC2086
expect 0 measure_by measured-server $by_server
want=$(digest whole)
want_server=$(digest whole-server)
votes=$("$python" -c 'import h5py; print(len(h5py.File("whole/run.h5")["votes"]))')
[ "$votes" -ge 40 ] || fail "want votes before and behind the fault, found $votes"
votes_of whole "$votes"
votes_of measured 48

# --- faults that a run goes on over
for name in dies killed hangs; do
    begin $name
    # shellcheck disable=SC2086
    expect 0 train_by "$name" $by_command --set "$command"
    [ ! -e fault ] || fail "want the fault \"$name\" in the run"
    [ "$(digest $name)" = "$want" ] || fail "want the rows of a run without a fault: $name"
    votes_of $name "$votes"
    begin $name
    # shellcheck disable=SC2086
    expect 0 measure_by "measured-$name" $by_command --set "$command"
    [ "$(digest "measured-$name")" = "$(digest measured)" ] || fail "want the same measurement: $name"
done
echo 4 >reorder
# shellcheck disable=SC2086
expect 0 measure_by reordered $by_command --set "$command" # 16 votes a batch of 4 prompts: 4 batches of 4
[ "$(digest reordered)" = "$(digest measured)" ] || fail "want the same votes in whatever order they come"
rm -f reorder
for name in 429 500 hangs; do
    begin $name
    # shellcheck disable=SC2086
    expect 0 train_by "server-$name" $by_server
    [ ! -e fault ] || fail "want the fault \"$name\" of the server"
    [ "$(digest "server-$name")" = "$want_server" ] || fail "want the rows of a run without a fault: server $name"
    votes_of "server-$name" "$votes"
    begin $name
    # shellcheck disable=SC2086
    expect 0 measure_by "measured-server-$name" $by_server
    [ "$(digest "measured-server-$name")" = "$(digest measured-server)" ] || fail "want the same measurement: $name"
done

# --- garbage stops a run with one line; resumed it has the rows of an unbroken one
for name in garbage twice; do
    begin $name
    # shellcheck disable=SC2086
    expect 1 train_by "stopped-$name" $by_command --set "$command"
    one_line
    expect 0 "$program" verify "stopped-$name"
    expect 0 "$program" train --resume --out "stopped-$name" --threads 1 --quiet
    [ "$(digest "stopped-$name")" = "$want" ] || fail "want the rows of an unbroken run behind $name"
    votes_of "stopped-$name" "$votes"
    begin $name
    # shellcheck disable=SC2086
    expect 1 measure_by "measured-$name" $by_command --set "$command"
    one_line
    expect 0 "$program" verify "measured-$name"
done
begin garbage
# shellcheck disable=SC2086
expect 1 train_by stopped-server $by_server
one_line
MY_KEY=s3same expect 0 "$program" train --resume --out stopped-server --threads 1 --quiet
[ "$(digest stopped-server)" = "$want_server" ] || fail "want the rows of an unbroken run behind garbage of a server"
votes_of stopped-server "$votes"

# --- the trainer itself is killed while its judge hangs
begin hangs
# shellcheck disable=SC2086
(train_by shot $by_command --set "$command" --set judge.timeout_s=600 >/dev/null 2>&1) &
for _ in $(seq 400); do
    [ -e hung ] && break
    sleep 0.05
done
shot=$(ps -o pid=,args= | awk '/--out shot/ && !/awk/ { print $1 }' | tail -n 1)
[ -n "$shot" ] || fail "want a trainer that waits for its judge"
kill -9 "$shot"
wait $! 2>/dev/null || true
expect 0 "$program" train --resume --out shot --threads 1 --quiet
votes_of shot "$votes"

# --- the server is killed in the middle: `judge` and `train` stop with one line and go on with a new one
awk 'BEGIN { for (i = 0; i < 60; i++)
    printf "{\"prompt_id\":%d,\"prompt\":\"q\",\"on\":\"%0*d\",\"off\":\"%0*d\"}\n", i, 1 + i % 7, i, 1 + i % 5, i }' >c.jsonl
judge_by() {
    MY_KEY=s3same "$program" judge --judge endpoint --url "http://127.0.0.1:$port/v1" --model m1 --key-env MY_KEY \
        --template prompt.txt --candidates c.jsonl --quiet --both-orders --set batch=2 --set backoff_s=0.01 \
        --set retries=2 --set timeout_s=2 "$@"
}
rm -f fault asked
expect 0 judge_by -o unbroken.jsonl
sed 's/"attempts":[0-9]*/"attempts":0/' unbroken.jsonl >plain
sort plain >a
for name in 429 500 hangs; do
    begin $name
    expect 0 judge_by -o "votes-$name.jsonl"
    sed 's/"attempts":[0-9]*/"attempts":0/' "votes-$name.jsonl" | cmp plain - || fail "want the votes of a server without a fault: $name"
done
begin garbage
expect 1 judge_by -o broken.jsonl
one_line
expect 0 judge_by -o broken.jsonl --resume
sed 's/"attempts":[0-9]*/"attempts":0/' broken.jsonl | sort | cmp - a || fail "want no vote twice or lost behind garbage"
begin killed
expect 1 judge_by -o broken2.jsonl
one_line
wait $server 2>/dev/null || true
begin killed
serve "$port"
# shellcheck disable=SC2086
expect 1 train_by dead-server $by_server --set judge.retries=2
one_line
wait $server 2>/dev/null || true
serve "$port"
expect 0 judge_by -o broken2.jsonl --resume
sed 's/"attempts":[0-9]*/"attempts":0/' broken2.jsonl | sort | cmp - a || fail "want no vote twice or lost behind a dead server"
MY_KEY=s3same expect 0 "$program" train --resume --out dead-server --threads 1 --quiet
votes_of dead-server "$votes"

# --- the key is in no file of any run, vote file or message
rm -f server.py
if grep -rqF s3same . ; then
    grep -rlF s3same . >&2
    fail "want the key nowhere"
fi
