#include "cli/score_rows.h"
#include "analysis/ranking.h"
#include "base/alloc.h"
#include "base/file.h"
#include "cli/print.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ALPHA 0.05

/* The columns of a kind of values, by side. */
typedef struct columns {
    const char *value[SL_SCORE_SIDES];
} columns;

static const columns *columns_of(const sl_scores *s)
{
    static const columns kinds[] = { { { "logp_chosen", "logp_rejected" } },
                                     { { "reward_chosen", "reward_rejected" } } };

    return &kinds[s->are_rewards];
}

static sl_json *row_json(const sl_scores *s, const sl_score_row *r)
{
    const columns *c = columns_of(s);
    sl_json *tree =
        json_pack("{s:I, s:o, s:o, s:I, s:I}", "line", (json_int_t)r->line, c->value[0],
                  sl_json_number(r->value[0]), c->value[1], sl_json_number(r->value[1]),
                  "tokens_chosen", (json_int_t)r->tok[0], "tokens_rejected", (json_int_t)r->tok[1]);

    if (!isnan(r->ref[0]))
        (void)json_object_update_new(tree, json_pack("{s:o, s:o}", "ref_logp_chosen",
                                                     sl_json_number(r->ref[0]), "ref_logp_rejected",
                                                     sl_json_number(r->ref[1])));
    return tree;
}

static sl_json *likelihood_json(const sl_scores *s)
{
    double value[SL_SCORE_SIDES] = { 0.0, 0.0 }, tok[SL_SCORE_SIDES] = { 0.0, 0.0 };
    size_t higher = 0;

    for (size_t i = 0; i < s->count; i++) {
        for (size_t side = 0; side < SL_SCORE_SIDES; side++) {
            value[side] += s->rows[i].value[side];
            tok[side] += s->rows[i].tok[side];
        }
        higher += s->rows[i].value[0] > s->rows[i].value[1];
    }
    return json_pack("{s:o, s:o, s:o}", "nats_per_tok_chosen", sl_json_number(-value[0] / tok[0]),
                     "nats_per_tok_rejected", sl_json_number(-value[1] / tok[1]),
                     "chosen_more_likely", sl_json_number((double)higher / (double)s->count));
}

/* The rewards against the rule that the longer answer is the better one. */
static sl_status rank(sl_ranking *out, const sl_scores *s)
{
    sl_ranked_pair *pair = NULL;
    sl_status st;

    SL_TRY(sl_take(&pair, s->count + 1, sizeof *pair));
    for (size_t i = 0; i < s->count; i++)
        pair[i] =
            (sl_ranked_pair){ .prompt = s->rows[i].prompt,
                              .score = s->rows[i].value[0] - s->rows[i].value[1],
                              .rule = (double)s->rows[i].chars[0] - (double)s->rows[i].chars[1] };
    st = sl_ranking_of(out, pair, s->count, ALPHA);
    sl_free(pair);
    return st;
}

static sl_json *share_json(const sl_ranked_share *share)
{
    return json_pack("{s:o, s:o, s:o}", "value", sl_json_number(share->value), "lower",
                     sl_json_number(share->interval.lower), "upper",
                     sl_json_number(share->interval.upper));
}

static const char *const sentences[] = {
    "the reward model is not shown to be better or worse than the rule",
    "the reward model is better than the rule",
    "the reward model is worse than the rule",
};

static sl_json *reward_json(const sl_scores *s, const sl_ranking *r)
{
    double margin = 0.0, wins = 0.0;

    for (size_t i = 0; i < s->count; i++) {
        const double m = s->rows[i].value[0] - s->rows[i].value[1];

        margin += m;
        wins += m > 0.0 ? 1.0 : m == 0.0 ? 0.5 : 0.0;
    }
    return json_pack("{s:o, s:o, s:I, s:o, s:o, s:o, s:f, s:s, s:s}", "accuracy",
                     sl_json_number(wins / (double)s->count), "mean_margin",
                     sl_json_number(margin / (double)s->count), "prompts", (json_int_t)r->prompts,
                     "by_prompt", share_json(&r->scorer), "longer_answer", share_json(&r->rule),
                     "gain", share_json(&r->gain), "level", 1.0 - r->alpha, "verdict",
                     sl_ranking_verdict_names[r->verdict], "sentence", sentences[r->verdict]);
}

static void print_share(const char *what, const sl_ranked_share *share)
{
    printf("# %-22s %7.4f [%.4f, %.4f]\n", what, share->value, share->interval.lower,
           share->interval.upper);
}

