#include "analysis/sets.h"
#include "analysis/report_int.h"
#include "analysis/sets_int.h"
#include "analysis/votes_int.h"
#include "base/alloc.h"
#include "run/schema.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

sl_sets_settings sl_sets_settings_defaults(void)
{
    return (sl_sets_settings){
        .tokens = "space", .vocabulary = NAN, .cut = NAN, .corpus = SL_CORPUS_USUAL, .beta = 1.0
    };
}

static sl_status check_settings(const sl_sets_settings *s)
{
    if (s->corpus > SL_CORPUS_MOST)
        return SL_FAIL(SL_EARG, "want a corpus of at most %d prompts, found %zu", SL_CORPUS_MOST,
                       s->corpus);
    if (!isnan(s->cut) && !(s->cut > 0.0 && s->cut < 100.0))
        return SL_FAIL(SL_EARG, "want a percentile between 0 and 100, found %g", s->cut);
    if (s->residual > 1)
        return SL_FAIL(SL_EARG, "want residual 0 or 1, found %zu", s->residual);
    if (!(s->beta > 0.0) || !isfinite(s->beta))
        return SL_FAIL(SL_EARG, "want a beta above 0, found %g", s->beta);
    if (!isnan(s->vocabulary) && !(s->vocabulary >= 1.0))
        return SL_FAIL(SL_EARG, "want a vocabulary of 1 or more, found %g", s->vocabulary);
    return SL_OK;
}

sl_status sl_sets_open(sl_answer_sets *sets, const sl_sets_settings *settings)
{
    *sets = (sl_answer_sets){ .settings = *settings };
    SL_TRY(check_settings(settings));
    SL_TRY(sl_splitter_open(&sets->splitter, settings->tokens ? settings->tokens : "space"));
    if (isnan(settings->vocabulary))
        sets->settings.vocabulary = sl_splitter_vocabulary(sets->splitter);
    return SL_OK;
}

static void close_set(sl_answer_set *s)
{
    sl_corpus_close(&s->corpus);
    sl_id_map_close(&s->seen);
    sl_free(s->name);
    sl_free(s->kept);
    sl_free(s->score);
}

void sl_sets_close(sl_answer_sets *sets)
{
    for (size_t i = 0; i < sets->sets; i++)
        close_set(&sets->set[i]);
    for (size_t i = 0; i < sets->inputs; i++)
        sl_free(sets->input[i].path);
    sl_free(sets->set);
    sl_free(sets->input);
    sl_prompt_names_close(&sets->names);
    sl_splitter_close(&sets->splitter);
    *sets = (sl_answer_sets){ 0 };
}

sl_status sl_sets_find(size_t *index, sl_answer_sets *sets, const sl_set_key *key)
{
    sl_answer_set *s;

    for (*index = sets->sets; (*index)-- > 0;) {
        s = &sets->set[*index];
        if (s->input == key->input && s->origin == key->origin && s->has_step == key->has_step &&
            s->step == key->step && !strcmp(s->name, key->name))
            return SL_OK;
    }
    if (sets->sets == SL_SETS_MOST)
        return SL_FAIL(SL_EFORMAT, "want at most %d names, steps and sources, found more",
                       SL_SETS_MOST);
    SL_TRY(sl_grow(&sets->set, &sets->set_capacity, sets->sets + 1, sizeof *sets->set));
    *index = sets->sets;
    s = &sets->set[sets->sets++];
    *s = (sl_answer_set){
        .step = key->step, .has_step = key->has_step, .origin = key->origin, .input = key->input
    };
    SL_TRY(sl_strdup(&s->name, key->name));
    return sl_corpus_open(&s->corpus, &sets->settings);
}

size_t sl_sets_bytes(const sl_answer_sets *sets)
{
    size_t bytes = sl_prompt_names_bytes(&sets->names);

    for (size_t i = 0; i < sets->sets; i++) {
        const sl_answer_set *s = &sets->set[i];

        bytes += sizeof *s + s->kept_capacity * sizeof *s->kept +
                 s->score_capacity * sizeof *s->score + sl_id_map_bytes(&s->seen) +
                 sl_corpus_bytes(s->corpus);
    }
    return bytes;
}

sl_status sl_sets_finish(sl_answer_sets *sets)
{
    sl_first_error first = sl_first_error_none();

/* Within a parallel region OpenBLAS takes one thread, so that its sums do not depend on how many
 * there are. */
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < sets->sets; i++) {
        sl_answers_work *work = NULL;

        if (sl_answers_work_open(&work) != SL_OK ||
            sl_corpus_measure(&sets->set[i], sets, work) != SL_OK)
            sl_first_error_note(&first, i);
        sl_answers_work_close(&work);
    }
    return sl_first_error_tell(&first);
}

/* --- lengths -----------------------------------------------------------------------------------
 */

sl_status sl_lengths_add(sl_lengths *l, const sl_texts *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const size_t length = t->first[i + 1] - t->first[i];

        if (length >= l->count) {
            SL_TRY(sl_grow(&l->times, &l->capacity, length + 1, sizeof *l->times));
            memset(l->times + l->count, 0, (length + 1 - l->count) * sizeof *l->times);
            l->count = length + 1;
        }
        l->times[length]++;
    }
    return SL_OK;
}

