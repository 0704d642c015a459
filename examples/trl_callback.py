#!/usr/bin/env python3
"""What TRL's DPOTrainer does not keep: log-probabilities and rewards pair by pair, and votes.

    from trl_callback import PairLog
    trainer = DPOTrainer(...)
    PairLog("pairs.jsonl").attach(trainer)
    trainer.train()

    stageline import trl pairs.jsonl --out run      # then: analyze run, plot run, compare ...

A line of JSON for every pair of every update: sums of log-probabilities over the tokens of both
answers under policy and reference, lengths, ids; a line a step with the loss; the trainer's own log
as it is. PairLog(..., tokens=True) adds the log-probability of every token, measure=Measure(...)
votes of a judge between fresh answers and given ones, which tell the stage of the policy.

Lines of a step are written and synced together when its update is done, so a crash costs at most
the step at hand and at most one torn line, which is cut when training resumes. Gradient
accumulation: all micro-batches of an update are one step. A resumed training goes on in the same
file; stageline keeps the attempts apart.

Limits: one process (no DDP, FSDP, DeepSpeed), no Liger kernel, no vision batches; written for TRL
1.16, works where the trainer has `_compute_loss` and pads batches as [chosen, rejected] with a
`completion_mask`. Under `ld_alpha`, divergences other than reverse KL and sums of losses the
log-probabilities are right, but stageline has no such loss to compute again."""

import dataclasses
import hashlib
import json
import os
import time
from typing import Callable, Optional, Sequence, Tuple

import torch
import transformers
import trl
from transformers import TrainerCallback


def identity(*lists):
    """16 hex digits of the SHA-256 of token ids."""
    return hashlib.sha256(json.dumps(lists).encode()).hexdigest()[:16]


@dataclasses.dataclass
class Measure:
    """Votes: every `every` updates, and before the first, the policy answers each prompt once, and
    judge(prompt, a, b) says with which probability a is better; both orders are asked."""

    prompts: Sequence[Tuple[str, str]]  # prompt, static answer
    judge: Callable[[str, str, str], float]
    every: int = 100
    max_new_tokens: int = 128
    temperature: float = 1.0


