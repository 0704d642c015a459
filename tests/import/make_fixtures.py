#!/usr/bin/env python3
"""Makes the fixtures of this folder with the tools that write such logs: transformers' Trainer (trainer_state.json),
torch's SummaryWriter (event files), pandas (CSV of W&B's history). W&B and LLaMA-Factory are not run: their forms are those
of `run.scan_history()` and of LogCallback in LLaMA-Factory's train/callbacks.py. usage: make_fixtures.py OUT"""
import glob
import json
import math
import os
import shutil
import sys
import tempfile

import pandas
import torch
from torch.utils.tensorboard import SummaryWriter
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments

out = sys.argv[1]
os.makedirs(out, exist_ok=True)

# --- a real Trainer on a random model: trainer_state.json and its event file
torch.manual_seed(7)
model = LlamaForCausalLM(LlamaConfig(vocab_size=64, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
                                     num_attention_heads=2, max_position_embeddings=32))
rows = [{"input_ids": torch.randint(0, 64, (12,)), "labels": torch.randint(0, 64, (12,))} for _ in range(48)]
with tempfile.TemporaryDirectory() as folder:
    os.environ["TENSORBOARD_LOGGING_DIR"] = f"{folder}/tb"
    args = TrainingArguments(folder, per_device_train_batch_size=4, num_train_epochs=2, logging_steps=4, eval_strategy="steps",
                             eval_steps=8, save_strategy="no", report_to=["tensorboard"], use_cpu=True, seed=7,
                             disable_tqdm=True)
    trainer = Trainer(model, args, train_dataset=rows[:40], eval_dataset=rows[40:])
    trainer.train()
    trainer.save_state()
    shutil.copy(f"{folder}/trainer_state.json", f"{out}/trainer_state.json")
    events = sorted(glob.glob(f"{folder}/**/events.out.tfevents*", recursive=True), key=os.path.getsize)
    shutil.copy(events[-1], f"{out}/trainer.tfevents")

# --- every way in which a scalar stands in an event file, and what is none
with tempfile.TemporaryDirectory() as folder:
    w = SummaryWriter(folder)
    for step in range(1, 6):
        w.add_scalar("train/loss", 0.7 / step, step, walltime=1000.0 + step)
        w.add_scalar("tensor", 0.1 * step, step, walltime=1000.0 + step, new_style=True)
        w.add_scalar("double", torch.tensor(math.pi * step, dtype=torch.float64).item(), step, walltime=1000.0 + step,
                     new_style=True, double_precision=True)
    w.add_histogram("weights", torch.arange(10.0), 5, walltime=1006.0)
    w.add_text("note", "not a number", 5, walltime=1006.0)
    w.add_scalar("train/loss", float("nan"), 6, walltime=1007.0)
    w.add_scalar("train/loss", float("inf"), 7, walltime=1008.0)
    w.close()
    shutil.copy(glob.glob(f"{folder}/events*")[0], f"{out}/scalars.tfevents")

# --- W&B's history of a TRL run, resumed at 500 after logging to 1000
history = []
for step in (250, 500, 750, 1000, 510, 760):
    history.append({"_step": len(history), "_timestamp": 1700000000.5 + step, "_runtime": step / 10,
                    "train/global_step": step, "train/epoch": step / 1000, "train/loss": 0.7 - step / 5000,
                    "train/grad_norm": 1 + step / 999, "train/learning_rate": 5e-7 * (1 - step / 2000),
                    "train/rewards/margins": step / 3000, "train/rewards/accuracies": 0.5,
                    "train/logps/chosen": -100 - step / 7})
    if step % 500 == 0:
        history.append({"_step": len(history), "_timestamp": 1700000001.5 + step, "_runtime": step / 10,
                        "train/global_step": step, "eval/loss": 0.6 - step / 9000,
                        "grad_hist": {"_type": "histogram", "values": [1, 2]}, "note": "resumable"})
with open(f"{out}/wandb.jsonl", "w") as f:
    for row in history:
        f.write(json.dumps(row) + "\n")
pandas.DataFrame(history).to_csv(f"{out}/wandb.csv")

# --- LLaMA-Factory
with open(f"{out}/trainer_log.jsonl", "w") as f:
    for step in range(10, 60, 10):
        f.write(json.dumps({"current_steps": step, "total_steps": 50, "loss": round(0.7 - step / 200, 4), "accuracy": 0.55,
                            "lr": 5e-06 * (1 - step / 50), "epoch": step / 25, "percentage": step * 2.0,
                            "elapsed_time": "0:00:%02d" % step, "remaining_time": "0:00:%02d" % (50 - step),
                            "throughput": 812.5, "total_tokens": 1000 * step}) + "\n")
    f.write(json.dumps({"current_steps": 50, "total_steps": 50, "eval_loss": 0.6125, "epoch": 2.0, "percentage": 100.0,
                        "elapsed_time": "0:00:55", "remaining_time": "0:00:00"}) + "\n")
    f.write(json.dumps({"current_steps": 50, "total_steps": 50, "epoch": 2.0, "percentage": 100.0,
                        "elapsed_time": "0:00:56", "remaining_time": "0:00:00"}) + "\n")

# --- what TensorBoard itself reads from the event files: (tag, step, value), nothing sampled
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: E402
from tensorboard.util import tensor_util  # noqa: E402

for name in ("trainer", "scalars"):
    acc = EventAccumulator(f"{out}/{name}.tfevents", size_guidance={"scalars": 0, "tensors": 0})
    acc.Reload()
    rows = [[t, e.step, repr(e.value)] for t in acc.Tags()["scalars"] for e in acc.Scalars(t)]
    for tag in acc.Tags()["tensors"]:
        for e in acc.Tensors(tag):
            value = tensor_util.make_ndarray(e.tensor_proto)
            if value.shape == () and value.dtype.kind == "f":
                rows.append([tag, e.step, repr(float(value))])
    with open(f"{out}/{name}.tfevents.json", "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]\n")
