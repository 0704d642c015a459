/* What-if losses against the per-pair losses of the reference checkpoints. */
#include "analysis/whatif.h"
#include "base/alloc.h"
#include "harness/harness.h"
#include "run/arrays.h"
#include <stdio.h>

static const char *const folders[] = {
    "llama", "llama31",      "llama_bias", "phi2",  "phi_qknorm", "pythia", "pythia_sequential",
    "qwen2", "qwen2_window", "qwen3",      "zephyr"
};

/* Settings of the reference losses, as their README has them. */
static const struct {
    const char *golden, *ours;
    sl_whatif_settings set;
} losses[] = {
    { "dpo", "dpo", { .beta = 0.1 } },
    { "cdpo", "cdpo", { .beta = 0.1, .smoothing = 0.1 } },
    { "hinge", "hinge", { .beta = 0.1 } },
    { "ipo", "ipo", { .beta = 0.1 } },
    { "ipo_avg", "ipo-mean", { .beta = 0.1 } },
    { "simpo", "simpo", { .beta = 2.0, .gamma = 1.0 } },
    { "slic", "slic-hf", { .delta = 1.0, .lambda = 0.1 } },
};

static const char *golden_path(char path[4096], const char *folder)
{
    char name[128];
    const char *at;

    snprintf(name, sizeof name, "goldens/models/%s/golden.h5", folder);
    at = t_shared(name);
    if (at)
        snprintf(path, 4096, "%s", at);
    return at ? path : NULL;
}

static double *values(const sl_arrays *file, const char *name, size_t *count)
{
    double *x;

    T_OK(sl_arrays_read(&x, count, NULL, file, name, SL_ARRAY_F64));
    return x;
}

/* Tokens of an answer: its log-probabilities are counted. */
static double tokens(const sl_arrays *file, const char *side, size_t pair)
{
    char name[128];
    size_t count;

    snprintf(name, sizeof name, "pairs/token_logps/%s/%zu", side, pair);
    sl_free(values(file, name, &count));
    return (double)count;
}

static void check_file(const sl_arrays *file)
{
    size_t n;
    double *c = values(file, "pairs/policy_logps/chosen", &n);
    double *r = values(file, "pairs/policy_logps/rejected", &n);
    double *ref_c = values(file, "pairs/ref_logps/chosen", &n);
    double *ref_r = values(file, "pairs/ref_logps/rejected", &n);

    for (size_t k = 0; k < sizeof losses / sizeof losses[0]; k++) {
        char name[128];
        double *want;

        snprintf(name, sizeof name, "pairs/%s/loss_per_pair", losses[k].golden);
        want = values(file, name, &n);
        for (size_t i = 0; i < n; i++) {
            const sl_logps p = { c[i],
                                 r[i],
                                 ref_c[i],
                                 ref_r[i],
                                 tokens(file, "chosen", i),
                                 tokens(file, "rejected", i) };

            T_CLOSE(sl_whatif_of(sl_whatif_find(losses[k].ours), &p, &losses[k].set).loss, want[i],
                    TOL_GOLDEN);
        }
        sl_free(want);
    }
    sl_free(c);
    sl_free(r);
    sl_free(ref_c);
    sl_free(ref_r);
}

static size_t files;

static void test_reference_losses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char path[4096];
        sl_arrays *file;

        if (!golden_path(path, folders[i]))
            continue;
        T_OK(sl_arrays_open(&file, path));
        check_file(file);
        sl_arrays_close(&file);
        files++;
    }
    assert_true(files >= 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_reference_losses) };
    char path[4096];

    if (!golden_path(path, "zephyr"))
        return T_SKIP;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
