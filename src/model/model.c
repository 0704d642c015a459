/* The model as an object, and the order of a pass: embedding, blocks, head; back in reverse. */
#include "model/model.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "model/carry.h"
#include "model/family.h"
#include "model/model_int.h"
#include "model/weights.h"
#include <stdio.h>
#include <string.h>

static sl_status open_parts(sl_model *m, int is_trainable)
{
    SL_TRY(sl_tensors_open(&m->table, &m->config));
    SL_TRY(sl_take(&m->block, m->config.L, sizeof *m->block));
    SL_TRY(sl_arena_open(&m->parameter_arena, m->table.floats * sizeof(float) + 64));
    m->parameters = sl_arena_f32(&m->parameter_arena, m->table.floats, 1);
    if (is_trainable) {
        SL_TRY(sl_arena_open(&m->gradient_arena, m->table.floats * sizeof(float) + 64));
        m->own_gradients = sl_arena_f32(&m->gradient_arena, m->table.floats, 1);
    }
    m->gradients = m->own_gradients;
    sl_model_lay_out(m);
    return SL_OK;
}

/* Memory for a model of this config, which is consumed; parameters zero. */
static sl_status open_empty(sl_model **out, sl_config *config, const sl_backend *backend,
                            int is_trainable)
{
    sl_model *m = NULL;
    sl_status st = sl_take(&m, 1, sizeof *m);

    *out = NULL;
    if (st != SL_OK) {
        sl_config_close(config);
        return st;
    }
    m->config = *config;
    memset(config, 0, sizeof *config);
    m->backend = backend;
    st = open_parts(m, is_trainable);
    if (st != SL_OK)
        sl_model_close(&m);
    *out = m;
    return st;
}

sl_status sl_model_create(sl_model **out, sl_config *config, const sl_backend *backend,
                          const sl_init *init, int is_trainable)
{
    SL_TRY(open_empty(out, config, backend, is_trainable));
    sl_model_init(*out, init);
    return SL_OK;
}

sl_status sl_model_load(sl_model **out, const char *folder, const sl_backend *backend,
                        int is_trainable)
{
    sl_config config;
    sl_status st = SL_OK;

    *out = NULL;
    SL_TRY(sl_config_load(&config, folder));
    SL_TRY(open_empty(out, &config, backend, is_trainable));
    snprintf((*out)->origin, sizeof (*out)->origin, "%s", folder);
    st = sl_weights_load((*out)->parameters, &(*out)->table, &(*out)->config, folder, 1);
    if (st != SL_OK)
        sl_model_close(out);
    return st;
}

sl_status sl_model_reload(sl_model *model, const char *folder)
{
    return sl_weights_load(model->parameters, &model->table, &model->config, folder, 0);
}

sl_status sl_model_save(const sl_model *model, const char *folder, int as_f32)
{
    SL_TRY(sl_carry(folder, model->origin));
    return sl_weights_save(model->parameters, &model->table, &model->config, folder, as_f32);
}

sl_status sl_model_clone(sl_model **out, const sl_model *model, int is_trainable)
{
    sl_config config;

    *out = NULL;
    SL_TRY(sl_config_copy(&config, &model->config));
    SL_TRY(open_empty(out, &config, model->backend, is_trainable));
    memcpy((*out)->origin, model->origin, sizeof model->origin);
    for (size_t i = 0; i < model->table.count; i++)
        (*out)->table.row[i].storage = model->table.row[i].storage;
    return sl_model_copy(*out, model);
}

sl_status sl_model_copy(sl_model *to, const sl_model *from)
{
    SL_CHECK(to->table.floats == from->table.floats && to->table.count == from->table.count);
    memcpy(to->parameters, from->parameters, from->table.floats * sizeof *to->parameters);
    return SL_OK;
}

void sl_model_close(sl_model **model)
{
    sl_model *m = *model;

    if (!m)
        return;
    sl_arena_close(&m->gradient_arena);
    sl_arena_close(&m->parameter_arena);
    sl_free(m->block);
    sl_tensors_close(&m->table);
    sl_config_close(&m->config);
    sl_free(m);
    *model = NULL;
}

sl_status sl_model_check_speaks(const sl_model *model)
{
    if (model->config.is_scorer)
        return SL_FAIL(SL_EUNSUPPORTED, "want a language model, found a reward model");
    return SL_OK;
}

const sl_config *sl_model_config(const sl_model *model)
{
    return &model->config;
}

const sl_tensors *sl_model_tensors(const sl_model *model)
{
    return &model->table;
}

const sl_backend *sl_model_backend(const sl_model *model)
{
    return model->backend;
}

float *sl_model_parameters(sl_model *model)
{
    return model->parameters;
}

const float *sl_model_parameters_const(const sl_model *model)
{
    return model->parameters;
}

float *sl_model_gradients(sl_model *model)
{
    return model->gradients;
}

void sl_model_gradients_into(sl_model *model, float *gradients)
{
    model->gradients = gradients ? gradients : model->own_gradients;
}

sl_status sl_model_hash(char out[65], const sl_model *model)
{
    sl_sha256 sha;
    unsigned char digest[32];

    sl_sha256_open(&sha);
    sl_sha256_add(&sha, model->parameters, model->table.floats * sizeof *model->parameters);
    sl_sha256_close(&sha, digest);
    sl_sha256_hex(out, digest);
    return SL_OK;
}

size_t sl_model_find_bad(const sl_model *model, const float *x, size_t *row)
{
    for (size_t i = 0; i < model->table.count; i++) {
        const sl_tensor *t = &model->table.row[i];
        uint32_t bad = 0;

        (void)model->backend->ops->max_abs(x + t->offset, t->rows * t->cols, &bad);
        if (bad) {
            *row = i;
            return bad;
        }
    }
    return 0;
}

