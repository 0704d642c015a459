#include "run/record.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "run/texts.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that grow. */
typedef struct bytes {
    unsigned char *at;
    size_t used, capacity;
} bytes;

static void append(bytes *b, const void *data, size_t n)
{
    T_OK(sl_grow(&b->at, &b->capacity, b->used + n + 1, 1));
    memcpy(b->at + b->used, data, n);
    b->used += n;
}

size_t rec_rows_per_step(sl_table table)
{
    static const size_t rows[SL_TABLE_COUNT] = {
        [SL_TABLE_TOKENS] = 40, [SL_TABLE_TOPK] = 9, [SL_TABLE_PROBE] = 4
    };

    return table == SL_TABLE_UNITS ? 0 : rows[table] ? rows[table] : 2;
}

uint64_t rec_text(char *out, size_t size, int64_t step)
{
    (void)snprintf(out, size, "the answer of step %lld: \"\xc3\xa4\"\n", (long long)step);
    return sl_hash_id(out, strlen(out));
}

/* A value of a column's type that the checks of the reader accept. */
static void make_value(unsigned char *at, const sl_column *c, sl_rng *rng)
{
    const double x = sl_rng_normal(rng);
    const float narrow = (float)x;
    uint64_t word = (uint64_t)sl_rng_u32(rng) << 32 | sl_rng_u32(rng);
    char text[64] = { 0 };

    switch (c->type) {
    case SL_TYPE_F64:
        memcpy(at, &x, 8);
        break;
    case SL_TYPE_F32:
        memcpy(at, &narrow, 4);
        break;
    case SL_TYPE_I32:
        word = sl_rng_below(rng, 300);
        memcpy(at, &word, 4);
        break;
    case SL_TYPE_E8:
        *at = (unsigned char)sl_rng_below(rng, (uint32_t)sl_column_values(c));
        break;
    case SL_TYPE_S64:
        (void)snprintf(text, sizeof text, "name-%08x \xe2\x82\xac", (unsigned)word);
        memcpy(at, text, sizeof text);
        break;
    default:
        memcpy(at, &word, sl_type_bytes(c->type));
    }
}

static void make_wide(rec_row *out, size_t w, const sl_column *c, size_t width, sl_rng *rng)
{
    float logp = 0.0f;

    for (size_t i = 0; i < width; i++) {
        logp -= (float)sl_rng_uniform(rng);
        if (c->type == SL_TYPE_U32)
            out->wide[w].u32[i] = sl_rng_below(rng, 300);
        else
            out->wide[w].f32[i] =
                c->type == SL_TYPE_F16 ? sl_f16_to_f32(sl_f16_from_f32(logp)) : logp * 1.37f;
    }
}

void rec_make_row(rec_row *out, sl_table table, int64_t step, size_t i, const sl_layout *layout)
{
    sl_rng rng = sl_rng_at(7, sl_rng_substream((uint64_t)table, i), (uint64_t)step);
    size_t count, w = 0;
    const sl_column *c = sl_table_columns(table, &count);

    memset(out, 0, sizeof *out);
    for (size_t k = 0; k < count; k++)
        if (c[k].width == SL_WIDTH_ONE)
            make_value((unsigned char *)&out->row + c[k].offset, &c[k], &rng);
        else
            make_wide(out, w++, &c[k], layout->width[c[k].width], &rng);
    out->row.step = step;
    if (table == SL_TABLE_PROBE)
        out->row.probe.lse = fabsf(out->row.probe.max_logit) + 1.0f;
    if (table == SL_TABLE_GRAD_GROUPS)
        out->row.grad_groups.norm_static = NAN; /* undefined stays undefined */
}

void rec_wide_of(const void *wide[REC_WIDES], const rec_row *row)
{
    for (size_t w = 0; w < REC_WIDES; w++)
        wide[w] = &row->wide[w];
}

void rec_run_open(rec_run *run, const char *path)
{
    sl_json *json = json_pack("{s:s, s:f}", "loss", "dpo", "beta", 0.1);

    *run = (rec_run){ .path = path };
    T_OK(sl_run_uuid_new(&run->identity));
    run->identity.world_size = 1;
    run->identity.level = 3;
    run->identity.layout = sl_layout_defaults();
    run->identity.layout.width[SL_WIDTH_K] = 8;
    run->identity.layout.width[SL_WIDTH_VOCAB] = 300;
    run->identity.layout.width[SL_WIDTH_GROUPS] = 5;
    run->identity.layout.width[SL_WIDTH_SKETCH] = 16;
    memset(run->identity.has_table, 1, sizeof run->identity.has_table);
    T_OK(sl_run_identity_save(&run->identity, json, path));
    sl_json_close(&json);
    T_OK(sl_run_identity_load(&run->identity, path));
    T_OK(sl_rank_folder(run->folder, path, 0));
    assert_int_equal(mkdir(run->folder, 0700), 0);
}

void rec_run_close(rec_run *run)
{
    sl_run_identity_close(&run->identity);
}

