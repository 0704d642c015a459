#!/bin/sh
# The edges between rooms: every #include of a room must be on its line of rooms.txt, which is the
# table of docs/architecture.md. usage: layers.sh [ROOT]; exit 1 and one line a broken edge.
set -eu
root=${1:-${STAGELINE_SOURCE:-.}}
table=$root/tests/style/rooms.txt
broken=0

# Room of an include path: "kernels/ops.h" -> kernels, "run/schema.h" -> run.
check_file() { # file room allowed libraries
    for inc in $(sed -n 's/^# *include *"\([^"]*\)".*/\1/p' "$1"); do
        case $inc in
        */*) to=${inc%%/*} ;;
        *) to=$2 ;;
        esac
        case " $3 " in
        *" $to "*) ;;
        *)
            echo "$1: want an include of: $3; found \"$inc\""
            broken=1
            ;;
        esac
        case $inc in
        *_int.h) [ "$to" = "$2" ] || {
            echo "$1: \"$inc\" stays inside room $to"
            broken=1
        } ;;
        esac
    done
    for inc in $(sed -n 's/^# *include *<\([^>]*\)>.*/\1/p' "$1"); do
        case $inc in
        jansson.h | cyaml/* | yaml.h | zlib.h | cblas.h | omp.h | pcre2.h | utf8proc.h | hdf5* | lapacke.h | mpi.h | curl/*)
            case " $4 " in
            *" $inc "*) ;;
            *)
                echo "$1: room $2 must not use <$inc>"
                broken=1
                ;;
            esac
            ;;
        esac
    done
}

rows=$(grep -v '^#' "$table" | sed 's/  */ /g')
old_ifs=$IFS
IFS='
'
for row in $rows; do
    IFS=$old_ifs
    set -- $row
    room=$1 folder=$2
    shift 2
    allowed= libraries=
    for word in "$@"; do
        case $word in
        *.h) libraries="$libraries $word" ;;
        -) ;;
        *) allowed="$allowed $word" ;;
        esac
    done
    for f in $(find "$root/$folder" -name '*.[ch]' | sort); do
        check_file "$f" "$room" "$allowed" "$libraries"
    done
    IFS='
'
done
exit $broken
