#include "import/tfevents.h"
#include "base/hash.h"
#include "run/schema.h"
#include <math.h>
#include <string.h>

enum { HEAD_BYTES = 12, TAIL_BYTES = 4 };
#define RECORD_BYTES_MOST ((uint64_t)256 << 20)

/* --- records ---------------------------------------------------------------------------------- */

static uint32_t u32_at(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t u64_at(const unsigned char *p)
{
    return u32_at(p) | (uint64_t)u32_at(p + 4) << 32;
}

/* TensorFlow's masking (core/lib/hash/crc32c.h), so that a CRC of bytes that hold CRCs is sound. */
static uint32_t masked(const void *data, size_t bytes)
{
    const uint32_t crc = sl_crc32c(0, data, bytes);

    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

sl_status sl_tfrecord_next(sl_tfrecord *out, size_t *at, int *is_there, sl_tfnext *next,
                           const unsigned char *file, size_t bytes)
{
    const unsigned char *p = file + *at;
    const size_t left = bytes - *at;
    uint64_t length;

    *is_there = 0;
    *next = SL_TF_NEXT;
    if (!left)
        return SL_OK;
    *next = SL_TF_CUT;
    if (left < HEAD_BYTES)
        return SL_FAIL(SL_EFORMAT, "want a record of at least 16 bytes, found %zu and the end",
                       left);
    length = u64_at(p);
    if (u32_at(p + 8) != masked(p, 8)) {
        *next = SL_TF_DAMAGED;
        return SL_FAIL(SL_EFORMAT, "want masked CRC32C %08x of the record's length, found %08x",
                       masked(p, 8), u32_at(p + 8));
    }
    if (length > RECORD_BYTES_MOST || length + HEAD_BYTES + TAIL_BYTES > left)
        return SL_FAIL(SL_EFORMAT, "want a record of %llu bytes, found %zu and the end",
                       (unsigned long long)length + HEAD_BYTES + TAIL_BYTES, left);
    *next = SL_TF_NEXT;
    *out = (sl_tfrecord){ p + HEAD_BYTES, (size_t)length, *at };
    *at += HEAD_BYTES + (size_t)length + TAIL_BYTES;
    if (u32_at(p + HEAD_BYTES + length) != masked(p + HEAD_BYTES, (size_t)length))
        return SL_FAIL(SL_EFORMAT, "want masked CRC32C %08x of the record's data, found %08x",
                       masked(p + HEAD_BYTES, (size_t)length), u32_at(p + HEAD_BYTES + length));
    *is_there = 1;
    return SL_OK;
}

/* --- protocol buffers ------------------------------------------------------------------------- */

typedef struct message {
    const unsigned char *at, *end;
} message;

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* One field: a number (bits) or bytes. */
typedef struct field {
    uint32_t number, wire;
    uint64_t bits;
    message bytes;
} field;

static sl_status varint(uint64_t *out, message *m)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64 && m->at < m->end; shift += 7) {
        const unsigned char byte = *m->at++;

        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return SL_OK;
    }
    return SL_FAIL(SL_EFORMAT, "want a number of at most 10 bytes, found no end of it");
}

static sl_status fixed(uint64_t *out, message *m, size_t bytes)
{
    if ((size_t)(m->end - m->at) < bytes)
        return SL_FAIL(SL_EFORMAT, "want a number of %zu bytes, found the end", bytes);
    *out = bytes == 8 ? u64_at(m->at) : u32_at(m->at);
    m->at += bytes;
    return SL_OK;
}

