# What the first iteration on either source gains, by family, from weak to strong starts: means over seeds
# with their intervals. Left DPO, right SLiC-HF where the grid has both. Table: iterations.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3; PLOTS = ARG4; SPAN = ARG5
WIDTH = 660; HEIGHT = 330; NAME = "family_effect"
load PLOTS."/style.gp"
ROWS = TABLES."/iterations.tsv"

# Families and methods in the order of the table; a group of starts for each family.
FAMILIES = ""; METHODS = ""; STARTS = ""
add(list, word) = strstrt(" ".list." ", " ".word." ") ? list : list.(strlen(list) ? " " : "").word
see(f, m, s) = (FAMILIES = add(FAMILIES, f), METHODS = add(METHODS, m), STARTS = add(STARTS, s), 0)
place(list, word) = sum [i = 1:words(list)] (word(list, i) eq word ? i : 0)
stats ROWS using (see(strcol("family"), strcol("method"), strcol("start"))) nooutput
GROUP = words(STARTS) + 1.0
x(shift) = GROUP * (place(FAMILIES, strcol("family")) - 1) + place(STARTS, strcol("start")) + shift
of(method, y) = strcol("method") eq method && column("iteration") == 0 ? y : NaN

set multiplot layout 1,words(METHODS)
set ylabel "gain in exact reward"
set xzeroaxis linecolor rgb INK linewidth 0.8 linetype 1
set xrange [0:GROUP * words(FAMILIES)]
set offsets 0, 0, graph 0.1, graph 0.05
set xtics () scale 0
set for [i = 1:words(FAMILIES)] xtics add (word(FAMILIES, i) GROUP * (i - 1) + GROUP / 2.0)
do for [i = 1:words(FAMILIES) - 1] {
    set arrow i from first GROUP * i, graph 0 to first GROUP * i, graph 1 nohead linecolor rgb FAINT
}
set key above right horizontal maxrows 1
set xlabel "each family: ".(words(STARTS) > 1 ? word(STARTS, 1)." to ".word(STARTS, words(STARTS)) : \
    STARTS)." start"
do for [METHOD in METHODS] {
    set title (METHOD eq "dpo" ? "DPO" : METHOD eq "slic-hf" ? "SLiC-HF" : METHOD)
    plot ROWS using (of(METHOD, x(-0.12))):"static":"static_lower":"static_upper" with yerrorbars \
            linecolor rgb STATIC linewidth 1.4 pointtype 5 pointsize 0.7 title "static", \
        ROWS using (of(METHOD, x(0.12))):"on_policy":"on_policy_lower":"on_policy_upper" \
            with yerrorbars linecolor rgb ON_POLICY linewidth 1.4 pointtype 7 pointsize 0.8 \
            title "on-policy"
}
unset multiplot
