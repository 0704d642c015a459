# Boundary score before every iteration and after the last, a line a family and start: means over
# seeds with their intervals. Left DPO, right SLiC-HF where the grid has both. Table: iterations.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3; PLOTS = ARG4; SPAN = ARG5
WIDTH = 660; HEIGHT = 340; NAME = "family_path"
load PLOTS."/style.gp"
ROWS = TABLES."/iterations.tsv"
COLOURS = "#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #222222 #8A8A8A"
SHAPES = "5 7 9 11 13 4 6 8"

FAMILIES = ""; METHODS = ""; STARTS = ""; LAST = 0
add(list, word) = strstrt(" ".list." ", " ".word." ") ? list : list.(strlen(list) ? " " : "").word
see(f, m, s, i) = (FAMILIES = add(FAMILIES, f), METHODS = add(METHODS, m), STARTS = add(STARTS, s), \
    LAST = i > LAST ? i : LAST, 0)
stats ROWS using (see(strcol("family"), strcol("method"), strcol("start"), column("iteration"))) \
    nooutput
SHIFT = 0.05 # families side by side
of(m, f, s, x) = strcol("method") eq m && strcol("family") eq f && strcol("start") eq s ? x : NaN
colour(i) = word(COLOURS, (i - 1) % words(COLOURS) + 1)
shape(i) = int(word(SHAPES, (i - 1) % words(SHAPES) + 1))

set multiplot layout 1,words(METHODS)
set xlabel "iterations"
set ylabel "boundary score"
set xtics 1
set xrange [-0.25:LAST + 0.25]
set yrange [0:1]
set key above left horizontal maxrows 2
set arrow 1 from graph 0, first 0.5 to graph 1, first 0.5 nohead dashtype 2 linecolor rgb GREY
do for [METHOD in METHODS] {
    set title (METHOD eq "dpo" ? "DPO" : METHOD eq "slic-hf" ? "SLiC-HF" : METHOD)
    plot for [S in STARTS] for [i = 1:words(FAMILIES)] ROWS \
            using (of(METHOD, word(FAMILIES, i), S, column("iteration") + \
            SHIFT * (i - (words(FAMILIES) + 1) / 2.0))):"bs":"bs_lower":"bs_upper" \
            with yerrorlines linecolor rgb colour(i) linewidth 1.1 pointtype shape(i) pointsize 0.6, \
        for [i = 1:words(FAMILIES)] keyentry with linespoints linecolor rgb colour(i) \
            pointtype shape(i) title word(FAMILIES, i)
}
unset multiplot
