/* The table of rules, and a rule from its text. */
#include "analysis/rule.h"
#include "analysis/rule_int.h"
#include "base/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Ranges are open where the end itself makes no sense. */
static const struct {
    const char *name;
    double least, most;
    int is_open, is_whole;
} keys[SL_RULE_KEYS] = {
    [SL_RULE_TAU] = { "tau", 0.0, 1.0, 1, 0 },     [SL_RULE_DELTA] = { "delta", 0.0, 0.5, 0, 0 },
    [SL_RULE_ALPHA] = { "alpha", 0.0, 1.0, 1, 0 }, [SL_RULE_N] = { "n", 0.0, 1e9, 0, 1 },
    [SL_RULE_C] = { "c", 1.0, 1e6, 0, 1 },         [SL_RULE_H] = { "h", 0.0, 0.5, 0, 0 },
    [SL_RULE_ETA] = { "eta", 0.0, 1.0, 1, 0 },     [SL_RULE_LOW] = { "low", 0.0, 1.0, 0, 0 },
    [SL_RULE_HIGH] = { "high", 0.0, 1.0, 0, 0 },   [SL_RULE_WIDTH] = { "width", 0.0, 1.0, 1, 0 },
    [SL_RULE_PRIOR] = { "prior", 0.0, 1e6, 1, 0 }, [SL_RULE_KEEP] = { "keep", 0.0, 1.0, 0, 0 },
    [SL_RULE_STEP] = { "step", 0.0, 1.0, 0, 0 },   [SL_RULE_EDGE] = { "edge", 0.0, 0.5, 0, 0 },
};

#define BIT(key) (1u << SL_RULE_##key)
#define STOPS (BIT(TAU) | BIT(ALPHA) | BIT(N) | BIT(C))
#define MIXES (BIT(N) | BIT(STEP) | BIT(EDGE))
#define USUAL [SL_RULE_TAU] = 0.5, [SL_RULE_ALPHA] = 0.05, [SL_RULE_C] = 1
#define GENTLE [SL_RULE_STEP] = 0.25, [SL_RULE_EDGE] = 0.05

const sl_rule_row sl_rules[] = {
    { "fixed",
      "n prompts, the side of tau that their mean lies on (the paper's rule)",
      BIT(TAU) | BIT(N) | BIT(C),
      { USUAL, [SL_RULE_N] = 2000 },
      0,
      sl_rule_fixed },
    { "wilson",
      "n prompts, Wilson's interval beyond tau -+ h",
      STOPS | BIT(H),
      { USUAL, [SL_RULE_N] = 2000 },
      0,
      sl_rule_wilson },
    { "kelly",
      "e-process with an indifference zone of half width delta (the default)",
      STOPS | BIT(DELTA),
      { USUAL, [SL_RULE_DELTA] = 0.05 },
      0,
      sl_rule_kelly },
    { "certified",
      "the same without a zone: certifies the side",
      STOPS,
      { USUAL },
      0,
      sl_rule_kelly },
    { "sprt",
      "Wald's test of tau -+ delta on the majority of each prompt",
      STOPS | BIT(DELTA),
      { USUAL, [SL_RULE_DELTA] = 0.05 },
      0,
      sl_rule_sprt },
    { "sprt-votes",
      "the same as if all votes were independent: invalid where they are not",
      STOPS | BIT(DELTA),
      { USUAL, [SL_RULE_DELTA] = 0.05 },
      0,
      sl_rule_sprt_votes },
    { "sequence",
      "betting confidence sequence beyond tau -+ h",
      STOPS | BIT(H),
      { USUAL },
      0,
      sl_rule_sequence },
    { "bernstein",
      "empirical Bernstein confidence sequence beyond tau -+ h",
      STOPS | BIT(H),
      { USUAL },
      0,
      sl_rule_bernstein },
    { "hysteresis",
      "Wilson's interval beyond tau -+ h at c measurements in a row",
      STOPS | BIT(H),
      { [SL_RULE_TAU] = 0.5, [SL_RULE_ALPHA] = 0.05, [SL_RULE_C] = 2, [SL_RULE_H] = 0.02 },
      0,
      sl_rule_wilson },
    { "ema",
      "moving average of the score, its interval beyond tau",
      STOPS | BIT(ETA),
      { USUAL, [SL_RULE_ETA] = 0.5 },
      0,
      sl_rule_ema },
    { "mix-linear",
      "share of on-policy pairs, linear from low to high",
      MIXES | BIT(LOW) | BIT(HIGH),
      { GENTLE, [SL_RULE_LOW] = 0.45, [SL_RULE_HIGH] = 0.55 },
      1,
      sl_rule_linear },
    { "mix-smoothstep",
      "the same, smooth at both ends",
      MIXES | BIT(LOW) | BIT(HIGH),
      { GENTLE, [SL_RULE_LOW] = 0.45, [SL_RULE_HIGH] = 0.55 },
      1,
      sl_rule_smoothstep },
    { "mix-logistic",
      "the same, logistic around tau",
      MIXES | BIT(TAU) | BIT(WIDTH),
      { GENTLE, [SL_RULE_TAU] = 0.5, [SL_RULE_WIDTH] = 0.05 },
      1,
      sl_rule_logistic },
    { "mix-posterior",
      "share = probability that on-policy wins, of decaying votes",
      MIXES | BIT(PRIOR) | BIT(KEEP),
      { GENTLE, [SL_RULE_PRIOR] = 0.5, [SL_RULE_KEEP] = 0.8 },
      1,
      sl_rule_posterior },
};
const size_t sl_rule_count = sizeof sl_rules / sizeof sl_rules[0];
enum { RULE_COUNT = sizeof sl_rules / sizeof sl_rules[0], WORD_MOST = 48 };

