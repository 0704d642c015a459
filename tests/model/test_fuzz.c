/* Damaged files: bytes changed, cut off, doubled. Each is read or refused with a message;
 * sanitizers watch. What is read must lie inside the file. usage: test_fuzz [ROUNDS] */
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "model/safetensors.h"
#include "model_test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEED_MAX = 1 << 14, PATH = 4200 };

static int64_t rounds = 3000;
static char path[PATH];

/* 1 to 4 changes; returns the new length, at most SEED_MAX. */
static size_t damage(unsigned char *bytes, size_t n, sl_rng *rng)
{
    static const char spice[] = "{}[]\",:0123456789eE.-+ \\utfn\xff";

    for (uint32_t changes = 1 + sl_rng_below(rng, 4); changes > 0 && n > 1; changes--) {
        const size_t at = sl_rng_below(rng, (uint32_t)n);
        const size_t length = 1 + sl_rng_below(rng, (uint32_t)(n - at < 40 ? n - at : 40));

        switch (sl_rng_below(rng, 5)) {
        case 0:
            bytes[at] = (unsigned char)sl_rng_u32(rng);
            break;
        case 1:
            bytes[at] = (unsigned char)spice[sl_rng_below(rng, sizeof spice - 1)];
            break;
        case 2:
            n = at + 1;
            break;
        case 3:
            memmove(bytes + at, bytes + at + length, n - at - length);
            n -= length;
            break;
        default:
            if (n + length <= SEED_MAX) {
                memmove(bytes + at + length, bytes + at, n - at);
                n += length;
            }
        }
    }
    return n;
}

static void check_entries(const sl_tensor_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        const sl_tensor_entry *e = &file->entry[i];

        assert_true(e->data >= file->map.data && e->end >= e->begin);
        assert_true(e->data + (e->end - e->begin) <= file->map.data + file->map.bytes);
        assert_int_equal(e->count * e->dtype->bits, (e->end - e->begin) * 8);
    }
}

static void test_tensor_files(void **state)
{
    const float x[64] = { 1.0f };
    sl_tensor_source source[] = {
        { "model.layers.0.w", x, 4, 8, 2, SL_STORE_F32 },
        { "model.layers.1.w", x, 3, 5, 2, SL_STORE_BF16 },
        { "model.norm.weight", x, 1, 7, 1, SL_STORE_F16 },
    };
    sl_rng rng = sl_rng_at(1, sl_rng_stream("fuzz tensors"), 0);
    char *seed = NULL;
    size_t n = 0, accepted = 0;

    (void)state;
    T_OK(sl_tensor_file_write(path, source, 3));
    T_OK(sl_file_read(&seed, &n, path, SEED_MAX));
    for (int64_t i = 0; i < rounds; i++) {
        unsigned char bytes[SEED_MAX];
        sl_tensor_file file;
        size_t length = 0;
        FILE *f = fopen(path, "wb");

        memcpy(bytes, seed, n);
        length = damage(bytes, n, &rng);
        assert_int_equal(fwrite(bytes, 1, length, f), length);
        fclose(f);
        if (sl_tensor_file_open(&file, path) == SL_OK) {
            check_entries(&file);
            sl_tensor_file_close(&file);
            accepted++;
        } else {
            assert_true(strlen(sl_err_message()) > 0);
            sl_err_clear();
        }
    }
    assert_true(accepted > 0 && accepted < (size_t)rounds);
    sl_free(seed);
}

static void test_configs(void **state)
{
    sl_rng rng = sl_rng_at(1, sl_rng_stream("fuzz config"), 0);
    size_t accepted = 0;

    (void)state;
    for (int64_t i = 0; i < rounds; i++) {
        const t_family *f = &t_families[i % 8];
        unsigned char bytes[SEED_MAX];
        size_t n = strlen(f->json);
        sl_json *tree = NULL;
        sl_config c;

        memcpy(bytes, f->json, n);
        n = damage(bytes, n, &rng);
        if (sl_json_parse(&tree, (const char *)bytes, n, "fuzz") == SL_OK &&
            sl_config_parse(&c, tree, "fuzz") == SL_OK) {
            assert_true(sl_config_parameters(&c) > 0);
            sl_config_close(&c);
            accepted++;
        } else {
            assert_true(strlen(sl_err_message()) > 0);
            sl_err_clear();
        }
    }
    assert_true(accepted > 0 && accepted < (size_t)rounds);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tensor_files),
        cmocka_unit_test(test_configs),
    };
    int red = 0;

    if (argc == 2)
        T_OK(sl_text_i64(&rounds, argv[1]));
    (void)snprintf(path, sizeof path, "%s/x.safetensors", t_scratch());
    red = cmocka_run_group_tests(tests, NULL, NULL);
    t_scratch_remove();
    return red;
}
