#include "run/frames.h"

#include "run/journal.h"

void frames_mend(unsigned char *data, size_t size, uint32_t seed)
{
    sl_frame f;
    size_t at = 0;

    while (sl_frame_peek(&f, data, size, at)) {
        sl_frame_encode(data + at, &f, seed);
        at += sl_frame_bytes(f.payload_bytes);
    }
}

size_t frames_mutate(char *text, size_t n, sl_rng *rng, uint32_t seed)
{
    static const unsigned char edges[] = { 0, 1, 0x7f, 0x80, 0xff };
    const size_t cut = sl_rng_below(rng, 4) ? n : sl_rng_below(rng, (uint32_t)n) + 1;

    for (uint32_t changes = 1 + sl_rng_below(rng, 4); changes > 0; changes--) {
        unsigned char *at = (unsigned char *)text + sl_rng_below(rng, (uint32_t)cut);

        if (sl_rng_below(rng, 2))
            *at ^= (unsigned char)(1u << sl_rng_below(rng, 8));
        else
            *at = edges[sl_rng_below(rng, sizeof edges)];
    }
    if (sl_rng_below(rng, 2))
        frames_mend((unsigned char *)text, cut, seed);
    return cut;
}
