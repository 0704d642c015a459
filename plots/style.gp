# Terminal, font, palette and axes of every figure. A figure sets WIDTH and HEIGHT (points on a
# screen) and NAME, then loads this. Arguments of every figure: the folder of the tables, the file to
# write, its format (svg, pdf or png), the folder of this file, for what it is (screen, page,
# one-column, two-column) and its name. Nothing here or there computes: what is drawn stands in a
# table.
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

# Columns of LaTeX are 3.25 and 6.75 inches wide; there the text has the size of a caption when the
# figure is included as it is. A page (the report's) is narrow for the sake of phones.
FONT = 12
IS_PAPER = SPAN eq "one-column" || SPAN eq "two-column"
IS_NARROW = SPAN eq "one-column" || SPAN eq "page"
if (SPAN eq "one-column") { HEIGHT = HEIGHT * 290.0 / WIDTH; WIDTH = 234; FONT = 8 }
if (SPAN eq "two-column") { HEIGHT = HEIGHT * 400.0 / WIDTH; WIDTH = 486; FONT = 9 }
if (SPAN eq "page") { HEIGHT = HEIGHT * 0.85; WIDTH = WIDTH * 0.75 }
LEFT = 5.83 * FONT / WIDTH # where axes begin that stand below one another
PEN = FONT / 12.0
PIXELS = IS_PAPER ? 96 / 72.0 : 1 # of a point; paper is measured, a screen is not

# Arial is there or has a stand-in of the same widths (Liberation Sans) on every system.
set encoding utf8
if (FORMAT eq "svg") {
    set terminal svg size PIXELS*WIDTH,PIXELS*HEIGHT fixed enhanced background "#ffffff" \
        name NAME font sprintf("Arial,%.4g", PIXELS*FONT) linewidth PIXELS*PEN
}
if (FORMAT eq "pdf") {
    set terminal pdfcairo size WIDTH/72.0,HEIGHT/72.0 enhanced color background "#ffffff" \
        font sprintf("Arial,%g", FONT) fontscale IS_PAPER ? 0.75 : 0.85 linewidth 1.7*PEN
}
if (FORMAT eq "png") {
    set terminal pngcairo size 2*WIDTH,2*HEIGHT enhanced background "#ffffff" \
        font sprintf("Arial,%g", FONT) fontscale 1.5 linewidth 2.0*PEN pointscale 2.0*PEN
}
set output OUTPUT

set datafile separator "\t" columnheaders
set border 3 linecolor rgb INK linewidth 0.8
set tics nomirror scale 0.6 textcolor rgb INK
set grid ytics linecolor rgb FAINT linewidth 0.5 linetype 1
set key noautotitle textcolor rgb INK samplen IS_NARROW ? 1.2 : 2 spacing 1.15
set errorbars small
set samples 2 # the only functions drawn are straight

# Of long runs every K-th update is drawn, so that a figure stays small; steps.gp sets K.
EVERY = 1
thin(name) = int(column(name)) % EVERY == 0 || column(name) == LAST_STEP ? column(name) : NaN

# What steps.gp needs.
FIRST_STEP = 1e300; LAST_STEP = -1e300
see_step(x) = (FIRST_STEP = x < FIRST_STEP ? x : FIRST_STEP, \
    LAST_STEP = x > LAST_STEP ? x : LAST_STEP, x)
