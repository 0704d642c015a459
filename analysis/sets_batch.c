/* Prompts in batches: measured in parallel, added to the sums in order. */
#include "analysis/bradley_terry.h"
#include "analysis/sets_int.h"
#include "base/alloc.h"
#include <math.h>
#include <omp.h>
#include <string.h>

enum { GROUPS = 256 };
#define BATCH_BYTES ((size_t)16 << 20) /* of texts; then the batch is measured */

struct sl_batch {
    sl_answer_sets *sets;
    sl_group group[GROUPS];
    size_t count;
    double value[GROUPS][SL_METRIC_COUNT];
    unsigned known[GROUPS];
    sl_answers_work **work; /* (threads) */
    size_t threads;
    sl_lengths *lengths; /* counted instead of everything else; NULL: not */
};

sl_status sl_batch_open(sl_batch **out, sl_answer_sets *sets)
{
    sl_batch *b;

    SL_TRY(sl_take(out, 1, sizeof **out));
    b = *out;
    b->sets = sets;
    b->threads = (size_t)omp_get_max_threads();
    if (sl_take(&b->work, b->threads, sizeof *b->work) != SL_OK) {
        b->threads = 0;
        sl_batch_close(out);
        return sl_err_code();
    }
    for (size_t i = 0; i < b->threads; i++)
        if (sl_answers_work_open(&b->work[i]) != SL_OK) {
            sl_batch_close(out);
            return sl_err_code();
        }
    return SL_OK;
}

void sl_batch_close(sl_batch **batch)
{
    sl_batch *b = *batch;

    if (!b)
        return;
    for (size_t i = 0; i < GROUPS; i++)
        sl_group_close(&b->group[i]);
    for (size_t i = 0; i < b->threads; i++)
        sl_answers_work_close(&b->work[i]);
    sl_free(b->work);
    sl_free(b);
    *batch = NULL;
}

sl_status sl_batch_room(sl_batch *b)
{
    size_t bytes = 0;

    for (size_t i = 0; i < b->count; i++)
        bytes += b->group[i].raw_bytes;
    return b->count + SL_ROW_GROUPS > GROUPS || bytes > BATCH_BYTES ? sl_batch_flush(b) : SL_OK;
}

sl_group *sl_batch_group(sl_batch *b, size_t set, uint64_t prompt)
{
    sl_group *g = &b->group[b->count++];

    sl_group_clear(g);
    g->set = set;
    g->prompt = prompt;
    return g;
}

void sl_batch_undo(sl_batch *b, size_t count)
{
    b->count -= count;
}

/* Answers without scores but with a matrix of wins get the strengths fitted to it, log-odds. */
static sl_status scores_of_wins(sl_group *g)
{
    double *wins = NULL;
    sl_status st;

    if (!g->answers.win || g->answers.score || g->n < 2)
        return SL_OK;
    SL_TRY(sl_take(&wins, g->n * g->n, sizeof *wins));
    for (size_t i = 0; i < g->n * g->n; i++)
        wins[i] = i % (g->n + 1) ? g->win[i] : 0.0;
    st = sl_bradley_terry(g->column[SL_GROUP_SCORE], NULL, wins, g->n, 0.01 * ((double)g->n - 1.0));
    g->answers.score = g->column[SL_GROUP_SCORE];
    sl_free(wins);
    return st;
}

static sl_status measure_one(sl_batch *b, size_t i, sl_answers_work *work)
{
    const sl_answers_settings how = { .vocabulary = b->sets->settings.vocabulary,
                                      .level = SL_LEVEL_PROMPT };
    sl_group *g = &b->group[i];

    SL_TRY(sl_group_settle(g, b->sets));
    SL_TRY(scores_of_wins(g));
    return sl_answers_measure(b->value[i], &b->known[i], &g->answers, &how, work);
}

sl_first_error sl_first_error_none(void)
{
    return (sl_first_error){ .at = SIZE_MAX };
}

