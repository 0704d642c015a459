"""A server on this machine that misbehaves as its paths say. Prints its port, lives until its input
ends or it is killed. Needs Python's standard library only."""
import json
import math
import re
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

count = Counter()  # requests by path
lock = threading.Lock()


def quality(text):
    """The hidden truth of the chat judges: the number that an answer carries."""
    found = re.search(r"quality=(-?[0-9.]+)", text)
    return float(found.group(1)) if found else 0.0


def chat(mode, body):
    """What an OpenAI-compatible server says about the two answers of the prompt."""
    text = body["messages"][0]["content"]
    a, b = [part.split("[end]")[0] for part in text.split("[answer]")[1:3]]
    logit = quality(a) - quality(b) + (1.0 if mode == "biased" else 0.0)
    p = 1 / (1 + math.exp(-logit))
    letter = "A" if p >= 0.5 else "B"
    message = {"role": "assistant", "content": letter}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    if mode in ("logprobs", "biased"):
        top = [{"token": "A", "logprob": math.log(p) - 0.1},
               {"token": " B", "logprob": math.log1p(-p) - 0.1},
               {"token": "The", "logprob": -2.4}]
        message["content"] = "\n" + letter
        choice["logprobs"] = {"content": [
            {"token": "\n", "logprob": 0.0, "top_logprobs": [{"token": "\n", "logprob": 0.0}]},
            {"token": letter, "logprob": top[letter == "B"]["logprob"], "top_logprobs": top}]}
    elif mode == "polite":
        message["content"] = "**%s**." % letter
    elif mode == "both":
        message["content"] = "A is as good as B"
    elif mode == "refuses":
        message["content"], message["refusal"] = None, "I cannot compare these."
    elif mode == "empty":
        return {"choices": []}
    elif mode == "mixed" and "odd" in text:
        message["content"] = "Neither"
    return {"id": "x", "object": "chat.completion", "choices": [choice]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, status, text, **headers):
        data = text if isinstance(text, bytes) else text.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def huge(self):
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 30))
        self.end_headers()
        for _ in range(1 << 10):
            self.wfile.write(b"x" * (1 << 20))

    def cut(self):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"0123456789")
        self.close_connection = True

    def do_POST(self):
        try:
            self.answer()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        word = self.path.strip("/").split("/")
        with lock:
            count[self.path] += 1
            n = count[self.path]
        fine = json.dumps({"n": n, "body": body.decode()})
        if word[0] == "busy" and n <= int(word[1]):
            extra = {"Retry_After": word[2]} if len(word) > 2 else {}
            return self.say(429, '{"error": "slow down"}', **extra)
        if word[0] == "broken":
            return self.say(500, "out of\norder")
        if word[0] == "hang" and n <= int(word[1]):
            time.sleep(20)
        if word[0] == "garbage":
            return self.say(200, b"\x00<html>\xff")
        if word[0] == "huge":
            return self.huge()
        if word[0] == "cut" and n <= int(word[1]):
            return self.cut()
        if word[0] == "auth" and self.headers.get("Authorization") != "Bearer sesame":
            return self.say(401, "not a key: %s" % self.headers.get("Authorization"))
        if word[0] == "redirect":
            return self.say(302, "", Location="/echo")
        if word[0] == "chat":
            return self.say(200, json.dumps(chat(word[1], json.loads(body))))
        if word[0] == "body":  # the fixed reply of the rest of the path
            return self.say(200, bytes.fromhex(word[1]))
        return self.say(200, fine)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
