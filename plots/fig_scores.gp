# Boundary scores of vote files, a line a point under its name: interval of the sample thick,
# anytime-valid interval thin; undecided points are hollow. Table: scores.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3; PLOTS = ARG4; SPAN = ARG5
SCORES = TABLES."/scores.tsv"
set datafile separator "\t" columnheaders
POINTS = 0
see(n) = (POINTS = n > POINTS ? n : POINTS, n)
stats SCORES using (see(column("point"))) nooutput

WIDTH = 560; HEIGHT = 130 + 45 * POINTS; NAME = "scores"
load PLOTS."/style.gp"
side(stage, x) = strcol("stage") eq stage ? x : NaN
short(label) = strlen(label) > 60 ? label[1:58]."…" : label

set xrange [0:1]
set yrange [POINTS + 0.4:0.3]
set xtics 0,0.25,1 format "%.2f"
unset ytics
set border 1
set xlabel "boundary score"
set grid xtics
set lmargin 3
set rmargin 3
set key above right horizontal Right maxrows 1
set arrow 1 from 0.5,graph 0 to 0.5,graph 1 nohead linecolor rgb INK linewidth 0.8 dashtype (8,6)
plot SCORES using (0):(column("point") - 0.4):(short(strcol("label"))) with labels left \
        noenhanced textcolor rgb INK, \
    SCORES using "anytime_lower":"point":(column("anytime_upper") - column("anytime_lower")):(0) \
        with vectors nohead linecolor rgb GREY linewidth 1, \
    SCORES using "lower":"point":(column("upper") - column("lower")):(0) \
        with vectors nohead linecolor rgb INK linewidth 3, \
    SCORES using (side("undecided", column("bs"))):"point" with points pointtype 6 pointsize 1 \
        linecolor rgb INK title "undecided", \
    SCORES using (side("injection", column("bs"))):"point" with points pointtype 5 pointsize 1 \
        linecolor rgb STATIC title "injection", \
    SCORES using (side("fine-tuning", column("bs"))):"point" with points pointtype 7 pointsize 1 \
        linecolor rgb ON_POLICY title "fine-tuning"
