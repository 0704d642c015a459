/* safetensors: every check of the reader, the layout that the writer makes, round trips bit for bit
 * in each storage type, shards. */
#include "base/alloc.h"
#include "base/file.h"
#include "model/safetensors.h"
#include "model_test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH = 4200 };

static const sl_backend *backend;

static uint16_t narrowed(float x, sl_storage storage)
{
    uint16_t half = 0;

    sl_dtype_narrow(&half, &x, 1, storage);
    return half;
}

/* IEEE 754 by hand: value, binary16, bfloat16. */
static void test_narrowing(void **state)
{
    static const struct {
        float x;
        uint16_t f16, bf16;
    } cases[] = {
        { 0.0f, 0x0000, 0x0000 },         { -0.0f, 0x8000, 0x8000 },
        { 1.0f, 0x3c00, 0x3f80 },         { -2.0f, 0xc000, 0xc000 },
        { 65504.0f, 0x7bff, 0x4780 },     { 65519.0f, 0x7bff, 0x4780 },
        { 65520.0f, 0x7c00, 0x4780 },     { 0x1p-24f, 0x0001, 0x3380 },
        { 0x1p-25f, 0x0000, 0x3300 },     { 0x1.8p-24f, 0x0002, 0x33c0 },
        { 0x1.002p0f, 0x3c00, 0x3f80 },   { 0x1.006p0f, 0x3c02, 0x3f80 },
        { 0x1.01p0f, 0x3c04, 0x3f80 },    { 0x1.03p0f, 0x3c0c, 0x3f82 },
        { 0x1.ff8p-15f, 0x03ff, 0x3880 }, { INFINITY, 0x7c00, 0x7f80 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(narrowed(cases[i].x, SL_STORE_F16), cases[i].f16);
        assert_int_equal(narrowed(cases[i].x, SL_STORE_BF16), cases[i].bf16);
    }
    assert_int_equal(narrowed(NAN, SL_STORE_BF16), 0x7fc0);
    assert_true((narrowed(NAN, SL_STORE_F16) & 0x7fff) > 0x7c00);
}

/* Every 16-bit pattern that is a number survives widening and narrowing. */
static void test_widening_is_exact(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 65536; bits++) {
        const uint16_t half = (uint16_t)bits;
        float wide[2];

        sl_dtype_widen(&wide[0], &half, 1, SL_STORE_F16);
        sl_dtype_widen(&wide[1], &half, 1, SL_STORE_BF16);
        if (!isnan(wide[0]))
            assert_int_equal(narrowed(wide[0], SL_STORE_F16), half);
        if (!isnan(wide[1]))
            assert_int_equal(narrowed(wide[1], SL_STORE_BF16), half);
        if ((half & 0x7c00) && (half & 0x7c00) != 0x7c00)
            T_CLOSE(fabsf(wide[0]), ldexp(1.0 + (half & 0x3ff) / 1024.0, ((half >> 10) & 31) - 15),
                    TOL_EXACT);
    }
}

/* A file of a header and `data` zero bytes; claim: the header length it states, 0: the true one. */
static void make_file(const char *path, const char *header, size_t data, uint64_t claim)
{
    FILE *f = fopen(path, "wb");
    const uint64_t n = claim ? claim : strlen(header);

    assert_non_null(f);
    for (int i = 0; i < 8; i++)
        fputc((int)(n >> (8 * i) & 255), f);
    fputs(header, f);
    for (size_t i = 0; i < data; i++)
        fputc(0, f);
    fclose(f);
}

#define A "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"

static void test_reader_refuses(void **state)
{
    static const struct {
        const char *header;
        size_t data;
        uint64_t claim;
        const char *text;
    } cases[] = {
        { A "}", 8, 100000001, "at most 100000000 bytes, found 100000001" },
        { A "}", 8, 1000, "cut off" },
        { A "}", 8, 0xffffffffffffffffu, "at most 100000000" },
        { "", 0, 0, "begins with {" },
        { " {}", 0, 0, "begins with {" },
        { "{\"a\":", 0, 0, "header" },
        { A "} x", 8, 0, "header" },
        { A ",\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, 0, "header" },
        { "{\"\xff\":1}", 0, 0, "header" },
        { "{\"a\":1}", 0, 0, "tensor \"a\"" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[[2]],\"data_offsets\":[0,8]}}", 8, 0, "shape" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, 0, "shape" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8, 0, "shape" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2e0],\"data_offsets\":[0,8]}}", 8, 0, "shape" },
        { "{\"a\":{\"dtype\":\"Q4\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, 0, "\"Q4\"" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}", 8,
          0, "tensor \"a\"" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807],\"data_offsets\":[0,8]}}", 8,
          0, "tensor \"a\"" },
        { "{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}", 1, 0, "12 bits" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, 0, "[8, 0]" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, 0,
          "want 8 bytes" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, 0,
          "at byte 0 of the data, found 4" },
        { A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, 0,
          "at byte 8 of the data, found 4" },
        { A "}", 9, 0, "want 8 bytes of data, found 9" },
        { A "}", 7, 0, "want 8 bytes of data, found 7" },
        { "{\"__metadata__\":{\"n\":1}}", 0, 0, "__metadata__" },
    };
    char path[PATH];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/x.safetensors", t_scratch());
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sl_tensor_file file;

        make_file(path, cases[i].header, cases[i].data, cases[i].claim);
        T_FAILS(sl_tensor_file_open(&file, path), SL_EFORMAT, cases[i].text);
    }
    t_scratch_remove();
}

