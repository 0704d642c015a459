/* Checksums: SHA-256 (FIPS 180-4) and CRC32C (Castagnoli, RFC 3720), checked against published
 * vectors. */
#ifndef SL_BASE_HASH_H
#define SL_BASE_HASH_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

typedef struct sl_sha256 {
    uint32_t state[8];
    uint64_t bytes;
    unsigned char block[64];
} sl_sha256;

void sl_sha256_open(sl_sha256 *sha);
void sl_sha256_add(sl_sha256 *sha, const void *data, size_t bytes);
void sl_sha256_close(sl_sha256 *sha, unsigned char out[32]);
void sl_sha256_hex(char out[65], const unsigned char digest[32]);
/* Hex digest of a whole file, read in pieces. */
sl_status sl_sha256_file(char out[65], const char *path) SL_MUSTUSE;
/* First 8 bytes of SHA-256 of the data, big-endian: the ids of the run record. Never 0. */
uint64_t sl_hash_id(const void *data, size_t bytes);

/* Continues crc (0 to begin). Hardware instruction where the processor has it. */
uint32_t sl_crc32c(uint32_t crc, const void *data, size_t bytes);

#endif
