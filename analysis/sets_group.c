/* The answers of one prompt in memory. */
#include "analysis/sets_int.h"
#include "base/alloc.h"
#include "base/text.h"
#include <math.h>
#include <string.h>

enum { KEPT_BYTES = 1 << 20 }; /* of texts; a larger group gives its memory back */
#define LOGP_MOST 1e-3         /* what rounding may make of log 1 */

void sl_group_clear(sl_group *g)
{
    if (g->raw_capacity > KEPT_BYTES)
        sl_group_close(g);
    g->n = g->raw_bytes = g->dim = 0;
    g->has = SL_NEEDS_TEXT | SL_NEEDS_SCORES | SL_NEEDS_LOGPS | SL_NEEDS_REFERENCE |
             SL_NEEDS_TOKEN_LOGPS | SL_NEEDS_TOKEN_ENTROPIES;
    g->has_vector = 1;
    sl_texts_clear(&g->texts);
}

void sl_group_close(sl_group *g)
{
    sl_free(g->raw);
    sl_free(g->end);
    sl_free(g->id);
    for (size_t k = 0; k < SL_GROUP_COLUMNS; k++)
        sl_free(g->column[k]);
    sl_free(g->token_first);
    sl_free(g->token_logp);
    sl_free(g->token_entropy);
    sl_free(g->vector);
    sl_free(g->win);
    sl_texts_close(&g->texts);
    *g = (sl_group){ 0 };
}

sl_one_answer sl_one_answer_unknown(void)
{
    return (
        sl_one_answer){ .score = NAN, .logp = NAN, .ref_logp = NAN, .length = NAN, .chars = NAN };
}

/* Room for one answer more and `tokens` of its numbers. */
static sl_status make_room(sl_group *g, size_t bytes, size_t tokens)
{
    const size_t n = g->n + 1, at = g->n ? g->token_first[g->n] : 0;

    SL_TRY(sl_grow(&g->raw, &g->raw_capacity, g->raw_bytes + bytes + 2, 1));
    SL_TRY(sl_grow(&g->end, &g->end_capacity, n, sizeof *g->end));
    SL_TRY(sl_grow(&g->id, &g->id_capacity, n, sizeof *g->id));
    for (size_t k = 0; k < SL_GROUP_COLUMNS; k++)
        SL_TRY(sl_grow(&g->column[k], &g->column_capacity[k], n, sizeof **g->column));
    SL_TRY(sl_grow(&g->token_first, &g->first_capacity, n + 1, sizeof *g->token_first));
    SL_TRY(sl_grow(&g->token_logp, &g->logp_capacity, at + tokens + 1, sizeof *g->token_logp));
    SL_TRY(sl_grow(&g->token_entropy, &g->entropy_capacity, at + tokens + 1,
                   sizeof *g->token_entropy));
    g->token_first[0] = 0;
    g->token_first[n] = at + tokens;
    return SL_OK;
}

static void add_text(sl_group *g, const char *text, size_t bytes)
{
    if (g->n)
        g->raw[g->raw_bytes++] = '\n';
    if (bytes)
        memcpy(g->raw + g->raw_bytes, text, bytes);
    g->raw_bytes += bytes;
    g->end[g->n] = g->raw_bytes;
    g->id[g->n] = sl_word_hash(text, bytes);
}

/* Numbers in [least, most]; null is NaN. */
static sl_status read_numbers(double *out, const sl_json *list, double least, double most,
                              const char *what)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const sl_json *x = json_array_get(list, i);

        if (!json_is_number(x) && !json_is_null(x))
            return SL_FAIL(SL_EFORMAT, "want numbers in %s, found another value", what);
        out[i] = json_is_null(x) ? NAN : json_number_value(x);
        if (out[i] < least || out[i] > most)
            return SL_FAIL(SL_EFORMAT, "want %s in [%g,%g], found %g", what, least, most, out[i]);
    }
    return SL_OK;
}

static double sum_of(const double *x, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return n ? sum : NAN;
}

/* Numbers of tokens: one list or both, of one length. */
static sl_status add_tokens(sl_group *g, const sl_one_answer *a, size_t tokens)
{
    const size_t at = g->token_first[g->n];
    const sl_json *lists[] = { a->token_logps, a->token_entropies };
    double *to[] = { g->token_logp + at, g->token_entropy + at };
    static const char *const names[] = { "log-probabilities", "entropies" };
    static const double least[] = { -INFINITY, 0.0 }, most[] = { LOGP_MOST, INFINITY };
    static const unsigned needs[] = { SL_NEEDS_TOKEN_LOGPS, SL_NEEDS_TOKEN_ENTROPIES };

    for (size_t k = 0; k < 2; k++) {
        if (!lists[k]) {
            g->has &= ~needs[k];
            continue;
        }
        if (json_array_size(lists[k]) != tokens)
            return SL_FAIL(SL_EFORMAT, "want %zu %s, one a token, found %zu", tokens, names[k],
                           json_array_size(lists[k]));
        SL_TRY(read_numbers(to[k], lists[k], least[k], most[k], names[k]));
    }
    return SL_OK;
}

