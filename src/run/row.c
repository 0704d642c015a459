/* Rows between C structs and packed bytes, driven by the schema table. */
#include "run/schema.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

/* All cases are computed and one is chosen, so that a loop over this becomes vector code. */
static inline uint16_t half_of(float value)
{
    const uint32_t inf = 0x7f800000u, overflow = 0x477ff000u, smallest_normal = 0x38800000u;
    /* 0.5 has the unit of a half subnormal, 2^-24, so the addition rounds for us */
    const float sum = fabsf(value) + 0.5f;
    uint32_t u, small, normal, half, sign;

    memcpy(&u, &value, sizeof u);
    memcpy(&small, &sum, sizeof small);
    sign = (u >> 16) & 0x8000u;
    u &= 0x7fffffffu;
    normal = (u + 0xfffu + ((u >> 13) & 1u) - (112u << 23)) >> 13; /* to nearest even at bit 13 */
    half = u < smallest_normal ? small - 0x3f000000u : normal;
    half = u >= overflow ? 0x7c00u : half;
    half |= sign;
    return (uint16_t)(u > inf ? 0x7e00u : half); /* one NaN */
}

uint16_t sl_f16_from_f32(float value)
{
    return half_of(value);
}

float sl_f16_to_f32(uint16_t half)
{
    const uint32_t exponent = (half >> 10) & 31u, fraction = half & 0x3ffu;
    const uint32_t normal = (exponent + 112u) << 23 | fraction << 13; /* 127 - 15 = 112 */
    float magnitude;

    memcpy(&magnitude, &normal, sizeof magnitude);
    if (exponent == 31)
        magnitude = fraction ? NAN : INFINITY;
    else if (exponent == 0)
        magnitude = (float)fraction * 0x1p-24f; /* the unit of a subnormal */
    return half & 0x8000u ? -magnitude : magnitude;
}

/* Every NaN of n doubles at `at` gets one bit pattern. */
static void canonical_f64(unsigned char *at, size_t n)
{
    const uint64_t canonical = 0x7ff8000000000000u;

    for (size_t i = 0; i < n; i++) {
        double x;

        memcpy(&x, at + i * 8, 8);
        if (isnan(x))
            memcpy(at + i * 8, &canonical, 8);
    }
}

static void canonical_f32(unsigned char *at, size_t n)
{
    const uint32_t canonical = 0x7fc00000u;

    for (size_t i = 0; i < n; i++) {
        float x;

        memcpy(&x, at + i * 4, 4);
        if (isnan(x))
            memcpy(at + i * 4, &canonical, 4);
    }
}

/* Zeros from the end of the text on. */
static void canonical_s64(unsigned char *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const size_t bytes = strnlen((const char *)at + i * 64, 63);

        memset(at + i * 64 + bytes, 0, 64 - bytes);
    }
}

static void canonical(unsigned char *at, size_t n, sl_type type)
{
    if (type == SL_TYPE_F64)
        canonical_f64(at, n);
    else if (type == SL_TYPE_F32)
        canonical_f32(at, n);
    else if (type == SL_TYPE_S64)
        canonical_s64(at, n);
}

/* In pieces, since `to` need not be aligned. */
static void pack_f16(unsigned char *to, const float *from, size_t n)
{
    uint16_t half[256];

    for (size_t first = 0; first < n; first += 256) {
        const size_t count = n - first < 256 ? n - first : 256;

        for (size_t i = 0; i < count; i++)
            half[i] = half_of(from[first + i]);
        /* cppcheck-suppress uninitvar ; count is at least 1 */
        memcpy(to + first * 2, half, count * 2);
    }
}

static void pack_wide(unsigned char *to, const void *from, size_t n, sl_type type)
{
    if (type == SL_TYPE_F16) {
        pack_f16(to, from, n);
        return;
    }
    memcpy(to, from, n * sl_type_bytes(type));
    canonical(to, n, type);
}

