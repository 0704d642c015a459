#!/bin/sh
# Figures and the page of a run, end to end: whole or not there, the same twice, nothing from outside.
. "$(dirname "$0")/common.sh"
command -v gnuplot >/dev/null || skip "no gnuplot"
make_start
train_dpo "a run's <b>\"&" >/dev/null
run="a run's <b>\"&"

expect 0 "$program" plot "$run" --out "my 'figs'"
for name in boundary rewards gradients diversity alignment gains; do
    [ -s "my 'figs'/$name.svg" ] || fail "want $name.svg"
done
for table in boundary margins gradients diversity gains source alignment displacement; do
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
expect 2 "$program" plot "$run" --out new --width one-colum
says 'hint: did you mean "one-column"?'
expect 1 "$program" plot nowhere --out new
one_line
expect 1 env PATH=/nonexistent "$program" plot "$run" --out new
says 'want gnuplot on the PATH, found none' 'hint: install the package gnuplot'
one_line
[ ! -e new ] || fail "want nothing half-written"
[ "$(find . -name '*.part*' | wc -l)" -eq 0 ] || fail "want no temporary folder left"

# Two seeds: mean and band, as from the tables of each (t of one degree of freedom is 12.7062).
first=$run
train_dpo second --set seed=2 --set world.seed=2 >/dev/null
run=$first
expect 0 "$program" plot "$run" second --out seeds --width two-column --format pdf
expect 0 "$program" plot "$run" second --out seeds2 --width two-column --format pdf
diff -r seeds seeds2 || fail "want the same bands twice"
expect 0 "$program" plot second --out second-figs
tail -n +2 again/boundary.tsv | cut -f 1,4 >first.bs
tail -n +2 second-figs/boundary.tsv | cut -f 4 | paste first.bs - >both.bs
tail -n +2 seeds/seed_boundary.tsv | paste both.bs - | awk -F '\t' '
    function off(x, y) { return x - y > 1e-5 || y - x > 1e-5 }
    { mean = ($2 + $3) / 2; half = 12.7062047 * ($2 > $3 ? $2 - $3 : $3 - $2) / 2
      lower = mean - half; upper = mean + half
      if ($1 != $4 || $9 != 2 || off(mean, $5) || off(lower < 0 ? 0 : lower, $7) ||
          off(upper > 1 ? 1 : upper, $8)) exit 1
      rows++ } END { exit rows != 3 }' || fail "want means and intervals over two seeds"
for name in seed_boundary seed_margin seed_gradient; do
    [ -s seeds/$name.pdf ] && [ -s seeds/$name.tsv ] || fail "want $name with its table"
    [ "$(wc -c <seeds/$name.pdf)" -lt 200000 ] || fail "want $name.pdf below 200 KB"
done
expect 1 "$program" plot "$run" start --out new
says "want runs that differ in seeds and start policies only, found another \"" "hint: plot such runs one by one"
one_line
expect 2 "$program" plot "$run" second --figure gains --out new

# A file of votes has a section too.
i=0
while [ $i -lt 60 ]; do
    i=$((i + 1))
    echo "{\"prompt_id\": \"p$i\", \"vote\": $((i % 5 > 0)), \"name\": \"a<b\", \"judge\": \"j\"}"
done >votes.jsonl

mkdir tmp
expect 0 env TMPDIR="$scratch/tmp" "$program" report "$run" start votes.jsonl --out page.html
expect 0 env TMPDIR="$scratch/tmp" "$program" report "$run" start votes.jsonl --out page2.html
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
page_has 'prefers-color-scheme:dark'
page_has 'anytime-valid 95 % interval; sequential test around 0.50 ± 0.05'
page_has 'a&lt;b, judge j: preference fine-tuning; on-policy answers win 0.800'
page_has '<ol class="timeline"'
page_has '<h3>Votes spent</h3>'
page_has '<h3>Warnings</h3>'
[ "$(grep -c '<svg role="img" aria-label="' page.html)" -eq "$(grep -c '<svg' page.html)" ] ||
    fail "want every figure with a name for who cannot see it"
# The data of a figure stand in the page: the link of margins.tsv is the table that plot writes.
grep -o 'download="margins.tsv" href="data:text/tab-separated-values;charset=utf-8,[^"]*' page.html |
    head -n 1 | sed 's/.*utf-8,//; s/%09/\t/g; s/%0A/\n/g; s/%2B/+/g' >linked.tsv
printf "%s\n" "$(cat linked.tsv)" | diff - "my 'figs'/margins.tsv" || fail "want the data of the figure in its link"
[ "$(grep -c '<figure>' page.html)" -ge 6 ] || fail "want the figures of both runs"
if grep -oE '<script|<link|<img|<iframe|@import|src *=' page.html; then
    fail "want nothing from outside"
fi
# Every id once, every reference to one of them.
grep -oE " id *= *[\"'][^\"']*" page.html | sed "s/.*[\"']//" | sort >ids
[ -z "$(uniq -d ids)" ] || fail "want every id once, found twice: $(uniq -d ids | head -n 3)"
grep -oE "href=[\"']#[^\"']*|url\\(#[^)]*" page.html | sed 's/.*#//' | sort -u >references
[ -z "$(comm -13 ids references)" ] || fail "want ids of $(comm -13 ids references)"
