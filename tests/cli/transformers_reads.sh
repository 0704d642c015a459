#!/bin/sh
# What we write, transformers reads: transformers_reads.py, where Python has it
# (STAGELINE_TRANSFORMERS_PYTHON names another interpreter than python3).
. "$(dirname "$0")/common.sh"
shared=${STAGELINE_SHARED:-$STAGELINE_SOURCE/../shared}
[ -d "$shared/goldens/models" ] || skip "no shared goldens"
code=0
"${STAGELINE_TRANSFORMERS_PYTHON:-python3}" "$STAGELINE_SOURCE/tests/cli/transformers_reads.py" "$program" "$shared/goldens/models" || code=$?
exit $code
