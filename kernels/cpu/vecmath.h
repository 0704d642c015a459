/* Elementary functions as straight-line code that the compiler vectorises inside a loop; libm calls
 * do not. Bodies stand here because they must be inlined.
 *
 * Accuracy, held by tests/kernels/test_vecmath.c: vec_exp 1 ulp where the result is normal;
 * vec_sigmoid 3 ulp; vec_normal_cdf 4 ulp above -1 and 1.2e-7 absolute everywhere (as 1 + erf in
 * float has; its relative error in the tail is 1e-4 at -5). NaN gives NaN. */
#ifndef SL_KERNELS_CPU_VECMATH_H
#define SL_KERNELS_CPU_VECMATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define VEC_ROUND 12582912.0f      /* 1.5 * 2^23: adding it rounds to an integer */
#define VEC_ROUND_BITS 0x4b400000u /* its bits */

static inline float vec_from_bits(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t vec_bits(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* exp(x): x = n ln 2 + r, |r| <= ln 2 / 2; a polynomial in r; two multiplications by powers of two,
 * so that denormal results and 2^128 stay in range. Coefficients: minimax for (exp(r) - 1 - r) /
 * r^2. */
static inline float vec_exp(float x)
{
    const float low = x < -104.0f ? -104.0f : x;
    const float c = low > 89.0f ? 89.0f : low;
    const float t = c * 1.44269504f + VEC_ROUND;
    const float n = t - VEC_ROUND;
    const float r = (c - n * 0.693359375f) + n * 2.12194440e-4f;
    const uint32_t k = vec_bits(t) - VEC_ROUND_BITS; /* n, modulo 2^32 */
    const uint32_t half = (k + 256u) / 2u - 128u;    /* n / 2 rounded down, n > -256 */
    float p = 1.9875691500e-4f;

    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = (p * r * r + r) + 1.0f;
    return p * vec_from_bits((half + 127u) << 23) * vec_from_bits((k - half + 127u) << 23);
}

/* 1 / (1 + exp(-x)). */
static inline float vec_sigmoid(float x)
{
    return 1.0f / (1.0f + vec_exp(-x));
}

/* Normal distribution function 0.5 * erfc(-x / sqrt 2). Both branches are computed: a polynomial
 * for erf near 0, log(erfc) as a polynomial beyond. Coefficients: N. Juffa's erff (public domain).
 */
static inline float vec_normal_cdf(float x)
{
    const float a = x * 0.707106781f;
    const float t = fabsf(a) > 10.0f ? 10.0f : fabsf(a);
    const float s = t * t;
    const float u = -3.88396438e-3f * t + 2.42546219e-2f;
    float near = -5.96761703e-4f, far = -1.72853470e-5f * t + 3.83197126e-4f;

    near = near * s + 4.99119423e-3f;
    near = near * s - 2.67681349e-2f;
    near = near * s + 1.12819925e-1f;
    near = near * s - 3.76125336e-1f;
    near = near * s + 1.28379166e-1f;
    near = near * a + a; /* erf(a) */
    far = far * s + u;
    far = far * t - 1.06777877e-1f;
    far = far * t - 6.34846687e-1f;
    far = far * t - 1.28717512e-1f;
    far = 0.5f * vec_exp(far * t - t); /* erfc(|a|) / 2 */
    far = a > 0.0f ? 1.0f - far : far;
    return fabsf(a) > 0.927734375f ? far : 0.5f + 0.5f * near;
}

#endif
