/* What must hold for the values of a row that comes from a file: a table of rules per column. */
#include "run/segment_read_int.h"

#include <math.h>
#include <string.h>

/* Columns that hold token ids, and those that are never undefined. Entropy and log-sum-exp of a
 * token may be: the logs of other trainers do not have them. */
typedef struct rule {
    sl_table table;
    const char *column;
    enum { TOKEN, FINITE } kind;
} rule;

static const rule rules[] = {
    { SL_TABLE_TOKENS, "token", TOKEN },     { SL_TABLE_PROBE, "token", TOKEN },
    { SL_TABLE_TOKENS, "logp", FINITE },     { SL_TABLE_PROBE, "lse", FINITE },
    { SL_TABLE_PROBE, "max_logit", FINITE },
};
#define RULES (sizeof rules / sizeof rules[0])
_Static_assert(RULES <= SL_ROW_RULES_MAX, "a checker has room for every rule");

/* Where the column begins in a packed row, bytes. */
static size_t column_offset(sl_table table, const char *name)
{
    size_t count, used = 0;
    const sl_column *c = sl_table_columns(table, &count);

    for (size_t i = 0; i < count && strcmp(c[i].name, name); i++)
        used += sl_type_bytes(c[i].type);
    return used;
}

/* V = 0: the vocabulary is not recorded, only the sign is known to be wrong. */
static sl_status check_token(const unsigned char *at, uint32_t V)
{
    int32_t token;

    memcpy(&token, at, sizeof token);
    if (token < 0 || (V && (uint32_t)token >= V))
        return SL_FAIL(SL_EFORMAT, "want a token below %u, found %d", V, token);
    return SL_OK;
}

static sl_status check_rule(const rule *r, const unsigned char *at, uint32_t V)
{
    float x;

    if (r->kind == TOKEN)
        return check_token(at, V);
    memcpy(&x, at, sizeof x);
    return isfinite(x) ? SL_OK : SL_FAIL(SL_EFORMAT, "want a finite number, found %g", (double)x);
}

/* The k likeliest: ids of the vocabulary, log-probabilities descending. */
static sl_status check_topk(const unsigned char *packed, const sl_layout *layout)
{
    const unsigned char *id = packed + sl_wide_offset(SL_TABLE_TOPK, 0, layout);
    const unsigned char *logp = packed + sl_wide_offset(SL_TABLE_TOPK, 1, layout);
    float before = INFINITY;

    for (uint32_t i = 0; i < layout->width[SL_WIDTH_K]; i++) {
        uint16_t half;
        float now;

        SL_TRY(sl_err_where(check_token(id + i * 4u, layout->width[SL_WIDTH_VOCAB]),
                            "column \"id\" at %u", i));
        memcpy(&half, logp + i * 2u, sizeof half);
        now = sl_f16_to_f32(half);
        if (!(now <= before))
            return sl_err_where(SL_FAIL(SL_EFORMAT, "want descending values, found %g after %g",
                                        (double)now, (double)before),
                                "column \"logp\" at %u", i);
        before = now;
    }
    return SL_OK;
}

static sl_status check_probe(const unsigned char *packed)
{
    float lse, most;

    memcpy(&lse, packed + column_offset(SL_TABLE_PROBE, "lse"), sizeof lse);
    memcpy(&most, packed + column_offset(SL_TABLE_PROBE, "max_logit"), sizeof most);
    if (lse < most)
        return SL_FAIL(SL_EFORMAT, "want lse >= max_logit, found %g and %g", (double)lse,
                       (double)most);
    return SL_OK;
}

static sl_status check_step(int64_t step, int64_t after, const sl_segment_info *info)
{
    if (step < after)
        return SL_FAIL(SL_EFORMAT, "want steps that ascend from %lld, found %lld", (long long)after,
                       (long long)step);
    if (step > info->last_step)
        return SL_FAIL(SL_EFORMAT, "want steps up to %lld, found %lld", (long long)info->last_step,
                       (long long)step);
    return SL_OK;
}

void sl_row_checker_open(sl_row_checker *out, sl_table table, const sl_segment_info *info,
                         const sl_layout *layout)
{
    *out = (sl_row_checker){
        .table = table, .info = info, .layout = layout, .step = info->first_step
    };
    for (size_t i = 0; i < RULES; i++) {
        if (rules[i].table != table)
            continue;
        out->rule[out->rules] = i;
        out->offset[out->rules++] = column_offset(table, rules[i].column);
    }
}

sl_status sl_row_checker_row(sl_row_checker *checker, const unsigned char *packed)
{
    const uint32_t V = checker->layout->width[SL_WIDTH_VOCAB];

    SL_TRY(sl_row_check(checker->table, packed));
    SL_TRY(sl_err_where(check_step(sl_row_step(packed), checker->step, checker->info),
                        "column \"step\""));
    checker->step = sl_row_step(packed);
    for (size_t i = 0; i < checker->rules; i++) {
        const rule *r = &rules[checker->rule[i]];

        SL_TRY(sl_err_where(check_rule(r, packed + checker->offset[i], V), "column \"%s\"",
                            r->column));
    }
    if (checker->table == SL_TABLE_TOPK)
        return check_topk(packed, checker->layout);
    return checker->table == SL_TABLE_PROBE ? check_probe(packed) : SL_OK;
}
