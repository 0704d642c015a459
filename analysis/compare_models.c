/* Models against each other: paired differences on common prompts, and strengths. */
#include "analysis/bradley_terry.h"
#include "analysis/compare_int.h"
#include "analysis/report_int.h"
#include "analysis/special.h"
#include "base/alloc.h"
#include <math.h>
#include <string.h>

/* --- paired ---------------------------------------------------------------------------------- */

/* difference (common) = a - b on the prompts of both; returns how many. */
static size_t differences_of(double *difference, const sl_subject *a, const sl_subject *b)
{
    size_t i = 0, k = 0, n = 0;

    while (i < a->n && k < b->n) {
        if (a->prompt[i] == b->prompt[k])
            difference[n++] = a->value[i++] - b->value[k++];
        else if (a->prompt[i] < b->prompt[k])
            i++;
        else
            k++;
    }
    return n;
}

/* Two-sided p of Student's t, by the incomplete beta function. */
static double student_p(double t, double df)
{
    return sl_beta_cdf(df / (df + t * t), 0.5 * df, 0.5);
}

static sl_status put_pair(sl_json *list, const sl_subject *a, const sl_subject *b, double *work,
                          double alpha)
{
    const size_t n = differences_of(work, a, b);
    const sl_mean d = sl_mean_of(work, n);
    const sl_interval interval = sl_student_interval(&d, alpha);
    sl_json *row;

    if (n < 2)
        return SL_OK;
    SL_TRY(sl_out_object(&row, list, NULL));
    SL_TRY(sl_out_text(row, "unit", a->unit));
    SL_TRY(sl_out_text(row, "judge", a->judge));
    SL_TRY(sl_out_text(row, "baseline", a->baseline));
    SL_TRY(sl_out_text(row, "a", a->label));
    SL_TRY(sl_out_text(row, "b", b->label));
    SL_TRY(sl_out_i64(row, "prompts", (int64_t)n));
    SL_TRY(sl_out_number(row, "difference", d.value));
    SL_TRY(sl_out_number(row, "se", d.se));
    SL_TRY(sl_out_number(row, "lower", interval.lower));
    SL_TRY(sl_out_number(row, "upper", interval.upper));
    return sl_out_number(row, "p", d.se > 0.0 ? student_p(d.value / d.se, (double)n - 1.0) : NAN);
}

static int is_comparable(const sl_subject *a, const sl_subject *b)
{
    return !strcmp(a->unit, b->unit) && sl_report_same_text(a->judge, b->judge) &&
           sl_report_same_text(a->baseline, b->baseline);
}

sl_status sl_compare_paired(sl_json *out, const sl_subjects *all, double alpha)
{
    sl_json *list;
    double *work = NULL;
    size_t most = 0;
    sl_status st = SL_OK;

    SL_TRY(sl_out_list(&list, out, "paired"));
    for (size_t i = 0; i < all->count; i++)
        most = all->at[i].n > most ? all->at[i].n : most;
    SL_TRY(sl_take(&work, most + 1, sizeof *work));
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = i + 1; k < all->count; k++)
            if (is_comparable(&all->at[i], &all->at[k]))
                SL_TRY_OUT(put_pair(list, &all->at[i], &all->at[k], work, alpha));
    st = sl_compare_holm(list);
out:
    sl_free(work);
    return st;
}

/* --- strengths ------------------------------------------------------------------------------- */

/* One judge's models and baselines, and what they got of every prompt. */
typedef struct league {
    const char *judge;
    const char **player; /* (K) */
    size_t K;
    sl_game *game; /* (n) */
    size_t n;
    double *theta, *cov; /* (K), (K, K) */
    double ridge;
} league;

static size_t player_of(league *l, const char *name)
{
    size_t k = 0;

    while (k < l->K && strcmp(l->player[k], name) != 0)
        k++;
    if (k == l->K)
        l->player[l->K++] = name;
    return k;
}

static void add_games(league *l, const sl_subject *s)
{
    const size_t a = player_of(l, s->label), b = player_of(l, s->baseline);

    if (a == b)
        return;
    for (size_t i = 0; i < s->n; i++)
        l->game[l->n++] = (sl_game){ s->prompt[i], a, b, s->value[i] };
}

static int plays(const sl_subject *s, const char *judge)
{
    return !strcmp(s->unit, "score") && s->baseline && s->n && sl_report_same_text(s->judge, judge);
}

static sl_status league_open(league *l, const sl_subjects *all, const char *judge)
{
    size_t games = 0, subjects = 0;

    *l = (league){ .judge = judge };
    for (size_t i = 0; i < all->count; i++)
        if (plays(&all->at[i], judge)) {
            games += all->at[i].n;
            subjects++;
        }
    SL_TRY(sl_take(&l->player, 2 * subjects + 1, sizeof *l->player));
    SL_TRY(sl_take(&l->game, games + 1, sizeof *l->game));
    for (size_t i = 0; i < all->count; i++)
        if (plays(&all->at[i], judge))
            add_games(l, &all->at[i]);
    SL_TRY(sl_take(&l->theta, l->K + 1, sizeof *l->theta));
    return sl_take(&l->cov, l->K * l->K + 1, sizeof *l->cov);
}

