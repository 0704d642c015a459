#include "analysis/stages_table.h"
#include "analysis/stages_branch.h"
#include "base/alloc.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HEADER_BYTES = 4096 };

static double number(const sl_stage_cell *cell, sl_stage_value value)
{
    const sl_stage_field field = { .offset = value.offset };

    return value.of ? value.of(cell) : sl_stage_number_of(cell, &field);
}

sl_stage_band sl_stage_band_of(const sl_stage_cell *const *cell, size_t n, sl_stage_value value)
{
    sl_stage_band b = { 0.0, INFINITY, -INFINITY };

    for (size_t i = 0; i < n; i++) {
        const double x = number(cell[i], value);

        b.mean += x / (double)n; /* a NaN stays */
        b.low = fmin(b.low, x);
        b.high = fmax(b.high, x);
    }
    if (!n || isnan(b.mean))
        b = (sl_stage_band){ NAN, NAN, NAN };
    return b;
}

static size_t distinct(double *out, const sl_stage_cell *const *cell, size_t n,
                       sl_stage_value value)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        out[i] = number(cell[i], value);
    sl_sort_f64(out, n);
    for (size_t i = 0; i < n; i++)
        if (!kept || out[i] > out[kept - 1])
            out[kept++] = out[i];
    return kept;
}

size_t sl_stage_strengths(double *out, const sl_stage_cell *const *cell, size_t n)
{
    return distinct(out, cell, n, (sl_stage_value)SL_STAGE_MEMBER(strength));
}

size_t sl_stage_seeds(double *out, const sl_stage_cell *const *cell, size_t n)
{
    return distinct(out, cell, n, (sl_stage_value)SL_STAGE_MEMBER(seed));
}

/* --- every cell ------------------------------------------------------------------------------ */

static sl_status all_cells(const char *folder, const sl_stage_cell *const *cell, size_t n)
{
    char header[HEADER_BYTES] = "world\tvariant\tmethod";
    size_t count, used = strlen(header);
    const sl_stage_field *field = sl_stage_fields(&count);
    sl_table_out t;

    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(header + used, sizeof header - used, "\t%s%s%s", field[i].group,
                                 field[i].group[0] ? "_" : "", field[i].name);
    SL_CHECK(used < sizeof header);
    SL_TRY(sl_table_open(&t, folder, "stage_cells.tsv", header));
    for (size_t i = 0; i < n; i++) {
        sl_table_text(&t, cell[i]->world);
        sl_table_text(&t, cell[i]->variant);
        sl_table_text(&t, cell[i]->method);
        for (size_t k = 0; k < count; k++)
            sl_table_f64(&t, sl_stage_number_of(cell[i], &field[k]));
        sl_table_end_row(&t);
    }
    return sl_table_close(&t);
}

/* --- means over seeds ------------------------------------------------------------------------ */

static double guided(const sl_stage_cell *c)
{
    return sl_stage_gain(c, SL_STAGE_GUIDED, 2);
}

typedef struct column {
    const char *name;
    sl_stage_value value;
} column;

static const column effect[] = {
    { "bs", SL_STAGE_MEMBER(place[SL_PLACE_START].bs) },
    { "off", SL_STAGE_MEMBER(place[SL_PLACE_OFF].gain) },
    { "on", SL_STAGE_MEMBER(place[SL_PLACE_ON].gain) },
    { "difference", { .of = sl_stage_difference } },
    { "ratio", { .of = sl_stage_ratio } },
};
static const column orders[] = {
    { "off_off", SL_STAGE_MEMBER(place[SL_PLACE_OFF_OFF].gain) },
    { "off_on", SL_STAGE_MEMBER(place[SL_PLACE_OFF_ON].gain) },
    { "on_off", SL_STAGE_MEMBER(place[SL_PLACE_ON_OFF].gain) },
    { "on_on", SL_STAGE_MEMBER(place[SL_PLACE_ON_ON].gain) },
    { "guided", { .of = guided } },
};

static void band_header(char header[HEADER_BYTES], const column *c, size_t count)
{
    size_t used = (size_t)snprintf(header, HEADER_BYTES, "method\tstrength\tseeds");

    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(header + used, HEADER_BYTES - used, "\t%s\t%s_low\t%s_high",
                                 c[i].name, c[i].name, c[i].name);
}

static void band_row(sl_table_out *t, const sl_stage_cell *const *cell, size_t n, const column *c,
                     size_t count)
{
    sl_table_text(t, cell[0]->method);
    sl_table_f64(t, cell[0]->strength);
    sl_table_i64(t, (int64_t)n);
    for (size_t i = 0; i < count; i++) {
        const sl_stage_band b = sl_stage_band_of(cell, n, c[i].value);

        sl_table_f64(t, b.mean);
        sl_table_f64(t, b.low);
        sl_table_f64(t, b.high);
    }
    sl_table_end_row(t);
}

typedef struct groups {
    const sl_stage_cell *const *cell;
    size_t n;
    const sl_stage_cell **of; /* (n) */
    double *strength;         /* (n) */
} groups;

static void each_group(const groups *g, sl_table_out *t,
                       void (*row)(sl_table_out *, const sl_stage_cell *const *, size_t))
{
    const size_t strengths = sl_stage_strengths(g->strength, g->cell, g->n);

    for (size_t m = 0; m < SL_STAGE_METHODS; m++)
        for (size_t s = 0; s < strengths; s++) {
            const sl_stage_filter f = { "plain", sl_stage_methods[m], NAN, g->strength[s] };
            const size_t n = sl_stage_select(g->of, g->cell, g->n, &f);

            if (n)
                row(t, g->of, n);
        }
}

