"""Exported rows against h5py's reading of run.h5, value by value. usage: export_compare.py RUN CSV_DIR JSONL_DIR H5"""
import csv
import json
import sys

import h5py
import numpy as np

run, csv_dir, jsonl_dir, h5_path = sys.argv[1:]
csv.field_size_limit(1 << 28)
text_number = {"inf": np.inf, "-inf": -np.inf}


def wanted(dtype, column, value):
    """A value of run.h5 as jsonl shows it."""
    kind = h5py.check_enum_dtype(dtype)
    if kind:
        return {v: k for k, v in kind.items()}[int(value)]
    if dtype.kind == "S":
        return bytes(value).decode()
    if dtype.kind == "f":
        return None if np.isnan(value) else value
    return int(value)


def check(table, row, column, dtype, want, found, is_id):
    if is_id:
        same = isinstance(found, str) and len(found) == 16 and int(found, 16) == want
    elif dtype.kind == "f" and want is not None:
        found = text_number.get(found, found)
        same = found is not None and dtype.type(found) == want
    else:
        same = found == want
    if not same:
        sys.exit(f"FAILED: {table} row {row} {column}: want {want!r}, found {found!r}")


def from_csv(text, dtype, is_id):
    if dtype.kind in "S" or is_id or h5py.check_enum_dtype(dtype):
        return text
    if text == "":
        return None
    return text if text in text_number else float(text) if dtype.kind == "f" else int(text)


def element(dtype, x):
    """An element of a wide cell as a number of its type."""
    return np.nan if x is None else dtype.type(text_number.get(x, x))


values = 0
with h5py.File(f"{run}/run.h5") as f, h5py.File(h5_path) as g:
    tables = [t for t in f if f[t].dtype.names and t != "segments"]
    if sorted(tables) != sorted(t for t in g if g[t].dtype.names):
        sys.exit(f"FAILED: want tables {tables}, found {list(g)}")
    for t in tables:
        rows = f[t][:]
        if rows.dtype != g[t].dtype or rows.tobytes() != g[t][:].tobytes():
            sys.exit(f"FAILED: {t} of the exported h5 differs")
        units = dict(u.split(": ", 1) for u in f[t].attrs["units"].decode().split("; "))
        wide = {w: f[w][:] for w in f if w.startswith(t + "_") and f[w].ndim == 2}
        for w, x in wide.items():
            if x.tobytes() != g[w][:].tobytes():
                sys.exit(f"FAILED: {w} of the exported h5 differs")
        jsonl = [json.loads(line) for line in open(f"{jsonl_dir}/{t}.jsonl")]
        lines = list(csv.DictReader(open(f"{csv_dir}/{t}.csv", newline="")))
        if not len(rows) == len(jsonl) == len(lines):
            sys.exit(f"FAILED: {t}: want {len(rows)} rows, found {len(jsonl)} and {len(lines)}")
        for i, r in enumerate(rows):
            for c in rows.dtype.names:
                d = rows.dtype[c]
                is_id = units.get(c) == "id" and d == np.uint64
                want = wanted(d, c, r[c])
                check(t, i, c, d, want, jsonl[i][c], is_id)
                check(t, i, c, d, want, from_csv(lines[i][c], d, is_id), is_id)
                values += 2
            for w, x in wide.items():
                a = np.array([element(x.dtype, v) for v in jsonl[i][w]], x.dtype)
                b = np.array([element(x.dtype, float(v)) for v in lines[i][w].split()], x.dtype)
                if a.tobytes() != x[i].tobytes() or b.tobytes() != x[i].tobytes():
                    sys.exit(f"FAILED: {w} row {i} differs")
                values += 2 * len(a)
print(f"{values} values the same")
