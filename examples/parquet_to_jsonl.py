#!/usr/bin/env python3
"""Rows of Parquet files as JSONL that stageline reads (docs/formats.md).

usage: parquet_to_jsonl.py FILE.parquet [FILE.parquet ...] >pairs.jsonl
       parquet_to_jsonl.py --columns prompt,chosen,rejected *.parquet | gzip >pairs.jsonl.gz

Wants pyarrow (`pip install pyarrow`). A data set of the hub is downloaded once by whoever needs it:
    huggingface-cli download HuggingFaceH4/ultrafeedback_binarized --repo-type dataset
Values are written as they are: nothing is renamed, cut or dropped. NaN becomes null.
"""
import argparse
import json
import math
import sys

import pyarrow.parquet


def plain(value):
    """What JSON can say: NaN and infinity become null, bytes become text."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="+", metavar="FILE.parquet")
    parser.add_argument("--columns", help="names, separated by commas; default: all")
    options = parser.parse_args()
    columns = options.columns.split(",") if options.columns else None
    for path in options.files:
        file = pyarrow.parquet.ParquetFile(path)
        missing = set(columns or []) - set(file.schema_arrow.names)
        if missing:
            sys.exit(f"{path}: want columns {sorted(missing)}, found {file.schema_arrow.names}")
        for batch in file.iter_batches(batch_size=1024, columns=columns):
            for row in batch.to_pylist():
                print(json.dumps(plain(row), ensure_ascii=False, default=str))


if __name__ == "__main__":
    main()
