# Implicit rewards of the chosen and the rejected answers of every update, and their margin.
# Table: margins.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3; PLOTS = ARG4; SPAN = ARG5
WIDTH = 560; HEIGHT = 300; NAME = "rewards"
load PLOTS."/style.gp"
MARGINS = TABLES."/margins.tsv"

stats MARGINS using (see_step(column("step"))) nooutput
PAD = 0
load PLOTS."/steps.gp"
set xlabel "step"
set ylabel IS_NARROW ? "implicit reward (nats)" : "implicit reward, β log ratio (nats)"
set xzeroaxis linecolor rgb INK linewidth 0.8
set key above right horizontal Right maxrows 1
set datafile missing NaN # updates that are left out must not cut the lines
plot MARGINS using (thin("step")):"margin" with @LINES linecolor rgb INK linewidth 2 title "margin", \
    MARGINS using (thin("step")):"chosen_reward" with @LINES linecolor rgb CHOSEN linewidth 1.2 \
        title "chosen", \
    MARGINS using (thin("step")):"rejected_reward" with @LINES linecolor rgb REJECTED linewidth 1.2 \
        dashtype (6,3) title "rejected"
