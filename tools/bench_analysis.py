"""The other side of `stageline bench analysis`: what is usual in Python for the same inputs.

usage: bench_analysis.py FOLDER ITEM REPEAT SIZES...
FOLDER holds the inputs as raw arrays (x.f64, x.f32, index.u32, token.i32) or x.h5. Writes
FOLDER/python.json: {"with": ..., "seconds": [...], "result": [...]}: processor time of each of
REPEAT runs after one that does not count, and the numbers that both sides must agree on. An
absent package is named in "absent" instead. Reading raw inputs is not timed; reading x.h5 is.
"""
import importlib
import json
import math
import os
import sys
import time


def read(name, kind, *shape):
    import numpy as np

    return np.fromfile(os.path.join(folder, name), dtype=kind).reshape(shape)


def texts(prompts, answers, tokens):
    return read("token.i32", "int32", prompts, answers, tokens).tolist()


def self_bleu(prompts, answers, tokens):
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    sets = texts(prompts, answers, tokens)
    smooth = SmoothingFunction(epsilon=0.1).method1

    def run():
        return [sentence_bleu(s[:i] + s[i + 1:], s[i], smoothing_function=smooth)
                for s in sets for i in range(answers)]

    return run


def distinct_of(answers, vocabulary):
    from nltk.util import ngrams

    out = []
    for n in range(1, 5):
        seen, total = set(), 0
        for a in answers:
            grams = list(ngrams(a, n))
            seen.update(grams)
            total += len(grams)
        most = float(vocabulary) ** n
        out += [len(seen) / total,
                len(seen) / (-most * math.expm1(total * math.log1p(-1.0 / most)))]
    return out


def distinct(prompts, answers, tokens, vocabulary):
    sets = texts(prompts, answers, tokens)
    return lambda: [v for s in sets for v in distinct_of(s, vocabulary)]


def distinct_corpus(prompts, answers, tokens, vocabulary):
    every = [a for s in texts(prompts, answers, tokens) for a in s]
    return lambda: distinct_of(every, vocabulary)


def vendi(n, d):
    from vendi_score import vendi as package

    x = read("x.f64", "float64", n, d)
    return lambda: [float(package.score_X(x))]


def vendi_dual(n, d):
    import numpy as np

    x = read("x.f64", "float64", n, d)

    def run():
        unit = x / np.linalg.norm(x, axis=1, keepdims=True)
        w = np.linalg.eigvalsh(unit.T @ unit / n)
        w = w[w > 0]
        return [float(np.exp(-(w * np.log(w)).sum()))]

    return run


def pelt(T, penalty):
    import ruptures

    x = read("x.f64", "float64", T)
    return lambda: ruptures.Pelt(model="l2", min_size=2, jump=1).fit_predict(x, pen=penalty)


def rbf(T, penalty):
    import ruptures

    x = read("x.f64", "float64", T)
    return lambda: ruptures.KernelCPD(kernel="rbf", min_size=2).fit_predict(x, pen=penalty)


def bootstrap(B, n):
    import numpy as np

    x = read("x.f64", "float64", n)
    index = read("index.u32", "uint32", B, n).astype(np.int64)

    def run():
        means = x[index].mean(axis=1)
        return [float(means.std(ddof=1))] + [float(q) for q in np.quantile(means, [0.025, 0.975])]

    return run


def kelly(n):
    import numpy as np

    y = read("x.f64", "float64", n)
    above, below = 0.5 - 0.05, 1 - 0.5 - 0.05
    fraction = np.minimum([0.1, 0.2, 0.4, 0.8, 1.6], 0.9 / max(above, below))

    def log_mean_exp(v):
        most = v.max()
        return most + np.log(np.exp(v - most).mean())

    def run():
        log_above, log_below, out = np.zeros(5), np.zeros(5), []
        for vote in y:
            log_above += np.log1p(fraction * (vote - above))
            log_below += np.log1p(fraction * ((1 - vote) - below))
            out += [float(log_mean_exp(log_above)), float(log_mean_exp(log_below))]
        return out

    return run


