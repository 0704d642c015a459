#!/bin/sh
# A real model of 134,515,008 parameters against its reference numbers: logits, log-probabilities,
# greedy tokens, DPO gradient norms. It is not part of the goldens: STAGELINE_SMOLLM2 names its
# folder, which tools/real.sh makes (real/model). A minute and 5 GB.
. "$(dirname "$0")/common.sh"
shared=${STAGELINE_SHARED:-$STAGELINE_SOURCE/../shared}
[ -f "$shared/goldens/smollm2.h5" ] || skip "no shared goldens"
[ -n "${STAGELINE_SMOLLM2:-}" ] || skip "want STAGELINE_SMOLLM2, the folder of SmolLM2-135M-Instruct"

expect 0 "$program" inspect "$STAGELINE_SMOLLM2" --json
prints '134515008'
expect 0 "$program" score "$STAGELINE_SMOLLM2" --golden "$shared/goldens/smollm2.h5" --json
prints '"schema": "stageline.golden/1"' '"failed": 0,' '"unknown": 0'
[ "$(number passed <out)" -eq 61 ] || fail "want 61 tests, found $(number passed <out)"
