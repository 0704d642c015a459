/* config.json -> descriptor. Two dialects are read (rope_theta and rope_scaling beside each other,
 * or rope_parameters); a value inside the dictionary beats the same key outside. Null means absent,
 * except for sliding_window, where null switches the window off. */
#include "model/config.h"
#include "base/file.h"
#include "model/family.h"
#include "model/foreign.h"
#include "model/rope.h"
#include <limits.h>
#include <string.h>

enum {
    LAYERS_MAX = 512, /* bits of sl_config.windowed */
    CONFIG_MAX_BYTES = 1 << 22,
    WIDTH_MAX = 1 << 20, /* of D, F and (H+2K)E; keeps every product below 2^63 */
    HEADS_MAX = 1 << 16,
    VOCABULARY_MAX = 1 << 26,
    POSITIONS_MAX = 1 << 30
};

/* key -> *out in [1, most]. */
static sl_status read_size(size_t *out, const sl_json *tree, const char *key, size_t fallback,
                           size_t most)
{
    int64_t value = 0;

    SL_TRY(sl_json_i64_or(&value, tree, key, (int64_t)fallback));
    if (value < 1 || (uint64_t)value > most)
        return SL_FAIL(SL_EFORMAT, "want %s in 1..%zu, found %lld", key, most, (long long)value);
    *out = (size_t)value;
    return SL_OK;
}

static sl_status read_positive(float *out, const sl_json *tree, const char *key, double fallback)
{
    double value = 0.0;

    SL_TRY(sl_json_f64_or(&value, tree, key, fallback));
    if (!(value > 0.0 && value < 1e30))
        return SL_FAIL(SL_EFORMAT, "want %s > 0, found %g", key, value);
    *out = (float)value;
    return SL_OK;
}

static sl_status read_head_sizes(sl_config *c, const sl_json *tree)
{
    const sl_family *f = c->family;
    const size_t K = f->fallback.K ? f->fallback.K : c->H;

    c->K = c->H;
    if (f->has_grouped_heads)
        SL_TRY(read_size(&c->K, tree, "num_key_value_heads", K, HEADS_MAX));
    if (f->has_head_dim && sl_json_has(tree, "head_dim"))
        SL_TRY(read_size(&c->E, tree, "head_dim", 0, HEADS_MAX));
    else if (c->D % c->H)
        return SL_FAIL(SL_EFORMAT,
                       "want hidden_size %zu a multiple of num_attention_heads, found %zu", c->D,
                       c->H);
    else
        c->E = c->D / c->H;
    if (c->H % c->K)
        return SL_FAIL(SL_EFORMAT,
                       "want num_attention_heads %zu a multiple of num_key_value_heads, found %zu",
                       c->H, c->K);
    if ((c->H + 2 * c->K) * c->E > WIDTH_MAX)
        return SL_FAIL(SL_EFORMAT, "want heads of together at most %d elements, found %zu",
                       WIDTH_MAX, (c->H + 2 * c->K) * c->E);
    return SL_OK;
}

static sl_status read_sizes(sl_config *c, const sl_json *tree)
{
    const sl_family_defaults *d = &c->family->fallback;
    const struct {
        size_t *out;
        const char *key;
        size_t fallback, most;
    } sizes[] = {
        { &c->V, "vocab_size", d->V, VOCABULARY_MAX },
        { &c->D, "hidden_size", d->D, WIDTH_MAX },
        { &c->F, "intermediate_size", d->F, WIDTH_MAX },
        { &c->L, "num_hidden_layers", d->L, LAYERS_MAX },
        { &c->H, "num_attention_heads", d->H, HEADS_MAX },
        { &c->max_positions, "max_position_embeddings", d->max_positions, POSITIONS_MAX },
    };

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        SL_TRY(read_size(sizes[i].out, tree, sizes[i].key, sizes[i].fallback, sizes[i].most));
    SL_TRY(read_head_sizes(c, tree));
    SL_TRY(read_positive(&c->eps, tree, c->family->eps_key, d->eps));
    return read_positive(&c->init_std, tree, "initializer_range", 0.02);
}

