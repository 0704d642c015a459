# Margin a byte of text by pairs seen, a line a run. Table: progress.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3; PLOTS = ARG4; SPAN = ARG5
WIDTH = 560; HEIGHT = 320; NAME = "progress"
load PLOTS."/style.gp"
PROGRESS = TABLES."/progress.tsv"

array RUN[64]
RUNS = 0
NEWEST = ""
see(run) = run eq NEWEST ? 0 : (RUNS = RUNS + 1, RUN[RUNS] = run, NEWEST = run, 0)
stats PROGRESS using (see(strcol("run"))) nooutput
# Rows of other runs are as if they were not there; without this they would cut the lines.
set datafile missing NaN
of(run, x) = strcol("run") eq run ? x : NaN
array COLOUR[6] = [STATIC, ON_POLICY, CHOSEN, REJECTED, "#E69F00", INK]
array DASH[6] = [1, 2, 4, 5, 3, 1]

set xlabel "pairs seen"
set ylabel "margin (nats of log ratio a byte)"
set xzeroaxis linecolor rgb INK linewidth 0.8
set xrange [0:*]
set key above left vertical Left reverse noenhanced maxrows 4
plot for [k = 1:RUNS] PROGRESS using (of(RUN[k], column("pairs"))):"margin_per_byte" \
    with linespoints linecolor rgb COLOUR[(k - 1) % 6 + 1] dashtype DASH[(k - 1) % 6 + 1] \
    linewidth 1.6 pointtype k pointsize 0.5 title RUN[k]
