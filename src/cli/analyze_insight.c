/* What a record says beyond its measurements, in sentences; and the ledger of one pair. */
#include "base/json.h"
#include "base/text.h"
#include "cli/analyze.h"
#include "cli/document.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- sentences ------------------------------------------------------------------------------- */

/* The own loss, then every other one at the beta of the run (or its only row). */
static void print_whatif(const sl_whatif *w)
{
    const char *separator = "; others at this policy: ";

    if (!w->count || isnan(w->own_beta))
        return;
    for (size_t i = 0; i < w->count; i++)
        if (w->row[i].is_own)
            printf("loss %s at beta %g: mean %.4f, still pushes %.1f %% of %zu visits",
                   w->row[i].loss->name, w->row[i].beta, w->row[i].mean_loss,
                   100.0 * w->row[i].active, w->row[i].pairs);
    for (size_t i = 0; i < w->count; i++) {
        const sl_whatif_row *r = &w->row[i];

        if (r->is_own || !(isnan(r->beta) || r->beta == w->own_beta))
            continue;
        printf("%s%s %.0f %%", separator, r->loss->name, 100.0 * r->active);
        separator = ", ";
    }
    putchar('\n');
    if (w->largest_difference > 1e-6)
        printf("  losses computed again differ from the recorded ones by up to %.3g\n",
               w->largest_difference);
}

static void print_displacement(const sl_displacement *d)
{
    if (!d->count)
        return;
    printf("chosen reward: %s\n", d->sentence);
    for (size_t i = 0; i < d->examples; i++)
        printf("%s%" PRIu64,
               i ? ", " : "  pairs that fell most a token (--pair ID): ", d->example[i]);
    if (d->examples)
        putchar('\n');
}

static void print_probe(const sl_drift *p)
{
    const sl_drift_row *last = p->count ? &p->row[p->count - 1] : NULL;

    if (p->count < 2)
        return;
    printf("probe texts: entropy %.3f to %.3f nat a token from step %lld to %lld",
           p->row[0].mean[SL_DRIFT_ENTROPY].value, last->mean[SL_DRIFT_ENTROPY].value,
           (long long)p->row[0].step, (long long)last->step);
    if (last->mean[SL_DRIFT_FIRST].used)
        printf(", drift %.3f (se %.3f) since the first checkpoint, %.3f since the one before",
               last->mean[SL_DRIFT_FIRST].value, last->mean[SL_DRIFT_FIRST].se,
               last->mean[SL_DRIFT_PREVIOUS].value);
    putchar('\n');
}

static void print_alignment(const sl_alignment *a)
{
    const sl_alignment_group *all = a->groups ? a->group : NULL;

    if (!all || !(all->early.used + all->late.used))
        return;
    printf("gradients of static and on-policy pairs: cosine %.3f over the first %zu split updates, "
           "%.3f over the last %zu\n",
           all->early.value, all->early.used, all->late.value, all->late.used);
}

static void print_noise(const sl_gradients *g)
{
    const sl_noise_row *last = g->noises ? &g->noise[g->noises - 1] : NULL;

    if (!last)
        return;
    if (isnan(last->scale))
        printf("gradient noise scale: the noise dominates (%zu updates, the last of %.0f pairs)\n",
               g->noises, last->pairs);
    else
        printf("gradient noise scale: %.3g pairs over %zu updates, the last of %.0f pairs\n",
               last->scale, g->noises, last->pairs);
}

static void print_geometry(const sl_gradients *g)
{
    const sl_geometry_row *r = g->geometries ? &g->geometry[g->geometries - 1] : NULL;

    if (!r)
        return;
    printf("gradients of %zu pairs at step %lld: mean cosine %.3f, %.0f %% of twos in conflict, "
           "Vendi %.1f, diversity %.3g (batch bound %.3g)",
           r->pairs, (long long)r->step, r->geometry.mean_cosine, 100.0 * r->conflict, r->vendi,
           r->geometry.diversity, r->geometry.batch_bound);
    if (isfinite(r->cos_static_on))
        printf(", static and on-policy %.3f", r->cos_static_on);
    if (isfinite(r->cos_previous))
        printf(", with the update before %.3f", r->cos_previous);
    putchar('\n');
    if (r->influence.used && isfinite(r->influence.value))
        printf("  a step on them moves log p of %zu probe texts by %.3g (se %.3g) times the rate\n",
               r->probes, r->influence.value, r->influence.se);
    if (r->dropped)
        printf("  %zu gradients left out: not finite\n", r->dropped);
}

static void print_gradients(const sl_gradients *g)
{
    print_noise(g);
    print_geometry(g);
    if (isfinite(g->cost))
        printf(
            "gradient statistics took %.1f %% of the time of the updates (norms %.1f, splits and "
            "shards %.1f, pairs %.1f)\n",
            100.0 * g->cost, 100.0 * g->norms, 100.0 * g->splits, 100.0 * g->pairs);
}

void sl_analyze_print_insight(const sl_insight *insight)
{
    print_whatif(&insight->whatif);
    print_displacement(&insight->displacement);
    print_probe(&insight->probe);
    print_alignment(&insight->alignment);
    print_gradients(&insight->gradients);
}

/* --- one pair -------------------------------------------------------------------------------- */

/* Decimal, as documents have it, or hexadecimal with 0x. */
static sl_status pair_id(uint64_t *out, const char *text)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 0);
    if (errno || end == text || *end || *text == '-')
        return SL_FAIL(SL_EUSAGE, "want --pair with an id of a pair, found \"%.64s\"", text);
    return SL_OK;
}

sl_status sl_analyze_pair(sl_json **document, const char *path, const char *id)
{
    uint64_t pair;
    sl_reader *reader = NULL;
    sl_status st;

    SL_TRY(pair_id(&pair, id));
    SL_TRY(sl_reader_open(&reader, path));
    st = sl_err_where(sl_pair_json(document, reader, pair), "%s", path);
    sl_reader_close(&reader);
    return st;
}

static void print_visit(const sl_json *v)
{
    const sl_json *flag;
    size_t i;

    printf("%8lld %-9s %5lld %5lld %10.3f %10.3f %10.3f %10.3f %9.4f %9.5f ",
           (long long)json_integer_value(json_object_get(v, "step")),
           json_string_value(json_object_get(v, "source")),
           (long long)json_integer_value(json_object_get(v, "chosen_tokens")),
           (long long)json_integer_value(json_object_get(v, "rejected_tokens")),
           sl_doc_number(v, "logp_chosen"), sl_doc_number(v, "logp_rejected"),
           sl_doc_number(v, "ref_logp_chosen"), sl_doc_number(v, "ref_logp_rejected"),
           sl_doc_number(v, "margin"), sl_doc_number(v, "loss"));
    json_array_foreach(json_object_get(v, "flags"), i, flag)
    {
        printf("%s%s", i ? "," : "", json_string_value(flag));
    }
    putchar('\n');
}

void sl_analyze_print_pair(const sl_json *document)
{
    const sl_json *visit;
    size_t i;

    printf("pair %s of prompt %s: %zu visits\n",
           json_string_value(json_object_get(document, "pair")),
           json_string_value(json_object_get(document, "prompt")),
           json_array_size(json_object_get(document, "visits")));
    printf("%8s %-9s %5s %5s %10s %10s %10s %10s %9s %9s %s\n", "step", "source", "tok_c", "tok_r",
           "logp_c", "logp_r", "ref_c", "ref_r", "margin", "loss", "flags");
    json_array_foreach(json_object_get(document, "visits"), i, visit)
    {
        print_visit(visit);
    }
}
