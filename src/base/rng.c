#include "base/rng.h"
#include "base/hash.h"
#include <assert.h>
#include <math.h>
#include <string.h>

#define TWO_PI 6.283185307179586476925286766559

/* Multipliers and Weyl constants of Philox 4x32: Salmon et al., SC 2011, table 2 and section 4. */
void sl_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];

    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xd2511f53u * c0, p1 = (uint64_t)0xcd9e8d57u * c2;

        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

uint64_t sl_rng_stream(const char *purpose)
{
    return sl_hash_id(purpose, strlen(purpose));
}

uint64_t sl_rng_substream(uint64_t stream, uint64_t index)
{
    return sl_splitmix64(sl_mix64(stream) + 0x9e3779b97f4a7c15u * index);
}

sl_rng sl_rng_at(uint64_t seed, uint64_t stream, uint64_t step)
{
    return (sl_rng){
        .key = { (uint32_t)seed, (uint32_t)(seed >> 32) },
        .counter = { 0, (uint32_t)step, (uint32_t)stream,
                     (uint32_t)(stream >> 32) ^ (uint32_t)(step >> 32) },
        .next = 4,
    };
}

uint32_t sl_rng_u32(sl_rng *rng)
{
    if (rng->next == 4) {
        sl_philox(rng->word, rng->counter, rng->key);
        rng->counter[0]++;
        assert(rng->counter[0]); /* one more block would be the first again */
        rng->next = 0;
    }
    return rng->word[rng->next++];
}

double sl_rng_uniform(sl_rng *rng)
{
    const uint64_t high = sl_rng_u32(rng) >> 5, low = sl_rng_u32(rng) >> 6;

    return (double)(high << 26 | low) * 0x1p-53;
}

double sl_rng_normal(sl_rng *rng)
{
    const double radius = sqrt(-2.0 * log(1.0 - sl_rng_uniform(rng))); /* 1-u is never 0 */

    return radius * cos(TWO_PI * sl_rng_uniform(rng));
}

double sl_rng_gumbel(sl_rng *rng)
{
    const uint64_t high = sl_rng_u32(rng) >> 6, low = sl_rng_u32(rng) >> 6;
    const double u = ((double)(high << 26 | low) + 0.5) * 0x1p-52; /* exact, in (0,1) */

    return -log(-log(u));
}

/* Lemire, "Fast random integer generation in an interval", 2019: multiply, reject the short part */
uint32_t sl_rng_below(sl_rng *rng, uint32_t n)
{
    uint64_t product;
    uint32_t reject;

    assert(n > 0);
    product = (uint64_t)sl_rng_u32(rng) * n;
    if ((uint32_t)product < n) {
        reject = (uint32_t)-n % n;
        while ((uint32_t)product < reject)
            product = (uint64_t)sl_rng_u32(rng) * n;
    }
    return (uint32_t)(product >> 32);
}

void sl_rng_shuffle(sl_rng *rng, uint32_t *index, size_t n)
{
    assert(n <= UINT32_MAX);
    for (size_t i = n; i > 1; i--) {
        const uint32_t j = sl_rng_below(rng, (uint32_t)i);
        const uint32_t kept = index[i - 1];

        index[i - 1] = index[j];
        index[j] = kept;
    }
}
