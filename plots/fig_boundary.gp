# Boundary score of every measurement with its confidence sequence, and below it the pairs of every
# update by source. Tables: boundary.tsv, source.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3; PLOTS = ARG4; SPAN = ARG5
WIDTH = 560; HEIGHT = 360; NAME = "boundary"
load PLOTS."/style.gp"
BOUNDARY = TABLES."/boundary.tsv"
SOURCE = TABLES."/source.tsv"

# The panels share the axis of steps, so both tables are looked at before either is drawn.
count(x, n) = (UPDATES = UPDATES + 1, OLDEST = x < OLDEST ? x : OLDEST, \
    NEWEST = x > NEWEST ? x : NEWEST, MOST = n > MOST ? n : MOST, see_step(x))
TAU = 0.5; UPDATES = 0; MOST = 0; OLDEST = 1e300; NEWEST = -1e300
stats BOUNDARY using (TAU = column("tau"), see_step(column("step"))) nooutput
stats SOURCE using (count(column("step"), column("pairs"))) nooutput
PAD = 0.03
load PLOTS."/steps.gp"

decided(action, x) = strcol("action") eq action ? x : NaN
is_there(action, n) = strcol("action") eq action ? 1 : n
STATICS = 0; ON_POLICIES = 0; MIXES = 0
stats BOUNDARY using (STATICS = is_there("static", STATICS), \
    ON_POLICIES = is_there("on_policy", ON_POLICIES), MIXES = is_there("mix", MIXES)) nooutput
MIX = "#CC79A7"

set multiplot
FOOT = IS_NARROW ? 0.2 : 0.15
set lmargin at screen LEFT
set rmargin at screen 0.945

set tmargin at screen 0.89
set bmargin at screen UPDATES ? 0.40 : FOOT
set yrange [0:1]
set ytics 0,0.25,1 format "%.2f"
set ylabel "boundary score"
if (UPDATES) { set format x "" } else { set xlabel "step" }
set object 1 rectangle from graph 0,first 0 to graph 1,first TAU behind \
    fillcolor rgb STATIC_TINT fillstyle solid noborder
set object 2 rectangle from graph 0,first TAU to graph 1,first 1 behind \
    fillcolor rgb ON_POLICY_TINT fillstyle solid noborder
unset grid
set label 1 "injection" at graph 1.02,first 0.5*TAU center rotate textcolor rgb STATIC
set label 2 "fine-tuning" at graph 1.02,first 0.5*(1+TAU) center rotate textcolor rgb ON_POLICY
set key at screen 0.955,0.955 right horizontal Right maxrows 1 samplen 1
plot TAU with lines linecolor rgb INK linewidth 0.8 dashtype (8,6), \
    BOUNDARY using "step":"bs" with lines linecolor rgb GREY linewidth 1, \
    BOUNDARY using "step":"bs":"step":"step":"lower":"upper" with xyerrorbars \
        linecolor rgb INK linewidth 1.2 pointtype 7 pointsize 0.45 title IS_NARROW ? "" : "score", \
    BOUNDARY using (decided("static", column("step"))):"bs" with points pointtype 5 pointsize 0.9 \
        linecolor rgb STATIC title STATICS ? "→ static" : "", \
    BOUNDARY using (decided("on_policy", column("step"))):"bs" with points pointtype 7 \
        pointsize 1 linecolor rgb ON_POLICY title ON_POLICIES ? "→ on-policy" : "", \
    BOUNDARY using (decided("mix", column("step"))):"bs" with points pointtype 13 pointsize 1.3 \
        linecolor rgb MIX title MIXES ? "→ mix" : ""
unset object; unset label

# An update is the way from step - 1 to step. Hundreds are steps of their own; thousands are one
# area through their middles, which keeps the file small. Neither reaches both ends, where the
# updates are boxes.
IS_FEW = UPDATES <= 400
AREA = IS_FEW ? "fillsteps" : "filledcurves y=0"
begin(step) = step - (IS_FEW ? 1 : 0.5)
end(step) = step == OLDEST || step == NEWEST ? step - 0.5 : NaN
if (UPDATES) {
    set tmargin at screen 0.29
    set bmargin at screen FOOT
    set format x
    set xlabel "step"
    set ylabel "pairs"
    set yrange [0:MOST > 0 ? 1.08 * MOST : 1]
    set ytics (0, MOST) format "%g"
    set key at screen 0.955,0.35 right horizontal Right maxrows 1 samplen 1.2
    set boxwidth 1 absolute
    set style fill solid noborder
    plot SOURCE using (begin(column("step"))):"pairs" with @AREA linecolor rgb STATIC_FILL \
            title "static", \
        SOURCE using (end(column("step"))):"pairs" with boxes linecolor rgb STATIC_FILL, \
        SOURCE using (begin(column("step"))):"pairs_on" with @AREA linecolor rgb ON_POLICY \
            title "on-policy", \
        SOURCE using (end(column("step"))):"pairs_on" with boxes linecolor rgb ON_POLICY
}
unset multiplot