class PairLog(TrainerCallback):
    def __init__(self, path: str, tokens: bool = False, measure: Optional[Measure] = None):
        self.path, self.tokens, self.measure = path, tokens, measure
        self.trainer = self.file = None
        self.pairs, self.losses = [], []  # of the update at hand

    def attach(self, trainer):
        if trainer.accelerator.num_processes > 1:
            raise ValueError("PairLog wants one process, found several")
        if getattr(trainer.args, "use_liger_kernel", False):
            raise ValueError("PairLog wants the log-probabilities of DPOTrainer, found the Liger kernel")
        self.trainer, self.compute_loss = trainer, trainer._compute_loss
        trainer._compute_loss = self._compute_loss
        trainer.add_callback(self)
        return self

    # --- the file

    def _open(self, resumed_from):
        """A new file, or the old one, cut behind its last whole line, when training resumes."""
        last = 0
        if os.path.exists(self.path):
            if not resumed_from:
                raise FileExistsError(f"{self.path}: want a new file, found one there")
            with open(self.path, "r+b") as f:
                text = f.read()
                whole = text.rfind(b"\n") + 1
                f.truncate(whole)
            for line in text[:whole].splitlines():
                last = json.loads(line).get("step", last)
            resumed_from = min(resumed_from, last)
        self.file = open(self.path, "ab", buffering=0)
        args, model = self.trainer.args, self.trainer.model
        names = ["loss_type", "loss_weights", "beta", "label_smoothing", "f_divergence_type", "ld_alpha",
                 "max_length", "truncation_mode", "learning_rate", "per_device_train_batch_size",
                 "gradient_accumulation_steps", "seed", "bf16", "fp16", "precompute_ref_log_probs", "sync_ref_model"]
        settings = {n: getattr(args, n) for n in names if hasattr(args, n)}
        if isinstance(settings.get("loss_type"), str):
            settings["loss_type"] = [settings["loss_type"]]
        settings.update(trl=trl.__version__, transformers=transformers.__version__, torch=torch.__version__,
                        policy=getattr(model.config, "_name_or_path", ""), dtype=str(model.dtype))
        self._write([{"kind": "run", "schema": "stageline.trl/1", "resumed_from": resumed_from if last else 0,
                      "settings": settings}])

    def _write(self, rows):
        """One write and one sync: either the lines of a step are there, or its update is not told of."""
        text = "".join(json.dumps(r, default=str) + "\n" for r in rows).encode()
        while text:
            text = text[self.file.write(text):]
        os.fsync(self.file.fileno())

    # --- pairs of a micro-batch

    def _compute_loss(self, model, inputs, *args, **kwargs):
        if not self.trainer.model.training:
            return self.compute_loss(model, inputs, *args, **kwargs)
        policy = self.trainer.accelerator.unwrap_model(model)
        modules = {id(m): m for m in (policy, self.trainer.ref_model) if m is not None}
        outputs = []  # the policy's, then the reference's unless it was computed before
        hooks = [m.register_forward_hook(lambda m, i, out: outputs.append(out)) for m in modules.values()]
        try:
            result = self.compute_loss(model, inputs, *args, **kwargs)
        finally:
            for h in hooks:
                h.remove()
        with torch.no_grad():
            self._take(inputs, [self._logps(o, inputs) for o in outputs[:2]])
        loss = result[0] if isinstance(result, tuple) else result
        self.losses.append(loss.detach().double().item())
        return result

    @staticmethod
    def _logps(output, inputs):
        """Log-probability of every token of the answers (rows, tokens - 1); 0 elsewhere."""
        mask = inputs["completion_mask"][:, 1:]
        found = getattr(output, "log_probs", None)
        if found is None:
            labels = inputs["input_ids"][:, 1:].unsqueeze(-1)
            rows = output.logits[:, -labels.size(1) - 1:-1]
            found = torch.stack([r.float().log_softmax(-1).gather(-1, l).squeeze(-1) for r, l in zip(rows, labels)])
        return found[:, -mask.size(1):].double() * mask

    def _take(self, inputs, logps):
        ids, mask = inputs["input_ids"], inputs["completion_mask"]
        seen = inputs["attention_mask"].bool() & ~mask.bool()  # prompt
        n = ids.size(0) // 2
        ref = logps[1] if len(logps) > 1 else None
        ends = self.trainer.processing_class.eos_token_id
        for i in range(n):
            row = {"kind": "pair"}
            prompt = ids[i][seen[i]].tolist()
            flags = 0
            for side, k in (("c", i), ("r", i + n)):
                here = mask[k].bool()
                answer = ids[k][here].tolist()
                flags |= 0 if answer and answer[-1] == ends else 8  # EOS missing
                row[f"{'chosen' if side == 'c' else 'rejected'}_id"] = identity(prompt, answer)
                row[f"logp_{side}"] = logps[0][k].sum().item()
                if ref is not None:
                    row[f"ref_logp_{side}"] = ref[k].sum().item()
                else:  # computed before training
                    row[f"ref_logp_{side}"] = inputs[f"ref_{'chosen' if side == 'c' else 'rejected'}_logps"][i].item()
                row[f"tok_{side}"] = len(answer)
                if self.tokens:
                    row[f"ids_{side}"] = answer
                    row[f"logps_{side}"] = logps[0][k][here[1:]].tolist()
                    row[f"ref_logps_{side}"] = ref[k][here[1:]].tolist() if ref is not None else [None] * len(answer)
            row["prompt_id"] = identity(prompt)
            row["pair_id"] = identity(prompt, row["chosen_id"], row["rejected_id"])
            row["tok_prompt"], row["flags"] = len(prompt), flags
            beta = self.trainer.args.beta
            row["reward_c"] = beta * (row["logp_c"] - row["ref_logp_c"])
            row["reward_r"] = beta * (row["logp_r"] - row["ref_logp_r"])
            row["margin"] = row["reward_c"] - row["reward_r"]
            self.pairs.append(row)

    # --- what the trainer calls

    def on_train_begin(self, args, state, control, **kwargs):
        self._open(state.global_step)
        if state.global_step == 0:
            self._measure(0)

    def on_step_end(self, args, state, control, **kwargs):
        step, n = state.global_step, len(self.pairs)
        margins = [p["margin"] for p in self.pairs]
        rows = [dict(p, step=step, visit=max(0, -int(-state.epoch // 1) - 1)) for p in self.pairs]
        rows.append({
            "kind": "step", "step": step, "epoch": state.epoch, "utc_s": time.time(), "pairs": n,
            "loss": sum(self.losses) / max(1, len(self.losses)),  # mean over micro-batches, as TRL has it
            "learning_rate": self.trainer.lr_scheduler.get_last_lr()[0],
            "margin": sum(margins) / max(1, n),
            "accuracy": sum((m > 0) + 0.5 * (m == 0) for m in margins) / max(1, n),
            "tokens": sum(2 * p["tok_prompt"] + p["tok_c"] + p["tok_r"] for p in self.pairs)})
        self._write(rows)
        self.pairs, self.losses = [], []
        if self.measure and step % self.measure.every == 0:
            self._measure(step)

    def on_log(self, args, state, control, logs=None, **kwargs):
        numbers = {k: v for k, v in (logs or {}).items() if isinstance(v, (int, float))}
        if self.file and numbers:
            self._write([{"kind": "log", "step": state.global_step, "logs": numbers}])

    def on_train_end(self, args, state, control, **kwargs):
        if self.file:
            self.file.close()
            self.file = None

    # --- votes

    @torch.no_grad()
    def _answer(self, prompt, step, number):
        tokenizer, model = self.trainer.processing_class, self.trainer.model
        ids = tokenizer(prompt, return_tensors="pt").to(model.device)
        torch.manual_seed(1000003 * step + number)
        made = model.generate(**ids, do_sample=True, temperature=self.measure.temperature, top_k=0, top_p=1.0,
                              max_new_tokens=self.measure.max_new_tokens, pad_token_id=tokenizer.pad_token_id)
        return tokenizer.decode(made[0][ids["input_ids"].size(1):], skip_special_tokens=True)

    def _measure(self, step):
        """The random numbers of training go on as if nothing had been sampled."""
        if not self.measure:
            return
        rows, model = [], self.trainer.model
        was_training = model.training
        model.eval()
        with torch.random.fork_rng():
            for number, (prompt, static) in enumerate(self.measure.prompts):
                answer = self._answer(prompt, step, number)
                row = {"kind": "vote", "step": step, "prompt_id": identity(prompt), "on_id": identity(prompt, answer),
                       "off_id": identity(prompt, static), "len_on": len(answer), "len_off": len(static)}
                rows.append(dict(row, order="on-first", vote=self.measure.judge(prompt, answer, static)))
                rows.append(dict(row, order="off-first", vote=1 - self.measure.judge(prompt, static, answer)))
        model.train(was_training)
        self._write(rows)