const char *sl_rule_key_name(sl_rule_key key)
{
    return keys[key].name;
}

static sl_status unknown_rule(const char *word)
{
    const char *names[RULE_COUNT + 1] = { NULL }, *near;
    const sl_status st = SL_FAIL(SL_EUSAGE, "want a rule, found \"%s\"", word);

    for (size_t i = 0; i < RULE_COUNT; i++)
        names[i] = sl_rules[i].name;
    near = sl_text_nearest(word, names);
    if (near)
        return sl_err_hint(st, "did you mean \"%s\"?", near);
    return sl_err_hint(st, "stageline replay --rules lists them");
}

static sl_status unknown_key(const sl_rule_row *row, const char *word)
{
    const char *names[SL_RULE_KEYS + 1] = { NULL }, *near;
    char all[160] = "";
    size_t n = 0, used = 0;
    const sl_status st =
        SL_FAIL(SL_EUSAGE, "want a parameter of rule \"%s\", found \"%s\"", row->name, word);

    for (size_t k = 0; k < SL_RULE_KEYS; k++)
        if (row->keys >> k & 1u) {
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", n ? ", " : "",
                                     keys[k].name);
            names[n++] = keys[k].name;
        }
    near = sl_text_nearest(word, names);
    if (near)
        return sl_err_hint(st, "did you mean \"%s\"? it has %s", near, all);
    return sl_err_hint(st, "it has %s", all);
}

static sl_status set_value(sl_rule *rule, size_t k, const char *text)
{
    double value = 0.0;

    if (sl_err_where(sl_text_f64(&value, text), "%s", keys[k].name) != SL_OK)
        return SL_EUSAGE;
    if (keys[k].is_open ? value <= keys[k].least || value >= keys[k].most
                        : value < keys[k].least || value > keys[k].most)
        return SL_FAIL(SL_EUSAGE, "want %s in %c%g, %g%c, found %s", keys[k].name,
                       keys[k].is_open ? '(' : '[', keys[k].least, keys[k].most,
                       keys[k].is_open ? ')' : ']', text);
    if (keys[k].is_whole && value != floor(value))
        return SL_FAIL(SL_EUSAGE, "want a whole number of %s, found %s", keys[k].name, text);
    rule->value[k] = value;
    return SL_OK;
}

/* word (WORD_MOST) = text up to a sign of `ends`; the rest behind that sign, NULL at the end. */
static sl_status take_word(char *word, const char **rest, const char *text, const char *ends)
{
    const size_t n = strcspn(text, ends);

    if (n >= WORD_MOST)
        return SL_FAIL(SL_EUSAGE, "want words below %d characters, found \"%s\"", WORD_MOST, text);
    memcpy(word, text, n);
    word[n] = 0;
    *rest = text[n] ? text + n + 1 : NULL;
    return SL_OK;
}

static sl_status set_pair(sl_rule *rule, const char **rest)
{
    char word[WORD_MOST], number[WORD_MOST];
    const char *value = NULL, *at = *rest;
    size_t k = 0;

    SL_TRY(take_word(number, rest, at, ","));
    SL_TRY(take_word(word, &value, number, "="));
    while (k < SL_RULE_KEYS && !(rule->row->keys >> k & 1u && !strcmp(word, keys[k].name)))
        k++;
    if (k == SL_RULE_KEYS)
        return unknown_key(rule->row, word);
    if (!value)
        return SL_FAIL(SL_EUSAGE, "want %s=NUMBER, found \"%s\"", word, word);
    return set_value(rule, k, value);
}

