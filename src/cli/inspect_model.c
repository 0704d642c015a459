/* A model: its family, sizes and axes from config.json, what its checkpoint holds, and what it
 * takes to run and to train it. Nothing is loaded. */
#include "base/file.h"
#include "cli/inspect.h"
#include "model/dtype.h"
#include "model/model.h"
#include <limits.h>
#include <string.h>

enum { CONFIG_MAX_BYTES = 16 << 20 };

static const char *const norm_words[] = { "none", "rms", "layer" };
static const char *const residual_words[] = { "sequential", "parallel-shared", "parallel-two" };
static const char *const mlp_words[] = { "gated", "plain" };

/* Bytes of what stands in memory, all numbers in 32 bits. The batch is the worst case: no shared
 * prompt, every token a target. */
typedef struct plan {
    double parameters, forward, backward, cache;
} plan;

static plan plan_of(const sl_config *c, const sl_inspect_opts *o)
{
    const size_t B = (size_t)o->batch, T = B * (size_t)o->length;
    const sl_packed_limits limits = {
        .T = T, .S = B, .B = B, .N = T, .positions = (size_t)o->length
    };

    return (plan){ .parameters = 4.0 * (double)sl_config_parameters(c),
                   .forward = (double)sl_work_bytes(c, &limits, 0),
                   .backward = (double)sl_work_bytes(c, &limits, 1),
                   .cache = 8.0 * (double)c->L * (double)c->K * (double)c->E * (double)T };
}

/* Training keeps policy, reference, gradients and two moments. */
static sl_json *plan_json(const sl_config *c, const sl_inspect_opts *o)
{
    const plan p = plan_of(c, o);

    return json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "batch", (json_int_t)o->batch,
                     "length", (json_int_t)o->length, "parameters_bytes", p.parameters,
                     "forward_bytes", p.forward, "cache_bytes", p.cache, "sample_bytes",
                     p.parameters + p.forward + p.cache, "backward_bytes", p.backward, "sft_bytes",
                     4.0 * p.parameters + p.backward, "preference_bytes",
                     5.0 * p.parameters + p.backward);
}

static sl_json *sizes_json(const sl_config *c)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "layers", (json_int_t)c->L,
                     "hidden_size", (json_int_t)c->D, "intermediate_size", (json_int_t)c->F,
                     "heads", (json_int_t)c->H, "kv_heads", (json_int_t)c->K, "head_dim",
                     (json_int_t)c->E, "rotated", (json_int_t)c->R, "vocab", (json_int_t)c->V,
                     "positions", (json_int_t)c->max_positions);
}

static sl_json *axes_json(const sl_config *c)
{
    return json_pack("{s:s, s:s?, s:s, s:s, s:b, s:s, s:I, s:b}", "norm", norm_words[c->norm],
                     "qk_norm", c->qk_norm == SL_NORM_NONE ? NULL : norm_words[c->qk_norm],
                     "residual", residual_words[c->residual], "mlp", mlp_words[c->mlp], "bias",
                     c->bias != 0, "qkv", c->qkv == SL_QKV_SEPARATE ? "separate" : "fused-per-head",
                     "window", (json_int_t)c->window, "tied", c->is_tied);
}

static sl_status check_opts(const sl_config *c, const sl_inspect_opts *o)
{
    if (o->batch < 1 || o->batch > 65536)
        return SL_FAIL(SL_EUSAGE, "want --batch in [1, 65536], found %lld", (long long)o->batch);
    if (o->length < 1 || (size_t)o->length > c->max_positions)
        return SL_FAIL(SL_EUSAGE, "want --length in [1, %zu], found %lld", c->max_positions,
                       (long long)o->length);
    if (o->batch * o->length > INT32_MAX)
        return SL_FAIL(SL_EUSAGE, "want --batch times --length below 2^31, found %lld",
                       (long long)(o->batch * o->length));
    return SL_OK;
}

static sl_status describe(sl_json **out, const sl_config *c, const char *path, sl_json *weights,
                          const sl_inspect_opts *o)
{
    SL_TRY(check_opts(c, o));
    *out = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:o, s:o, s:o, s:O?}", "schema",
                     "stageline.inspect/1", "kind", "model", "path", path, "family",
                     sl_config_family_name(c), "parameters", (json_int_t)sl_config_parameters(c),
                     "storage", sl_dtype_of(c->storage)->name, "sizes", sizes_json(c), "axes",
                     axes_json(c), "memory", plan_json(c, o), "weights", weights);
    if (!*out)
        return SL_FAIL(SL_ENOMEM, "want memory for what was found, found none");
    return SL_OK;
}

/* path: a folder, or a config.json of any name. */
static sl_status load_config(sl_config *c, const char *path, int is_folder)
{
    sl_json *tree = NULL;

    if (is_folder)
        return sl_config_load(c, path);
    SL_TRY(sl_json_load(&tree, path, CONFIG_MAX_BYTES));
    return sl_config_parse(c, tree, path);
}

sl_status sl_inspect_model(sl_json **out, const char *path, const sl_inspect_opts *o)
{
    char config_path[PATH_MAX];
    sl_config config;
    sl_json *weights = NULL;
    sl_inspect_opts plan_opts = *o;
    int is_folder;
    sl_status st = SL_OK;

    SL_TRY(sl_file_join(config_path, sizeof config_path, path, "config.json"));
    is_folder = sl_file_exists(config_path);
    SL_TRY(load_config(&config, path, is_folder));
    if (!plan_opts.length)
        plan_opts.length = config.max_positions < 512 ? (int64_t)config.max_positions : 512;
    if (is_folder)
        SL_TRY_OUT(sl_inspect_weights(&weights, path));
    SL_TRY_OUT(describe(out, &config, path, weights, &plan_opts));
out:
    sl_json_close(&weights);
    sl_config_close(&config);
    return st;
}