static sl_status read_act(sl_act *out, const sl_json *tree, const char *fallback)
{
    static const struct {
        const char *name;
        sl_act act;
    } acts[] = {
        { "silu", SL_ACT_SILU },
        { "gelu", SL_ACT_GELU_ERF },
        { "gelu_new", SL_ACT_GELU_TANH },
        { "gelu_pytorch_tanh", SL_ACT_GELU_TANH },
    };
    const char *name = NULL;

    SL_TRY(sl_json_text_or(&name, tree, "hidden_act", fallback));
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        if (strcmp(acts[i].name, name) == 0) {
            *out = acts[i].act;
            return SL_OK;
        }
    }
    return SL_FAIL(SL_EUNSUPPORTED,
                   "want hidden_act silu, gelu, gelu_new or gelu_pytorch_tanh, found \"%.64s\"",
                   name);
}

static sl_status read_axes(sl_config *c, const sl_json *tree)
{
    const sl_family *f = c->family;
    int is_on = 0;

    c->norm = f->norm;
    c->mlp = f->mlp;
    c->qkv = f->qkv;
    c->bias = f->bias;
    for (size_t i = 0; i < 2 && f->bias_key[i].key; i++) {
        SL_TRY(sl_json_bool_or(&is_on, tree, f->bias_key[i].key, f->bias_key[i].fallback));
        if (is_on)
            c->bias |= f->bias_key[i].bits;
    }
    is_on = 1;
    if (f->qk_norm_key)
        SL_TRY(sl_json_bool_or(&is_on, tree, f->qk_norm_key, 0));
    c->qk_norm = is_on ? f->qk_norm : SL_NORM_NONE;
    is_on = 1;
    if (f->parallel_key)
        SL_TRY(sl_json_bool_or(&is_on, tree, f->parallel_key, 1));
    c->residual = is_on ? f->residual : SL_RES_SEQUENTIAL;
    SL_TRY(sl_json_bool_or(&c->is_tied, tree, "tie_word_embeddings", 0));
    return read_act(&c->act, tree, f->act);
}

/* layer_types decides when present, else layers from max_window_layers on have the window. */
static sl_status read_windowed_layers(sl_config *c, const sl_json *tree)
{
    const sl_json *types = json_object_get(tree, "layer_types");
    int64_t from = 0;

    SL_TRY(sl_json_i64_or(&from, tree, "max_window_layers",
                          (int64_t)c->family->fallback.max_window_layers));
    if (json_is_array(types) && json_array_size(types) != c->L)
        return SL_FAIL(SL_EFORMAT, "want %zu layer_types, found %zu", c->L, json_array_size(types));
    for (size_t l = 0; l < c->L; l++) {
        const char *type = json_is_array(types) ? json_string_value(json_array_get(types, l))
                           : (int64_t)l >= from ? "sliding_attention"
                                                : "full_attention";

        if (type && strcmp(type, "sliding_attention") == 0)
            c->windowed[l / 64] |= (uint64_t)1 << (l % 64);
        else if (!type || strcmp(type, "full_attention") != 0)
            return SL_FAIL(SL_EUNSUPPORTED,
                           "want layer_types full_attention or sliding_attention, found \"%.64s\"",
                           type ? type : "(not text)");
    }
    return SL_OK;
}

static sl_status read_window(sl_config *c, const sl_json *tree)
{
    const sl_family *f = c->family;
    int is_used = 1;
    size_t window = 0;

    if (f->window_rule == SL_WINDOW_BY_LAYER)
        SL_TRY(sl_json_bool_or(&is_used, tree, "use_sliding_window", 0));
    if (f->window_rule == SL_WINDOW_NEVER || !is_used ||
        json_is_null(json_object_get(tree, "sliding_window")))
        return SL_OK;
    SL_TRY(read_size(&window, tree, "sliding_window", f->fallback.window, POSITIONS_MAX));
    c->window = (uint32_t)window;
    if (f->window_rule == SL_WINDOW_BY_LAYER)
        return read_windowed_layers(c, tree);
    memset(c->windowed, 0xff, sizeof c->windowed);
    return SL_OK;
}

