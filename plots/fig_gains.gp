# True gain in exact reward of every iteration by source: filled what was chosen, hollow the branch
# that was thrown away. Table: gains.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3; PLOTS = ARG4; SPAN = ARG5
WIDTH = 480; HEIGHT = 300; NAME = "gains"
load PLOTS."/style.gp"
GAINS = TABLES."/gains.tsv"

# The bar of a source (-1 static, +1 on-policy) beside the number of its iteration. People count
# from 1.
of(origin, chosen, x) = strcol("origin") eq origin && column("chosen") == chosen ? x : NaN
place(side) = column("iteration") + 1 + 0.18 * side
see(x) = (LAST = x > LAST ? x : LAST)
LAST = 1
stats GAINS using (see(column("iteration") + 1)) nooutput

set xlabel "iteration"
set ylabel "true gain (exact reward)"
set xrange [0.4:LAST + 0.6]
set xtics 1,1 scale 0
set yrange [*<0:*]
set offsets 0, 0, graph 0.05, 0
set boxwidth 0.32 absolute
set xzeroaxis linecolor rgb INK linewidth 0.8 linetype 1
set key above right horizontal Right maxrows 1
set style fill solid 1.0 border
plot GAINS using (of("static", 1, place(-1))):"gain" with boxes linecolor rgb STATIC, \
    GAINS using (of("on_policy", 1, place(1))):"gain" with boxes linecolor rgb ON_POLICY, \
    GAINS using (of("static", 0, place(-1))):"gain" with boxes linecolor rgb STATIC linewidth 1.4 \
        fillstyle empty border linecolor rgb STATIC, \
    GAINS using (of("on_policy", 0, place(1))):"gain" with boxes linecolor rgb ON_POLICY \
        linewidth 1.4 fillstyle empty border linecolor rgb ON_POLICY, \
    GAINS using (place(strcol("origin") eq "static" ? -1 : 1)):"gain":(0):"se" with xyerrorbars \
        linecolor rgb INK linewidth 1.2 pointtype -1, \
    keyentry with boxes linecolor rgb STATIC title "static", \
    keyentry with boxes linecolor rgb ON_POLICY title "on-policy", \
    keyentry with boxes linecolor rgb GREY fillstyle empty border linecolor rgb GREY \
        title "not chosen"
