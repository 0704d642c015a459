# Boundary score before, after one and after two iterations on one source, a line a start: means over
# seeds. Left DPO, right SLiC-HF. Table: stage_path.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3; PLOTS = ARG4; SPAN = ARG5
WIDTH = 620; HEIGHT = 320; NAME = "stage_path"
load PLOTS."/style.gp"
PATH = TABLES."/stage_path.tsv"
STRENGTHS = "0 1 1.5 2 3 4 5"
of(method, source, strength, x) = strcol("method") eq method && strcol("source") eq source && \
    column("strength") == strength ? x : NaN
LAST = 0
see(x) = (LAST = x > LAST ? x : LAST)
stats PATH using (column("bs") == column("bs") ? see(column("iteration")) : NaN) nooutput

set multiplot layout 1,2
set xlabel "iterations"
set ylabel "boundary score"
set xtics 1
set xrange [-0.15:LAST + 0.15]
set yrange [-0.15:1]
set ytics 0,0.2,1
set key bottom right horizontal maxrows 1
set arrow 1 from graph 0, first 0.5 to graph 1, first 0.5 nohead dashtype 2 linecolor rgb GREY
do for [METHOD in "dpo slic-hf"] {
    set title (METHOD eq "dpo" ? "DPO" : "SLiC-HF")
    plot for [S in STRENGTHS] PATH using (of(METHOD, "static", S + 0, column("iteration"))):"bs" \
            with linespoints linecolor rgb STATIC linewidth 1.2 pointtype 5 pointsize 0.6, \
        for [S in STRENGTHS] PATH using (of(METHOD, "on_policy", S + 0, column("iteration"))):"bs" \
            with linespoints linecolor rgb ON_POLICY linewidth 1.2 dashtype 2 pointtype 7 \
            pointsize 0.6, \
        keyentry with linespoints linecolor rgb STATIC pointtype 5 title "static", \
        keyentry with linespoints linecolor rgb ON_POLICY dashtype 2 pointtype 7 title "on-policy"
}
unset multiplot
