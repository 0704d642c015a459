# Mean over runs that differ in their seeds, with the interval of the mean. Table: NAME.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3; PLOTS = ARG4; SPAN = ARG5
WIDTH = 560; HEIGHT = 300; NAME = ARG6
load PLOTS."/style.gp"
TABLE = TABLES."/".NAME.".tsv"
IS_SCORE = NAME eq "seed_boundary"
MEASURED = IS_SCORE ? "boundary score" : NAME eq "seed_margin" ? "margin (nats)" : "gradient norm"

RUNS = 0
see_runs(n) = (RUNS = n > RUNS ? n : RUNS)
stats TABLE using (see_step(column("step")), see_runs(column("runs"))) nooutput
PAD = 0.02
load PLOTS."/steps.gp"
set xlabel "step"
set ylabel MEASURED
if (IS_SCORE) {
    set yrange [0:1]
    set ytics 0,0.25,1 format "%.2f"
    set arrow 1 from graph 0,first 0.5 to graph 1,first 0.5 nohead linecolor rgb INK \
        linewidth 0.8 dashtype (8,6)
}
set key above right horizontal Right maxrows 1
set datafile missing NaN
plot TABLE using (thin("step")):"lower":"upper" with filledcurves linecolor rgb STATIC_FILL \
        fillstyle solid noborder title sprintf("95 %% interval, %d seeds", RUNS), \
    TABLE using (thin("step")):"mean" with @LINES linecolor rgb STATIC linewidth 2 title "mean"
