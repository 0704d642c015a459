# The axis of steps, after see_step has seen the steps of every table: whole numbers, and room for a
# single step. Few updates get marks, since a line of one point would be invisible. PAD: share of
# the axis left free at both ends.
set xrange [LAST_STEP > FIRST_STEP ? FIRST_STEP - PAD * (LAST_STEP - FIRST_STEP) : FIRST_STEP - 1: \
    LAST_STEP > FIRST_STEP ? LAST_STEP + PAD * (LAST_STEP - FIRST_STEP) : LAST_STEP + 1]
# CURVES: how many a figure draws. Ten thousand points are some hundred kilobytes.
if (!exists("CURVES")) { CURVES = 3 }
EVERY = ceil((LAST_STEP - FIRST_STEP + 1.0) * CURVES / 6000)
if (EVERY < 1) { EVERY = 1 }
if (LAST_STEP - FIRST_STEP < 8) { set xtics 1 }
LINES = LAST_STEP - FIRST_STEP < 40 ? "linespoints pointtype 7 pointsize 0.4" : "lines"
