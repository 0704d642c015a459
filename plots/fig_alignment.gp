# Cosine between the parts of the gradient, over all parameters: static and on-policy pairs, chosen
# and rejected answers. Table: alignment.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3; PLOTS = ARG4; SPAN = ARG5
WIDTH = 560; HEIGHT = 260; NAME = "alignment"
load PLOTS."/style.gp"
ALIGNMENT = TABLES."/alignment.tsv"

BOTH = 0
stats ALIGNMENT using (see_step(column("step")), \
    BOTH = BOTH + (valid(1) && column("cos_static_on") == column("cos_static_on"))) nooutput
PAD = 0.02
load PLOTS."/steps.gp"
# Rows of single groups are as if they were not there: they must not cut the line.
set datafile missing NaN
of(x) = int(column("group")) == 0 ? x : NaN

set xlabel "step"
set ylabel "cosine"
set yrange [-1.05:1.05]
set ytics -1,0.5,1 format "%.1f"
set xzeroaxis linecolor rgb INK linewidth 0.8
set key above right horizontal Right maxrows 1
plot ALIGNMENT using (of(column("step"))):"cos_chosen_rejected" with @LINES \
        linecolor rgb REJECTED linewidth 1.2 title "chosen · rejected", \
    ALIGNMENT using (of(column("step"))):"cos_static_on" with @LINES \
        linecolor rgb INK linewidth 2 title BOTH ? "static · on-policy" : ""
