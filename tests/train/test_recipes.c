/* The recipes that come with the program: each is read and holds together; every loss has one;
 * those of published runs say what their publications say. */
#include "harness/harness.h"
#include "train/optim.h"
#include "train/recipe.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[1024];

static void load(sl_recipe *recipe, const char *name)
{
    char path[2048];

    memset(recipe, 0, sizeof *recipe);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    T_OK(sl_yaml_load(recipe, sl_recipe_keys, sl_recipe_key_count, path));
    T_OK(sl_recipe_check(recipe));
}

static void test_every_recipe_holds_together(void **state)
{
    DIR *dir = opendir(folder);
    size_t count = 0;
    sl_recipe recipe;

    (void)state;
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        const char *end = strrchr(e->d_name, '.');

        if (!end || strcmp(end, ".yaml") != 0)
            continue;
        if (!strncmp(e->d_name, "compare-", 8)) /* a grid: cli grid loads it */
            continue;
        load(&recipe, e->d_name);
        count++;
    }
    closedir(dir);
    assert_true(count >= 24);
}

/* Rows that are terms of sums, or have a recipe under another name, need none. */
static void test_every_loss_has_a_recipe(void **state)
{
    static const char *const without[] = { "cpo-hinge", "nll", "nll-sum" };

    (void)state;
    for (const char *const *name = sl_loss_names(); *name; name++) {
        char file[64];
        sl_recipe recipe;
        int is_left_out = 0;

        for (size_t i = 0; i < sizeof without / sizeof without[0]; i++)
            is_left_out |= !strcmp(*name, without[i]);
        if (is_left_out)
            continue;
        snprintf(file, sizeof file, "method-%s.yaml", *name);
        load(&recipe, file);
        if (recipe.method.kind == SL_METHOD_PREFERENCE)
            assert_string_equal(recipe.method.loss, *name);
        else
            assert_string_equal(*name, "sft");
    }
}

static void test_published_settings(void **state)
{
    static const struct {
        const char *file, *loss;
        double beta, rate, clip, gamma;
        int64_t batch, epochs, warmup_steps;
        sl_optim_kind optim;
    } rows[] = {
        { "zephyr-dpo.yaml", "dpo", 0.01, 5e-7, 1.0, 0.5, 128, 1, 0, SL_OPTIM_ADAMW },
        { "llama3-simpo.yaml", "simpo", 2.0, 6e-7, 1.0, 1.0, 128, 1, 0, SL_OPTIM_ADAMW },
        { "pythia-hh-rmsprop.yaml", "dpo", 0.1, 5e-7, 10.0, 0.5, 64, 1, 150, SL_OPTIM_RMSPROP },
        { "phi2-dpo.yaml", "dpo", 0.1, 5e-7, 1.0, 0.5, 128, 1, 0, SL_OPTIM_ADAMW },
        { "qwen-dpo.yaml", "dpo", 0.1, 1e-6, 1.0, 0.5, 8, 1, 0, SL_OPTIM_ADAMW },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sl_recipe r;

        load(&r, rows[i].file);
        assert_string_equal(r.method.loss, rows[i].loss);
        T_CLOSE(r.method.beta, rows[i].beta, TOL_EXACT);
        T_CLOSE(r.method.gamma, rows[i].gamma, TOL_EXACT);
        T_CLOSE(r.optim.learning_rate, rows[i].rate, TOL_EXACT);
        T_CLOSE(r.optim.clip, rows[i].clip, TOL_EXACT);
        assert_int_equal(r.train.batch, rows[i].batch);
        assert_int_equal(r.train.epochs, rows[i].epochs);
        assert_int_equal(r.optim.warmup_steps, rows[i].warmup_steps);
        assert_int_equal(r.optim.kind, rows[i].optim);
        assert_true(strcmp(r.data.source, "world") != 0 && r.model.policy[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_recipe_holds_together),
        cmocka_unit_test(test_every_loss_has_a_recipe),
        cmocka_unit_test(test_published_settings),
    };
    const char *source = getenv("STAGELINE_SOURCE");

    snprintf(folder, sizeof folder, "%s/recipes", source ? source : ".");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
