#include "model/reward.h"
#include "base/rng.h"
#include "model/family.h"
#include "model/model_int.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Rows of the last tokens of up to t->rows sequences, from segment *segment on: the segments with a
 * parent are the sequences' own, in their order. Returns how many. */
static size_t take_last_rows(const sl_tile *t, const sl_packed *b, size_t *segment)
{
    size_t n = 0;

    for (; *segment < b->S && n < t->rows; ++*segment) {
        const sl_segment *s = &b->segment[*segment];

        if (s->parent >= 0)
            t->row[n++] = s->first + s->count - 1;
    }
    return n;
}

static sl_status check_state(const sl_model *model, const sl_work *work, const sl_packed *b)
{
    size_t own = 0;

    if (!model->config.is_scorer)
        return SL_FAIL(SL_EARG, "want a reward model, found a language model");
    SL_CHECK(work->forward_of == model && work->forward_T == b->T);
    for (size_t s = 0; s < b->S; s++)
        own += b->segment[s].parent >= 0;
    if (own != b->B)
        return SL_FAIL(SL_ESHAPE, "want %zu sequences with a segment each, found %zu", b->B, own);
    return SL_OK;
}

sl_status sl_model_rewards(float *reward, const sl_model *model, sl_work *work,
                           const sl_packed *batch)
{
    const sl_pass p = sl_pass_of(model, work);
    size_t segment = 0, n;

    SL_TRY(check_state(model, work, batch));
    work->tile_holds_all = 0;
    for (; (n = take_last_rows(&work->tile, batch, &segment)) > 0; reward += n)
        sl_head_fwd(&p, reward, model, work, n);
    return SL_OK;
}

sl_status sl_model_rewards_backward(sl_model *model, sl_work *work, const sl_packed *batch,
                                    const float *coef)
{
    const sl_pass p = sl_pass_of_batch(model, work, batch);
    const sl_tile *t = &work->tile;
    const size_t D = model->config.D;
    size_t segment = 0, n;

    SL_TRY(check_state(model, work, batch));
    SL_CHECK(model->gradients && work->with_backward);
    memset(work->scratch.dx, 0, batch->T * D * sizeof(float));
    for (; (n = take_last_rows(t, batch, &segment)) > 0; coef += n) {
        sl_head_fwd(&p, t->z, model, work, n); /* again, for the norm's statistics */
        sl_linear_bwd(&p, t->dh, coef, t->norm.h, &model->head, n);
        memset(t->dx, 0, n * D * sizeof *t->dx);
        sl_norm_bwd(&p, t->dx, t->dh, t->x, &t->norm, &model->final_norm, n);
        p.ops->scatter_add(work->scratch.dx, t->dx, t->row, n, D);
    }
    sl_pass_backward(&p, model, work, batch->token);
    return SL_OK;
}

static const sl_tensor *tensor_of(const sl_tensors *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (!strcmp(table->row[i].name, name))
            return &table->row[i];
    return NULL;
}

/* The blocks by name; what only the new model has is its head. */
static sl_status fill(sl_model *to, const sl_model *from, uint64_t seed)
{
    const float std = (float)sqrt(1.0 / (double)(to->config.D + 1));
    sl_rng rng = sl_rng_at(seed, sl_rng_stream("score head"), 0);

    for (size_t i = 0; i < to->table.count; i++) {
        sl_tensor *t = &to->table.row[i];
        const sl_tensor *old = tensor_of(&from->table, t->name);
        float *x = to->parameters + t->offset;

        if (old) {
            SL_CHECK(old->rows == t->rows && old->cols == t->cols);
            memcpy(x, from->parameters + old->offset, t->rows * t->cols * sizeof *x);
            t->storage = old->storage;
            continue;
        }
        SL_CHECK(t->role == SL_TENSOR_HEAD);
        for (size_t j = 0; j < t->cols; j++)
            x[j] = std * (float)sl_rng_normal(&rng);
    }
    return SL_OK;
}

/* The config of a reward model with the same blocks: its tree is that of *ForSequenceClassification
 * with one label. */
static sl_status make_scorer(sl_config *c)
{
    char name[64];
    sl_json *keys;
    int failed;

    (void)snprintf(name, sizeof name, "%sForSequenceClassification", c->family->class_name);
    keys = json_pack("{s:[s], s:{s:s}, s:{s:i}}", "architectures", name, "id2label", "0", "LABEL_0",
                     "label2id", "LABEL_0", 0);
    failed = !keys || json_object_update(c->tree, keys) != 0;
    sl_json_close(&keys);
    if (failed)
        return SL_FAIL(SL_ENOMEM, "want memory for the config, found none");
    c->is_scorer = 1;
    c->is_tied = 0;
    c->bias &= ~(unsigned)SL_BIAS_HEAD;
    return SL_OK;
}

sl_status sl_model_scorer_of(sl_model **out, const sl_model *from, uint64_t seed, int is_trainable)
{
    const sl_init unused = { 0 };
    sl_config config;
    sl_status st;

    *out = NULL;
    SL_TRY(sl_config_copy(&config, &from->config));
    st = make_scorer(&config);
    if (st != SL_OK) {
        sl_config_close(&config);
        return st;
    }
    SL_TRY(sl_model_create(out, &config, from->backend, &unused, is_trainable));
    memcpy((*out)->origin, from->origin, sizeof from->origin);
    st = fill(*out, from, seed);
    if (st != SL_OK)
        sl_model_close(out);
    return st;
}
