#!/bin/sh
# The main job: the numbers that the built-in world promises, the tables and the page.
. "$(dirname "$0")/common.sh"

expect 0 "$program" demo --out d --quiet
for f in report.html summary.tsv figures-weak/boundary.svg figures-strong/rewards.svg run-weak/run.h5; do
    [ -s "d/$f" ] || fail "want d/$f"
done
# start iteration bs_fixed bs lower upper prompts votes stage chosen gain_chosen gain_other verdict
awk -F '\t' '
    function bad(text) { print "line " NR ": " text ": " $0; red = 1 }
    NR == 1 { next }
    { votes += $8; rows++ }
    $5 > $4 || $4 > $6 { bad("want the score inside its interval") }
    $1 == "weak" && $2 == 1 {
        seen++
        if ($3 < 0.28 || $3 > 0.40) bad("want a boundary score of .34 +- .06")
        if ($9 != "injection" || $10 != "static") bad("want injection and static data")
    }
    $1 == "weak" && $2 == 2 {
        seen++
        if ($3 <= 0.5) bad("want a boundary score above .5")
        if ($9 != "fine-tuning" || $10 != "on-policy") bad("want fine-tuning and on-policy data")
    }
    $1 == "strong" && $2 == 1 {
        seen++
        if ($3 < 0.67 || $3 > 0.79) bad("want a boundary score of .73 +- .06")
        if ($10 != "on-policy") bad("want on-policy data at once")
    }
    $2 <= 2 && ($11 == "nan" || $12 == "nan") { bad("want the gain of both sources") }
    END {
        if (seen != 3) { print "want three rows, found " seen; red = 1 }
        if (votes / rows >= 200) { print "want below 200 votes a verdict, found " votes / rows; red = 1 }
        exit red
    }' d/summary.tsv >&2 || fail "summary.tsv, see above"
for run in weak strong; do
    expect 0 "$program" verify "d/run-$run"
    expect 0 "$program" analyze "d/run-$run"
done
expect 1 "$program" demo --out d --quiet
says "want" "--out"

# The examples of the help texts work as they are typed.
mv d demo-out
ln -s "$recipes" recipes
for command in train analyze plot report inspect verify; do
    line=$("$program" "$command" --help | sed -n 's/^example: stageline //p')
    # shellcheck disable=SC2086 # the words of a command line
    expect 0 "$program" $line
done