/* The next field of a message that is not at its end. */
static sl_status next_field(field *f, message *m)
{
    uint64_t key;

    *f = (field){ 0 };
    SL_TRY(varint(&key, m));
    f->number = (uint32_t)(key >> 3);
    f->wire = (uint32_t)(key & 7);
    if (key >> 3 == 0 || key >> 3 > 0x1fffffff)
        return SL_FAIL(SL_EFORMAT, "want a field from 1, found %llu",
                       (unsigned long long)(key >> 3));
    if (f->wire == WIRE_VARINT)
        return varint(&f->bits, m);
    if (f->wire == WIRE_64 || f->wire == WIRE_32)
        return fixed(&f->bits, m, f->wire == WIRE_64 ? 8 : 4);
    if (f->wire != WIRE_BYTES)
        return SL_FAIL(SL_EFORMAT, "want a wire type of 0, 1, 2 or 5, found %u", f->wire);
    SL_TRY(varint(&f->bits, m));
    if (f->bits > (uint64_t)(m->end - m->at))
        return SL_FAIL(SL_EFORMAT, "want a field of %llu bytes, found %zu and the end",
                       (unsigned long long)f->bits, (size_t)(m->end - m->at));
    f->bytes = (message){ m->at, m->at + f->bits };
    m->at += f->bits;
    return SL_OK;
}

static int is_field(const field *f, uint32_t number, uint32_t wire)
{
    return f->number == number && f->wire == wire;
}

static double f32_of(uint64_t bits)
{
    const uint32_t u = (uint32_t)bits;
    float x;

    memcpy(&x, &u, sizeof x);
    return (double)x;
}

