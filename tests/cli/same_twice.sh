#!/bin/sh
# The same recipe twice gives the same record, bit for bit; another seed gives another.
. "$(dirname "$0")/common.sh"
make_start
train_dpo a >/dev/null
train_dpo b >/dev/null
train_dpo c --set seed=2 >/dev/null
[ "$(digest a)" = "$(digest b)" ] || fail "want one digest of one recipe, found two"
[ "$(digest a)" != "$(digest c)" ] || fail "want another digest of another seed, found the same"
cmp a/checkpoints/step-000000000032/model.safetensors \
    b/checkpoints/step-000000000032/model.safetensors || fail "want the same parameters"