/* The value of key in the dictionary (may be NULL), else outside, else fallback. */
static sl_status read_rope_value(double *out, const sl_json *inside, const char *key,
                                 const sl_json *outside, const char *outside_key, double fallback)
{
    *out = fallback;
    if (outside_key)
        SL_TRY(sl_json_f64_or(out, outside, outside_key, fallback));
    return inside ? sl_json_f64_or(out, inside, key, *out) : SL_OK;
}

static sl_status read_rotated(sl_config *c, const sl_json *tree, const sl_json *inside)
{
    const sl_family *f = c->family;
    double share = 1.0;

    SL_TRY(read_rope_value(&share, inside, "partial_rotary_factor", tree, f->partial_key,
                           f->fallback.partial));
    if (!f->partial_key && share != 1.0)
        return SL_FAIL(SL_EUNSUPPORTED, "want partial_rotary_factor 1 in model_type %s, found %g",
                       f->model_type, share);
    if (!(share > 0.0 && share <= 1.0))
        return SL_FAIL(SL_EFORMAT, "want a rotated share in (0, 1], found %g", share);
    c->R = (size_t)((double)c->E * share);
    if (c->R % 2 || c->R == 0)
        return SL_FAIL(SL_EFORMAT, "want an even rotated part of the head, found %zu of %zu", c->R,
                       c->E);
    return SL_OK;
}

static sl_status read_yarn(sl_rope *rope, const sl_json *inside)
{
    const struct {
        float *out;
        const char *key;
        double fallback;
    } values[] = {
        { &rope->attention_factor, "attention_factor", 0.0 },
        { &rope->mscale, "mscale", 0.0 },
        { &rope->mscale_all_dim, "mscale_all_dim", 0.0 },
        { &rope->beta_fast, "beta_fast", 32.0 },
        { &rope->beta_slow, "beta_slow", 1.0 },
    };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        double value = 0.0;

        SL_TRY(sl_json_f64_or(&value, inside, values[i].key, values[i].fallback));
        if (!(value >= 0.0 && value < 1e6))
            return SL_FAIL(SL_EFORMAT, "want %s >= 0, found %g", values[i].key, value);
        *values[i].out = (float)value;
    }
    if (rope->beta_fast <= 0.0f || rope->beta_slow <= 0.0f || rope->theta <= 1.0f)
        return SL_FAIL(SL_EFORMAT, "want beta_fast, beta_slow > 0 and rope_theta > 1");
    return sl_json_bool_or(&rope->is_truncated, inside, "truncate", 1);
}

/* Types other than default: the dictionary is there. */
static sl_status read_rope_scaling(sl_config *c, const sl_json *inside)
{
    sl_rope *rope = &c->rope;
    const double extension = (double)c->max_positions / (double)rope->original_positions;

    if (rope->type != SL_ROPE_YARN && !sl_json_has(inside, "factor"))
        return SL_FAIL(SL_EFORMAT, "want factor (number), found none");
    SL_TRY(read_positive(&rope->factor, inside, "factor", extension));
    if (rope->type == SL_ROPE_YARN)
        return read_yarn(rope, inside);
    if (rope->type != SL_ROPE_BANDED)
        return SL_OK;
    SL_TRY(read_positive(&rope->low, inside, "low_freq_factor", 1.0));
    SL_TRY(read_positive(&rope->high, inside, "high_freq_factor", 4.0));
    if (!(rope->high > rope->low))
        return SL_FAIL(SL_EFORMAT, "want high_freq_factor > low_freq_factor, found %g and %g",
                       (double)rope->high, (double)rope->low);
    return SL_OK;
}

