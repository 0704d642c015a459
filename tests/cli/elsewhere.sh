#!/bin/sh
# `measure` of a model that stands elsewhere: answers from a file, a program, a server. The score is
# known; what dies, hangs, is busy or talks nonsense changes nothing or ends with one line; nothing
# is asked once the side is known.
. "$(dirname "$0")/common.sh"
python=${STAGELINE_PYTHON:-/usr/bin/python3}
"$python" -c 'import h5py' 2>/dev/null || skip "want python3-h5py"
no_proxy=127.0.0.1
NO_PROXY=127.0.0.1
export no_proxy NO_PROXY

# 40 prompts, two static answers each; the model's answers carry their quality in their words.
"$python" - <<'PY'
import json, random
random.seed(5)
say = lambda q: f"an answer, quality={q:.3f} \u00e9"
pairs, drawn, want = open("pairs.jsonl", "w"), open("drawn.jsonl", "w"), []
for i in range(40):
    off, on = [random.gauss(0, 1) for _ in range(2)], [random.gauss(0.3, 1) for _ in range(2)]
    prompt = [{"role": "user", "content": f"question {i}?"}]
    pairs.write(json.dumps({"prompt": prompt, "chosen": [{"role": "assistant", "content": say(off[0])}],
                            "rejected": [{"role": "assistant", "content": say(off[1])}]}) + "\n")
    row = {"messages": prompt, "answers": [{"text": say(q), "source": "on-policy"} for q in on]}
    row["answers"].insert(0, {"text": "not of the model", "source": "static"})
    drawn.write(json.dumps(row) + "\n")
    want.append(sum(float(f"{a:.3f}") > float(f"{b:.3f}") for a in on for b in off) / 4)
json.dump(want, open("want.json", "w"))
PY
cat >judge.py <<'PY'
import json, re, sys
quality = lambda text: float(re.search(r"quality=(-?[0-9.]+)", text).group(1))
for line in sys.stdin:
    q = json.loads(line)
    print(json.dumps({"id": q["id"], "p": float(quality(q["a"]) > quality(q["b"]))}), flush=True)
PY
cat >sampler.py <<'PY'
import json, os, sys
mode = sys.argv[1] if len(sys.argv) > 1 else ""
rows = [json.loads(line) for line in open("drawn.jsonl")]
said = {r["messages"][0]["content"]: [a["text"] for a in r["answers"] if a["source"] == "on-policy"] for r in rows}
if mode == "good":
    said = {k: ["the best, quality=9"] * 2 for k in said}
for n, line in enumerate(sys.stdin):
    q = json.loads(line)
    assert set(q) == {"id", "prompt", "max_new", "seed", "slot", "temperature", "top_p"}, q
    assert q["max_new"] == 64 and q["temperature"] == 0.5 and q["top_p"] == 1.0 and 0 <= q["seed"] < 2**53, q
    if mode == "dies" and n == 20 and not os.path.exists("died"):
        open("died", "w").close()
        sys.exit(3)
    answer = {"id": q["id"], "text": said[q["prompt"]][q["slot"]], "truncated": mode == "good"}
    if mode == "nonsense" and n == 20:
        answer = {"id": q["id"], "words": 7}
    if mode == "declines" and n == 20:
        answer = {"id": q["id"], "error": "out of\nmemory"}
    with open("asked.log", "a") as log:
        log.write(json.dumps(q) + "\n")
    print(json.dumps(answer), flush=True)
PY
cat >server.py <<'PY'
import json, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
rows = [json.loads(line) for line in open("drawn.jsonl")]
said = {r["messages"][0]["content"]: [a["text"] for a in r["answers"] if a["source"] == "on-policy"] for r in rows}
faults, given = [429, 500, 503, "hang", "nonsense"], {}
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
        assert self.path == "/v1/chat/completions" and body["model"] == "m1", (self.path, body)
        assert self.headers["Authorization"] == "Bearer s3same" and body["max_tokens"] == 64, body
        fault = faults.pop(0) if faults and (faults[0] != "nonsense" or len(sys.argv) > 1) else None
        if fault == "hang":
            time.sleep(4)
            return self.say(500, "late")
        if fault == "nonsense":
            return self.say(200, '{"choices": [{"message": 7}]}')
        if fault:
            return self.say(fault, "busy")
        prompt = body["messages"][0]["content"]
        slot = given.setdefault(prompt, {}).setdefault(body["seed"], len(given[prompt]))
        self.say(200, json.dumps({"choices": [{"index": 0, "finish_reason": "length" if slot else "stop",
                                               "message": {"role": "assistant", "content": said[prompt][slot]}}]}))
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PY