static void effect_row(sl_table_out *t, const sl_stage_cell *const *of, size_t n)
{
    band_row(t, of, n, effect, sizeof effect / sizeof effect[0]);
}

static void orders_row(sl_table_out *t, const sl_stage_cell *const *of, size_t n)
{
    band_row(t, of, n, orders, sizeof orders / sizeof orders[0]);
}

/* Mean score at a place over seeds. */
static double score_at(const sl_stage_cell *const *of, size_t n, sl_place at)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += of[i]->place[at].bs / (double)n;
    return sum;
}

/* One source throughout: the score before, after one iteration and after two. */
static void path_row(sl_table_out *t, const sl_stage_cell *const *of, size_t n)
{
    static const sl_place path[2][3] = {
        { SL_PLACE_START, SL_PLACE_OFF, SL_PLACE_OFF_OFF },
        { SL_PLACE_START, SL_PLACE_ON, SL_PLACE_ON_ON },
    };
    static const char *const source[] = { "static", "on_policy" };

    for (size_t p = 0; p < 2; p++)
        for (size_t i = 0; i < 3; i++) {
            sl_table_text(t, of[0]->method);
            sl_table_f64(t, of[0]->strength);
            sl_table_text(t, source[p]);
            sl_table_i64(t, (int64_t)i);
            sl_table_f64(t, score_at(of, n, path[p][i]));
            sl_table_end_row(t);
        }
}

static void data_row(sl_table_out *t, const sl_stage_cell *const *of, size_t n)
{
    static const char *const source[] = { "static", "on_policy" };

    for (int s = 0; s < SL_STAGE_SOURCES; s++)
        for (size_t i = 0; i < n; i++) {
            const sl_stage_data *d = &of[i]->data[s];

            sl_table_text(t, of[i]->method);
            sl_table_f64(t, of[i]->strength);
            sl_table_f64(t, of[i]->seed);
            sl_table_text(t, source[s]);
            sl_table_f64(t, d->hamming);
            sl_table_f64(t, d->reward);
            sl_table_f64(t, d->gap);
            sl_table_f64(t, d->close);
            sl_table_f64(t, of[i]->place[s ? SL_PLACE_ON : SL_PLACE_OFF].gain);
            sl_table_end_row(t);
        }
}

static const char *const winners[] = { "undecided", "static", "on_policy" }; /* by stage */

static sl_status branch_table(const char *folder, const sl_stage_cell *const *cell, size_t n)
{
    sl_table_out t;

    SL_TRY(
        sl_table_open(&t, folder, "stage_branch.tsv",
                      "variant\tmethod\tseed\tstrength\tbs\tcell_difference\treplicates\toff\ton\t"
                      "difference\tse\tlower\tupper\twinner"));
    for (size_t i = 0; i < n; i++) {
        const sl_stage_tested of = sl_stage_tested_of(cell[i], cell, n);
        const sl_stage_branch *b = &cell[i]->branch;
        const double row[] = { cell[i]->seed,
                               cell[i]->strength,
                               cell[i]->place[SL_PLACE_START].bs,
                               sl_stage_difference(cell[i]),
                               b->replicates,
                               b->off,
                               b->on,
                               of.difference,
                               of.se,
                               of.interval.lower,
                               of.interval.upper };

        if (isnan(b->replicates))
            continue;
        sl_table_text(&t, cell[i]->variant);
        sl_table_text(&t, cell[i]->method);
        for (size_t k = 0; k < sizeof row / sizeof row[0]; k++)
            sl_table_f64(&t, row[k]);
        sl_table_text(&t, winners[of.winner]);
        sl_table_end_row(&t);
    }
    return sl_table_close(&t);
}

static sl_status group_table(const groups *g, const char *folder, const char *name,
                             const char *header,
                             void (*row)(sl_table_out *, const sl_stage_cell *const *, size_t))
{
    sl_table_out t;

    SL_TRY(sl_table_open(&t, folder, name, header));
    each_group(g, &t, row);
    return sl_table_close(&t);
}

static sl_status all_tables(const groups *g, const char *folder)
{
    char header[HEADER_BYTES];

    SL_TRY(all_cells(folder, g->cell, g->n));
    SL_TRY(branch_table(folder, g->cell, g->n));
    band_header(header, effect, sizeof effect / sizeof effect[0]);
    SL_TRY(group_table(g, folder, "stage_effect.tsv", header, effect_row));
    band_header(header, orders, sizeof orders / sizeof orders[0]);
    SL_TRY(group_table(g, folder, "stage_orders.tsv", header, orders_row));
    SL_TRY(group_table(g, folder, "stage_path.tsv", "method\tstrength\tsource\titeration\tbs",
                       path_row));
    return group_table(g, folder, "stage_data.tsv",
                       "method\tstrength\tseed\tsource\thamming\treward\tgap\tclose\tgain",
                       data_row);
}

sl_status sl_stage_tables(const char *folder, const sl_stage_cell *const *cell, size_t n)
{
    groups g = { .cell = cell, .n = n };
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_take(&g.of, n + 1, sizeof *g.of));
    SL_TRY_OUT(sl_take(&g.strength, n + 1, sizeof *g.strength));
    SL_TRY_OUT(all_tables(&g, folder));
out:
    sl_free(g.of);
    sl_free(g.strength);
    return st;
}
