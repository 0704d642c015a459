# Diversity against quality of the candidates of every measurement, static and on-policy; a dashed
# line leads from measurement to measurement of the policy, numbers are steps. Table:
# diversity.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3; PLOTS = ARG4; SPAN = ARG5
WIDTH = 480; HEIGHT = 360; NAME = "diversity"
load PLOTS."/style.gp"
DIVERSITY = TABLES."/diversity.tsv"

label(step) = sprintf("%d", int(step))
# Rows of the other source are as if they were not there: they must not cut the line.
set datafile missing NaN
of(origin, x) = strcol("origin") eq origin ? x : NaN

# What a source looks like: "static" or "on_policy".
is_static(source) = source eq "static"
colour(source) = is_static(source) ? STATIC : ON_POLICY
shape(source) = is_static(source) ? 5 : 7
called(source) = is_static(source) ? "static" : "on-policy"

set xlabel "quality (mean score)"
set ylabel "diversity (distinct-2)"
set grid xtics ytics
set offsets graph 0.08, graph 0.12, graph 0.08, graph 0.08
set key above right horizontal Right maxrows 1
plot DIVERSITY using (of("on_policy", column("quality"))):"distinct_2" with lines \
        linecolor rgb ON_POLICY linewidth 0.8 dashtype (6,4), \
    for [s in "static on_policy"] DIVERSITY \
        using (of(s, column("quality"))):"distinct_2":"quality_se":"distinct_2_se" \
        with xyerrorbars linecolor rgb colour(s) linewidth 1 pointtype shape(s) pointsize 1 \
        title called(s), \
    DIVERSITY using (of("on_policy", column("quality"))):"distinct_2":(label(column("step"))) \
        with labels offset 0.8,0.7 left textcolor rgb ON_POLICY
