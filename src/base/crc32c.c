/* CRC32C (Castagnoli), reflected polynomial 0x82f63b78. The only file that asks for the processor:
 * x86-64 has an instruction for this polynomial; elsewhere tables take 8 bytes at a time
 * (Kounavis and Berry, "slicing-by-8", 2005). */
#include "base/hash.h"
#include "base/hash_int.h"
#include <string.h>
#include <threads.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

static uint32_t table[8][256]; /* table[k][b]: byte b followed by k zero bytes */
static once_flag table_once = ONCE_FLAG_INIT;

static void fill_table(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;

        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
        table[0][b] = crc;
    }
    for (int k = 1; k < 8; k++)
        for (int b = 0; b < 256; b++)
            table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 0xff];
}

uint32_t sl_crc32c_plain(uint32_t crc, const void *data, size_t bytes)
{
    const unsigned char *at = data;

    call_once(&table_once, fill_table);
    crc = ~crc;
    for (; bytes >= 8; bytes -= 8, at += 8) {
        const unsigned char *b = at;

        crc = table[7][(b[0] ^ crc) & 0xff] ^ table[6][(b[1] ^ crc >> 8) & 0xff] ^
              table[5][(b[2] ^ crc >> 16) & 0xff] ^ table[4][(b[3] ^ crc >> 24) & 0xff] ^
              table[3][b[4]] ^ table[2][b[5]] ^ table[1][b[6]] ^ table[0][b[7]];
    }
    for (; bytes; bytes--, at++)
        crc = crc >> 8 ^ table[0][(*at ^ crc) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const void *data,
                                                               size_t bytes)
{
    const unsigned char *at = data;
    uint64_t wide = ~crc;

    for (; bytes >= 8; bytes -= 8, at += 8) {
        uint64_t word;

        memcpy(&word, at, sizeof word);
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    for (; bytes; bytes--, at++)
        crc = _mm_crc32_u8(crc, *at);
    return ~crc;
}

uint32_t sl_crc32c(uint32_t crc, const void *data, size_t bytes)
{
    return __builtin_cpu_supports("sse4.2") ? crc32c_sse42(crc, data, bytes)
                                            : sl_crc32c_plain(crc, data, bytes);
}
#else
uint32_t sl_crc32c(uint32_t crc, const void *data, size_t bytes)
{
    return sl_crc32c_plain(crc, data, bytes);
}
#endif
