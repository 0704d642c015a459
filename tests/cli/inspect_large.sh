#!/bin/sh
# A checkpoint of 16 GB is inspected by its headers alone (inspect_large.py).
. "$(dirname "$0")/common.sh"
python3 "$STAGELINE_SOURCE/tests/cli/inspect_large.py" "$program"