static sl_status add_vector(sl_group *g, const sl_json *list)
{
    const size_t dim = json_array_size(list);

    if (!list) {
        g->has_vector = 0;
        return SL_OK;
    }
    if (!dim || dim > SL_NPY_DIM_MOST || (g->n && g->has_vector && dim != g->dim))
        return SL_FAIL(SL_EFORMAT, "want embeddings of one length up to %d, found %zu numbers",
                       SL_NPY_DIM_MOST, dim);
    g->dim = dim;
    SL_TRY(sl_grow(&g->vector, &g->vector_capacity, (g->n + 1) * dim, sizeof *g->vector));
    return read_numbers(g->vector + g->n * dim, list, -INFINITY, INFINITY, "an embedding");
}

static void add_columns(sl_group *g, const sl_one_answer *a, size_t tokens)
{
    const double logp = isnan(a->logp) && a->token_logps
                            ? sum_of(g->token_logp + g->token_first[g->n], tokens)
                            : a->logp;
    double chars = 0.0;

    for (size_t i = 0; i < a->bytes && isnan(a->chars); i++)
        chars += ((unsigned char)a->text[i] & 0xc0) != 0x80; /* bytes that continue none */
    g->column[SL_GROUP_SCORE][g->n] = a->score;
    g->column[SL_GROUP_LOGP][g->n] = logp;
    g->column[SL_GROUP_REF_LOGP][g->n] = a->ref_logp;
    g->column[SL_GROUP_LENGTH][g->n] = isnan(a->length) && tokens ? (double)tokens : a->length;
    g->column[SL_GROUP_CHARS][g->n] = isnan(a->chars) ? chars : a->chars;
}

sl_status sl_group_add(sl_group *g, const sl_one_answer *a)
{
    const size_t tokens = json_array_size(a->token_logps ? a->token_logps : a->token_entropies);

    SL_TRY(make_room(g, a->bytes, tokens));
    SL_TRY(add_tokens(g, a, tokens));
    SL_TRY(add_vector(g, a->vector));
    add_columns(g, a, tokens);
    if (!a->text)
        g->has &= ~(unsigned)SL_NEEDS_TEXT;
    add_text(g, a->text, a->bytes);
    g->n++;
    return SL_OK;
}

sl_status sl_group_copy(sl_group *to, const sl_group *from, size_t i)
{
    const size_t begin = i ? from->end[i - 1] + 1 : 0, bytes = from->end[i] - begin;
    const size_t first = from->token_first[i], tokens = from->token_first[i + 1] - first;
    size_t at;

    SL_TRY(make_room(to, bytes, tokens));
    at = to->token_first[to->n];
    if (tokens) {
        memcpy(to->token_logp + at, from->token_logp + first, tokens * sizeof(double));
        memcpy(to->token_entropy + at, from->token_entropy + first, tokens * sizeof(double));
    }
    to->has &= from->has;
    to->has_vector &= from->has_vector && (!to->n || to->dim == from->dim);
    if (to->has_vector) {
        to->dim = from->dim;
        SL_TRY(
            sl_grow(&to->vector, &to->vector_capacity, (to->n + 1) * to->dim, sizeof *to->vector));
        memcpy(to->vector + to->n * to->dim, from->vector + i * to->dim, to->dim * sizeof(double));
    }
    for (size_t k = 0; k < SL_GROUP_COLUMNS; k++)
        to->column[k][to->n] = from->column[k][i];
    add_text(to, from->raw + begin, bytes);
    to->n++;
    return SL_OK;
}

static int any_finite(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i]))
            return 1;
    return 0;
}

static const double *column_or_null(const sl_group *g, int column)
{
    return any_finite(g->column[column], g->n) ? g->column[column] : NULL;
}

sl_status sl_group_settle(sl_group *g, const sl_answer_sets *sets)
{
    const int has_text = (g->has & SL_NEEDS_TEXT) != 0;

    for (size_t i = 0; has_text && i < g->n; i++) {
        const size_t begin = i ? g->end[i - 1] + 1 : 0;

        SL_TRY(sl_splitter_add(&g->texts, sets->splitter, g->raw + begin, g->end[i] - begin));
    }
    if (has_text && sets->cut_tokens)
        sl_texts_cut(&g->texts, sets->cut_tokens);
    g->answers = (sl_answers){
        .n = g->n,
        .texts = has_text ? &g->texts : NULL,
        .raw = sets->cut_tokens ? NULL : g->raw, /* bytes are not cut with the tokens */
        .raw_bytes = sets->cut_tokens ? 0 : g->raw_bytes,
        .vector = g->has_vector && g->dim ? g->vector : NULL,
        .dim = g->dim,
        .score = column_or_null(g, SL_GROUP_SCORE),
        .win = g->has & SL_NEEDS_WINS ? g->win : NULL,
        .logp = column_or_null(g, SL_GROUP_LOGP),
        .ref_logp = column_or_null(g, SL_GROUP_REF_LOGP),
        .length = column_or_null(g, SL_GROUP_LENGTH),
        .id = g->id,
        .token_logp = g->has & SL_NEEDS_TOKEN_LOGPS ? g->token_logp : NULL,
        .token_entropy = g->has & SL_NEEDS_TOKEN_ENTROPIES ? g->token_entropy : NULL,
        .token_first = g->token_first,
    };
    return SL_OK;
}