static sl_status read_rope(sl_config *c, const sl_json *tree)
{
    static const char *const original = "original_max_position_embeddings";
    const char *dictionary =
        sl_json_has(tree, "rope_parameters") ? "rope_parameters" : "rope_scaling";
    const sl_json *inside =
        sl_json_has(tree, dictionary) ? json_object_get(tree, dictionary) : NULL;
    const char *type = "default";
    double theta = 10000.0;

    if (inside && !json_is_object(inside))
        return SL_FAIL(SL_EFORMAT, "want %s (object), found another type", dictionary);
    if (inside) {
        SL_TRY(sl_json_text_or(&type, inside, "type", type));
        SL_TRY(sl_json_text_or(&type, inside, "rope_type", type));
    }
    SL_TRY(sl_rope_type_find(&c->rope.type, type));
    SL_TRY(read_rope_value(&theta, inside, "rope_theta", tree, c->family->theta_key, theta));
    if (!(theta > 0.0 && theta < 1e30))
        return SL_FAIL(SL_EFORMAT, "want rope_theta > 0, found %g", theta);
    c->rope.theta = (float)theta;
    SL_TRY(read_rotated(c, tree, inside));
    c->rope.original_positions = c->max_positions;
    if (inside)
        SL_TRY(read_size(&c->rope.original_positions, inside, original, c->max_positions,
                         POSITIONS_MAX));
    SL_TRY(read_size(&c->rope.original_positions, tree, original, c->rope.original_positions,
                     POSITIONS_MAX));
    return c->rope.type == SL_ROPE_DEFAULT ? SL_OK : read_rope_scaling(c, inside);
}

static sl_status read_storage(sl_storage *out, const sl_json *tree)
{
    static const struct {
        const char *name;
        sl_storage storage;
    } types[] = { { "float32", SL_STORE_F32 },
                  { "bfloat16", SL_STORE_BF16 },
                  { "float16", SL_STORE_F16 } };
    const char *name = NULL;

    SL_TRY(sl_json_text_or(&name, tree, "torch_dtype", "float32"));
    SL_TRY(sl_json_text_or(&name, tree, "dtype", name));
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, name) == 0) {
            *out = types[i].storage;
            return SL_OK;
        }
    }
    return SL_FAIL(SL_EUNSUPPORTED, "want dtype float32, bfloat16 or float16, found \"%.64s\"",
                   name);
}

static sl_status read_eos_one(sl_config *c, const sl_json *value)
{
    const json_int_t id = json_integer_value(value);

    if (!json_is_integer(value) || id < 0 || id > INT32_MAX)
        return SL_FAIL(SL_EFORMAT, "want eos_token_id (a token id or a list of them)");
    if (c->eos_count == sizeof c->eos / sizeof c->eos[0])
        return SL_FAIL(SL_EFORMAT, "want at most %zu eos_token_id", c->eos_count);
    c->eos[c->eos_count++] = (int32_t)id;
    return SL_OK;
}

/* A number or a list; absent: what is there stays. */
static sl_status read_eos(sl_config *c, const sl_json *tree)
{
    const sl_json *value = json_object_get(tree, "eos_token_id");

    if (!sl_json_has(tree, "eos_token_id"))
        return SL_OK;
    c->eos_count = 0;
    if (!json_is_array(value))
        return read_eos_one(c, value);
    for (size_t i = 0; i < json_array_size(value); i++)
        SL_TRY(read_eos_one(c, json_array_get(value, i)));
    return SL_OK;
}

static sl_status read_special_tokens(sl_config *c, const sl_json *tree)
{
    const sl_family_defaults *d = &c->family->fallback;
    int64_t bos = 0, pad = 0;

    SL_TRY(sl_json_i64_or(&bos, tree, "bos_token_id", d->bos));
    c->bos = bos >= 0 && bos <= INT32_MAX ? (int32_t)bos : -1;
    c->eos_count = d->eos >= 0;
    c->eos[0] = d->eos;
    SL_TRY(read_eos(c, tree));
    c->pad_row = -1;
    if (!c->family->has_pad_row || !sl_json_has(tree, "pad_token_id"))
        return SL_OK;
    SL_TRY(sl_json_i64(&pad, tree, "pad_token_id"));
    if (pad < -(int64_t)c->V || pad >= (int64_t)c->V)
        return SL_FAIL(SL_EFORMAT, "want pad_token_id below vocab_size %zu, found %lld", c->V,
                       (long long)pad);
    c->pad_row = (int32_t)(pad < 0 ? pad + (int64_t)c->V : pad); /* torch counts from the end */
    return SL_OK;
}

static sl_status refuse_unsupported(const sl_json *tree)
{
    double dropout = 0.0;

    SL_TRY(sl_json_f64_or(&dropout, tree, "attention_dropout", 0.0));
    if (dropout != 0.0)
        return SL_FAIL(SL_EUNSUPPORTED, "want attention_dropout 0, found %g", dropout);
    return sl_foreign_keys(tree);
}

