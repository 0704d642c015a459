#include "measure/measure.h"
#include "base/alloc.h"
#include <math.h>

struct sl_measure {
    sl_measure_settings set;
    const sl_data *data;
    sl_judge *judge;
    sl_prompt_text *prompt; /* (batch) */
    int32_t *prompt_token;  /* (batch, prompt_tok) */
    sl_drawn *drawn;        /* (batch, on) */
    int32_t *drawn_token;   /* (batch, on, answer_tok) */
    sl_answer *fixed;       /* (batch, off) static candidates */
    size_t *fixed_count;    /* (batch) */
    int32_t *fixed_token;   /* (batch, off, answer_tok) */
    sl_prompt_text *asked;  /* (on * off) the prompt, once for each of its pairs */
    sl_answer *side[2];     /* (on * off) answers of the pairs of a prompt */
    sl_vote *vote;          /* (on * off) */
};

sl_status sl_measure_open(sl_measure **out, const sl_measure_settings *settings,
                          const sl_data *data, sl_judge *judge)
{
    const sl_data_limits *l = sl_data_limits_of(data);
    const size_t n = settings->batch, on = n * settings->on, off = n * settings->off;
    const size_t pairs = (size_t)settings->on * settings->off;
    sl_status st = SL_OK;
    sl_measure *m = NULL;

    SL_TRY_OUT(sl_take(&m, 1, sizeof *m));
    m->set = *settings;
    m->data = data;
    m->judge = judge;
    SL_TRY_OUT(sl_take(&m->prompt, n, sizeof *m->prompt));
    SL_TRY_OUT(sl_take(&m->prompt_token, n * l->prompt_tok, sizeof(int32_t)));
    SL_TRY_OUT(sl_take(&m->drawn, on, sizeof *m->drawn));
    SL_TRY_OUT(sl_take(&m->drawn_token, on * l->answer_tok, sizeof(int32_t)));
    SL_TRY_OUT(sl_take(&m->fixed, off, sizeof *m->fixed));
    SL_TRY_OUT(sl_take(&m->fixed_count, n, sizeof *m->fixed_count));
    SL_TRY_OUT(sl_take(&m->fixed_token, off * l->answer_tok, sizeof(int32_t)));
    SL_TRY_OUT(sl_take(&m->asked, pairs, sizeof *m->asked));
    SL_TRY_OUT(sl_take(&m->side[0], pairs, sizeof *m->side[0]));
    SL_TRY_OUT(sl_take(&m->side[1], pairs, sizeof *m->side[1]));
    SL_TRY_OUT(sl_take(&m->vote, pairs, sizeof *m->vote));
    *out = m;
    return SL_OK;
out:
    sl_measure_close(&m);
    return st;
}

void sl_measure_close(sl_measure **measure)
{
    sl_measure *m = *measure;

    if (!m)
        return;
    sl_free(m->prompt);
    sl_free(m->prompt_token);
    sl_free(m->drawn);
    sl_free(m->drawn_token);
    sl_free(m->fixed);
    sl_free(m->fixed_count);
    sl_free(m->fixed_token);
    sl_free(m->asked);
    sl_free(m->side[0]);
    sl_free(m->side[1]);
    sl_free(m->vote);
    sl_free(m);
    *measure = NULL;
}

/* Candidates of both sides for probe prompts [first, first + n), n <= batch. */
static sl_status gather(sl_measure *m, const sl_sampler *sampler, uint64_t first, size_t n)
{
    const sl_data_limits *l = sl_data_limits_of(m->data);
    const sl_measure_settings *s = &m->set;

    for (size_t i = 0; i < n; i++) {
        const uint64_t index =
            l->probe_count == SIZE_MAX ? first + i : (first + i) % l->probe_count;

        SL_TRY(sl_data_prompt(&m->prompt[i], m->prompt_token + i * l->prompt_tok, m->data,
                              SL_SPLIT_PROBE, 0, index));
        SL_TRY(sl_data_static_candidates(m->fixed + i * s->off, &m->fixed_count[i],
                                         m->fixed_token + i * s->off * l->answer_tok, m->data,
                                         SL_SPLIT_PROBE, 0, index, s->off));
        for (size_t c = 0; c < s->on; c++)
            m->drawn[i * s->on + c].stream =
                sl_rng_substream(sl_rng_substream(sl_rng_stream("probe"), first + i), c);
    }
    return sampler->draw(sampler->state, m->drawn, m->drawn_token, &sampler->law, m->prompt, n,
                         s->on);
}