sl_pass sl_pass_of(const sl_model *model, const sl_work *work)
{
    return (sl_pass){ .ops = model->backend->ops,
                      .config = &model->config,
                      .parameters = model->parameters,
                      .gradients = model->gradients,
                      .cosine = work->cosine,
                      .sine = work->sine };
}

void sl_pass_forward(const sl_pass *p, const sl_model *model, sl_work *work, const int32_t *token)
{
    const sl_tensor *embed = &model->table.row[0];

    p->ops->embed_fwd(work->acts[0].x, p->parameters + embed->offset, token, p->T, model->config.D);
    for (size_t l = 0; l < model->config.L; l++)
        sl_block_fwd(p, &model->block[l], l, &work->acts[l], &work->scratch);
}

static sl_status check_tokens(const sl_config *c, const sl_work *work, const sl_packed *b)
{
    for (size_t t = 0; t < b->T; t++) {
        if (b->token[t] < 0 || (size_t)b->token[t] >= c->V)
            return SL_FAIL(SL_ESHAPE, "want token ids below vocab_size %zu, found %d in row %zu",
                           c->V, b->token[t], t);
        if (b->position[t] < 0 || (size_t)b->position[t] >= work->limits.positions)
            return SL_FAIL(SL_ESHAPE, "want positions below %zu, found %d in row %zu",
                           work->limits.positions, b->position[t], t);
    }
    for (size_t n = 0; n < b->N; n++) {
        const sl_target *g = &b->target[n];

        if (g->row >= b->T || g->token < 0 || (size_t)g->token >= c->V)
            return SL_FAIL(SL_ESHAPE,
                           "want targets in %zu rows, %zu tokens, found row %u, token %d", b->T,
                           c->V, g->row, g->token);
    }
    return SL_OK;
}

/* Segments follow one another; a parent stands before its children and has no parent. */
static sl_status check_segments(const sl_packed *b)
{
    size_t row = 0;

    for (size_t s = 0; s < b->S; s++) {
        const sl_segment *g = &b->segment[s];
        const int has_parent = g->parent >= 0;

        if (g->first != row || g->count == 0 || g->count > b->T - row)
            return SL_FAIL(SL_ESHAPE, "want segment %zu at row %zu of %zu, found %u rows at %u", s,
                           row, b->T, g->count, g->first);
        if (has_parent && ((size_t)g->parent >= s || b->segment[g->parent].parent >= 0))
            return SL_FAIL(SL_ESHAPE,
                           "want a parent before segment %zu without own parent, found %d", s,
                           g->parent);
        row += g->count;
    }
    if (row != b->T)
        return SL_FAIL(SL_ESHAPE, "want segments of together %zu rows, found %zu", b->T, row);
    return SL_OK;
}

static sl_status check_batch(const sl_model *model, const sl_work *work, const sl_packed *b)
{
    const sl_packed_limits *m = &work->limits;

    if (b->T == 0 || b->T > m->T || b->N > m->N)
        return SL_FAIL(SL_ESHAPE, "want 1..%zu rows and at most %zu targets, found %zu and %zu",
                       m->T, m->N, b->T, b->N);
    SL_TRY(check_segments(b));
    return check_tokens(&model->config, work, b);
}

/* Longest position + 1. */
static size_t longest(const sl_packed *b)
{
    int32_t most = 0;

    for (size_t t = 0; t < b->T; t++)
        most = b->position[t] > most ? b->position[t] : most;
    return (size_t)most + 1;
}

sl_status sl_model_forward(const sl_model *model, sl_work *work, const sl_packed *batch)
{
    sl_pass p;

    work->forward_of = NULL;
    work->logp_N = 0;
    work->tile_holds_all = 0;
    SL_CHECK(sl_work_fits(work, &model->config));
    SL_TRY(check_batch(model, work, batch));
    sl_work_rope(work, longest(batch));
    p = sl_pass_of_batch(model, work, batch);
    sl_pass_forward(&p, model, work, batch->token);
    work->forward_of = model;
    work->forward_T = batch->T;
    return SL_OK;
}

void sl_pass_backward(const sl_pass *p, const sl_model *model, sl_work *work, const int32_t *token)
{
    const sl_config *c = &model->config;
    const sl_tensor *embed = &model->table.row[0];

    for (size_t l = c->L; l-- > 0;)
        sl_block_bwd(p, &model->block[l], &work->acts[l], &work->scratch);
    p->ops->embed_bwd(p->gradients + embed->offset, work->scratch.dx, token, p->T, c->D, c->V,
                      c->pad_row);
}

sl_pass sl_pass_of_batch(const sl_model *model, const sl_work *work, const sl_packed *batch)
{
    sl_pass p = sl_pass_of(model, work);

    p.T = batch->T;
    p.position = batch->position;
    p.segment = batch->segment;
    p.S = batch->S;
    return p;
}

sl_status sl_model_backward(sl_model *model, sl_work *work, const sl_packed *batch,
                            const float *coef)
{
    const sl_pass p = sl_pass_of_batch(model, work, batch);

    SL_CHECK(model->gradients && work->with_backward);
    SL_CHECK(work->forward_of == model && work->forward_T == batch->T && work->logp_N == batch->N);
    memset(work->scratch.dx, 0, batch->T * model->config.D * sizeof(float));
    sl_head_bwd(&p, model, work, batch, coef);
    sl_pass_backward(&p, model, work, batch->token);
    return SL_OK;
}