void sl_first_error_note(sl_first_error *first, size_t i)
{
#pragma omp critical(sl_first_error)
    if (i < first->at) {
        first->at = i;
        sl_err_save(&first->record);
    }
    sl_err_clear();
}

sl_status sl_first_error_tell(const sl_first_error *first)
{
    return first->at < SIZE_MAX ? sl_err_restore(&first->record) : SL_OK;
}

static sl_status measure_all(sl_batch *b)
{
    sl_first_error first = sl_first_error_none();

#pragma omp parallel for schedule(dynamic, 4) num_threads((int)b->threads)
    for (size_t i = 0; i < b->count; i++)
        if (measure_one(b, i, b->work[omp_get_thread_num()]) != SL_OK)
            sl_first_error_note(&first, i);
    return sl_first_error_tell(&first);
}

/* --- into the set ----------------------------------------------------------------------------- */

static sl_status keep(sl_answer_set *s, const sl_group *g)
{
    const sl_answers *a = &g->answers;
    sl_kept_prompt row = { .prompt = g->prompt, .first = s->scores };
    sl_sums chars = { 0 }, entropy = { 0 };

    SL_TRY(
        sl_grow(&s->kept, &s->kept_capacity, s->prompts + s->short_prompts + 1, sizeof *s->kept));
    SL_TRY(sl_grow(&s->score, &s->score_capacity, s->scores + g->n, sizeof *s->score));
    for (size_t i = 0; i < g->n; i++) {
        sl_sums_add(&chars, g->column[SL_GROUP_CHARS][i]);
        sl_sums_add(&entropy, -g->column[SL_GROUP_LOGP][i]);
        if (!a->score || !isfinite(a->score[i]))
            continue;
        s->score[s->scores++] = a->score[i];
        sl_sums_add(&s->score_sums, a->score[i]);
        row.scores++;
    }
    if (a->score)
        s->unscored += g->n - row.scores;
    row.chars = (float)chars.mean;
    row.entropy = entropy.used ? entropy.mean : NAN;
    s->kept[s->prompts + s->short_prompts] = row;
    return SL_OK;
}

static sl_status add_group(sl_batch *b, size_t i)
{
    const sl_group *g = &b->group[i];
    sl_answer_set *s = &b->sets->set[g->set];

    SL_TRY(keep(s, g));
    if (g->n < b->sets->settings.take || !g->n) {
        s->short_prompts++;
        return SL_OK;
    }
    b->sets->has_vectors |= g->answers.vector != NULL;
    s->least = s->prompts && s->least < g->n ? s->least : g->n;
    s->most = s->most > g->n ? s->most : g->n;
    s->prompts++;
    s->answers += g->n;
    s->known |= b->known[i];
    for (size_t k = 0; k < SL_METRIC_COUNT; k++)
        if ((b->known[i] & sl_metrics[k].needs) == sl_metrics[k].needs) {
            sl_sums_add(&s->sums[k], b->value[i][k]);
            sl_length_sums_add(&s->by_length[k], b->value[i][SL_METRIC_TOKENS], b->value[i][k]);
        } else
            s->sums[k].dropped++;
    return sl_corpus_offer(s->corpus, g);
}

void sl_batch_count_lengths(sl_batch *b, sl_lengths *lengths)
{
    b->lengths = lengths;
}

sl_status sl_batch_flush(sl_batch *b)
{
    if (!b->lengths)
        SL_TRY(measure_all(b));
    for (size_t i = 0; i < b->count; i++) {
        if (b->lengths) {
            SL_TRY(sl_group_settle(&b->group[i], b->sets));
            SL_TRY(sl_lengths_add(b->lengths, &b->group[i].texts));
        } else
            SL_TRY(add_group(b, i));
    }
    b->count = 0;
    if (b->sets->settings.tick)
        b->sets->settings.tick(b->sets->settings.tick_state,
                               b->sets->input[b->sets->inputs - 1].read.bytes);
    return SL_OK;
}