static void test_reader_accepts(void **state)
{
    static const char *const headers[] = {
        A "}   ", /* padded */
        A ",\"s\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[8,16]},"
          "\"e\":{\"dtype\":\"I8\",\"shape\":[0,3],\"data_offsets\":[8,8]},"
          "\"__metadata__\":{\"format\":\"pt\"}}",
    };
    static const size_t data[] = { 8, 16 };
    char path[PATH];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/x.safetensors", t_scratch());
    for (size_t i = 0; i < 2; i++) {
        sl_tensor_file file;

        make_file(path, headers[i], data[i], 0);
        T_OK(sl_tensor_file_open(&file, path));
        assert_non_null(sl_tensor_file_find(&file, "a"));
        assert_null(sl_tensor_file_find(&file, "b"));
        assert_int_equal(file.count, i ? 3 : 1);
        sl_tensor_file_close(&file);
    }
    t_scratch_remove();
}

static sl_model *make_model(const char *json)
{
    const sl_init init = { .seed = 5 };
    sl_config c = t_config(json);
    sl_model *m = NULL;

    T_OK(sl_model_create(&m, &c, backend, &init, 0));
    return m;
}

#define TINY                                                                                       \
    "{\"model_type\":\"llama\",\"hidden_size\":4,\"num_attention_heads\":2,\"vocab_size\":3,"      \
    "\"intermediate_size\":2,\"num_hidden_layers\":1}"

static char folder[PATH - 64];

static void write_text(const char *name, const char *text)
{
    char path[PATH];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    T_OK(sl_file_write_atomic(path, text, strlen(text)));
}

/* Saved, loaded, saved again: the second file is the first, bit for bit, in each storage type. */
static void test_round_trip(void **state)
{
    static const char *const types[] = { "float32", "bfloat16", "float16" };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (const t_family *f = t_families; f->name; f++) {
            char json[1024], path[PATH], *first = NULL, *second = NULL;
            const char *const made = t_scratch();
            size_t bytes[2];
            sl_model *m = NULL, *other = NULL;

            (void)snprintf(json, sizeof json, "{\"dtype\":\"%s\",\"kept\":[1,2],%s", types[i],
                           f->json + 1);
            (void)snprintf(path, sizeof path, "%s/model.safetensors", made);
            m = make_model(json);
            T_OK(sl_model_save(m, made, 0));
            T_OK(sl_file_read(&first, &bytes[0], path, 1 << 24));
            T_OK(sl_model_load(&other, made, backend, 0));
            assert_true(sl_json_has(sl_model_config(other)->tree, "kept"));
            if (i == 0)
                assert_memory_equal(sl_model_parameters(other), sl_model_parameters(m),
                                    sl_model_tensors(m)->floats * sizeof(float));
            T_OK(sl_model_save(other, made, 0));
            T_OK(sl_file_read(&second, &bytes[1], path, 1 << 24));
            assert_int_equal(bytes[0], bytes[1]);
            assert_memory_equal(first, second, bytes[0]);
            sl_free(first);
            sl_free(second);
            sl_model_close(&other);
            sl_model_close(&m);
            t_scratch_remove();
        }
    }
}

