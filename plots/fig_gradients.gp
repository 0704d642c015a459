# Gradient norm of every layer group over the steps, before clipping. Table: gradients.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3; PLOTS = ARG4; SPAN = ARG5
WIDTH = 560; HEIGHT = 300; NAME = "gradients"
load PLOTS."/style.gp"
GRADIENTS = TABLES."/gradients.tsv"

# Names stand in the table: group 0 is all, then from the embedding to the head.
array TITLE[512]
GROUPS = 0
LOW = 1e300; HIGH = 0
see(group, name) = (TITLE[group + 1] = name, GROUPS = group + 1 > GROUPS ? group + 1 : GROUPS)
range(x) = (LOW = x > 0 && x < LOW ? x : LOW, HIGH = x > HIGH ? x : HIGH)
stats GRADIENTS using (see(int(column("group")), strcol("name")), range(column("norm"))) nooutput
stats GRADIENTS using (see_step(column("step"))) nooutput
PAD = 0
CURVES = GROUPS
load PLOTS."/steps.gp"
# Rows of other groups are as if they were not there; without this they would cut the lines.
set datafile missing NaN
of(group, x) = int(column("group")) == group ? x : NaN

# Light to dark from the first group to the last: the order survives a black and white print. Many
# groups get the scale beside the figure in place of a key.
set palette defined (0 "#C9B458", 0.35 "#5AA469", 0.7 "#2C728E", 1 "#3B2A63")
set cbrange [1:GROUPS > 2 ? GROUPS - 1 : 2]
unset colorbox
IS_KEYED = GROUPS <= 10
if (!IS_KEYED) {
    set colorbox
    set rmargin at screen 0.81
    set cbtics (TITLE[2] 1, TITLE[GROUPS] GROUPS - 1)
}
set logscale y
set format y "%g"
# Tics at 1, 2 and 5 unless there are many decades.
if (HIGH < 1000 * LOW) {
    set ytics (1)
    do for [k = -15:15] { set ytics add (1. * 10**k, 2. * 10**k, 5. * 10**k) }
}
set yrange [LOW < HIGH ? 0.8 * LOW : 0.5 * LOW:LOW < HIGH ? 1.25 * HIGH : 2 * HIGH]
set xlabel "step"
set ylabel "gradient norm"
if (IS_KEYED && IS_NARROW) { set key above right horizontal Right maxcols 3 }
if (IS_KEYED && !IS_NARROW) { set key outside right center vertical Left reverse }
if (!IS_KEYED) { set key above right }
plot GRADIENTS using (of(0, thin("step"))):"norm" with @LINES linecolor rgb INK linewidth 2 \
        title TITLE[1], \
    for [g = 1:GROUPS - 1] GRADIENTS using (of(g, thin("step"))):"norm" with @LINES \
        linewidth 1.2 linecolor palette cb g title IS_KEYED ? TITLE[g + 1] : ""
