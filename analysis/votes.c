#include "analysis/votes.h"
#include "analysis/votes_int.h"
#include "base/alloc.h"
#include <math.h>
#include <string.h>

static int same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

/* Not every row of a file names its baseline. */
static int is_same_or_unsaid(const char *a, const char *b)
{
    return !a || !b || !strcmp(a, b);
}

static sl_status copy_or_none(char **out, const char *text)
{
    return text ? sl_strdup(out, text) : SL_OK;
}

sl_status sl_votes_point(sl_vote_point **out, sl_vote_set *set, const sl_vote_key *key)
{
    sl_vote_point *p;

    for (size_t i = set->points; i-- > 0;) {
        p = &set->point[i];
        if (p->has_step == key->has_step && p->step == key->step && same_text(p->name, key->name) &&
            same_text(p->judge, key->judge) && is_same_or_unsaid(p->baseline, key->baseline)) {
            *out = p;
            return p->baseline ? SL_OK : copy_or_none(&p->baseline, key->baseline);
        }
    }
    SL_TRY(sl_grow(&set->point, &set->point_capacity, set->points + 1, sizeof *set->point));
    p = &set->point[set->points];
    *p = (sl_vote_point){ .step = key->step, .has_step = key->has_step };
    set->points++; /* from here on sl_votes_close frees what it holds */
    SL_TRY(sl_strdup(&p->name, key->name));
    SL_TRY(copy_or_none(&p->judge, key->judge));
    SL_TRY(copy_or_none(&p->family, key->family));
    SL_TRY(copy_or_none(&p->baseline, key->baseline));
    *out = p;
    return SL_OK;
}

sl_status sl_votes_add(sl_vote_point *p, const sl_vote_row *row)
{
    p->all_chars_on += row->chars_on;
    p->all_rows++;
    if (!isfinite(row->p)) {
        p->dropped++;
        return SL_OK;
    }
    SL_TRY(sl_grow(&p->row, &p->capacity, p->count + 1, sizeof *p->row));
    p->row[p->count++] = *row;
    return SL_OK;
}

sl_status sl_votes_input(sl_vote_input **out, sl_vote_set *set, const char *path)
{
    SL_TRY(sl_grow(&set->input, &set->input_capacity, set->inputs + 1, sizeof *set->input));
    *out = &set->input[set->inputs];
    **out = (sl_vote_input){ 0 };
    set->inputs++;
    return sl_strdup(&(*out)->path, path);
}

void sl_votes_close(sl_vote_set *set)
{
    for (size_t i = 0; i < set->points; i++) {
        sl_free(set->point[i].name);
        sl_free(set->point[i].judge);
        sl_free(set->point[i].family);
        sl_free(set->point[i].baseline);
        sl_free(set->point[i].row);
    }
    for (size_t i = 0; i < set->inputs; i++)
        sl_free(set->input[i].path);
    sl_free(set->point);
    sl_free(set->input);
    sl_prompt_names_close(&set->names);
    *set = (sl_vote_set){ 0 };
}

size_t sl_votes_bytes(const sl_vote_set *set)
{
    size_t bytes = set->point_capacity * sizeof *set->point;

    for (size_t i = 0; i < set->points; i++)
        bytes += set->point[i].capacity * sizeof *set->point[i].row;
    return bytes + sl_prompt_names_bytes(&set->names);
}

/* --- from a run record ----------------------------------------------------------------------- */

static sl_vote_row row_of(const sl_row_votes *v)
{
    const uint64_t pair[2] = { v->a_id, v->b_id };

    return (sl_vote_row){ .prompt = v->prompt_id,
                          .pair = sl_votes_pair(pair),
                          .p = v->status == SL_VOTE_OK ? (double)v->vote : NAN,
                          .chars_on = v->chars_a,
                          .chars_off = v->chars_b,
                          .shown =
                              v->order == SL_ORDER_A_FIRST ? SL_SHOWN_ON_FIRST : SL_SHOWN_OFF_FIRST,
                          .cut = v->cut & 3u,
                          .has_cut = 1 };
}

static sl_status read_rows(sl_vote_set *set, sl_reader *reader, const char *name,
                           size_t input_index)
{
    const sl_json *policy = json_object_get(sl_reader_json(reader), "policy");
    const char *family = json_string_value(json_object_get(policy, "family"));
    const sl_row_votes *v;
    size_t count;

    SL_TRY(sl_reader_rows(reader, SL_TABLE_VOTES, &v, &count));
    for (size_t i = 0; i < count; i++) {
        sl_vote_key key = {
            .name = name, .family = family, .baseline = "static", .step = v[i].step, .has_step = 1
        };
        const sl_vote_row row = row_of(&v[i]);
        sl_vote_point *point;

        if (v[i].purpose != SL_PURPOSE_BOUNDARY)
            continue;
        SL_TRY(sl_reader_name(reader, SL_NAME_JUDGE, v[i].judge, &key.judge));
        SL_TRY(sl_votes_point(&point, set, &key));
        SL_TRY(sl_votes_add(point, &row));
        set->input[input_index].rows++;
        set->input[input_index].dropped += !isfinite(row.p);
    }
    return SL_OK;
}

sl_status sl_votes_read_run(sl_vote_set *set, sl_reader *reader, const char *name)
{
    sl_vote_input *input;
    sl_status st;

    SL_TRY(sl_votes_input(&input, set, name));
    st = read_rows(set, reader, name, set->inputs - 1);
    sl_reader_release(reader, SL_TABLE_VOTES);
    return st;
}
