# What the pairs of the first iteration were like and what they gained: distance between the two
# answers (diversity) and mean reward of both (quality), a point a start and seed, both methods.
# Left against diversity, right against quality. Table: stage_data.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3; PLOTS = ARG4; SPAN = ARG5
WIDTH = 640; HEIGHT = 330; NAME = "stage_data"
load PLOTS."/style.gp"
DATA = TABLES."/stage_data.tsv"
of(method, source, x) = strcol("method") eq method && strcol("source") eq source ? x : NaN

set multiplot layout 1,2
set ylabel "gain in exact reward"
set xzeroaxis linecolor rgb INK linewidth 0.8 linetype 1
set offsets graph 0.05, graph 0.05, graph 0.05, graph 0.05
set key above left width -2 maxrows 2
do for [AXIS in "hamming reward"] {
    set xlabel (AXIS eq "hamming" ? "diversity: slots of 10 in which the answers differ" : \
        "quality: mean reward of the answers")
    plot DATA using (of("dpo", "static", column(AXIS))):"gain" with points linecolor rgb STATIC \
            pointtype 5 pointsize 0.7 title "DPO, static", \
        DATA using (of("slic-hf", "static", column(AXIS))):"gain" with points linecolor rgb STATIC \
            pointtype 4 pointsize 0.7 title "SLiC-HF, static", \
        DATA using (of("dpo", "on_policy", column(AXIS))):"gain" with points \
            linecolor rgb ON_POLICY pointtype 7 pointsize 0.8 \
            title "DPO, on-policy", \
        DATA using (of("slic-hf", "on_policy", column(AXIS))):"gain" with points \
            linecolor rgb ON_POLICY pointtype 6 pointsize 0.8 \
            title "SLiC-HF, on-policy"
}
unset multiplot
