# Terminal, font, palette and axes of every figure. A figure sets WIDTH and HEIGHT (points) and
# NAME, then loads this. Arguments of every figure: the folder of the tables, the file to write, its
# format (svg, pdf or png) and the folder of this file. Nothing here or there computes: what is
# drawn stands in a table.
#
# Sources keep their colour and shape in all figures: static is blue and square, on-policy vermilion
# and round. The palette is Okabe and Ito's, told apart with any colour vision; shape, place and
# filling tell the same without colour.
STATIC = "#0072B2"
ON_POLICY = "#D55E00"
STATIC_FILL = "#A6CEE6"
STATIC_TINT = "#E6F1F9"
ON_POLICY_TINT = "#F8DBC8"
CHOSEN = "#009E73"
REJECTED = "#CC79A7"
INK = "#222222"
GREY = "#8A8A8A"
FAINT = "#D9D9D9"

# Arial is there or has a stand-in of the same widths (Liberation Sans) on every system.
set encoding utf8
if (FORMAT eq "svg") {
    set terminal svg size WIDTH,HEIGHT fixed enhanced background "#ffffff" name NAME \
        font "Arial,12" linewidth 1.0
}
if (FORMAT eq "pdf") {
    set terminal pdfcairo size WIDTH/72.0,HEIGHT/72.0 enhanced color background "#ffffff" \
        font "Arial,12" fontscale 0.85 linewidth 1.7
}
if (FORMAT eq "png") {
    set terminal pngcairo size 2*WIDTH,2*HEIGHT enhanced background "#ffffff" \
        font "Arial,12" fontscale 1.5 linewidth 2.0 pointscale 2.0
}
set output OUTPUT

set datafile separator "\t" columnheaders
set border 3 linecolor rgb INK linewidth 0.8
set tics nomirror scale 0.6 textcolor rgb INK
set grid ytics linecolor rgb FAINT linewidth 0.5 linetype 1
set key noautotitle textcolor rgb INK samplen 2 spacing 1.15
set errorbars small
set samples 2 # the only functions drawn are straight

# What steps.gp needs.
FIRST_STEP = 1e300; LAST_STEP = -1e300
see_step(x) = (FIRST_STEP = x < FIRST_STEP ? x : FIRST_STEP, \
    LAST_STEP = x > LAST_STEP ? x : LAST_STEP, x)