static double f64_of(uint64_t bits)
{
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static double f16_of(uint64_t bits)
{
    return (double)sl_f16_to_f32((uint16_t)bits);
}

static double bf16_of(uint64_t bits)
{
    return f32_of((bits & 0xffff) << 16);
}

static double i32_of(uint64_t bits)
{
    return (double)(int32_t)(uint32_t)bits;
}

static double i64_of(uint64_t bits)
{
    return (double)(int64_t)bits;
}

static double u64_of(uint64_t bits)
{
    return (double)bits;
}

/* --- tensors of one element ------------------------------------------------------------------- */

/* tensorflow/core/framework/types.proto and tensor.proto: the number of a type, the field of its
 * values, how these are written, bytes of an element in tensor_content. */
static const struct dtype {
    uint64_t number;
    uint32_t field, wire;
    size_t bytes;
    double (*of)(uint64_t bits);
} dtypes[] = {
    { 1, 5, WIRE_32, 4, f32_of },        /* DT_FLOAT, float_val */
    { 2, 6, WIRE_64, 8, f64_of },        /* DT_DOUBLE, double_val */
    { 3, 7, WIRE_VARINT, 4, i32_of },    /* DT_INT32, int_val */
    { 9, 10, WIRE_VARINT, 8, i64_of },   /* DT_INT64, int64_val */
    { 10, 11, WIRE_VARINT, 1, u64_of },  /* DT_BOOL, bool_val */
    { 14, 13, WIRE_VARINT, 2, bf16_of }, /* DT_BFLOAT16, half_val */
    { 19, 13, WIRE_VARINT, 2, f16_of },  /* DT_HALF, half_val */
};

/* *count = product of the dimensions of a TensorShapeProto. */
static sl_status shape_of(uint64_t *count, message m)
{
    while (m.at < m.end) {
        field f, size;
        uint64_t n = 0;

        SL_TRY(next_field(&f, &m));
        if (!is_field(&f, 2, WIRE_BYTES)) /* dim */
            continue;
        while (f.bytes.at < f.bytes.end) {
            SL_TRY(next_field(&size, &f.bytes));
            n = is_field(&size, 1, WIRE_VARINT) ? size.bits : n;
        }
        *count = n == 1 ? *count : 0;
    }
    return SL_OK;
}

/* The first value of a field, packed or not; 0: none. */
static sl_status first_value(int *is_there, uint64_t *bits, const struct dtype *t, const field *f)
{
    message m = f->bytes;

    *is_there = 0;
    if (f->number != t->field)
        return SL_OK;
    *is_there = 1;
    *bits = f->bits;
    if (f->wire == t->wire)
        return SL_OK;
    *is_there = f->wire == WIRE_BYTES && m.at < m.end;
    if (!*is_there)
        return SL_OK;
    return t->wire == WIRE_VARINT ? varint(bits, &m) : fixed(bits, &m, t->bytes);
}

static const struct dtype *dtype_of(message m)
{
    field f;

    while (m.at < m.end && next_field(&f, &m) == SL_OK)
        for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
            if (is_field(&f, 1, WIRE_VARINT) && f.bits == dtypes[i].number)
                return &dtypes[i];
    sl_err_clear(); /* the caller reads the fields again and says what is wrong */
    return NULL;
}

/* A scalar of a TensorProto. */
static sl_status tensor(sl_tfvalue *v, message m)
{
    const struct dtype *t = dtype_of(m);
    uint64_t count = 1, bits = 0;

    while (m.at < m.end) {
        field f;
        int is_there = 0;

        SL_TRY(next_field(&f, &m));
        if (is_field(&f, 2, WIRE_BYTES))
            SL_TRY(shape_of(&count, f.bytes));
        if (!t)
            continue;
        if (is_field(&f, 4, WIRE_BYTES) && f.bits == t->bytes) { /* tensor_content */
            memcpy(&bits, f.bytes.at, t->bytes);
            is_there = 1;
        } else {
            uint64_t found;

            SL_TRY(first_value(&is_there, &found, t, &f));
            bits = is_there ? found : bits;
        }
        if (is_there)
            v->value = t->of(bits);
        v->is_scalar |= is_there;
    }
    v->is_scalar &= count == 1;
    return SL_OK;
}

/* --- events ----------------------------------------------------------------------------------- */

static sl_status summary_value(sl_tfvalue *v, message m)
{
    while (m.at < m.end) {
        field f;

        SL_TRY(next_field(&f, &m));
        if (is_field(&f, 1, WIRE_BYTES)) {
            v->tag = (const char *)f.bytes.at;
            v->tag_bytes = (size_t)f.bits;
        } else if (is_field(&f, 2, WIRE_32)) { /* simple_value */
            v->value = f32_of(f.bits);
            v->is_scalar = 1;
        } else if (is_field(&f, 8, WIRE_BYTES)) {
            SL_TRY(tensor(v, f.bytes));
        }
    }
    return SL_OK;
}

static sl_status summary(const sl_tfvalue *event, message m,
                         sl_status (*visit)(void *with, const sl_tfvalue *value), void *with)
{
    while (m.at < m.end) {
        sl_tfvalue v = *event;
        field f;

        SL_TRY(next_field(&f, &m));
        if (!is_field(&f, 1, WIRE_BYTES)) /* value */
            continue;
        SL_TRY(summary_value(&v, f.bytes));
        SL_TRY(visit(with, &v));
    }
    return SL_OK;
}

/* Fields may come in any order: first what stands beside the summary. */
static sl_status event_head(sl_tfvalue *event, message m)
{
    while (m.at < m.end) {
        field f;

        SL_TRY(next_field(&f, &m));
        if (is_field(&f, 1, WIRE_64))
            event->wall_time = f64_of(f.bits);
        else if (is_field(&f, 2, WIRE_VARINT))
            event->step = (int64_t)f.bits;
    }
    return SL_OK;
}

sl_status sl_tfevent_values(const sl_tfrecord *record,
                            sl_status (*visit)(void *with, const sl_tfvalue *value), void *with)
{
    sl_tfvalue event = { .wall_time = NAN, .tag = "", .value = NAN };
    message m = { record->data, record->data + record->bytes };

    SL_TRY(event_head(&event, m));
    while (m.at < m.end) {
        field f;

        SL_TRY(next_field(&f, &m));
        if (is_field(&f, 5, WIRE_BYTES))
            SL_TRY(summary(&event, f.bytes, visit, with));
    }
    return SL_OK;
}