/* |2p-1| between two answers of one side, from their scores as recorded (Bradley-Terry logits), so
 * that it costs no vote and the record alone gives the same; NaN: no scores. */
static double own_margin(float score_a, float score_b)
{
    return fabs(tanh(0.5 * ((double)score_a - (double)score_b)));
}

/* Each order by itself, as it is recorded, so that the record alone gives the same. */
static void count_vote(sl_prompt_votes *out, const sl_vote *vote)
{
    sl_vote_order order[2];
    const size_t orders = sl_vote_orders(order, vote);

    for (size_t i = 0; i < orders; i++) {
        const double p = (double)(float)order[i].p;

        if (isnan(p)) {
            out->dropped++;
            continue;
        }
        out->v_on += p;
        out->v_off += 1.0 - p;
        out->ties += p == 0.5;
        out->votes++;
    }
}

/* Votes on all pairs of candidates of prompt i of the batch. */
static sl_status judge_prompt(sl_prompt_votes *out, sl_measure *m, size_t i,
                              const sl_recorder *recorder)
{
    const sl_drawn *on = m->drawn + i * m->set.on;
    const sl_answer *off = m->fixed + i * m->set.off;
    const sl_prompt_text *prompt = &m->prompt[i];
    const size_t pairs = m->set.on * m->fixed_count[i];
    float score_on[2] = { NAN, NAN }, score_off[2] = { NAN, NAN };

    *out = (sl_prompt_votes){ 0 };
    for (size_t p = 0; p < pairs; p++) {
        m->asked[p] = *prompt;
        m->side[0][p] = on[p / m->fixed_count[i]].answer;
        m->side[1][p] = off[p % m->fixed_count[i]];
    }
    SL_TRY(sl_judge_votes(m->vote, m->judge, m->asked, m->side[0], m->side[1], pairs));
    for (size_t p = 0; p < pairs; p++) {
        const size_t c = p / m->fixed_count[i], d = p % m->fixed_count[i];
        const sl_vote vote = m->vote[p];
        const sl_vote_sides sides = {
            .a = &on[c].answer,
            .b = &off[d],
            .a_id = recorder ? sl_candidate_id(recorder, prompt, &on[c], (uint32_t)c) : 0,
            .b_id = off[d].id,
            .a_origin = SL_ORIGIN_ON_POLICY,
            .b_origin = SL_ORIGIN_STATIC,
            .purpose = SL_PURPOSE_BOUNDARY
        };

        if (recorder)
            SL_TRY(sl_record_vote(recorder, prompt, &sides, &vote));
        if (c < 2 && d < 2) {
            score_on[c] = (float)vote.score_a;
            score_off[d] = (float)vote.score_b;
        }
        count_vote(out, &vote);
    }
    out->mean = out->votes ? out->v_on / out->votes : NAN;
    out->margin_on = own_margin(score_on[0], score_on[1]);
    out->margin_off = own_margin(score_off[0], score_off[1]);
    return SL_OK;
}

static sl_status record_candidates(const sl_measure *m, size_t i, const sl_sampler *sampler,
                                   const sl_recorder *recorder)
{
    for (uint32_t c = 0; c < m->set.on; c++)
        SL_TRY(sl_record_drawn(recorder, &m->prompt[i], &m->drawn[i * m->set.on + c], &sampler->law,
                               c));
    for (uint32_t c = 0; c < m->fixed_count[i]; c++)
        SL_TRY(sl_record_static(recorder, &m->prompt[i], &m->fixed[i * m->set.off + c], c));
    return SL_OK;
}