static void league_close(league *l)
{
    sl_free(l->player);
    sl_free(l->game);
    sl_free(l->theta);
    sl_free(l->cov);
}

/* A player that never wins, or players that never meet, have no finite maximum: then a ridge of .01
 * times the votes a player. */
static sl_status fit(league *l)
{
    double *wins = NULL;
    int is_finite = 0;
    sl_status st;

    SL_TRY(sl_take(&wins, l->K * l->K + 1, sizeof *wins));
    for (size_t i = 0; i < l->n; i++) {
        wins[l->game[i].a * l->K + l->game[i].b] += l->game[i].y;
        wins[l->game[i].b * l->K + l->game[i].a] += 1.0 - l->game[i].y;
    }
    st = sl_bradley_terry_is_finite(&is_finite, wins, l->K);
    sl_free(wins);
    SL_TRY(st);
    l->ridge = is_finite ? 0.0 : 0.01 * (double)l->n / (double)l->K;
    return sl_bradley_terry_games(l->theta, l->cov, l->game, l->n, l->K, l->ridge);
}

static sl_status put_strength(sl_json *list, const league *l, size_t k, double z)
{
    const double se = sqrt(l->cov[k * l->K + k]);
    sl_json *row;

    SL_TRY(sl_out_object(&row, list, NULL));
    SL_TRY(sl_out_text(row, "judge", l->judge));
    SL_TRY(sl_out_text(row, "model", l->player[k]));
    SL_TRY(sl_out_number(row, "strength", l->theta[k]));
    SL_TRY(sl_out_number(row, "se", se));
    SL_TRY(sl_out_number(row, "lower", l->theta[k] - z * se));
    SL_TRY(sl_out_number(row, "upper", l->theta[k] + z * se));
    return sl_out_number(row, "ridge", l->ridge);
}

static sl_status put_difference(sl_json *list, const league *l, size_t i, size_t k, double z)
{
    const double *c = l->cov;
    const size_t K = l->K;
    const double d = l->theta[i] - l->theta[k];
    const double se = sqrt(fmax(0.0, c[i * K + i] + c[k * K + k] - 2.0 * c[i * K + k]));
    sl_json *row;

    SL_TRY(sl_out_object(&row, list, NULL));
    SL_TRY(sl_out_text(row, "judge", l->judge));
    SL_TRY(sl_out_text(row, "a", l->player[i]));
    SL_TRY(sl_out_text(row, "b", l->player[k]));
    SL_TRY(sl_out_number(row, "difference", d));
    SL_TRY(sl_out_number(row, "se", se));
    SL_TRY(sl_out_number(row, "lower", d - z * se));
    SL_TRY(sl_out_number(row, "upper", d + z * se));
    SL_TRY(sl_out_number(row, "p_a_beats_b", sl_sigmoid(d)));
    return sl_out_number(row, "p", se > 0.0 ? erfc(fabs(d) / se / sqrt(2.0)) : NAN);
}

static sl_status put_league(sl_json *strengths, sl_json *differences, league *l, double alpha)
{
    const double z = sl_normal_quantile(1.0 - alpha / 2.0);

    if (l->K < 2 || l->n < 2)
        return SL_OK;
    SL_TRY(fit(l));
    for (size_t i = 0; i < l->K; i++)
        SL_TRY(put_strength(strengths, l, i, z));
    for (size_t i = 0; i < l->K; i++)
        for (size_t k = i + 1; k < l->K; k++)
            SL_TRY(put_difference(differences, l, i, k, z));
    return SL_OK;
}

static int is_first_of_judge(const sl_subjects *all, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (plays(&all->at[k], all->at[i].judge))
            return 0;
    return plays(&all->at[i], all->at[i].judge);
}

sl_status sl_compare_strengths(sl_json *out, const sl_subjects *all, double alpha)
{
    sl_json *strengths, *differences;
    sl_status st = SL_OK;

    SL_TRY(sl_out_list(&strengths, out, "strengths"));
    SL_TRY(sl_out_list(&differences, out, "differences"));
    for (size_t i = 0; i < all->count && st == SL_OK; i++) {
        league l;

        if (!is_first_of_judge(all, i))
            continue;
        st = league_open(&l, all, all->at[i].judge);
        if (st == SL_OK)
            st = sl_err_where(put_league(strengths, differences, &l, alpha),
                              "strengths by judge %s", l.judge ? l.judge : "without a name");
        league_close(&l);
    }
    return st == SL_OK ? sl_compare_holm(differences) : st;
}
