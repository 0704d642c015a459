#!/bin/sh
# Data by a schedule, and a share of both sources that follows the score: what each update saw, what
# was decided before it, and what is refused.
. "$(dirname "$0")/common.sh"
make_start

# column TABLE NAME: the values of a column, one a line.
column() {
    awk -F '\t' -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
        NR > 1 { print $at }' "$1"
}
same() { # same WHAT WANT FOUND
    [ "$2" = "$3" ] || fail "want $1 \"$2\", found \"$3\""
}

# A schedule: the share of an iteration stands in every row of its updates.
expect 0 "$program" train "$recipes/world-schedule.yaml" --out plan --threads 1 --quiet \
    --set model.policy=$start --set train.prompts=128 --set train.batch=16 \
    --set train.iterations=4 --set measure.prompts=16 --set measure.exact_prompts=16 \
    --set record.min_free_gib=0
expect 0 "$program" analyze plan --out plan-tables
sources=$(column plan-tables/source.tsv pairs_on | awk '
    { s[int((NR - 1) / 8)] += $1 }
    END { for (i = 0; i < NR / 8; i++)
        printf "%s ", s[i] == 0 ? "static" : s[i] == 128 ? "on" : "mixed" }')
same "sources of four iterations" "static mixed on on " "$sources"
same "one measurement an iteration and one at the end" 5 \
    "$(column plan-tables/boundary.tsv action | grep -c none)"

# A share by the score: written before the updates that obey it, at most a quarter at a time.
for advice in linear smoothstep logistic posterior; do
    expect 0 "$program" train "$recipes/world-soft.yaml" --out $advice --threads 1 --quiet \
        --set policy.advice=$advice --set model.policy=$start --set train.prompts=128 \
        --set train.batch=16 --set policy.refill=4 --set measure.every=4 \
        --set measure.prompts=32 --set measure.exact_prompts=16 --set record.min_free_gib=0
    expect 0 "$program" analyze $advice --out $advice-tables
    prints "all as recorded, bit for bit" "decision: a mixture next, share "
    column $advice-tables/boundary.tsv mix_weight >shares
    column $advice-tables/boundary.tsv action >actions
    same "decisions of $advice" "mix mix mix mix none" "$(tr '\n' ' ' <actions | sed 's/ $//')"
    awk 'BEGIN { was = 0.5 } $1 != "nan" { d = $1 - was; was = $1
        if (d > 0.25 + 1e-12 || d < -0.25 - 1e-12 || $1 < 0.05 || $1 > 0.95) exit 1 }' shares ||
        fail "want shares in [.05, .95] that move by at most .25, found $(tr '\n' ' ' <shares)"
done
# The start is weak: static answers win, and the share falls.
[ "$(sed -n 3p shares | cut -c 1-4)" = 0.05 ] ||
    fail "want a share of .05 after three measurements of a weak start, found $(sed -n 3p shares)"

# Bradley-Terry noise: hard votes at a temperature, derived again like all others.
expect 0 "$program" train "$recipes/world-soft.yaml" --out noise --threads 1 --quiet \
    --set policy.advice=hard --set model.policy=$start --set train.prompts=64 --set train.batch=16 \
    --set policy.refill=4 --set measure.every=4 --set measure.prompts=32 --set judge.noise=true \
    --set judge.temperature=2 --set measure.exact_prompts=16 --set record.min_free_gib=0
expect 0 "$program" analyze noise --out noise-tables
prints "all as recorded, bit for bit"
expect 1 "$program" train "$recipes/world-soft.yaml" --out never --set judge.noise=true \
    --set measure.judge=command
says "want judge.noise with measure.judge truth"

# What cannot be meant is refused before anything is opened.
refuse() {
    text=$1
    shift
    expect 1 "$program" train "$recipes/world-soft.yaml" --out never --quiet \
        --set model.policy=$start "$@"
    says "$text"
    one_line
    [ ! -e never ] || fail "want nothing written, found a run"
}
refuse "want policy.source schedule with policy.schedule" --set policy.schedule=static
refuse "want policy.source advised with policy.advice" --set policy.source=mix
refuse "want static, on-policy or mix with a share of 0 to 1, found \"mix 1.5\"" \
    --set policy.source=schedule --set "policy.schedule=static, mix 1.5"
refuse "want at most train.iterations = 2 entries, found 3" \
    --set policy.source=schedule --set policy.schedule=static,static,on-policy
refuse "found \"\"" --set policy.source=schedule
expect 2 "$program" train "$recipes/world-soft.yaml" --out never --set policy.advice=linaer
says "policy.advice" "linear"
