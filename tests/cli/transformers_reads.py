"""Checkpoints of every tiny folder, trained for two updates, opened by transformers: no key is
missing or left over, and its log-probabilities of the answers are those of `score`. The same for a
reward model of each. usage: transformers_reads.py PROGRAM MODELS
Exit code 77: torch or transformers are not installed."""
import glob
import json
import os
import random
import subprocess
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
try:
    import torch
    import transformers
except ImportError as e:
    print(f"skipped: want the Python packages torch and transformers, found no {e.name}")
    sys.exit(77)

PAIRS, TOLERANCE = 8, 2e-4
program, models = sys.argv[1:3]
torch.set_grad_enabled(False)
torch.set_num_threads(1)
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()


def run(*words):
    done = subprocess.run([program, *words], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}: exit code {done.returncode}: {done.stderr}")
    return done.stdout


def make_pairs(vocabulary):
    ids = random.Random(7)
    draw = lambda low, high: [ids.randrange(3, vocabulary) for _ in range(ids.randrange(low, high))]
    pairs = [{"prompt_ids": draw(3, 9), "chosen_ids": draw(2, 9), "rejected_ids": draw(2, 9)} for _ in range(PAIRS)]
    with open("pairs.jsonl", "w") as f:
        f.writelines(json.dumps(p) + "\n" for p in pairs)
    return pairs


def train(folder, method, out):
    run("train", "--out", out, "--quiet", "--threads", "1", "recipe.yaml", "--set", f"model.policy={folder}",
        "--set", method)
    return f"{out}/checkpoints/step-000000000002"


def opened(kind, checkpoint):
    model, info = kind.from_pretrained(checkpoint, output_loading_info=True, dtype=torch.float32,
                                       attn_implementation="eager")
    wrong = {k: v for k, v in info.items() if v}
    if wrong:
        sys.exit(f"{checkpoint}: want every key in its place, found {wrong}")
    return model.eval()


def answer_logp(model, prompt, answer):
    logits = model(input_ids=torch.tensor([prompt + answer])).logits[0].double()
    logp = torch.log_softmax(logits[len(prompt) - 1:-1], -1)
    return logp[torch.arange(len(answer)), torch.tensor(answer)].sum().item()


def close(found, want, what):
    if not abs(found - want) <= TOLERANCE * max(1.0, abs(want)):
        sys.exit(f"{what}: want {want} by transformers, found {found}")


def scored(checkpoint):
    return json.loads(run("score", checkpoint, "--data", "pairs.jsonl", "--ids", "--json", "--threads", "1"))


def check_policy(folder, pairs, name):
    checkpoint = train(folder, "method.loss=dpo", f"policy-{name}")
    model = opened(transformers.AutoModelForCausalLM, checkpoint)
    start = opened(transformers.AutoModelForCausalLM, folder)
    inside = os.path.join(os.path.dirname(checkpoint), "step-000000000001")
    if not os.path.exists(f"{inside}/optimizer.safetensors"):
        sys.exit(f"{inside}: want the moments of an iteration that is under way")
    opened(transformers.AutoModelForCausalLM, inside)
    rows = scored(checkpoint)["rows"]
    moved = 0.0
    for pair, row in zip(pairs, rows, strict=True):
        for side in ("chosen", "rejected"):
            want = answer_logp(model, pair["prompt_ids"], pair[f"{side}_ids"])
            close(row[f"logp_{side}"], want, f"{checkpoint}: {side} answer of line {row['line']}")
            moved += abs(want - answer_logp(start, pair["prompt_ids"], pair[f"{side}_ids"]))
    if not moved > PAIRS * TOLERANCE:
        sys.exit(f"{checkpoint}: want another model than {folder}, found the same log-probabilities")


def check_reward(folder, pairs, name):
    checkpoint = train(folder, "method.name=reward", f"reward-{name}")
    model = opened(transformers.AutoModelForSequenceClassification, checkpoint)
    if model.config.num_labels != 1:
        sys.exit(f"{checkpoint}: want one label, found {model.config.num_labels}")
    found, wins = scored(checkpoint), 0
    for pair, row in zip(pairs, found["rows"], strict=True):
        want = [model(input_ids=torch.tensor([pair["prompt_ids"] + pair[f"{side}_ids"]])).logits.item()
                for side in ("chosen", "rejected")]
        wins += want[0] > want[1]
        for side, x in zip(("chosen", "rejected"), want):
            close(row[f"reward_{side}"], x, f"{checkpoint}: reward of the {side} answer of line {row['line']}")
    close(found["totals"]["accuracy"], wins / len(pairs), f"{checkpoint}: accuracy")


RECIPE = """method: {beta: 0.5}
data: {source: pairs.jsonl, probe_share: 0, allow_eos_missing: true}
optim: {learning_rate: 1.0e-3, warmup: 0}
train: {iterations: 1, prompts: 8, batch: 4, checkpoint_every: 1}
policy: {source: static}
measure: {prompts: 0}
record: {min_free_gib: 0}
"""

with open("recipe.yaml", "w") as f:
    f.write(RECIPE)
folders = sorted(glob.glob(f"{models}/*/config.json"))
if len(folders) != 11:
    sys.exit(f"want 11 tiny folders in {models}, found {len(folders)}")
for path in folders:
    folder, name = os.path.dirname(path), os.path.basename(os.path.dirname(path))
    with open(path) as f:
        pairs = make_pairs(json.load(f)["vocab_size"])
    check_policy(folder, pairs, name)
    check_reward(folder, pairs, name)
print(f"transformers {transformers.__version__} reads {len(folders)} policies and reward models")