/* A checkpoint in float32 keeps what a 16-bit model has become. */
static void test_save_as_f32(void **state)
{
    const char *const made = t_scratch();
    sl_model *m = make_model("{\"model_type\":\"llama\",\"hidden_size\":8,\"vocab_size\":9,"
                             "\"num_attention_heads\":2,\"intermediate_size\":4,"
                             "\"num_hidden_layers\":1,\"torch_dtype\":\"bfloat16\"}");
    sl_model *other = NULL;
    char hash[2][65];

    (void)state;
    T_OK(sl_model_save(m, made, 1));
    T_OK(sl_model_load(&other, made, backend, 0));
    T_OK(sl_model_hash(hash[0], m));
    T_OK(sl_model_hash(hash[1], other));
    assert_string_equal(hash[0], hash[1]);
    assert_int_equal(sl_model_config(other)->storage, SL_STORE_F32);
    T_OK(sl_model_reload(m, made)); /* a resumed run still saves in the type it began with */
    assert_int_equal(sl_model_tensors(m)->row[0].storage, SL_STORE_BF16);
    assert_int_equal(sl_model_tensors(other)->row[0].storage, SL_STORE_F32);
    sl_model_close(&other);
    sl_model_close(&m);
    t_scratch_remove();
}

/* The end-of-turn ids of generation_config.json outlive a save. */
static void test_generation_config_is_kept(void **state)
{
    sl_model *m = make_model(TINY), *other = NULL;

    (void)state;
    (void)snprintf(folder, sizeof folder, "%s", t_scratch());
    T_OK(sl_model_save(m, folder, 0));
    write_text("generation_config.json", "{\"eos_token_id\":[1,2],\"kept\":true}");
    sl_model_close(&m);
    T_OK(sl_model_load(&m, folder, backend, 0));
    T_OK(sl_model_clone(&other, m, 0));
    t_scratch_remove();
    (void)snprintf(folder, sizeof folder, "%s", t_scratch());
    T_OK(sl_model_save(other, folder, 0));
    sl_model_close(&other);
    T_OK(sl_model_load(&other, folder, backend, 0));
    assert_int_equal(sl_model_config(other)->eos_count, 2);
    assert_int_equal(sl_model_config(other)->eos[0], 1);
    assert_true(sl_json_has(sl_model_config(other)->generation, "kept"));
    sl_model_close(&other);
    sl_model_close(&m);
    t_scratch_remove();
}

/* The layout that other readers want: F32 before BF16, then by name bytewise, header padded to 8.
 */
static void test_layout_of_the_writer(void **state)
{
    const float x[6] = { 1, 2, 3, 4, 5, 6 };
    sl_tensor_source source[] = {
        { "layers.2.w", x, 1, 2, 2, SL_STORE_F32 },
        { "layers.10.w", x, 1, 2, 1, SL_STORE_F32 },
        { "a", x, 2, 3, 2, SL_STORE_BF16 },
    };
    char path[PATH], *data = NULL;
    size_t bytes = 0, header = 0;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/x.safetensors", t_scratch());
    T_OK(sl_tensor_file_write(path, source, 3));
    T_OK(sl_file_read(&data, &bytes, path, 1 << 20));
    header = (unsigned char)data[0] + 256 * (size_t)(unsigned char)data[1];
    assert_int_equal(header % 8, 0);
    assert_int_equal(bytes, 8 + header + 8 + 8 + 12);
    data[8 + header] = 0;
    assert_non_null(strstr(data + 8, "\"__metadata__\":{\"format\":\"pt\"}"));
    assert_non_null(strstr(data + 8, "\"layers.10.w\":{\"dtype\":\"F32\",\"shape\":[2],"
                                     "\"data_offsets\":[0,8]}"));
    assert_non_null(strstr(data + 8, "\"layers.2.w\":{\"dtype\":\"F32\",\"shape\":[1,2],"
                                     "\"data_offsets\":[8,16]}"));
    assert_non_null(strstr(data + 8, "\"a\":{\"dtype\":\"BF16\",\"shape\":[2,3],"
                                     "\"data_offsets\":[16,28]}"));
    sl_free(data);
    t_scratch_remove();
}

/* The tensors of a tiny model, one of them replaced. */
static void save_with(const char *name, size_t rows, size_t cols, const char *new_name)
{
    sl_model *m = make_model(TINY);
    const sl_tensors *table = sl_model_tensors(m);
    sl_tensor_source source[32];
    char path[PATH];

    for (size_t i = 0; i < table->count; i++) {
        const sl_tensor *t = &table->row[i];

        source[i] = (sl_tensor_source){ t->name, sl_model_parameters(m) + t->offset,
                                        t->rows, t->cols,
                                        t->rank, SL_STORE_F32 };
        if (strcmp(t->name, name) == 0) {
            source[i].name = new_name;
            source[i].rows = rows;
            source[i].cols = cols;
        }
    }
    T_OK(sl_model_save(m, folder, 0));
    (void)snprintf(path, sizeof path, "%s/model.safetensors", folder);
    T_OK(sl_tensor_file_write(path, source, table->count));
    sl_model_close(&m);
}