measure() {
    "$program" measure --data pairs.jsonl --judge-command "$python judge.py" --quiet --json "$@" --max-new 64 \
        --temperature 0.5 --set measure.delta=0 --set measure.alpha=1e-9 --set record.min_free_gib=0
}
# same_score NAME: all 40 prompts were judged, and the score of the last command is the known one.
same_score() {
    "$python" - "$1" <<'PY'
import json, sys
m, want = json.load(open("out")), json.load(open("want.json"))
assert m["prompts"] == len(want) and m["votes"] == 4 * len(want), (sys.argv[1], m)
assert abs(m["bs"]["value"] - sum(want) / len(want)) < 1e-12, (sys.argv[1], m["bs"])
PY
}

# --- a file
expect 0 measure --sampler candidates=drawn.jsonl --out file
same_score file
prints '"policy": "candidates"'
expect 0 "$program" analyze file --json
prints '"is_same": true'
expect 0 "$program" verify file
head -n 30 drawn.jsonl >few.jsonl
expect 1 measure --sampler candidates=few.jsonl
one_line
says 'want 1 or more answers to the prompt "question 3' 'in few.jsonl'
echo '{"prompt": "x"}' >bad.jsonl
expect 1 measure --sampler candidates=bad.jsonl
one_line
says 'bad.jsonl:1: want "answers" (a list) or "output" (text), found neither'

# --- a program: well, dying in the middle, talking nonsense
expect 0 measure --sampler "command=$python sampler.py" --out program
same_score program
expect 0 measure --sampler "command=$python sampler.py dies" --set sampler.backoff_s=0.01
same_score dies
[ -e died ] || fail "want a program that died"
for mode in nonsense declines; do
    expect 1 measure --sampler "command=$python sampler.py $mode" --out $mode
    one_line
    expect 0 "$program" verify $mode
done

# Nothing is asked once the side is known: batches of 4 prompts, two answers each.
rm -f asked.log
expect 0 "$program" measure --data pairs.jsonl --judge-command "$python judge.py" --quiet --json --max-new 64 \
    --temperature 0.5 --sampler "command=$python sampler.py good" --set measure.batch=4 --out good \
    --set record.min_free_gib=0
prints '"stage": "fine-tuning"'
prompts=$(number prompts <out)
asked=$(wc -l <asked.log)
[ "$prompts" -lt 40 ] || fail "want a measurement that stops early, found all prompts judged"
[ "$asked" -ge $((2 * prompts)) ] && [ "$asked" -lt $((2 * (prompts + 4))) ] ||
    fail "want answers to the $prompts prompts and their batch, found $asked"
"$python" - <<'PY'
import h5py, json
t = h5py.File("good/run.h5")["candidates"][:]
drawn = t[t["sampler"] != 65535]
assert (drawn["stop"] == 1).all() and (drawn["chars"] == 19).all(), "want answers cut at their length"
seeds = [json.loads(line)["seed"] for line in open("asked.log")]
assert len(set(seeds)) == len(seeds), "want a seed for every answer"
PY

# --- a server that is busy, broken and silent first, then one that talks nonsense
for mode in "" nonsense; do
    # shellcheck disable=SC2086 # no word or one
    "$python" server.py $mode >port 2>server.err &
    server=$!
    trap 'kill $server 2>/dev/null || :; rm -rf "$scratch"' EXIT
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        [ -s port ] && break
        sleep 0.1
    done
    want=0
    [ -z "$mode" ] || want=1
    MY_KEY=s3same expect $want measure --sampler "endpoint=http://127.0.0.1:$(cat port)/v1" --out "server$mode" \
        --set sampler.model=m1 --set sampler.key_env=MY_KEY --set sampler.timeout_s=2 --set sampler.backoff_s=0.01
    kill $server
    wait $server 2>/dev/null || true
    [ ! -s server.err ] || grep -q BrokenPipe server.err || {
        cat server.err >&2
        fail "want requests as the protocol says"
    }
    if [ -z "$mode" ]; then
        same_score server
        prints '"policy": "m1"'
    else
        one_line
    fi
    expect 0 "$program" verify "server$mode"
    ! grep -rqF s3same "server$mode" || fail "want the key nowhere in the record"
done

# --- wrong use
expect 2 measure --sampler nowhere=x
one_line
expect 2 "$program" measure --data pairs.jsonl --judge-command x
says "want a checkpoint"
expect 1 measure --sampler candidates=drawn.jsonl --policy somewhere
says "want no model.policy"
expect 1 "$program" measure --data world --judge truth --sampler candidates=drawn.jsonl --quiet
says "want data.source FILE"
expect 1 measure --sampler candidates=nowhere.jsonl
one_line
expect 1 "$program" train "$recipes/world-dpo.yaml" --out run --set sampler.name=command
says "want sampler.name policy to train"
