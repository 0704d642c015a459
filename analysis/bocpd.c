#include "analysis/bocpd.h"
#include "analysis/special.h"
#include "base/alloc.h"
#include <math.h>

enum { MU, KAPPA, ALPHA, BETA };

/* Student t with 2 alpha degrees of freedom, location mu, scale^2 beta (kappa+1)/(alpha kappa). */
static double log_student(const sl_bocpd_law *l, double x, double n)
{
    const double df = 2.0 * l->at[ALPHA];
    const double scale_sq = l->at[BETA] * (l->at[KAPPA] + 1.0) / (l->at[ALPHA] * l->at[KAPPA]);
    const double z_sq = (x - l->at[MU]) * (x - l->at[MU]) / scale_sq;

    (void)n;
    return sl_log_gamma(0.5 * (df + 1.0)) - sl_log_gamma(0.5 * df) -
           0.5 * log(df * M_PI * scale_sq) - 0.5 * (df + 1.0) * log1p(z_sq / df);
}

static void update_gaussian(sl_bocpd_law *l, double x, double n)
{
    const double kappa = l->at[KAPPA], mu = l->at[MU];

    (void)n;
    l->at[BETA] += kappa * (x - mu) * (x - mu) / (2.0 * (kappa + 1.0));
    l->at[MU] = (kappa * mu + x) / (kappa + 1.0);
    l->at[KAPPA] = kappa + 1.0;
    l->at[ALPHA] += 0.5;
}

static double log_beta_binomial(const sl_bocpd_law *l, double k, double n)
{
    return sl_log_gamma(n + 1.0) - sl_log_gamma(k + 1.0) - sl_log_gamma(n - k + 1.0) +
           sl_log_beta(k + l->at[0], n - k + l->at[1]) - sl_log_beta(l->at[0], l->at[1]);
}

static void update_binomial(sl_bocpd_law *l, double k, double n)
{
    l->at[0] += k;
    l->at[1] += n - k;
}

sl_bocpd_model sl_bocpd_gaussian(double mu, double kappa, double alpha, double beta)
{
    return (sl_bocpd_model){ log_student, update_gaussian, { { mu, kappa, alpha, beta } } };
}

sl_bocpd_model sl_bocpd_binomial(double a, double b)
{
    return (sl_bocpd_model){ log_beta_binomial, update_binomial, { { a, b, 0.0, 0.0 } } };
}

static sl_status reserve(sl_bocpd *b, size_t count)
{
    SL_TRY(sl_grow(&b->log_mass, &b->capacity_mass, count, sizeof *b->log_mass));
    SL_TRY(sl_grow(&b->law, &b->capacity_law, count, sizeof *b->law));
    return sl_grow(&b->run, &b->capacity_run, count, sizeof *b->run);
}

sl_status sl_bocpd_open(sl_bocpd *out, sl_bocpd_model model, double hazard, double prune)
{
    *out = (sl_bocpd){ .model = model, .hazard = hazard, .prune = prune };
    if (!(hazard > 0.0 && hazard < 1.0))
        return SL_FAIL(SL_EARG, "want a hazard in (0,1), found %g", hazard);
    SL_TRY(reserve(out, 1));
    out->kept = 1;
    out->log_mass[0] = 0.0;
    out->law[0] = model.prior;
    out->run[0] = 0;
    out->now = (sl_bocpd_point){ 0, 1.0, 1.0, 1.0, 0.0 };
    return SL_OK;
}

void sl_bocpd_close(sl_bocpd *b)
{
    sl_free(b->log_mass);
    sl_free(b->law);
    sl_free(b->run);
    b->log_mass = NULL;
    b->law = NULL;
    b->run = NULL;
}

/* Normalises, drops runs without mass, sums up. */
static void look(sl_bocpd *b)
{
    const double all = sl_log_sum_exp(b->log_mass, b->kept);
    size_t kept = 0;

    b->now = (sl_bocpd_point){ 0 };
    for (size_t i = 0; i < b->kept; i++) {
        const double log_mass = b->log_mass[i] - all, p = exp(log_mass);

        if (p < b->prune)
            continue;
        if (p > b->now.p_map) {
            b->now.p_map = p;
            b->now.map_run = b->run[i];
        }
        b->now.p_zero += b->run[i] == 0 ? p : 0.0;
        b->now.p_up_to_3 += b->run[i] <= 3 ? p : 0.0;
        b->now.expected_run += p * (double)b->run[i];
        b->log_mass[kept] = log_mass;
        b->law[kept] = b->law[i];
        b->run[kept++] = b->run[i];
    }
    b->kept = kept;
}

sl_status sl_bocpd_add(sl_bocpd *b, double x, double n)
{
    double evidence;

    if (!isfinite(x) || !isfinite(n))
        return SL_OK;
    SL_TRY(reserve(b, b->kept + 1));
    for (size_t i = 0; i < b->kept; i++)
        b->log_mass[i] += b->model.log_predict(&b->law[i], x, n);
    evidence = sl_log_sum_exp(b->log_mass, b->kept);
    for (size_t i = b->kept; i-- > 0;) { /* every run grows by one, and a new one begins */
        b->log_mass[i + 1] = b->log_mass[i] + log1p(-b->hazard);
        b->law[i + 1] = b->law[i];
        b->model.update(&b->law[i + 1], x, n);
        b->run[i + 1] = b->run[i] + 1;
    }
    b->log_mass[0] = evidence + log(b->hazard);
    b->law[0] = b->model.prior;
    b->run[0] = 0;
    b->kept++;
    look(b);
    return SL_OK;
}
