#include "train/draw.h"
#include <math.h>

/* A vote of certainty counts as these log-odds in a fit. */
#define CERTAIN 30.0

/* Pairs (0,1), (2,3), ... name every answer, with (0,each-1) where each is odd; then the others. */
static void fill_between(sl_draw *draw)
{
    const size_t each = draw->settings.each;
    size_t n = 0;

    for (size_t i = 0; i + 1 < each; i += 2)
        draw->between[n++] = (sl_between){ i, i + 1 };
    if (each % 2)
        draw->between[n++] = (sl_between){ 0, each - 1 };
    for (size_t a = 0; a < each; a++)
        for (size_t b = a + 1; b < each; b++)
            if (!(a % 2 == 0 && b == a + 1) && !(each % 2 && a == 0 && b == each - 1))
                draw->between[n++] = (sl_between){ a, b };
}

void sl_draw_carve(sl_draw *draw, sl_arena *arena, const sl_data_limits *limits)
{
    const size_t each = draw->settings.each, n = draw->settings.chunk;
    size_t questions;

    if (!each)
        return;
    draw->pairs = each * (each - 1) / 2;
    draw->least = (each + 1) / 2;
    questions = n * draw->pairs;
    draw->drawn = sl_arena_take(arena, n * each, sizeof *draw->drawn);
    draw->token = sl_arena_i32(arena, n * each, limits->answer_tok);
    draw->logp = sl_arena_f32(arena, n * each, limits->answer_tok);
    draw->score = sl_arena_f64(arena, n, each);
    draw->between = sl_arena_take(arena, draw->pairs, sizeof *draw->between);
    draw->vote = sl_arena_take(arena, questions, sizeof *draw->vote);
    draw->votes = sl_arena_take(arena, n, sizeof *draw->votes);
    draw->pick = sl_arena_take(arena, n, sizeof *draw->pick);
    draw->asked = sl_arena_take(arena, questions, sizeof *draw->asked);
    draw->side[0] = sl_arena_take(arena, questions, sizeof **draw->side);
    draw->side[1] = sl_arena_take(arena, questions, sizeof **draw->side);
    draw->got = sl_arena_take(arena, questions, sizeof *draw->got);
    if (draw->between)
        fill_between(draw);
}

static int has_scores(const sl_draw *draw, size_t p)
{
    const sl_vote *vote = draw->vote + p * draw->pairs;

    for (size_t k = 0; k < draw->least; k++)
        if (!isfinite(vote[k].score_a) || !isfinite(vote[k].score_b))
            return 0;
    return 1;
}

/* Asks about pairs [from, to) of every prompt that has been asked about `from` of them. */
static sl_status ask(sl_draw *draw, sl_judge *judge, const sl_prompt_text *prompt, size_t count,
                     size_t from, size_t to)
{
    const size_t each = draw->settings.each;
    size_t n = 0;

    for (size_t p = 0; p < count; p++)
        for (size_t k = from; k < to && draw->votes[p] == to; k++, n++) {
            draw->asked[n] = prompt[p];
            draw->side[0][n] = draw->drawn[p * each + draw->between[k].a].answer;
            draw->side[1][n] = draw->drawn[p * each + draw->between[k].b].answer;
        }
    if (n)
        SL_TRY(sl_judge_votes(draw->got, judge, draw->asked, draw->side[0], draw->side[1], n));
    n = 0;
    for (size_t p = 0; p < count; p++)
        for (size_t k = from; k < to && draw->votes[p] == to; k++)
            draw->vote[p * draw->pairs + k] = draw->got[n++];
    return SL_OK;
}

static sl_status judge_all(sl_draw *draw, sl_judge *judge, const sl_prompt_text *prompt,
                           size_t count)
{
    for (size_t p = 0; p < count; p++)
        draw->votes[p] = draw->least;
    SL_TRY(ask(draw, judge, prompt, count, 0, draw->least));
    for (size_t p = 0; p < count; p++)
        draw->votes[p] = has_scores(draw, p) ? draw->least : draw->pairs;
    return draw->pairs > draw->least ? ask(draw, judge, prompt, count, draw->least, draw->pairs)
                                     : SL_OK;
}

/* score (each) of a prompt, by the judge or by fit. */
static void fill_scores(double *score, const sl_draw *draw, size_t p)
{
    const sl_vote *vote = draw->vote + p * draw->pairs;
    const size_t each = draw->settings.each;
    const int is_scored = has_scores(draw, p);

    for (size_t i = 0; i < each; i++)
        score[i] = 0.0;
    for (size_t k = draw->votes[p]; k-- > 0;) { /* the first vote on an answer has the last word */
        const sl_between at = draw->between[k];
        const double logit = log(vote[k].p) - log1p(-vote[k].p);
        const double share = fmin(CERTAIN, fmax(-CERTAIN, logit)) / (double)each;

        score[at.a] = is_scored ? vote[k].score_a : score[at.a] + share;
        score[at.b] = is_scored ? vote[k].score_b : score[at.b] - share;
    }
}

static sl_status pick_pair(sl_draw *draw, size_t p, sl_rng *rng)
{
    const size_t each = draw->settings.each;
    const double unit = has_scores(draw, p) ? draw->settings.judge_temperature : 1.0;
    double odds[SL_CANDIDATES_MOST], *score = draw->score + p * each;
    uint64_t id[SL_CANDIDATES_MOST];

    fill_scores(score, draw, p);
    for (size_t i = 0; i < each; i++) {
        if (!isfinite(score[i]))
            return SL_FAIL(SL_ENUMERIC, "want a finite score of answer %zu, found %g", i, score[i]);
        odds[i] = score[i] / unit;
        id[i] = draw->drawn[p * each + i].answer.id;
        draw->drawn[p * each + i].answer.score = (float)score[i];
    }
    draw->pick[p] = sl_pair_pick(&draw->settings.pair, odds, id, each, rng);
    return SL_OK;
}

sl_status sl_draw_prompts(sl_draw *draw, const sl_sampler *sampler, sl_judge *judge,
                          const sl_prompt_text *prompt, const uint64_t *stream, sl_rng *rng,
                          size_t count)
{
    const size_t each = draw->settings.each;

    for (size_t i = 0; i < count * each; i++)
        draw->drawn[i] =
            (sl_drawn){ .stream = stream[i], .tok_logp = draw->logp + i * sampler->law.max_new };
    SL_TRY(sampler->draw(sampler->state, draw->drawn, draw->token, &sampler->law, prompt, count,
                         each));
    SL_TRY(judge_all(draw, judge, prompt, count));
    for (size_t p = 0; p < count; p++)
        SL_TRY(pick_pair(draw, p, &rng[p]));
    return SL_OK;
}
