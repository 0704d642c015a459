/* Judges that see one answer before the other: orders, batches, and back to votes. */
#include "base/alloc.h"
#include "base/hash.h"
#include "judge/judge_int.h"
#include <math.h>

/* Which is shown first when a pair is shown once: a pure function of the seed and the ids, so that
 * batches, resumed runs and other pairs change nothing. */
static int is_b_first(uint64_t seed, const sl_prompt_text *prompt, const sl_answer *a,
                      const sl_answer *b)
{
    const uint64_t ids[3] = { prompt->id, a->id, b->id };
    sl_rng rng = sl_rng_at(seed, sl_rng_stream("judge order"), sl_hash_id(ids, sizeof ids));

    return sl_rng_uniform(&rng) < 0.5;
}

static double mean_of(double x, double y)
{
    return isnan(x) ? y : isnan(y) ? x : 0.5 * (x + y);
}

/* One more order of a pair. A vote with one failed order is failed whole. */
static void add_opinion(sl_vote *vote, const sl_opinion *o, int b_first, int is_first_order)
{
    const uint8_t swapped = (uint8_t)((o->cut & SL_CUT_FIRST ? SL_VOTE_CUT_B : 0) |
                                      (o->cut & SL_CUT_SECOND ? SL_VOTE_CUT_A : 0));
    const double p = b_first ? 1.0 - o->p : o->p;

    vote->attempts += o->attempts;
    vote->cut |= b_first ? swapped : o->cut;
    vote->is_given = o->is_given && (is_first_order || vote->is_given);
    if (o->status != SL_VOTED)
        vote->status = o->status;
    *(b_first ? &vote->p_ba : &vote->p_ab) = p;
    vote->p = is_first_order ? p : 0.5 * (vote->p + p); /* NaN with either */
    vote->score_a = mean_of(vote->score_a, b_first ? o->score_second : o->score_first);
    vote->score_b = mean_of(vote->score_b, b_first ? o->score_first : o->score_second);
}

static sl_question question_of(const sl_prompt_text *prompt, const sl_answer *a, const sl_answer *b,
                               int b_first)
{
    return (sl_question){ prompt, b_first ? b : a, b_first ? a : b };
}

static sl_status ask_in_batches(sl_opinion *opinion, uint32_t batch, sl_ask ask, void *state,
                                const sl_question *question, size_t count)
{
    for (size_t done = 0; done < count; done += batch) {
        const size_t n = count - done < batch ? count - done : batch;

        SL_TRY(ask(opinion + done, state, question + done, n));
    }
    return SL_OK;
}

sl_status sl_votes_in_orders(sl_vote *vote, const sl_order_settings *set, sl_ask ask, void *state,
                             const sl_prompt_text *prompt, const sl_answer *a, const sl_answer *b,
                             size_t count)
{
    const size_t each = set->both_orders ? 2 : 1, asked = count * each;
    sl_question *question = NULL; /* (count, each) */
    sl_opinion *opinion = NULL;   /* (count, each) */
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_take(&question, asked ? asked : 1, sizeof *question));
    SL_TRY_OUT(sl_take(&opinion, asked ? asked : 1, sizeof *opinion));
    for (size_t q = 0; q < asked; q++) {
        const size_t i = q / each;
        const int b_first =
            set->both_orders ? (int)(q % 2) : is_b_first(set->seed, &prompt[i], &a[i], &b[i]);

        question[q] = question_of(&prompt[i], &a[i], &b[i], b_first);
        opinion[q] = (sl_opinion){ .p = NAN, .score_first = NAN, .score_second = NAN };
    }
    st = ask_in_batches(opinion, set->batch, ask, state, question, asked);
    for (size_t q = 0; q < asked; q++)
        add_opinion(&vote[q / each], &opinion[q], question[q].first == &b[q / each], q % each == 0);
    for (size_t i = 0; i < count; i++)
        if (!vote[i].is_given)
            vote[i] = sl_vote_empty();
out:
    sl_free(question);
    sl_free(opinion);
    return st;
}

sl_status sl_opinion_failed(sl_opinion *opinion, sl_vote_status status, int keeps_failed,
                            const char *wanted, const char *found)
{
    *opinion = (sl_opinion){ .p = NAN,
                             .score_first = NAN,
                             .score_second = NAN,
                             .status = status,
                             .is_given = 1,
                             .attempts = opinion->attempts };
    if (keeps_failed)
        return SL_OK;
    return SL_FAIL(SL_EFORMAT, "want %s, found %s", wanted, found);
}
