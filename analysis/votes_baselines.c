/* Lengths of answers that the votes of a file do not hold: those of its baselines. */
#include "analysis/votes_int.h"
#include "base/hash.h"
#include <math.h>
#include <string.h>

/* Characters + 1 of the answer of a baseline to a prompt, by the id of both. */
typedef struct lengths {
    sl_id_map of;
} lengths;

static sl_status add_row(void *state, const sl_json *row)
{
    lengths *l = state;
    const char *key = sl_json_has(row, "baseline") ? "baseline" : "generator";
    const char *text_key = sl_json_has(row, "prompt") ? "prompt" : "instruction";
    const double chars = json_is_object(row) ? sl_votes_characters(row, "output") : NAN;
    uint64_t id[2], value;

    if (isnan(chars))
        return SL_FAIL(SL_EFORMAT, "want \"output\" of a baseline (text), found none");
    SL_TRY(sl_json_id(&id[0], row, key));
    if (!id[0])
        return SL_FAIL(SL_EFORMAT, "want \"baseline\" or \"generator\", found neither");
    SL_TRY(sl_votes_prompt(&id[1], row, text_key));
    value = (uint64_t)chars + 1;
    return sl_id_map_get(&value, &l->of, sl_votes_pair(id));
}

static sl_status fill_point(size_t *filled, sl_vote_point *p, lengths *l)
{
    uint64_t id[2];

    if (!p->baseline)
        return SL_OK;
    id[0] = sl_hash_id(p->baseline, strlen(p->baseline));
    for (size_t i = 0; i < p->count; i++) {
        uint64_t value = 0;

        id[1] = p->row[i].prompt;
        if (!isnan(p->row[i].chars_off))
            continue;
        SL_TRY(sl_id_map_get(&value, &l->of, sl_votes_pair(id)));
        if (!value)
            continue;
        p->row[i].chars_off = (double)(value - 1);
        ++*filled;
    }
    return SL_OK;
}

sl_status sl_votes_baselines(size_t *filled, sl_vote_set *set, const char *path)
{
    const sl_rows_limit usual = sl_rows_limit_defaults();
    lengths l = { 0 };
    sl_rows read;
    sl_status st = SL_OK;

    *filled = 0;
    SL_TRY_OUT(sl_rows_read(&read, path, set->limit ? set->limit : &usual, add_row, &l));
    for (size_t i = 0; i < set->points; i++)
        SL_TRY_OUT(fill_point(filled, &set->point[i], &l));
    if (!*filled)
        st = sl_err_where(SL_FAIL(SL_EFORMAT, "want answers of a baseline that these votes met, "
                                              "found none"),
                          "%s", path);
out:
    sl_id_map_close(&l.of);
    return st;
}