/* Journal and texts being written. */
typedef struct maker {
    rec_run *run;
    bytes journal, texts;
    uint32_t seed;
    uint64_t so_far[SL_TABLE_UNITS];
} maker;

static void put_frame(maker *m, sl_frame frame)
{
    const size_t n = sl_frame_bytes(frame.payload_bytes);
    unsigned char *to = NULL;

    frame.seq = ++m->run->seq;
    T_OK(sl_take(&to, n, 1));
    sl_frame_encode(to, &frame, m->seed);
    append(&m->journal, to, n);
    sl_free(to);
}

static void put_start(maker *m, const rec_journal *what)
{
    sl_start start = { .attempt = what->attempt,
                       .number = what->number,
                       .resumed_from = what->resumed_from,
                       .last_seq = m->run->seq };
    sl_json *environment = json_pack("{s:s, s:i}", "blas", "none", "threads", 2);
    char *payload = NULL;

    T_OK(sl_start_encode(&payload, &start, environment));
    put_frame(m, (sl_frame){ .type = SL_FRAME_START,
                             .payload_bytes = (uint32_t)strlen(payload),
                             .payload = (unsigned char *)payload });
    sl_free(payload);
    sl_json_close(&environment);
}

/* The rows of one table at a step, in two frames. */
static void put_rows(maker *m, sl_table table, int64_t step, sl_commit *commit)
{
    const sl_layout *layout = &m->run->identity.layout;
    const size_t row_bytes = sl_table_packed_bytes(table, layout);
    const size_t n = rec_rows_per_step(table), half = n / 2;
    unsigned char *packed = NULL;

    T_OK(sl_take(&packed, n, row_bytes));
    for (size_t i = 0; i < n; i++) {
        rec_row row;
        const void *wide[REC_WIDES];

        rec_make_row(&row, table, step, i, layout);
        rec_wide_of(wide, &row);
        sl_row_pack(packed + i * row_bytes, table, &row.row, wide, layout);
    }
    for (size_t part = 0; part < 2; part++) {
        const size_t first = part ? half : 0, count = part ? n - half : half;

        put_frame(m, (sl_frame){ .type = SL_FRAME_ROWS,
                                 .table = (uint16_t)table,
                                 .rows = (uint32_t)count,
                                 .step = step,
                                 .payload_bytes = (uint32_t)(count * row_bytes),
                                 .payload = packed + first * row_bytes });
    }
    commit->crc32c = sl_crc32c(commit->crc32c, packed, n * row_bytes);
    commit->rows += (uint32_t)n;
    m->so_far[table] += n;
    sl_free(packed);
}

static void put_unit(maker *m, int64_t step)
{
    sl_commit commit = { .kind = SL_UNIT_UPDATE, .step = step };
    unsigned char payload[SL_COMMIT_BYTES];
    char text[128], *line = NULL;
    size_t line_bytes;
    const uint64_t hash = rec_text(text, sizeof text, step);

    T_OK(sl_text_line_make(&line, &line_bytes, hash, "answer", "id", NULL, text));
    append(&m->texts, line, line_bytes);
    commit.text_crc32c = sl_crc32c(m->seed, line, line_bytes);
    commit.text_bytes = m->texts.used;
    sl_free(line);
    for (int t = 0; t < SL_TABLE_UNITS; t++)
        put_rows(m, (sl_table)t, step, &commit);
    memcpy(commit.so_far, m->so_far, sizeof commit.so_far);
    sl_commit_encode(payload, &commit);
    put_frame(m, (sl_frame){ .type = SL_FRAME_COMMIT,
                             .step = step,
                             .payload_bytes = sizeof payload,
                             .payload = payload });
}

void rec_write(rec_run *run, const rec_journal *what)
{
    maker m = { .run = run, .seed = sl_journal_seed(run->identity.uuid, 0, what->number) };
    char path[SL_RUN_PATH];

    put_start(&m, what);
    for (int64_t step = what->first_step; step <= what->last_step; step++)
        put_unit(&m, step);
    if (what->has_end) {
        const uint32_t how = what->ended;

        put_frame(&m, (sl_frame){ .type = SL_FRAME_END,
                                  .payload_bytes = sizeof how,
                                  .payload = (const unsigned char *)&how });
    }
    if (what->torn_bytes) {
        const size_t whole = m.journal.used;

        put_unit(&m, what->last_step + 1);
        assert_true(m.journal.used > whole + what->torn_bytes);
        m.journal.used = whole + what->torn_bytes;
    }
    T_OK(sl_rank_path(path, run->folder, SL_FILE_JOURNAL, what->number));
    T_OK(sl_file_write_atomic(path, m.journal.at, m.journal.used));
    T_OK(sl_rank_path(path, run->folder, SL_FILE_TEXTS, what->number));
    T_OK(sl_file_write_atomic(path, m.texts.at ? (const char *)m.texts.at : "", m.texts.used));
    sl_free(m.journal.at);
    sl_free(m.texts.at);
}
