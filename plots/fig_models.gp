# Scores of models against their baselines with intervals, families together; the threshold parts
# the stages. Table: models.tsv.
TABLES = ARG1; OUTPUT = ARG2; FORMAT = ARG3; PLOTS = ARG4; SPAN = ARG5
MODELS = TABLES."/models.tsv"
ROWS = 1
stats MODELS using (ROWS = column(1) > ROWS ? column(1) : ROWS) every ::1 nooutput
WIDTH = 640; HEIGHT = 110 + 24 * (ROWS < 60 ? ROWS : 60); NAME = "models"
load PLOTS."/style.gp"

is_stage(stage, x) = strcol("stage") eq stage ? x : NaN
# Underscores are letters here, not subscripts.
called(name, family, baseline) = sprintf("%s (%s) vs %s", name, family eq "nan" ? "-" : family, \
    baseline eq "nan" ? "static" : baseline)
set datafile missing NaN
set xrange [0:1]
set yrange [ROWS + 0.6:0.4]
set ytics noenhanced scale 0
set grid xtics noytics
set xlabel "boundary score: share of votes for the model"
set object 1 rectangle from 0, graph 0 to 0.5, graph 1 behind fillcolor rgb STATIC_TINT \
    fillstyle solid noborder
set object 2 rectangle from 0.5, graph 0 to 1, graph 1 behind fillcolor rgb ON_POLICY_TINT \
    fillstyle solid noborder
set label 1 "injection" at 0.25, graph 1.03 center textcolor rgb STATIC
set label 2 "fine-tuning" at 0.75, graph 1.03 center textcolor rgb ON_POLICY
set tmargin 2.5
plot MODELS using "bs":"row":"lower":"upper":ytic(called(strcol("model"), strcol("family"), \
            strcol("baseline"))) with xerrorbars linecolor rgb INK linewidth 1.2 pointtype -1, \
    MODELS using (is_stage("injection", column("bs"))):"row" with points pointtype 5 pointsize 0.8 \
        linecolor rgb STATIC, \
    MODELS using (is_stage("fine-tuning", column("bs"))):"row" with points pointtype 7 \
        pointsize 0.9 linecolor rgb ON_POLICY, \
    MODELS using (is_stage("undecided", column("bs"))):"row" with points pointtype 6 \
        pointsize 0.9 linecolor rgb INK