static void load_fails(sl_status code, const char *text)
{
    sl_model *m = NULL;

    T_FAILS(sl_model_load(&m, folder, backend, 0), code, text);
    assert_null(m);
}

static void test_wrong_checkpoints(void **state)
{
    char path[PATH];

    (void)state;
    (void)snprintf(folder, sizeof folder, "%s", t_scratch());
    load_fails(SL_EIO, "config.json");
    save_with("lm_head.weight", 3, 4, "lm_head.weights");
    load_fails(SL_EFORMAT, "tensor \"lm_head.weight\"");
    save_with("lm_head.weight", 4, 3, "lm_head.weight");
    load_fails(SL_ESHAPE, "want (3,4), found (4,3)");
    save_with("", 0, 0, "");
    (void)snprintf(path, sizeof path, "%s/model.safetensors", folder);
    assert_int_equal(remove(path), 0);
    load_fails(SL_EIO, "only safetensors are read");
    write_text("pytorch_model.bin", "x");
    load_fails(SL_EIO, "pickles are never read");
    make_file(path,
              "{\"lm_head.weight\":{\"dtype\":\"I8\",\"shape\":[3,4],"
              "\"data_offsets\":[0,12]}}",
              12, 0);
    load_fails(SL_EFORMAT, "tensor \"model.embed_tokens.weight\": want this tensor");
    make_file(path,
              "{\"model.embed_tokens.weight\":{\"dtype\":\"I8\",\"shape\":[3,4],"
              "\"data_offsets\":[0,12]}}",
              12, 0);
    load_fails(SL_EUNSUPPORTED, "found I8");
    t_scratch_remove();
}

static void test_wrong_indices(void **state)
{
    static const struct {
        const char *index;
        sl_status code;
        const char *text;
    } cases[] = {
        { "{}", SL_EFORMAT, "want weight_map" },
        { "{\"weight_map\":{\"a\":\"../x.safetensors\"}}", SL_EFORMAT, "plain file name" },
        { "{\"weight_map\":{\"a\":\"sub/x.safetensors\"}}", SL_EFORMAT, "plain file name" },
        { "{\"weight_map\":{\"a\":7}}", SL_EFORMAT, "plain file name" },
        { "{\"weight_map\":{\"a\":\"missing.safetensors\"}}", SL_EIO, "missing.safetensors" },
        { "{\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"one.safetensors\"}}", SL_EFORMAT,
          "want this tensor in one.safetensors" },
        { "{\"weight_map\":{\"a\":\"one.safetensors\"}}", SL_EFORMAT,
          "tensor \"model.embed_tokens.weight\"" },
    };
    char path[PATH];

    (void)state;
    (void)snprintf(folder, sizeof folder, "%s", t_scratch());
    write_text("config.json", TINY);
    (void)snprintf(path, sizeof path, "%s/one.safetensors", folder);
    make_file(path, A "}", 8, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sl_model *m = NULL;

        write_text("model.safetensors.index.json", cases[i].index);
        T_FAILS(sl_model_load(&m, folder, backend, 0), cases[i].code, cases[i].text);
    }
    t_scratch_remove();
}

/* The first tensor with a NaN is named, with how many it has. */
static void test_find_bad(void **state)
{
    sl_model *m = make_model(TINY);
    const sl_tensors *table = sl_model_tensors(m);
    float *p = sl_model_parameters(m);
    size_t row = 0;

    (void)state;
    assert_int_equal(sl_model_find_bad(m, p, &row), 0);
    p[table->row[4].offset] = NAN;
    p[table->row[4].offset + 1] = -INFINITY;
    p[table->row[6].offset] = NAN;
    assert_int_equal(sl_model_find_bad(m, p, &row), 2);
    assert_int_equal(row, 4);
    sl_model_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_narrowing),
        cmocka_unit_test(test_widening_is_exact),
        cmocka_unit_test(test_reader_refuses),
        cmocka_unit_test(test_reader_accepts),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_save_as_f32),
        cmocka_unit_test(test_generation_config_is_kept),
        cmocka_unit_test(test_layout_of_the_writer),
        cmocka_unit_test(test_wrong_checkpoints),
        cmocka_unit_test(test_wrong_indices),
        cmocka_unit_test(test_find_bad),
    };

    T_OK(sl_backend_open(&backend, "ref", 1));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
