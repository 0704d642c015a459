/* The only source of randomness: Philox 4x32-10 (Salmon et al., SC 2011), a pure function of
 * (seed, stream, step, index). No state is ever saved; to resume is to count on. */
#ifndef SL_BASE_RNG_H
#define SL_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* One block: counter (4), key (2) -> out (4). Checked against the published vectors. */
void sl_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/* The finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014), a bijection of 64 bits; and the
 * whole of it, a fixed hash of indices. Bodies stand here for loops over vectors. */
static inline uint64_t sl_mix64(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline uint64_t sl_splitmix64(uint64_t x)
{
    return sl_mix64(x + 0x9e3779b97f4a7c15u);
}

/* A stream of 32-bit words. Plain data: copy it freely. */
typedef struct sl_rng {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t word[4];
    uint32_t next; /* words used of the current block; 4: none left */
} sl_rng;

/* Stream ids name a purpose; a hash of text makes one: sl_rng_stream("habit"). */
uint64_t sl_rng_stream(const char *purpose);
/* Mixes an index (prompt, slot, replicate) into a stream id (splitmix64 finaliser). */
uint64_t sl_rng_substream(uint64_t stream, uint64_t index);
/* key = seed; counter = (block, step low, stream low, stream high ^ step high); a step is 2^32
 * blocks of 4 words. Two different (stream, step) with steps below 2^32 never share a block. */
sl_rng sl_rng_at(uint64_t seed, uint64_t stream, uint64_t step);
uint32_t sl_rng_u32(sl_rng *rng);
double sl_rng_uniform(sl_rng *rng); /* [0,1), 53 bits */
double sl_rng_normal(sl_rng *rng);  /* Box-Muller, two uniforms a call */
double sl_rng_gumbel(sl_rng *rng);
uint32_t sl_rng_below(sl_rng *rng, uint32_t n);              /* unbiased, n > 0 */
void sl_rng_shuffle(sl_rng *rng, uint32_t *index, size_t n); /* Fisher-Yates in place */

#endif
