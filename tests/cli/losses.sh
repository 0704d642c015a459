#!/bin/sh
# docs/math.md does not drift from the table of losses: `train --losses` prints the rows of its table, in
# its order, with the same reference, reduction, source and defaults.
. "$(dirname "$0")/common.sh"
page=page
(cd "$STAGELINE_SOURCE" && cat docs/math.md) >"$page"
expect 0 "$program" train --losses
[ "$(head -n 1 out)" = "$(printf 'name\treference\tover\tsettings\tformula\tsource')" ] || fail "want the header"
awk -F '\t' 'NR > 1 { over = $3; sub(/-/, " ", over); print $1 "|" $2 "|" over }' out | sort >program.txt
sed -n '/^## Losses/,/Keys and defaults:/p' "$page" | grep '^| `' >table.txt
awk -F '|' '{ gsub(/[` ]/, "", $2); gsub(/ /, "", $5); sub(/^ */, "", $6); sub(/ *$/, "", $6)
    print $2 "|" $5 "|" $6 }' table.txt | sort >docs.txt
diff docs.txt program.txt || fail "want the losses of docs/math.md, with reference and tokens as there"
[ "$(wc -l <docs.txt)" -ge 19 ] || fail "want 19 losses or more"

# The paper of every row, by its number.
grep -o 'arXiv [0-9.]*[0-9]' out | sort -u >papers.txt
while read -r paper; do
    grep -qF "$paper" table.txt || fail "want \"$paper\" in docs/math.md"
done <papers.txt
[ "$(wc -l <papers.txt)" -ge 10 ] || fail "want the papers of the losses"

# Defaults are those of the page, and of a recipe that says nothing.
cut -f 4 out | tr ' ' '\n' | grep = | sort -u >defaults.txt
[ "$(wc -l <defaults.txt)" -eq 5 ] || fail "want five settings with one default each"
while IFS='=' read -r name value; do
    grep -A 1 'Keys and defaults:' "$page" | grep -qE "\`method\.$name\` $value([ ,.]|\$)" ||
        fail "want \`method.$name\` $value in docs/math.md"
done <defaults.txt
