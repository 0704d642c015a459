"""`inspect` on the headers of a model of eight billion parameters: four shards of the true size, all
holes. The data are not touched: what the process had in memory stays far below one shard.
usage: inspect_large.py PROGRAM"""
import json
import os
import resource
import subprocess
import sys
import time

LAYERS, HIDDEN, MLP, KEYS, VOCABULARY, SHARDS = 32, 4096, 14336, 1024, 128256, 4
PARAMETERS = 8030261248  # Meta-Llama-3-8B
MOST_KIB = 100 * 1024


def tensors():
    yield "model.embed_tokens.weight", [VOCABULARY, HIDDEN]
    for i in range(LAYERS):
        block = f"model.layers.{i}."
        yield block + "input_layernorm.weight", [HIDDEN]
        yield block + "post_attention_layernorm.weight", [HIDDEN]
        for name, rows in (("q", HIDDEN), ("k", KEYS), ("v", KEYS), ("o", HIDDEN)):
            yield f"{block}self_attn.{name}_proj.weight", [rows, HIDDEN]
        yield block + "mlp.gate_proj.weight", [MLP, HIDDEN]
        yield block + "mlp.up_proj.weight", [MLP, HIDDEN]
        yield block + "mlp.down_proj.weight", [HIDDEN, MLP]
    yield "model.norm.weight", [HIDDEN]
    yield "lm_head.weight", [VOCABULARY, HIDDEN]


def write_shard(path, part):
    header, end = {}, 0
    for name, shape in part:
        begin, end = end, end + 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text)
        f.truncate(8 + len(text) + end)
    return end


def main():
    program, folder = sys.argv[1], "eight-billion"
    os.mkdir(folder)
    config = {"model_type": "llama", "hidden_size": HIDDEN, "intermediate_size": MLP, "num_hidden_layers": LAYERS,
              "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": VOCABULARY, "rope_theta": 500000.0,
              "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "torch_dtype": "bfloat16"}
    rows = list(tensors())
    size, weight_map = len(rows) // SHARDS + 1, {}
    total = 0
    for s in range(SHARDS):
        name, part = f"model-{s + 1:05}-of-{SHARDS:05}.safetensors", rows[s * size:(s + 1) * size]
        total += write_shard(f"{folder}/{name}", part)
        weight_map |= {tensor: name for tensor, _ in part}
    with open(f"{folder}/model.safetensors.index.json", "w") as f:
        json.dump({"metadata": {"total_size": total}, "weight_map": weight_map}, f)
    with open(f"{folder}/config.json", "w") as f:
        json.dump(config, f)
    begin = time.perf_counter()
    out = subprocess.run([program, "inspect", folder, "--json"], capture_output=True, text=True)
    milliseconds = 1000 * (time.perf_counter() - begin)
    if out.returncode:
        sys.exit(out.stderr)
    found = json.loads(out.stdout)
    kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"{total / 1e9:.1f} GB of tensors, {milliseconds:.0f} ms, {kib / 1024:.0f} MiB in memory at most")
    wrong = [(want, key, value) for want, key, value in (
        (PARAMETERS, "parameters", found["parameters"]),
        (PARAMETERS, "weights.parameters", found["weights"]["parameters"]),
        (sum(os.path.getsize(f"{folder}/{name}") for name in set(weight_map.values())), "weights.bytes",
         found["weights"]["bytes"]),
        (SHARDS, "weights.files", found["weights"]["files"])) if value != want]
    if wrong:
        sys.exit(f"want, key, found: {wrong}")
    if kib > MOST_KIB and "STAGELINE_SANITIZED" not in os.environ:
        sys.exit(f"want at most {MOST_KIB} KiB in memory, found {kib}")


main()
