# Gradient norm of every layer group over the steps, before clipping. Table: gradients.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3
WIDTH = 560; HEIGHT = 300; NAME = "gradients"
load ARG4."/style.gp"
GRADIENTS = TABLES."/gradients.tsv"

# Names stand in the table: group 0 is all, then from the embedding to the head.
array TITLE[512]
GROUPS = 0
see(group, name) = (TITLE[group + 1] = name, GROUPS = group + 1 > GROUPS ? group + 1 : GROUPS)
stats GRADIENTS using (see(int(column("group")), strcol("name"))) nooutput
of(group, x) = int(column("group")) == group ? x : NaN

# Light to dark from the first group to the last: the order survives a black and white print. Many
# groups get the scale beside the figure in place of a key.
set palette defined (0 "#C9B458", 0.35 "#5AA469", 0.7 "#2C728E", 1 "#3B2A63")
set cbrange [1:GROUPS > 2 ? GROUPS - 1 : 2]
unset colorbox
IS_KEYED = GROUPS <= 10
if (!IS_KEYED) {
    set colorbox
    set cbtics (TITLE[2] 1, TITLE[GROUPS] GROUPS - 1)
}
set logscale y
set format y "%g"
set xrange [*:*] noextend
set xlabel "step"
set ylabel "gradient norm"
if (IS_KEYED) { set key outside right center vertical Left reverse } else { set key above right }
plot GRADIENTS using (of(0, column("step"))):"norm" with lines linecolor rgb INK linewidth 2 \
        title TITLE[1], \
    for [g = 1:GROUPS - 1] GRADIENTS using (of(g, column("step"))):"norm" with lines \
        linewidth 1.2 linecolor palette cb g title IS_KEYED ? TITLE[g + 1] : ""