static void print_ranking(const sl_scores *s, const sl_ranking *r)
{
    const char *of_words = s->opts->is_ids ? "tokens" : "characters";

    printf("# better answer named on %zu pairs of %zu prompts, mean over prompts, %g %% interval\n",
           r->pairs, r->prompts, 100.0 * (1.0 - r->alpha));
    print_share("reward model", &r->scorer);
    print_share("the longer (rule)", &r->rule);
    print_share("difference, paired", &r->gain);
    printf("# %s that the answer of more %s is better\n", sentences[r->verdict], of_words);
}

static sl_json *totals_json(const sl_scores *s, const sl_ranking *ranking)
{
    const sl_data_report *report = s->report;
    sl_json *tree =
        json_pack("{s:I, s:I, s:I, s:I}", "pairs", (json_int_t)s->count, "empty",
                  (json_int_t)report->empty, "cut_prompts", (json_int_t)report->cut_prompt,
                  "cut_answers", (json_int_t)(report->cut_chosen + report->cut_rejected));

    (void)json_object_update_new(tree,
                                 s->are_rewards ? reward_json(s, ranking) : likelihood_json(s));
    return tree;
}

static sl_status append_line(char **text, size_t *used, size_t *capacity, const sl_scores *s,
                             const sl_score_row *r)
{
    sl_json *tree = row_json(s, r);
    char *line = NULL;
    size_t bytes;
    sl_status st = SL_OK;

    if (!tree)
        return SL_FAIL(SL_ENOMEM, "want memory for a row, found none");
    SL_TRY_OUT(sl_json_dump(&line, tree, 0));
    bytes = strlen(line);
    SL_TRY_OUT(sl_grow(text, capacity, *used + bytes + 1, 1));
    memcpy(*text + *used, line, bytes);
    (*text)[*used + bytes] = '\n';
    *used += bytes + 1;
out:
    sl_free(line);
    sl_json_close(&tree);
    return st;
}

static sl_status write_file(const sl_scores *s)
{
    char *text = NULL;
    size_t used = 0, capacity = 0;
    sl_status st = SL_OK;

    if (sl_file_exists(s->opts->out))
        return SL_FAIL(SL_EIO, "want a new file, found \"%s\" there", s->opts->out);
    for (size_t i = 0; i < s->count; i++)
        SL_TRY_OUT(append_line(&text, &used, &capacity, s, &s->rows[i]));
    st = sl_file_write_atomic(s->opts->out, text, used);
out:
    sl_free(text);
    return st;
}

static sl_status print_document(const sl_scores *s, const sl_ranking *ranking)
{
    sl_json *rows = json_array(), *tree;
    sl_status st;

    for (size_t i = 0; rows && i < s->count; i++)
        (void)json_array_append_new(rows, row_json(s, &s->rows[i]));
    tree = json_pack("{s:s, s:s, s:s, s:s?, s:o, s:o}", "schema", "stageline.score/1", "model",
                     s->opts->model, "data", s->opts->data, "reference", s->opts->reference,
                     "totals", totals_json(s, ranking), "rows", rows);
    if (!tree || json_array_size(rows) != s->count) {
        sl_json_close(&tree);
        return SL_FAIL(SL_ENOMEM, "want memory for the document, found none");
    }
    st = sl_print_json(tree);
    sl_json_close(&tree);
    return st;
}

static void print_table(const sl_scores *s)
{
    const columns *c = columns_of(s);
    const int has_ref = s->opts->reference != NULL;

    printf("line\t%s\t%s\ttokens_chosen\ttokens_rejected%s\n", c->value[0], c->value[1],
           has_ref ? "\tref_logp_chosen\tref_logp_rejected" : "");
    for (size_t i = 0; i < s->count; i++) {
        const sl_score_row *r = &s->rows[i];

        printf("%" PRIu64 "\t%.6f\t%.6f\t%u\t%u", r->line, r->value[0], r->value[1], r->tok[0],
               r->tok[1]);
        if (has_ref)
            printf("\t%.6f\t%.6f", r->ref[0], r->ref[1]);
        putchar('\n');
    }
}

sl_status sl_score_give(const sl_scores *s)
{
    sl_ranking ranking = { 0 };

    if (s->are_rewards)
        SL_TRY(rank(&ranking, s));
    if (s->opts->out)
        SL_TRY(write_file(s));
    if (s->opts->is_json)
        return print_document(s, &ranking);
    if (!s->opts->out)
        print_table(s);
    else
        printf("%s\n", s->opts->out);
    if (s->are_rewards)
        print_ranking(s, &ranking);
    return SL_OK;
}
