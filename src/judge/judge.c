#include "judge/judge.h"
#include "base/alloc.h"
#include "base/text.h"
#include "judge/judge_int.h"
#include <math.h>
#include <string.h>

static const sl_judge_row *const judges[] = { &sl_judge_truth };
enum { JUDGE_COUNT = sizeof judges / sizeof judges[0] };

struct sl_judge {
    const sl_judge_row *row;
};

static sl_status find(const sl_judge_row **out, const char *name)
{
    const char *names[JUDGE_COUNT + 1] = { NULL };
    const char *near;
    sl_status st;

    for (size_t i = 0; i < JUDGE_COUNT; i++) {
        if (!strcmp(judges[i]->name, name)) {
            *out = judges[i];
            return SL_OK;
        }
        names[i] = judges[i]->name;
    }
    near = sl_text_nearest(name, names);
    st = SL_FAIL(SL_EARG, "want a judge of the table, found \"%s\"", name);
    return sl_err_hint(st, "did you mean \"%s\"?", near ? near : names[0]);
}

sl_status sl_judge_open(sl_judge **out, const char *name, const sl_data *data)
{
    const sl_judge_row *row = NULL;

    SL_TRY(find(&row, name));
    SL_TRY(row->open(data));
    SL_TRY(sl_take(out, 1, sizeof **out));
    (*out)->row = row;
    return SL_OK;
}

void sl_judge_close(sl_judge **judge)
{
    sl_free(*judge);
    *judge = NULL;
}

const char *sl_judge_name(const sl_judge *judge)
{
    return judge->row->name;
}

sl_status sl_judge_votes(sl_vote *vote, sl_judge *judge, const sl_prompt_text *prompt,
                         const sl_answer *a, const sl_answer *b, size_t count)
{
    return judge->row->votes(vote, prompt, a, b, count);
}

int sl_judge_label(double *label_p, const sl_vote *vote, double temperature, sl_rng *rng)
{
    const double logit = log(vote->p) - log1p(-vote->p);
    const double p = 1.0 / (1.0 + exp(-logit / temperature));
    const int a_wins = sl_rng_uniform(rng) < p;

    *label_p = a_wins ? p : 1.0 - p;
    return a_wins;
}
