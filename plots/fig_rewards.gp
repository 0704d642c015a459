# Implicit rewards of the chosen and the rejected answers of every update, and their margin.
# Table: margins.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3
WIDTH = 560; HEIGHT = 300; NAME = "rewards"
load ARG4."/style.gp"
MARGINS = TABLES."/margins.tsv"

set xrange [*:*] noextend
set xlabel "step"
set ylabel "implicit reward, β log ratio (nats)"
set xzeroaxis linecolor rgb INK linewidth 0.8
set key above right horizontal Right maxrows 1
plot MARGINS using "step":"margin" with lines linecolor rgb INK linewidth 2 title "margin", \
    MARGINS using "step":"chosen_reward" with lines linecolor rgb CHOSEN linewidth 1.2 \
        title "chosen", \
    MARGINS using "step":"rejected_reward" with lines linecolor rgb REJECTED linewidth 1.2 \
        dashtype (6,3) title "rejected"