/* "architectures" ending in ForSequenceClassification: a reward model, with one label. The number
 * of labels is num_labels or the length of id2label; without either transformers means two. */
static sl_status read_scorer(sl_config *c, const sl_json *tree)
{
    static const char suffix[] = "ForSequenceClassification";
    const char *name = json_string_value(json_array_get(json_object_get(tree, "architectures"), 0));
    const sl_json *ids = json_object_get(tree, "id2label");
    const size_t n = name ? strlen(name) : 0;
    int64_t labels = json_is_object(ids) ? (int64_t)json_object_size(ids) : 2;

    if (n < sizeof suffix - 1 || strcmp(name + n - (sizeof suffix - 1), suffix) != 0)
        return SL_OK;
    SL_TRY(sl_json_i64_or(&labels, tree, "num_labels", labels));
    if (labels != 1)
        return SL_FAIL(SL_EUNSUPPORTED, "want a reward model with 1 label, found %lld",
                       (long long)labels);
    c->is_scorer = 1;
    c->is_tied = 0;
    c->bias &= ~(unsigned)SL_BIAS_HEAD;
    return SL_OK;
}

static sl_status parse(sl_config *c, const sl_json *tree)
{
    const char *model_type = NULL;

    if (!json_is_object(tree))
        return SL_FAIL(SL_EFORMAT, "want a JSON object, found another type");
    SL_TRY(sl_json_text(&model_type, tree, "model_type"));
    SL_TRY(sl_family_find(&c->family, model_type));
    SL_TRY(refuse_unsupported(tree));
    SL_TRY(read_sizes(c, tree));
    SL_TRY(read_axes(c, tree));
    SL_TRY(read_scorer(c, tree));
    SL_TRY(read_rope(c, tree));
    SL_TRY(read_window(c, tree));
    SL_TRY(read_storage(&c->storage, tree));
    return read_special_tokens(c, tree);
}

sl_status sl_config_parse(sl_config *out, sl_json *tree, const char *where)
{
    sl_status st = SL_OK;

    memset(out, 0, sizeof *out);
    out->tree = tree;
    st = sl_err_where(parse(out, tree), "%s", where);
    if (st != SL_OK)
        sl_config_close(out);
    return st;
}

static sl_status load_generation(sl_config *c, const char *path)
{
    SL_TRY(sl_json_load(&c->generation, path, CONFIG_MAX_BYTES));
    return sl_err_where(read_eos(c, c->generation), "%s", path);
}

sl_status sl_config_load(sl_config *out, const char *folder)
{
    char path[PATH_MAX];
    sl_json *tree = NULL;
    sl_status st = SL_OK;

    memset(out, 0, sizeof *out);
    SL_TRY(sl_file_join(path, sizeof path, folder, "config.json"));
    if (!sl_file_exists(path) && sl_foreign_files(folder))
        return sl_err_hint(SL_FAIL(SL_EIO, "want %s, found none", path), "%s",
                           sl_foreign_files(folder));
    SL_TRY(sl_json_load(&tree, path, CONFIG_MAX_BYTES));
    SL_TRY(sl_config_parse(out, tree, path));
    st = sl_file_join(path, sizeof path, folder, "generation_config.json");
    if (st == SL_OK && sl_file_exists(path))
        st = load_generation(out, path);
    if (st != SL_OK)
        sl_config_close(out);
    return st;
}

void sl_config_close(sl_config *config)
{
    if (config->tree)
        sl_json_close(&config->tree);
    if (config->generation)
        sl_json_close(&config->generation);
    memset(config, 0, sizeof *config);
}

sl_status sl_config_copy(sl_config *out, const sl_config *config)
{
    *out = *config;
    out->tree = json_deep_copy(config->tree);
    out->generation = config->generation ? json_deep_copy(config->generation) : NULL;
    /* jansson leaves out what it has no memory for */
    if (out->tree && json_equal(out->tree, config->tree) &&
        (!config->generation || json_equal(out->generation, config->generation)))
        return SL_OK;
    sl_config_close(out);
    return SL_FAIL(SL_ENOMEM, "no memory for a copy of the config");
}
