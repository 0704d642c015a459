#!/bin/sh
# The report is sound HTML, and a browser shows it without complaint, as wide as a desk and as a
# phone. Needs a validator (tidy, or html5lib of Python), and a headless Chromium for the second half.
. "$(dirname "$0")/common.sh"
command -v gnuplot >/dev/null || skip "no gnuplot"
make_start
train_dpo run >/dev/null
i=0
while [ $i -lt 40 ]; do
    i=$((i + 1))
    echo "{\"prompt_id\": \"p$i\", \"vote\": $((i % 2)), \"step\": $((i % 3)), \"name\": \"<&>\"}"
done >votes.jsonl
expect 0 "$program" report run start votes.jsonl --out page.html

html5lib='import sys, html5lib
html5lib.HTMLParser(strict=True).parse(open(sys.argv[1], "rb"))'
tried=
if command -v tidy >/dev/null; then
    tidy -q -e page.html >tidy.out 2>&1 || {
        cat tidy.out >&2
        fail "want HTML that tidy has nothing against"
    }
    [ ! -s tidy.out ] || fail "want no warning of tidy, found: $(head -n 3 tidy.out)"
    # The validator can say no.
    sed 's/<\/main>/<\/div>/' page.html >broken.html
    ! tidy -q -e broken.html >tidy.out 2>&1 || fail "want a validator that notices"
    tried="$tried tidy"
else
    echo "not tried: tidy (not installed)"
fi
python=${STAGELINE_PYTHON:-python3}
if "$python" -c 'import html5lib' 2>/dev/null; then
    "$python" -c "$html5lib" page.html || fail "want HTML that html5lib parses in its strict mode"
    tried="$tried html5lib"
else
    echo "not tried: html5lib (not installed)"
fi

browser=$(command -v chromium || command -v chromium-browser || true)
if [ -n "$browser" ]; then
    # A frame as wide as a phone: a window of the browser has a least width.
    echo '<!DOCTYPE html><title>t</title><iframe id="f" src="page.html" width="390" height="800">
</iframe><script>onload = () => { const d = document.getElementById("f").contentDocument
document.title = d.documentElement.scrollWidth }</script>' >phone.html
    "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$scratch/profile" \
        --enable-logging=stderr --allow-file-access-from-files --virtual-time-budget=5000 \
        --dump-dom "file://$scratch/page.html" >dom.html 2>browser.err || skip "the browser does not start"
    ! grep -i 'CONSOLE' browser.err || fail "want no error on the console"
    grep -q 'stageline report' dom.html || fail "want the page in the browser"
    "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$scratch/profile" \
        --allow-file-access-from-files --virtual-time-budget=5000 \
        --dump-dom "file://$scratch/phone.html" >dom.html 2>browser.err
    width=$(sed -n 's/.*<title>\([0-9]*\)<\/title>.*/\1/p' dom.html | head -n 1)
    [ -n "$width" ] || fail "want the width of the page in a phone"
    [ "$width" -le 390 ] || fail "want a page of at most 390 pixels on a phone, found $width"
    tried="$tried chromium"
else
    echo "not tried: chromium (not installed)"
fi
[ -n "$tried" ] || skip "no tidy, html5lib or chromium"
