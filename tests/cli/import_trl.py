"""A real DPOTrainer on a tiny random model, with examples/trl_callback.py beside it: writes LOG and TRAINED.json (what
TRL itself logged). usage: import_trl.py EXAMPLES LOG TRAINED.json"""
import copy
import json
import os
import sys
import tempfile

sys.path.insert(0, sys.argv[1])
os.environ["CUDA_VISIBLE_DEVICES"] = ""
try:
    import torch
    from datasets import Dataset
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    from trl import DPOConfig, DPOTrainer
except ImportError as e:
    print(f"skipped: {e}")
    sys.exit(77)
from trl_callback import Measure, PairLog

torch.set_num_threads(1)
torch.manual_seed(11)
words = ["<pad>", "<eos>", "<unk>"] + [f"w{i}" for i in range(40)]
inner = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
inner.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")
config = LlamaConfig(vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
                     max_position_embeddings=64, pad_token_id=0, eos_token_id=1, bos_token_id=1)


def text(seed, n):
    g = torch.Generator().manual_seed(seed)
    return " " + " ".join(f"w{i}" for i in torch.randint(0, 40, (n,), generator=g).tolist())


rows = [{"prompt": text(i, 4).strip(), "chosen": text(100 + i, 3 + i % 4), "rejected": text(200 + i, 5)} for i in range(24)]


def longer(prompt, a, b):
    return 0.5 + 0.4 * ((len(a) > len(b)) - (len(a) < len(b)))


measure = Measure([(r["prompt"], r["chosen"]) for r in rows[:6]], longer, every=6, max_new_tokens=6)


def train(steps, resume):
    torch.manual_seed(11)
    model = LlamaForCausalLM(config)
    args = DPOConfig(
        folder, per_device_train_batch_size=2, gradient_accumulation_steps=2, max_steps=steps, logging_steps=1, save_steps=3,
        learning_rate=1e-2, lr_scheduler_type="constant", beta=0.3, loss_type=sys.argv[4].split(","), max_length=32, report_to=[],
        use_cpu=True, bf16=False, seed=5, disable_tqdm=True, gradient_checkpointing=False)
    trainer = DPOTrainer(model, ref_model=copy.deepcopy(model), args=args, train_dataset=Dataset.from_list(rows),
                         processing_class=tokenizer)
    PairLog(sys.argv[2], tokens=True, measure=measure).attach(trainer)
    trainer.train(resume_from_checkpoint=resume)
    return [r for r in trainer.state.log_history if "loss" in r]


with tempfile.TemporaryDirectory() as folder:
    first = train(8, None)
    with open(sys.argv[2], "ab") as f:  # killed while it wrote
        f.write(b'{"kind": "pair", "step": 9, "lo')
    last = train(10, f"{folder}/checkpoint-6")
with open(sys.argv[3], "w") as f:
    json.dump({"first": first, "last": last}, f)