def bernstein(n):
    y = read("x.f64", "float64", n).tolist()
    alpha = 0.05

    def run():
        total, squares, out = 0.0, 0.0, []
        weight = low = high = width = 0.0
        for t, vote in enumerate(y, 1):
            variance = (0.25 + squares) / t
            fraction = min(math.sqrt(2 * math.log(2 / alpha) / (variance * t * math.log(t + 1))), 0.5)
            centre = (0.5 + total) / t
            weight += fraction
            low += fraction * vote
            high += fraction * (1 - vote)
            width += (vote - centre) ** 2 * (-math.log1p(-fraction) - fraction)
            total += vote
            mean = (0.5 + total) / (t + 1)
            squares += (vote - mean) ** 2
            paid = math.log(2 / alpha) + width
            out += [max(0.0, (low - paid) / weight), min(1.0, 1 - (high - paid) / weight)]
        return out

    return run


def sketch(n, m, seed):
    import numpy as np

    x = read("x.f64", "float64", n)

    def run():
        u = np.arange(seed, seed + n, dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        u = (u ^ (u >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        u = (u ^ (u >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        u ^= u >> np.uint64(31)
        bucket = ((u >> np.uint64(32)) * np.uint64(m)) >> np.uint64(32)
        sign = (u & np.uint64(1)).astype(np.float64) * 2 - 1
        return np.bincount(bucket.astype(np.int64), weights=sign * x, minlength=m).tolist()

    return run


def logits(n, V):
    import numpy as np

    z = read("x.f32", "float32", n, V)
    token = read("token.i32", "int32", n)

    def run():
        below = z - z.max(axis=1, keepdims=True)
        e = np.exp(below)
        total = e.sum(axis=1)
        entropy = np.log(total) - np.einsum("ij,ij->i", e, below) / total
        logp = below[np.arange(n), token] - np.log(total)
        return entropy.tolist() + logp.tolist()

    return run


def rows(n, columns):
    import h5py

    def run():
        with h5py.File(os.path.join(folder, "x.h5"), "r") as f:
            return f["x"][...].mean(axis=0).tolist()

    return run


items = {  # name: what it needs, what makes a run of it
    "self-bleu": (["numpy", "nltk"], self_bleu),
    "distinct": (["numpy", "nltk"], distinct),
    "distinct-corpus": (["numpy", "nltk"], distinct_corpus),
    "vendi": (["numpy", "vendi_score"], vendi),
    "vendi-dual": (["numpy"], vendi_dual),
    "pelt": (["numpy", "ruptures"], pelt),
    "rbf": (["numpy", "ruptures"], rbf),
    "bootstrap": (["numpy"], bootstrap),
    "kelly": (["numpy"], kelly),
    "bernstein": (["numpy"], bernstein),
    "sketch": (["numpy"], sketch),
    "logits": (["numpy"], logits),
    "rows": (["numpy", "h5py"], rows),
}


def used():
    t = os.times()
    return time.process_time() + t.children_user + t.children_system


def measure(item, repeat, sizes):
    needs, prepare = items[item]
    for package in needs:
        try:
            importlib.import_module(package)
        except ImportError:
            return {"absent": package}
    module = sys.modules[needs[-1]]
    label = needs[-1] + " " + getattr(module, "__version__", "")
    run = prepare(*sizes)
    result, seconds = run(), []
    for _ in range(repeat):
        begun = used()
        result = run()
        seconds.append(used() - begun)
    return {"with": label.strip(), "seconds": seconds, "result": [float(v) for v in result]}


if __name__ == "__main__":
    folder = sys.argv[1]
    answer = measure(sys.argv[2], int(sys.argv[3]), [int(s) for s in sys.argv[4:]])
    with open(os.path.join(folder, "python.json"), "w") as out:
        json.dump(answer, out)
