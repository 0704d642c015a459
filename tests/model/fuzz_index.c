/* model.safetensors.index.json of any bytes beside two sound shards, one that is a folder and one
 * that is a link to itself: refused, or the weights are those of the model. */
#include "harness/fuzz.h"
#include "model/model.h"
#include "model/safetensors.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HALVES = 2 };

const t_fuzz_target t_fuzz = { .name = "fuzz index",
                               .spice = "{}[]\",:0123456789/.-_ \\onetwmodlhad\xff",
                               .changes = 4000 };

static const sl_backend *ref;
static char made_hash[65];

static const char config_json[] =
    "{\"model_type\":\"llama\",\"hidden_size\":4,\"num_attention_heads\":2,\"vocab_size\":3,"
    "\"intermediate_size\":2,\"num_hidden_layers\":1}";

static const char *in_folder(const char *name)
{
    static char path[4200];

    (void)snprintf(path, sizeof path, "%s/%s", t_fuzz_folder(), name);
    return path;
}

/* The blocks in one, the rest in two. */
static void write_shards(sl_model *m)
{
    static const char *const names[HALVES] = { "one.safetensors", "two.safetensors" };
    const sl_tensors *table = sl_model_tensors(m);

    for (size_t h = 0; h < HALVES; h++) {
        sl_tensor_source source[32];
        size_t n = 0;

        for (size_t i = 0; i < table->count; i++) {
            const sl_tensor *t = &table->row[i];

            if ((strstr(t->name, ".layers.") == NULL) != (h == 1))
                continue;
            source[n++] = (sl_tensor_source){ t->name, sl_model_parameters(m) + t->offset,
                                              t->rows, t->cols,
                                              t->rank, SL_STORE_F32 };
        }
        t_expect(sl_tensor_file_write(in_folder(names[h]), source, n) == SL_OK, "a shard");
    }
}

static void prepare(void)
{
    sl_json *tree = NULL;
    sl_model *m = NULL;
    sl_config c;

    t_expect(sl_backend_open(&ref, "ref", 1) == SL_OK, "a backend");
    t_expect(sl_json_parse(&tree, config_json, strlen(config_json), "config") == SL_OK, "JSON");
    t_expect(sl_config_parse(&c, tree, "config") == SL_OK, "a config");
    t_expect(sl_model_create(&m, &c, ref, &(sl_init){ .seed = 3 }, 0) == SL_OK, "a model");
    t_expect(sl_model_hash(made_hash, m) == SL_OK, "a hash");
    t_fuzz_write("config.json", config_json, strlen(config_json));
    write_shards(m);
    t_expect(mkdir(in_folder("folder.safetensors"), 0700) == 0, "a folder");
    t_expect(symlink("cyclic.safetensors", in_folder("cyclic.safetensors")) == 0, "a link");
    sl_model_close(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_model *m = NULL;
    char hash[65];

    if (!ref)
        prepare();
    t_fuzz_write("model.safetensors.index.json", data, size);
    if (sl_model_load(&m, t_fuzz_folder(), ref, 0) == SL_OK) {
        t_expect(sl_model_hash(hash, m) == SL_OK && !strcmp(hash, made_hash), "the weights");
        sl_model_close(&m);
        t_fuzz_count(1);
    } else {
        t_expect(!m, "no model");
        t_fuzz_count(0);
    }
    return 0;
}