/* The smallest length that the wanted share of the answers does not exceed. */
void sl_sets_settle_cut(sl_answer_sets *sets, sl_lengths *l)
{
    uint64_t all = 0, below = 0;
    size_t at = 0;

    for (size_t i = 0; i < l->count; i++)
        all += l->times[i];
    for (; at < l->count; at++) {
        below += l->times[at];
        if ((double)below >= sets->settings.cut / 100.0 * (double)all)
            break;
    }
    sets->cut_tokens = at ? at : 1;
    sl_free(l->times);
    *l = (sl_lengths){ 0 };
}

/* --- two sets ----------------------------------------------------------------------------------
 */

/* The static set's row of a prompt; NULL: it has none. */
static const sl_kept_prompt *row_of(const sl_answer_set *s, uint64_t prompt)
{
    const uint64_t at = sl_id_map_find(&s->seen, prompt);

    return at ? &s->kept[at - 1] : NULL;
}

/* Both sides of a prompt, in memory of their own: the scores are sorted. */
typedef struct sides {
    double *score; /* (2, most) */
    size_t most;
} sides;

static sl_status compare_prompt(double *value, sides *both, const sl_answer_sets *sets,
                                const sl_answer_set *on, const sl_answer_set *off,
                                const sl_kept_prompt *a, const sl_kept_prompt *b)
{
    const sl_value frozen = sl_sums_value(&off->score_sums, 1);
    sl_contrast_input in = { .on = both->score,
                             .off = both->score + both->most,
                             .m = a->scores,
                             .n = b->scores,
                             .entropy_on = a->entropy,
                             .entropy_off = b->entropy,
                             .length_on = (double)a->chars,
                             .length_off = (double)b->chars,
                             .off_mean = frozen.value,
                             .off_sd = frozen.se * sqrt((double)frozen.used),
                             .beta = sets->settings.beta };

    if (in.m)
        memcpy(in.on, on->score + a->first, in.m * sizeof *in.on);
    if (in.n)
        memcpy(in.off, off->score + b->first, in.n * sizeof *in.off);
    return sl_contrast_of(value, &in);
}

static sl_status add_vote(sl_vote_set *votes, const sl_answer_sets *sets, const sl_answer_set *on,
                          const double *value, const sl_kept_prompt *a, const sl_kept_prompt *b)
{
    const sl_vote_key key = { .name = on->name, .step = on->step, .has_step = on->has_step };
    const sl_vote_row row = {
        .prompt = a->prompt,
        .p = value[sets->settings.is_soft ? SL_CONTRAST_BS_SOFT : SL_CONTRAST_BS_HARD],
        .chars_on = (double)a->chars,
        .chars_off = (double)b->chars
    };
    sl_vote_point *point;

    if (isnan(row.p))
        return SL_OK;
    SL_TRY(sl_votes_point(&point, votes, &key));
    return sl_votes_add(point, &row);
}

static size_t most_scores(const sl_answer_set *s)
{
    size_t most = 1;

    for (size_t i = 0; i < s->prompts + s->short_prompts; i++)
        most = s->kept[i].scores > most ? s->kept[i].scores : most;
    return most;
}

static sl_status compare_all(sl_sets_contrast *out, sl_sums *sums, sides *both,
                             const sl_answer_sets *sets, const sl_answer_set *on,
                             const sl_answer_set *off)
{
    double value[SL_CONTRAST_COUNT];

    for (size_t i = 0; i < on->prompts + on->short_prompts; i++) {
        const sl_kept_prompt *a = &on->kept[i], *b = row_of(off, a->prompt);

        if (!b) {
            out->only_on++;
            continue;
        }
        out->common++;
        SL_TRY(compare_prompt(value, both, sets, on, off, a, b));
        for (size_t k = 0; k < SL_CONTRAST_COUNT; k++)
            sl_sums_add(&sums[k], value[k]);
        SL_TRY(add_vote(&out->votes, sets, on, value, a, b));
    }
    return SL_OK;
}

sl_status sl_sets_contrast_of(sl_sets_contrast *out, const sl_answer_sets *sets, size_t on_index,
                              size_t off_index)
{
    const sl_answer_set *on = &sets->set[on_index], *off = &sets->set[off_index];
    const size_t m = most_scores(on), n = most_scores(off);
    sl_sums sums[SL_CONTRAST_COUNT] = { { 0 } };
    sides both = { .most = m > n ? m : n };
    sl_status st;

    *out = (sl_sets_contrast){ .votes = { .is_soft = sets->settings.is_soft } };
    SL_TRY(sl_take(&both.score, 2 * both.most, sizeof *both.score));
    st = compare_all(out, sums, &both, sets, on, off);
    sl_free(both.score);
    out->only_off = off->prompts + off->short_prompts - out->common;
    for (size_t k = 0; k < SL_CONTRAST_COUNT; k++) {
        const unsigned needs = sl_contrasts[k].needs;

        out->value[k] = sl_sums_value(&sums[k], (on->known & off->known & needs) == needs);
    }
    out->value[SL_CONTRAST_TV] = sl_contrast_tv(&out->value[SL_CONTRAST_BS_HARD]);
    return st;
}

void sl_sets_contrast_close(sl_sets_contrast *contrast)
{
    sl_votes_close(&contrast->votes);
}
