# How far one iteration on either source gets a start, by its strength: means over seeds with the
# least and the largest. Left DPO, right SLiC-HF. Table: stage_effect.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3; PLOTS = ARG4; SPAN = ARG5
WIDTH = 620; HEIGHT = 310; NAME = "stage_effect"
load PLOTS."/style.gp"
EFFECT = TABLES."/stage_effect.tsv"
of(method, x) = strcol("method") eq method ? x : NaN

set multiplot layout 1,2
set xlabel "strength of the start (boundary score on top)"
set ylabel "gain in exact reward"
set xzeroaxis linecolor rgb INK linewidth 0.8 linetype 1
set xrange [-0.4:5.4]
set offsets 0, 0, graph 0.12, graph 0.05
set key above right horizontal maxrows 1
do for [METHOD in "dpo slic-hf"] {
    set title (METHOD eq "dpo" ? "DPO" : "SLiC-HF")
    plot EFFECT using (of(METHOD, column("strength"))):"off":"off_low":"off_high" with yerrorlines \
            linecolor rgb STATIC linewidth 1.6 pointtype 5 pointsize 0.7 title "static", \
        EFFECT using (of(METHOD, column("strength"))):"on":"on_low":"on_high" with yerrorlines \
            linecolor rgb ON_POLICY linewidth 1.6 pointtype 7 pointsize 0.8 title "on-policy", \
        EFFECT using (of(METHOD, column("strength"))):(column("off") > column("on") ? \
            column("off_high") : column("on_high")):(sprintf("%.2f", column("bs"))) with labels \
            offset 0,0.8 font ",9" textcolor rgb GREY
}
unset multiplot
