#!/bin/sh
# Docs move with code: what README.md and docs/ name is there, what the code cites in docs/ is there,
# the rooms of docs/architecture.md are those of rooms.txt, the columns of docs/tables.md those that
# the code writes. usage: docs.sh [ROOT]; exit 1 and one line a difference.
set -eu
root=${1:-${STAGELINE_SOURCE:-.}}
cd "$root"
red=0
complain() {
    echo "$1"
    red=1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
code="src kernels analysis datasets tests tools recipes plots"

# --- files and recipe keys that pages name
for page in README.md CHANGELOG.md docs/*.md; do
    for name in $(grep -oE '`[A-Za-z0-9_./-]+`' "$page" | tr -d '`' | sort -u); do
        case $name in
        *NAME*) ;;
        src/* | kernels/* | analysis/* | datasets/* | tests/* | tools/* | recipes/* | plots/* | docs/*)
            [ -e "$name" ] || complain "$page names $name, which is not there"
            ;;
        esac
    done
    for name in $(grep -oE 'docs/[A-Za-z0-9_-]+\.(md|svg)|\]\([a-z-]+\.md\)' "$page" |
        sed 's/^\](\(.*\))$/docs\/\1/' | sort -u); do
        [ -e "$name" ] || complain "$page names $name, which is not there"
    done
    for key in $(grep -oE '`(model|data|world|method|optim|train|policy|measure|record)\.[a-z_0-9]+' "$page" |
        tr -d '`' | sort -u); do
        case $key in *.safetensors | *.c | *.h) continue ;; esac
        grep -qE "\(${key%%.*}, \"?${key#*.}\"?," src/train/recipe.c ||
            complain "$page names recipe key $key, which is not there"
    done
done

# --- pages and sections that the code cites
for page in $(grep -rhoE '[A-Za-z/-]*[a-z-]+\.md\b' $code --include='*.[ch]' --include='*.sh' \
    --include='*.gp' --include='*.yaml' --exclude=docs.sh | sort -u); do
    [ -e "$page" ] || complain "the code names $page, which is not there"
done
grep -rhoE 'docs/[a-z-]+\.md,? "[^"]+"' $code --include='*.[ch]' | sort -u >"$work/cited"
while read -r page section; do
    section=${section#\"}
    grep -qE "^#+ ${section%\"}\$" "${page%,}" || complain "${page%,} lacks the section $section"
done <"$work/cited"

# --- rooms: the first four columns of the table
awk '
    BEGIN {
        split("jansson.h jansson cyaml/cyaml.h libcyaml yaml.h libyaml zlib.h zlib cblas.h OpenBLAS " \
              "curl/curl.h libcurl omp.h OpenMP pcre2.h PCRE2 utf8proc.h utf8proc hdf5.h HDF5 lapacke.h LAPACKE", word, " ")
        for (i = 1; i in word; i += 2) name[word[i]] = word[i + 1]
    }
    /^#/ { next }
    {
        rooms = libraries = ""
        for (i = 3; i <= NF; i++)
            if ($i ~ /\.h$/) libraries = libraries ", " ($i in name ? name[$i] : $i)
            else if ($i != $1 && $i != "-") rooms = rooms ", " $i
        printf "| %s | `%s` | %s | %s |\n", $1, $2, rooms == "" ? "none" : substr(rooms, 3),
            libraries == "" ? "none" : substr(libraries, 3)
    }' tests/style/rooms.txt >"$work/rooms"
awk '/^## / { inside = $2 == "Rooms" } inside && /^\| [a-z]+ \| `/' docs/architecture.md |
    cut -d '|' -f 1-5 | sed 's/$/|/' >"$work/rooms.md"
diff "$work/rooms" "$work/rooms.md" >"$work/diff" ||
    complain "rooms.txt (<) and docs/architecture.md (>) differ: $(cat "$work/diff")"

# --- columns of tables: TABLE COLUMN..., a line a table
cat analysis/tables.c analysis/insight.c analysis/seeds.c src/cli/demo_table.c src/cli/report_votes.c | tr '\n' ' ' | sed 's/" *"//g' |
    grep -oE '"[a-z_]+\.tsv", *"[^"]+"' | sed 's/\\t/ /g; s/"//g; s/, */ /' | sort >"$work/tables"
awk '
    /^## / { if (line != "") print line; line = $2 }
    /^\| `/ && line != "" { split($0, cell, "`"); line = line " " cell[2] }
    END { if (line != "") print line }' docs/tables.md | sort >"$work/tables.md"
[ -s "$work/tables" ] || complain "want tables in analysis, found none"
diff "$work/tables" "$work/tables.md" >"$work/diff" ||
    complain "tables of the code (<) and of docs/tables.md (>) differ: $(cat "$work/diff")"
exit $red
