/* Published folders read and written again: every tensor bit for bit under its name, the configs as
 * they were in either dialect, the files beside the weights byte for byte. */
#include "base/alloc.h"
#include "base/json.h"
#include "model/reward.h"
#include "model/safetensors.h"
#include "model_test.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH = 4200, LIMIT = 1 << 24 };

static const sl_backend *backend;

static const char *const folders[] = {
    "llama", "llama31",           "llama_bias", "phi2",         "phi_qknorm", "pythia",
    "qwen2", "pythia_sequential", "qwen3",      "qwen2_window", "zephyr",
};

static void join(char out[PATH], const char *folder, const char *name)
{
    T_OK(sl_file_join(out, PATH, folder, name));
}

/* The same file in both folders, or in neither; returns whether. */
static int same_bytes(const char *a, const char *b, const char *name)
{
    char path[2][PATH], *text[2] = { NULL, NULL };
    size_t bytes[2] = { 0, 0 };

    join(path[0], a, name);
    join(path[1], b, name);
    assert_int_equal(sl_file_exists(path[0]), sl_file_exists(path[1]));
    if (!sl_file_exists(path[0]))
        return 0;
    for (int i = 0; i < 2; i++)
        T_OK(sl_file_read(&text[i], &bytes[i], path[i], LIMIT));
    assert_int_equal(bytes[0], bytes[1]);
    assert_memory_equal(text[0], text[1], bytes[0]);
    sl_free(text[0]);
    sl_free(text[1]);
    return 1;
}

/* The config says what it said, in its dialect. */
static void same_tree(const char *a, const char *b)
{
    char path[PATH];
    sl_json *tree[2];

    join(path, a, "config.json");
    T_OK(sl_json_load(&tree[0], path, LIMIT));
    join(path, b, "config.json");
    T_OK(sl_json_load(&tree[1], path, LIMIT));
    assert_true(json_equal(tree[0], tree[1]));
    sl_json_close(&tree[0]);
    sl_json_close(&tree[1]);
}

/* All tensors of one published file stand in ours; returns how many. */
static size_t same_tensors(const char *published, const sl_tensor_file *ours)
{
    sl_tensor_file file;
    size_t count;

    T_OK(sl_tensor_file_open(&file, published));
    count = file.count;
    for (size_t i = 0; i < count; i++) {
        const sl_tensor_entry *want = &file.entry[i];
        const sl_tensor_entry *found = sl_tensor_file_find(ours, want->name);

        assert_non_null(found);
        assert_ptr_equal(found->dtype, want->dtype);
        assert_int_equal(found->rank, want->rank);
        assert_memory_equal(found->shape, want->shape, want->rank * sizeof *want->shape);
        assert_memory_equal(found->data, want->data, want->end - want->begin);
    }
    sl_tensor_file_close(&file);
    return count;
}

/* The published tensors, one file or several, are ours, and ours are no others. */
static void same_weights(const char *published, const char *made)
{
    char path[PATH];
    sl_tensor_file ours;
    size_t count = 0;
    DIR *d = opendir(published);

    assert_non_null(d);
    join(path, made, "model.safetensors");
    T_OK(sl_tensor_file_open(&ours, path));
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        const char *end = strrchr(e->d_name, '.');

        if (!end || strcmp(end, ".safetensors"))
            continue;
        join(path, published, e->d_name);
        count += same_tensors(path, &ours);
    }
    assert_int_equal(count, ours.count);
    sl_tensor_file_close(&ours);
    closedir(d);
}

/* `published` with its config in another dialect, in a scratch folder. */
static void link_with(const char *scratch, const char *published, const char *config)
{
    DIR *d = opendir(published);
    char path[2][PATH];

    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strncmp(e->d_name, "model", 5) && strcmp(e->d_name, config))
            continue;
        join(path[0], published, e->d_name);
        join(path[1], scratch, strcmp(e->d_name, config) ? e->d_name : "config.json");
        assert_int_equal(symlink(path[0], path[1]), 0);
    }
    closedir(d);
}

static void make_folder(char out[PATH], const char *scratch, const char *name)
{
    join(out, scratch, name);
    T_OK(sl_file_new_folder(out));
}

/* Loaded and saved; once more, from what was saved. */
static void pass_through(const char *folder, const char *scratch)
{
    char made[2][PATH];
    sl_model *m = NULL;

    make_folder(made[0], scratch, "once");
    make_folder(made[1], scratch, "twice");
    for (int i = 0; i < 2; i++) {
        T_OK(sl_model_load(&m, i ? made[0] : folder, backend, 0));
        T_OK(sl_model_save(m, made[i], 0));
        sl_model_close(&m);
    }
    same_tree(folder, made[0]);
    same_weights(folder, made[0]);
    assert_true(same_bytes(made[0], made[1], "model.safetensors"));
    assert_true(same_bytes(made[0], made[1], "config.json"));
    (void)same_bytes(made[0], made[1], "generation_config.json");
}

static void test_published_folders(void **state)
{
    static const char *const dialects[] = { "config.json", "config.v4.json", "config.v5.json" };
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        for (size_t k = 0; k < 3; k++) {
            char name[64], path[PATH], folder[PATH];
            const char *scratch = t_scratch();

            (void)snprintf(name, sizeof name, "goldens/models/%s", folders[i]);
            join(path, t_shared(name), dialects[k]);
            if (sl_file_exists(path)) {
                make_folder(folder, scratch, "published");
                link_with(folder, t_shared(name), dialects[k]);
                pass_through(folder, scratch);
                count++;
            }
            t_scratch_remove();
        }
    assert_int_equal(count, 2 * sizeof folders / sizeof folders[0]);
}

/* The same text, whatever it means, beside the weights; through a clone too, as a trainer saves. */
static void test_files_beside_the_weights(void **state)
{
    static const char *const names[] = { "tokenizer.json",   "tokenizer_config.json",
                                         "merges.txt",       "special_tokens_map.json",
                                         "vocab.json",       "chat_template.jinja",
                                         "tokenizer.model",  "added_tokens.json",
                                         "chat_format.json", "LICENSE" };
    const char *scratch = t_scratch();
    char from[PATH], to[PATH], path[PATH], text[64];
    sl_model *m = NULL, *copy = NULL, *scorer = NULL;

    (void)state;
    make_folder(from, scratch, "from");
    make_folder(to, scratch, "to");
    link_with(from, t_shared("goldens/models/llama"), "config.json");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const int n = snprintf(text, sizeof text, "\xff\r\n%s\xfe", names[i]);

        join(path, from, names[i]);
        T_OK(sl_file_write_atomic(path, text, (size_t)n + 1)); /* a zero byte too */
    }
    join(path, from, "README.md");
    T_OK(sl_file_write_atomic(path, "of another model", 16));
    T_OK(sl_model_load(&m, from, backend, 0));
    T_OK(sl_model_clone(&copy, m, 0));
    T_OK(sl_model_save(copy, to, 1));
    T_OK(sl_model_scorer_of(&scorer, m, 1, 0));
    make_folder(path, scratch, "reward");
    T_OK(sl_model_save(scorer, path, 1));
    assert_true(same_bytes(from, path, "tokenizer.json"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_true(same_bytes(from, to, names[i]));
    join(path, to, "README.md");
    assert_false(sl_file_exists(path));
    sl_model_close(&scorer);
    sl_model_close(&copy);
    sl_model_close(&m);
    t_scratch_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_folders),
        cmocka_unit_test(test_files_beside_the_weights),
    };

    if (!t_shared("goldens/models"))
        return T_SKIP;
    T_OK(sl_backend_open(&backend, "ref", 1));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