static sl_status check_together(const sl_rule *rule)
{
    const double *v = rule->value;
    const double edge = fmin(v[SL_RULE_TAU], 1.0 - v[SL_RULE_TAU]);

    if (rule->row->keys & BIT(DELTA) && v[SL_RULE_DELTA] >= edge)
        return SL_FAIL(SL_EUSAGE, "want delta below %g with tau %g, found %g", edge, v[SL_RULE_TAU],
                       v[SL_RULE_DELTA]);
    if (strncmp(rule->row->name, "sprt", 4) == 0 && v[SL_RULE_DELTA] <= 0.0)
        return SL_FAIL(SL_EUSAGE, "want delta above 0, found 0");
    if (rule->row->keys & BIT(LOW) && v[SL_RULE_LOW] >= v[SL_RULE_HIGH])
        return SL_FAIL(SL_EUSAGE, "want low below high, found %g and %g", v[SL_RULE_LOW],
                       v[SL_RULE_HIGH]);
    return SL_OK;
}

static void write_text(sl_rule *rule)
{
    const char *sign = ":";
    size_t used = (size_t)snprintf(rule->text, sizeof rule->text, "%s", rule->row->name);

    for (size_t k = 0; k < SL_RULE_KEYS; k++) {
        if (!(rule->row->keys >> k & 1u))
            continue;
        used += (size_t)snprintf(rule->text + used, sizeof rule->text - used, "%s%s=%g", sign,
                                 keys[k].name, rule->value[k]);
        sign = ",";
    }
}

static sl_status parse(sl_rule *out, const char *text)
{
    char word[WORD_MOST];
    const char *rest = NULL;

    SL_TRY(take_word(word, &rest, text, ":"));
    for (size_t i = 0; i < RULE_COUNT; i++)
        if (!strcmp(word, sl_rules[i].name))
            out->row = &sl_rules[i];
    if (!out->row)
        return unknown_rule(word);
    memcpy(out->value, out->row->fallback, sizeof out->value);
    while (rest)
        SL_TRY(set_pair(out, &rest));
    SL_TRY(check_together(out));
    write_text(out);
    return SL_OK;
}

sl_status sl_rule_parse(sl_rule *out, const char *text)
{
    *out = (sl_rule){ 0 };
    return sl_err_where(parse(out, text), "rule \"%s\"", text);
}

/* The share of on-policy pairs: by the rule itself within its bounds, or all of one source by the
 * state. */
static void weigh(sl_rule_look *out, sl_rule_memory *m, const sl_rule *rule)
{
    const double edge = rule->value[SL_RULE_EDGE], most = rule->value[SL_RULE_STEP];

    if (!rule->row->is_mix) {
        out->weight = out->state == SL_STAGE_FINE_TUNING ? 1.0 : 0.0;
        return;
    }
    if (m->seen && isfinite(out->weight))
        out->weight = fmin(m->weight + most, fmax(m->weight - most, out->weight));
    if (!isfinite(out->weight))
        out->weight = m->seen ? m->weight : 0.5;
    out->weight = fmin(1.0 - edge, fmax(edge, out->weight));
    m->weight = out->weight;
}

sl_status sl_rule_step(sl_rule_look *out, sl_rule_memory *m, const sl_rule *rule,
                       const sl_rule_votes *votes)
{
    const sl_stage before = m->hysteresis.state;

    *out = (sl_rule_look){ .score = NAN, .lower = NAN, .upper = NAN, .weight = NAN };
    m->hysteresis.consecutive = rule->row->is_mix ? 1 : (int)rule->value[SL_RULE_C];
    SL_TRY(rule->row->look(out, m, rule, votes));
    for (size_t i = 0; i < out->prompts; i++)
        out->votes += votes->votes[i];
    if (rule->row->is_mix) {
        weigh(out, m, rule);
        out->side = out->weight >= 0.5 ? SL_STAGE_FINE_TUNING : SL_STAGE_INJECTION;
    }
    (void)sl_hysteresis_step(&m->hysteresis, out->side);
    out->state = m->hysteresis.state;
    /* undecided trains on static data, as injection does: the first injection switches nothing */
    out->is_switch = (before == SL_STAGE_FINE_TUNING) != (out->state == SL_STAGE_FINE_TUNING);
    if (!rule->row->is_mix)
        weigh(out, m, rule);
    m->seen++;
    return SL_OK;
}
