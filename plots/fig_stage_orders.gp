# Total gain of two iterations in every order of the sources, by the strength of the start, and what
# the score would have chosen: means over seeds. Left DPO, right SLiC-HF. Table: stage_orders.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3; PLOTS = ARG4; SPAN = ARG5
WIDTH = 640; HEIGHT = 340; NAME = "stage_orders"
load PLOTS."/style.gp"
ORDERS = TABLES."/stage_orders.tsv"
of(method, x) = strcol("method") eq method ? x : NaN
at(method, shift) = of(method, column("strength") + shift)

set multiplot layout 1,2
set xlabel "strength of the start"
set ylabel "gain of two iterations (exact reward)"
set xzeroaxis linecolor rgb INK linewidth 0.8 linetype 1
set xrange [-0.6:5.6]
set boxwidth 0.1 absolute
set style fill solid 1.0 border
set key above left width -2 maxrows 2
do for [METHOD in "dpo slic-hf"] {
    set title (METHOD eq "dpo" ? "DPO" : "SLiC-HF")
    plot ORDERS using (at(METHOD, -0.15)):"off_off" with boxes linecolor rgb STATIC \
            title "off, off", \
        ORDERS using (at(METHOD, -0.05)):"off_on" with boxes linecolor rgb STATIC_FILL \
            title "off, on", \
        ORDERS using (at(METHOD, 0.05)):"on_off" with boxes linecolor rgb ON_POLICY_TINT \
            title "on, off", \
        ORDERS using (at(METHOD, 0.15)):"on_on" with boxes linecolor rgb ON_POLICY \
            title "on, on", \
        ORDERS using (at(METHOD, 0)):"guided" with points linecolor rgb INK pointtype 9 \
            pointsize 0.8 title "guided"
}
unset multiplot
