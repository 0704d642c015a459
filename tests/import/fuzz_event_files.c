/* Event files against any bytes. Half of the changes get their checksums mended, so that the
 * protocol buffers behind them are reached. */
#include "base/hash.h"
#include "harness/fuzz.h"
#include "import/tfevents.h"
#include <string.h>

static size_t mend(char *text, size_t n, sl_rng *rng);
const t_fuzz_target t_fuzz = { .name = "fuzz event files",
                               .spice = "\x08\x09\x0a\x12\x15\x1a\x22\x2a\x42\x80\xff\x7f",
                               .changes = 20000,
                               .change = mend };

static uint32_t masked(const void *data, size_t bytes)
{
    const uint32_t crc = sl_crc32c(0, data, bytes);

    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void put_u32(char *to, uint32_t x)
{
    for (size_t i = 0; i < 4; i++)
        to[i] = (char)(x >> 8 * i);
}

/* A change of a byte, then sound checksums where lengths still lie inside. */
static size_t mend(char *text, size_t n, sl_rng *rng)
{
    if (n)
        text[sl_rng_below(rng, (uint32_t)n)] = (char)sl_rng_below(rng, 256);
    for (size_t at = 0; at + 16 <= n;) {
        uint64_t length = 0;

        for (size_t i = 0; i < 8; i++)
            length |= (uint64_t)(unsigned char)text[at + i] << 8 * i;
        if (length > n - at - 16)
            break;
        put_u32(text + at + 8, masked(text + at, 8));
        put_u32(text + at + 12 + length, masked(text + at + 12, (size_t)length));
        at += (size_t)length + 16;
    }
    return n;
}

/* Touches every byte it is given, so that a sanitizer sees a wrong length. */
static sl_status touch(void *with, const sl_tfvalue *v)
{
    uint64_t *sum = with;

    for (size_t i = 0; i < v->tag_bytes; i++)
        *sum += (unsigned char)v->tag[i];
    return SL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t sum = 0;
    size_t at = 0;
    int is_there = 1;
    sl_tfnext next = SL_TF_NEXT;

    while (next == SL_TF_NEXT && is_there) {
        const size_t before = at;
        sl_tfrecord record;
        sl_status st = sl_tfrecord_next(&record, &at, &is_there, &next, data, size);

        if (st == SL_OK && !is_there)
            break;
        if (st == SL_OK)
            st = sl_tfevent_values(&record, touch, &sum);
        t_expect(next != SL_TF_NEXT || at > before, "progress");
        t_expect(at <= size, "a place inside the file");
        t_expect(st == SL_OK || st == SL_EFORMAT, "a refusal of the format");
        t_fuzz_count(st == SL_OK);
        is_there = 1;
    }
    return sum == 1;
}