static sl_status look(sl_row_boundary *row, const sl_advisor *advisor, const sl_recorder *recorder,
                      uint16_t rule, int is_final)
{
    SL_TRY(advisor->look(advisor->state, row));
    row->step = recorder->step;
    row->measurement = recorder->measurement;
    row->judge = recorder->judge;
    row->rule = rule;
    row->final = (uint8_t)is_final;
    if (!recorder->run)
        return SL_OK;
    return sl_run_row(recorder->run, SL_TABLE_BOUNDARY, row, NULL);
}

/* Prompts of one batch go to the advisor until it has enough; what was sampled beyond is dropped
 * unjudged, so the votes recorded are the votes that the answer needed. */
static sl_status observe_batch(int *is_enough, sl_measure *m, size_t n, uint32_t done,
                               const sl_sampler *sampler, const sl_advisor *advisor,
                               const sl_recorder *recorder)
{
    for (size_t i = 0; i < n && !*is_enough; i++) {
        sl_prompt_votes votes;

        SL_TRY(record_candidates(m, i, sampler, recorder));
        SL_TRY(judge_prompt(&votes, m, i, recorder));
        votes.index = done + (uint32_t)i;
        SL_TRY(advisor->observe(advisor->state, &votes, is_enough));
    }
    return SL_OK;
}

/* A judge that fails in the middle of a batch loses no vote that was given. Passes st on. */
static sl_status keep_votes(const sl_recorder *recorder, sl_status st)
{
    sl_err_record record;

    if (!recorder->run)
        return st;
    sl_err_save(&record);
    sl_err_clear();
    if (sl_run_commit(recorder->run, SL_UNIT_VOTES, recorder->step) != SL_OK)
        sl_err_clear(); /* the first error is the one to tell */
    return sl_err_restore(&record);
}

sl_status sl_measure_run(sl_row_boundary *result, sl_row_decisions *decision, sl_measure *measure,
                         const sl_sampler *sampler, const sl_advisor *advisor,
                         const sl_recorder *recorder)
{
    const sl_measure_settings *s = &measure->set;
    const size_t probes = sl_data_limits_of(measure->data)->probe_count;
    const uint32_t most = probes < s->prompts ? (uint32_t)probes : s->prompts;
    const uint64_t first = s->first_prompt + (uint64_t)recorder->measurement * s->prompts;
    uint16_t rule = 0;
    int is_enough = 0;
    sl_status st;

    if (recorder->run)
        SL_TRY(sl_run_name(recorder->run, &rule, SL_NAME_RULE, advisor->rule));
    SL_TRY(advisor->begin(advisor->state, recorder->measurement, recorder->step, most));
    for (uint32_t done = 0; done < most && !is_enough; done += s->batch) {
        const size_t n = most - done < s->batch ? most - done : s->batch;

        SL_TRY(gather(measure, sampler, first + done, n));
        st = observe_batch(&is_enough, measure, n, done, sampler, advisor, recorder);
        if (st != SL_OK)
            return keep_votes(recorder, st);
        SL_TRY(look(result, advisor, recorder, rule, is_enough || done + n >= most));
        if (recorder->run)
            SL_TRY(sl_run_commit(recorder->run, SL_UNIT_VOTES, recorder->step));
    }
    return advisor->decide(advisor->state, decision);
}

sl_status sl_measure_fixed(sl_fixed_score *out, sl_measure *measure, const sl_sampler *sampler,
                           uint64_t first, uint32_t prompts)
{
    double sum = 0.0, sum_sq = 0.0;

    *out = (sl_fixed_score){ .prompts = prompts };
    for (uint32_t done = 0; done < prompts; done += measure->set.batch) {
        const size_t n = prompts - done < measure->set.batch ? prompts - done : measure->set.batch;

        SL_TRY(gather(measure, sampler, first + done, n));
        for (size_t i = 0; i < n; i++) {
            sl_prompt_votes votes;

            SL_TRY(judge_prompt(&votes, measure, i, NULL));
            out->votes += votes.votes;
            sum += votes.mean;
            sum_sq += votes.mean * votes.mean;
        }
    }
    out->bs = sum / prompts;
    out->se = sqrt((sum_sq / prompts - out->bs * out->bs) / (prompts - 1.0));
    return SL_OK;
}
