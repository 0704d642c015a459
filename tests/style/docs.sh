#!/bin/sh
# Docs move with code: files that README.md and docs/ name exist, and the rooms of docs/architecture.md
# are those of rooms.txt.
set -eu
root=${1:-${STAGELINE_SOURCE:-.}}
cd "$root"
red=0
for page in README.md docs/*.md; do
    for name in $(grep -oE '`[A-Za-z0-9_./-]+`' "$page" | tr -d '`' | sort -u); do
        case $name in
        src/* | kernels/* | analysis/* | datasets/* | tests/* | tools/* | recipes/* | plots/* | docs/*)
            case $name in *NAME*) continue ;; esac
            [ -e "$name" ] || [ -e "${name%/}" ] || {
                echo "$page names $name, which is not there"
                red=1
            }
            ;;
        esac
    done
    for name in $(grep -oE 'docs/[A-Za-z0-9_-]+\.(md|svg)|\]\([a-z-]+\.md\)' "$page" |
        sed 's/^\](\(.*\))$/docs\/\1/' | sort -u); do
        [ -e "$name" ] || {
            echo "$page names $name, which is not there"
            red=1
        }
    done
done
for page in $(grep -rhoE 'docs/[a-z-]+\.md' src kernels analysis datasets tests recipes | sort -u); do
    [ -e "$page" ] || {
        echo "the code names $page, which is not there"
        red=1
    }
done
grep -v '^#' tests/style/rooms.txt | while read -r room folder rest; do
    grep -q "^| $room | \`$folder\` |" docs/architecture.md || {
        echo "docs/architecture.md lacks room $room"
        exit 1
    }
done || red=1
exit $red
