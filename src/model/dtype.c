/* Bit conversions: IEEE 754 binary16 with subnormals, and bfloat16, the upper half of binary32.
 * Bytes in memory are taken as little-endian, as the file has them. */
#include "model/dtype.h"
#include <string.h>

static const sl_dtype types[] = {
    { "BOOL", 8, 0, SL_STORE_F32 },        { "F4", 4, 0, SL_STORE_F32 },
    { "F6_E2M3", 6, 0, SL_STORE_F32 },     { "F6_E3M2", 6, 0, SL_STORE_F32 },
    { "U8", 8, 0, SL_STORE_F32 },          { "I8", 8, 0, SL_STORE_F32 },
    { "F8_E5M2", 8, 0, SL_STORE_F32 },     { "F8_E4M3", 8, 0, SL_STORE_F32 },
    { "F8_E8M0", 8, 0, SL_STORE_F32 },     { "F8_E4M3FNUZ", 8, 0, SL_STORE_F32 },
    { "F8_E5M2FNUZ", 8, 0, SL_STORE_F32 }, { "I16", 16, 0, SL_STORE_F32 },
    { "U16", 16, 0, SL_STORE_F32 },        { "F16", 16, 1, SL_STORE_F16 },
    { "BF16", 16, 1, SL_STORE_BF16 },      { "I32", 32, 0, SL_STORE_F32 },
    { "U32", 32, 0, SL_STORE_F32 },        { "F32", 32, 1, SL_STORE_F32 },
    { "C64", 64, 0, SL_STORE_F32 },        { "F64", 64, 0, SL_STORE_F32 },
    { "I64", 64, 0, SL_STORE_F32 },        { "U64", 64, 0, SL_STORE_F32 },
};

const sl_dtype *sl_dtype_find(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    }
    return NULL;
}

const sl_dtype *sl_dtype_of(sl_storage storage)
{
    static const char *const names[] = {
        [SL_STORE_F32] = "F32", [SL_STORE_BF16] = "BF16", [SL_STORE_F16] = "F16"
    };

    return sl_dtype_find(names[storage]);
}

static uint32_t bits_of(float x)
{
    uint32_t u = 0;

    memcpy(&u, &x, sizeof u);
    return u;
}

static float float_of(uint32_t u)
{
    float x = 0.0f;

    memcpy(&x, &u, sizeof x);
    return x;
}

static float f16_widen(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16, body = half & 0x7fffu;

    if (body >= 0x7c00u) /* infinity, NaN */
        return float_of(sign | 0x7f800000u | (body & 0x3ffu) << 13);
    if (body >= 0x0400u) /* exponent bias 15 -> 127 */
        return float_of(sign | ((body << 13) + 0x38000000u));
    return float_of(sign | bits_of((float)body * 0x1p-24f)); /* zero, subnormal */
}

static uint16_t f16_narrow(float x)
{
    const uint32_t u = bits_of(x), sign = u >> 16 & 0x8000u, body = u & 0x7fffffffu;

    if (body > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u);
    if (body >= 0x477ff000u) /* 65520: halfway to the first number beyond */
        return (uint16_t)(sign | 0x7c00u);
    if (body < 0x38800000u) { /* below 2^-14: adding 1/2 leaves a multiple of 2^-24, rounded */
        return (uint16_t)(sign | (bits_of(float_of(body) + 0.5f) - 0x3f000000u));
    }
    return (uint16_t)(sign | (body - 0x38000000u + 0xfffu + (body >> 13 & 1u)) >> 13);
}

static uint16_t bf16_narrow(float x)
{
    const uint32_t u = bits_of(x);

    if ((u & 0x7fffffffu) > 0x7f800000u)
        return 0x7fc0u;
    return (uint16_t)((u + 0x7fffu + (u >> 16 & 1u)) >> 16);
}

void sl_dtype_widen(float *out, const void *in, size_t n, sl_storage storage)
{
    const unsigned char *bytes = in;

    if (storage == SL_STORE_F32) {
        memcpy(out, in, n * sizeof *out);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint16_t half = 0;

        memcpy(&half, bytes + 2 * i, sizeof half);
        out[i] = storage == SL_STORE_F16 ? f16_widen(half) : float_of((uint32_t)half << 16);
    }
}

void sl_dtype_narrow(void *out, const float *in, size_t n, sl_storage storage)
{
    unsigned char *bytes = out;

    if (storage == SL_STORE_F32) {
        memcpy(out, in, n * sizeof *in);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const uint16_t half = storage == SL_STORE_F16 ? f16_narrow(in[i]) : bf16_narrow(in[i]);

        memcpy(bytes + 2 * i, &half, sizeof half);
    }
}