size_t sl_table_fixed_bytes(sl_table table)
{
    const sl_table_info *info = sl_table_get(table);
    const sl_column *last = &info->columns[info->column_count - sl_table_wide_count(table) - 1];

    return last->offset + sl_type_bytes(last->type);
}

static const sl_column *wide_column(sl_table table, size_t index)
{
    size_t count;
    const sl_column *c = sl_table_columns(table, &count);

    return c + count - sl_table_wide_count(table) + index;
}

size_t sl_wide_bytes(sl_table table, size_t index, const sl_layout *layout)
{
    const sl_column *c = wide_column(table, index);

    return layout->width[c->width] * sl_type_bytes(c->type);
}

size_t sl_wide_offset(sl_table table, size_t index, const sl_layout *layout)
{
    size_t offset = sl_table_fixed_bytes(table);

    for (size_t i = 0; i < index; i++)
        offset += sl_wide_bytes(table, i, layout);
    return offset;
}

size_t sl_table_packed_bytes(sl_table table, const sl_layout *layout)
{
    return sl_wide_offset(table, sl_table_wide_count(table), layout);
}

void sl_row_pack(unsigned char *packed, sl_table table, const void *row, const void *const *wide,
                 const sl_layout *layout)
{
    size_t count, used = sl_table_fixed_bytes(table), w = 0;
    const sl_column *c = sl_table_columns(table, &count);

    memcpy(packed, row, used);
    for (size_t i = 0; i < count; i++) {
        const size_t n = layout->width[c[i].width];

        if (c[i].width == SL_WIDTH_ONE) {
            canonical(packed + c[i].offset, 1, c[i].type);
            continue;
        }
        if (n)
            pack_wide(packed + used, wide[w], n, c[i].type);
        used += n * sl_type_bytes(c[i].type);
        w++;
    }
}

void sl_row_unpack(void *row, sl_table table, const unsigned char *packed)
{
    memset(row, 0, sl_table_get(table)->row_size);
    memcpy(row, packed, sl_table_fixed_bytes(table));
}

void sl_row_blank(void *row, sl_table table)
{
    size_t count;
    const sl_column *c = sl_table_columns(table, &count);

    memset(row, 0, sl_table_get(table)->row_size);
    for (size_t i = 0; i < count && c[i].width == SL_WIDTH_ONE; i++) {
        char *at = (char *)row + c[i].offset;

        if (c[i].type == SL_TYPE_F64)
            memcpy(at, &(const double){ NAN }, sizeof(double));
        else if (c[i].type == SL_TYPE_F32)
            memcpy(at, &(const float){ NAN }, sizeof(float));
    }
}

static sl_status check_value(const sl_column *c, const unsigned char *at)
{
    if (c->type == SL_TYPE_E8 && *at >= sl_column_values(c))
        return SL_FAIL(SL_EFORMAT, "want a value below %zu, found %u", sl_column_values(c),
                       (unsigned)*at);
    if (c->type == SL_TYPE_S64 &&
        (at[63] || !sl_text_is_utf8((const char *)at, strlen((const char *)at))))
        return SL_FAIL(SL_EFORMAT, "want zero-terminated UTF-8, found other bytes");
    return SL_OK;
}

sl_status sl_row_check(sl_table table, const unsigned char *packed)
{
    size_t count;
    const sl_column *c = sl_table_columns(table, &count);

    if (sl_row_step(packed) < 0)
        return SL_FAIL(SL_EFORMAT, "want step >= 0, found %lld", (long long)sl_row_step(packed));
    for (size_t i = 0; i < count && c[i].width == SL_WIDTH_ONE; i++)
        SL_TRY(sl_err_where(check_value(&c[i], packed + c[i].offset), "column \"%s\"", c[i].name));
    return SL_OK;
}

int64_t sl_row_step(const unsigned char *packed)
{
    int64_t step;

    memcpy(&step, packed, sizeof step);
    return step;
}
