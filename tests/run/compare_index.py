#!/usr/bin/python3
"""run.h5 against its segments, read by h5py: usage compare_index.py RUN. Exit 1 on a difference."""
import sys

import h5py
import numpy as np


def compare(run):
    with h5py.File(f"{run}/run.h5", "r") as index:
        parts = index["segments"][:]
        for name in index:
            if name in ("segments", "run_json"):
                continue
            rows = index[name][:]
            table = max((t for t in set(parts["table"]) if name.startswith(t.decode())), key=len)
            want = []
            for p in parts[parts["table"] == table]:
                with h5py.File(f"{run}/{p['file'].decode()}", "r") as segment:
                    want.append(segment[name][: p["live"]])
            want = np.concatenate(want)
            if want.tobytes() != rows.tobytes() or want.dtype != rows.dtype:
                sys.exit(f"/{name} differs from its segments")
            for key in ("units", "description"):
                if not index[name].attrs[key]:
                    sys.exit(f"/{name} has no {key}")
        if h5py.check_enum_dtype(index["tokens"].dtype["side"]) != {"chosen": 0, "rejected": 1}:
            sys.exit("/tokens side has no names")
        if index["probe_logp"].dtype != np.float16 or index["topk_logp"].dtype != np.float16:
            sys.exit("half floats are not float16")


compare(sys.argv[1])
