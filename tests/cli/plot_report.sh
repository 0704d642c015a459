#!/bin/sh
# Figures and the page of a run, end to end: whole or not there, the same twice, nothing from outside.
. "$(dirname "$0")/common.sh"
command -v gnuplot >/dev/null || skip "no gnuplot"
make_start
train_dpo "a run's <b>\"&" >/dev/null
run="a run's <b>\"&"

expect 0 "$program" plot "$run" --out "my 'figs'"
for name in boundary rewards gradients diversity gains; do
    [ -s "my 'figs'/$name.svg" ] || fail "want $name.svg"
done
for table in boundary margins gradients diversity gains source; do
    [ -s "my 'figs'/$table.tsv" ] || fail "want $table.tsv"
done
expect 0 "$program" plot "$run" --out again
diff -r "my 'figs'" again || fail "want the same figures twice"
expect 0 "$program" plot "$run" --out one --figure gains --format pdf
[ -s one/gains.pdf ] && [ ! -e one/boundary.pdf ] || fail "want gains.pdf alone"

# A run that measured nothing has no boundary score to draw, and says so.
expect 0 "$program" plot start --out start-figs
says 'no figure "boundary"'
[ ! -e start-figs/boundary.svg ] || fail "want no empty picture"

expect 1 "$program" plot "$run" --out again
says 'want a new folder, found "again"' 'hint: give another --out'
one_line
expect 2 "$program" plot "$run" --out new --figure gian
says 'hint: did you mean "gains"?'
expect 2 "$program" plot "$run" --out new --format jpeg
expect 1 "$program" plot nowhere --out new
one_line
expect 1 env PATH=/nonexistent "$program" plot "$run" --out new
says 'want gnuplot on the PATH, found none' 'hint: install the package gnuplot'
one_line
[ ! -e new ] || fail "want nothing half-written"
[ "$(find . -name '*.part*' | wc -l)" -eq 0 ] || fail "want no temporary folder left"

mkdir tmp
expect 0 env TMPDIR="$scratch/tmp" "$program" report "$run" start --out page.html
expect 0 env TMPDIR="$scratch/tmp" "$program" report "$run" start --out page2.html
cmp page.html page2.html || fail "want the same page twice"
expect 1 "$program" report "$run" --out page.html
says 'want a new file, found "page.html"'
one_line
expect 1 env PATH=/nonexistent TMPDIR="$scratch/tmp" "$program" report "$run" --out page3.html
[ ! -e page3.html ] || fail "want no page"
[ -z "$(ls tmp)" ] || fail "want no temporary folder left"

page_has() {
    grep -qF -- "$1" page.html || fail "want in the page: $1"
}
page_has '<!DOCTYPE html>'
page_has '<h2>a run&#39;s &lt;b&gt;&quot;&amp;</h2>'
page_has '<th>method.beta</th><td>0.5</td>'
page_has '<th>run_uuid</th>'
page_has 'This run measured no boundary score.'
[ "$(grep -c '<figure>' page.html)" -ge 6 ] || fail "want the figures of both runs"
if grep -E '<script|<link|<img|<iframe|@import|src *=' page.html; then
    fail "want nothing from outside"
fi
# Every id once, every reference to one of them.
grep -oE " id *= *[\"'][^\"']*" page.html | sed "s/.*[\"']//" | sort >ids
[ -z "$(uniq -d ids)" ] || fail "want every id once, found twice: $(uniq -d ids | head -n 3)"
grep -oE "href=[\"']#[^\"']*|url\\(#[^)]*" page.html | sed 's/.*#//' | sort -u >references
[ -z "$(comm -13 ids references)" ] || fail "want ids of $(comm -13 ids references)"
