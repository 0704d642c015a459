/* What a falling chosen reward means. The rule looks for the least alarming explanation first; its
 * numbers stand here and in docs/math.md, "Displacement". */
#include "analysis/displacement.h"
#include <math.h>
#include <stdio.h>

#define LITTLE_PER_TOK 0.02 /* nat: 2 % of a token's likelihood */
#define ENDING_PART 0.5
#define FEW_PART 0.8
#define ALIKE_FACTOR 1.5 /* the alike third falls so much more */

const char *const sl_displacement_names[SL_DISPLACED_KINDS] = { "unknown",   "not",   "little",
                                                                "ending",    "alike", "few-tokens",
                                                                "everywhere" };

static int is_alike(const sl_displacement_row *w)
{
    return w->like < ALIKE_FACTOR * fmin(w->unlike, 0.0) &&
           w->unlike - w->like > 2.0 * w->like_gap_se;
}

static sl_displacement_kind kind_of(const sl_displacement_row *w)
{
    if (!w->pairs || isnan(w->chosen))
        return SL_DISPLACED_UNKNOWN;
    if (!(w->chosen < -2.0 * w->chosen_se))
        return SL_DISPLACED_NOT;
    if (w->per_tok > -LITTLE_PER_TOK)
        return SL_DISPLACED_LITTLE;
    if (w->ending_part > ENDING_PART)
        return SL_DISPLACED_ENDING;
    if (is_alike(w))
        return SL_DISPLACED_ALIKE;
    if (w->worst_tenth > FEW_PART)
        return SL_DISPLACED_FEW_TOKENS;
    return SL_DISPLACED_EVERYWHERE;
}

static void say(sl_displacement *d, const sl_displacement_row *w)
{
    char *s = d->sentence;
    const size_t size = sizeof d->sentence;

    switch (d->kind) {
    case SL_DISPLACED_NOT:
        snprintf(s, size,
                 "benign: the chosen answers have not become less likely than under the reference "
                 "(%+.3f nat, se %.3f)",
                 w->chosen, w->chosen_se);
        break;
    case SL_DISPLACED_LITTLE:
        snprintf(s, size,
                 "benign: the chosen answers fall by %.4f nat a token, less than %g; the margin "
                 "comes from the rejected ones (%+.3f nat)",
                 -w->per_tok, LITTLE_PER_TOK, w->rejected);
        break;
    case SL_DISPLACED_ENDING:
        snprintf(
            s, size,
            "benign: %.0f %% of the fall of the chosen answers is their last token: the policy "
            "ends answers elsewhere, what they say stays as likely",
            100.0 * w->ending_part);
        break;
    case SL_DISPLACED_ALIKE:
        snprintf(
            s, size,
            "not benign: the third of the pairs whose answers are most alike falls by %.3f nat "
            "a token, the least alike by %.3f: what pushes the rejected answer down takes the "
            "chosen one along; leave such pairs out or add a likelihood term",
            -w->like, -w->unlike);
        break;
    case SL_DISPLACED_FEW_TOKENS:
        snprintf(s, size,
                 "benign: a tenth of the tokens carries %.0f %% of what falling tokens lose; the "
                 "rest of the chosen answers stays as likely",
                 100.0 * w->worst_tenth);
        break;
    case SL_DISPLACED_EVERYWHERE:
        snprintf(s, size,
                 "not benign: the chosen answers of %.0f %% of the pairs fall, by %.3f nat a token "
                 "and not in a few places: likelihood goes to answers outside the pairs; a "
                 "likelihood term or a larger beta holds them",
                 100.0 * w->fell, -w->per_tok);
        break;
    default:
        snprintf(s, size, "unknown: the record holds no log-probabilities under a reference");
    }
}

void sl_displacement_judge(sl_displacement *out, const sl_displacement_row *window)
{
    static const int benign[SL_DISPLACED_KINDS] = { [SL_DISPLACED_NOT] = 1,
                                                    [SL_DISPLACED_LITTLE] = 1,
                                                    [SL_DISPLACED_ENDING] = 1,
                                                    [SL_DISPLACED_FEW_TOKENS] = 1 };

    out->kind = kind_of(window);
    out->is_benign = benign[out->kind];
    say(out, window);
}
