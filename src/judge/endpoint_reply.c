/* What a chat completion says about two answers. With log-probabilities, at the first token that is
 * a letter: p = P(A) / (P(A) + P(B)) over the alternatives listed there, a letter that is not
 * listed counts 0. Without them the letter itself, 1 or 0. */
#include "base/text.h"
#include "judge/judge_int.h"
#include "remote/remote.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of a token: a letter by itself, whatever blanks and marks stand around it. 0: none. */
static char letter_of(const char *token)
{
    static const char around[] = " \t\r\n*\"'`()[].:#_";
    const char *at = token + strspn(token, around);

    if (*at != 'A' && *at != 'B')
        return 0;
    return at[1 + strspn(at + 1, around)] ? 0 : *at;
}

/* The one letter that stands alone in a text, however often; 0: none, or both. */
static char letter_in(const char *text)
{
    char found = 0;

    for (const char *at = text; *at; at++) {
        const int is_alone =
            (at == text || !isalnum((unsigned char)at[-1])) && !isalnum((unsigned char)at[1]);

        if (!is_alone || (*at != 'A' && *at != 'B'))
            continue;
        if (found && found != *at)
            return 0;
        found = *at;
    }
    return found;
}

/* log(exp(x) + exp(y)) */
static double log_add(double x, double y)
{
    const double high = fmax(x, y);

    return high == -INFINITY ? high : high + log1p(exp(fmin(x, y) - high));
}

/* logp[0] of A, logp[1] of B, nats; -INFINITY: not listed. */
static sl_status read_top(double logp[2], const sl_json *top)
{
    logp[0] = logp[1] = -INFINITY;
    for (size_t i = 0; i < json_array_size(top); i++) {
        const sl_json *row = json_array_get(top, i);
        const char *token;
        double x;
        char letter;

        SL_TRY(sl_json_text(&token, row, "token"));
        SL_TRY(sl_json_f64(&x, row, "logprob"));
        if (x > 1e-3)
            return SL_FAIL(SL_EFORMAT, "want \"logprob\" <= 0, found %g", x);
        letter = letter_of(token);
        if (letter)
            logp[letter == 'B'] = log_add(logp[letter == 'B'], x);
    }
    return SL_OK;
}

/* *p stays NaN where there are no log-probabilities of a letter. */
static sl_status by_logprobs(double *p, const sl_json *choice)
{
    const sl_json *content = json_object_get(json_object_get(choice, "logprobs"), "content");

    for (size_t i = 0; i < json_array_size(content); i++) {
        const sl_json *row = json_array_get(content, i);
        const char *token;
        double logp[2];

        SL_TRY(sl_json_text(&token, row, "token"));
        if (!letter_of(token))
            continue;
        SL_TRY(read_top(logp, json_object_get(row, "top_logprobs")));
        if (fmax(logp[0], logp[1]) > -INFINITY)
            *p = 1.0 / (1.0 + exp(logp[1] - logp[0]));
        return SL_OK;
    }
    return SL_OK;
}

static sl_status without_letter(sl_opinion *o, sl_vote_status status, int keeps, const char *text)
{
    char quote[120], found[160];

    sl_remote_quote(quote, sizeof quote, text, strlen(text));
    snprintf(found, sizeof found, "\"%s\"", quote);
    return sl_opinion_failed(o, status, keeps, "one letter, A or B", found);
}

static sl_status read_choice(sl_opinion *o, const sl_reply_rules *rules, const sl_json *choice)
{
    const sl_json *message = json_object_get(choice, "message");
    const char *text, *refusal;
    double p = NAN;
    char letter;

    SL_TRY(sl_json_text_or(&refusal, message, "refusal", NULL));
    if (refusal && *refusal)
        return without_letter(o, SL_VOTED_REFUSED, rules->keeps_failed, refusal);
    SL_TRY(by_logprobs(&p, choice));
    if (isnan(p)) {
        SL_TRY(sl_json_text_or(&text, message, "content", ""));
        letter = letter_in(text);
        if (!letter)
            return without_letter(o, SL_VOTED_INVALID, rules->keeps_failed, text);
        p = letter == 'A';
    }
    o->p = p;
    o->is_given = 1;
    return SL_OK;
}

sl_status sl_endpoint_reply(sl_opinion *opinion, const sl_reply_rules *rules, const char *body,
                            size_t bytes)
{
    const sl_json *choices;
    sl_json *tree = NULL;
    sl_status st;

    SL_TRY(sl_json_parse(&tree, body, bytes, "reply"));
    choices = json_object_get(tree, "choices");
    if (!json_array_size(choices))
        st = SL_FAIL(SL_EFORMAT, "want \"choices\" with a message, found none");
    else
        st = read_choice(opinion, rules, json_array_get(choices, 0));
    sl_json_close(&tree);
    return sl_err_where(st, "reply");
}
