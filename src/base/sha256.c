/* SHA-256, FIPS 180-4. */
#include "base/alloc.h"
#include "base/hash.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES 65536

/* First 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t round_constant[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotated(uint32_t x, int bits)
{
    return x >> bits | x << (32 - bits);
}

static void schedule(uint32_t w[64], const unsigned char block[64])
{
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        const uint32_t a = w[i - 15], b = w[i - 2];

        w[i] = w[i - 16] + (rotated(a, 7) ^ rotated(a, 18) ^ a >> 3) + w[i - 7] +
               (rotated(b, 17) ^ rotated(b, 19) ^ b >> 10);
    }
}

/* One round on the working variables a..h, which are s[first], s[first + 1], ... round the ring; k
 * is the round constant plus the word of the schedule. The ring turns instead of the variables. */
static void turn(uint32_t s[8], int first, uint32_t k)
{
    const uint32_t a = s[first], b = s[(first + 1) % 8], c = s[(first + 2) % 8];
    const uint32_t e = s[(first + 4) % 8], f = s[(first + 5) % 8], g = s[(first + 6) % 8];
    const uint32_t choice = (e & f) ^ (~e & g), majority = (a & b) ^ (a & c) ^ (b & c);
    const uint32_t t1 =
        s[(first + 7) % 8] + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + choice + k;

    s[(first + 3) % 8] += t1;
    s[(first + 7) % 8] = t1 + (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + majority;
}

static void compress(uint32_t state[8], const unsigned char block[64])
{
    uint32_t w[64], s[8];

    schedule(w, block);
    memcpy(s, state, sizeof s);
    for (int i = 0; i < 64; i += 8)
        for (int j = 0; j < 8; j++) /* a compiler unrolls these eight: s becomes registers */
            turn(s, (8 - j) % 8, round_constant[i + j] + w[i + j]);
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

void sl_sha256_open(sl_sha256 *sha)
{
    *sha = (sl_sha256){ .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                   0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } };
}

void sl_sha256_add(sl_sha256 *sha, const void *data, size_t bytes)
{
    const unsigned char *at = data;
    size_t held = sha->bytes % 64;

    sha->bytes += bytes;
    while (bytes) {
        const size_t part = bytes < 64 - held ? bytes : 64 - held;

        memcpy(sha->block + held, at, part);
        at += part;
        bytes -= part;
        held += part;
        if (held == 64) {
            compress(sha->state, sha->block);
            held = 0;
        }
    }
}

void sl_sha256_close(sl_sha256 *sha, unsigned char out[32])
{
    static const unsigned char pad[64] = { 0x80 };
    const uint64_t bits = sha->bytes * 8;
    unsigned char length[8];

    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)(bits >> (56 - 8 * i));
    sl_sha256_add(sha, pad, 64 - (sha->bytes + 8) % 64);
    sl_sha256_add(sha, length, sizeof length);
    for (int i = 0; i < 32; i++)
        out[i] = (unsigned char)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}

void sl_sha256_hex(char out[65], const unsigned char digest[32])
{
    for (int i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static sl_status add_descriptor(sl_sha256 *sha, int fd)
{
    unsigned char *piece = NULL;
    sl_status st = SL_OK;
    ssize_t found = 1;

    SL_TRY(sl_take(&piece, PIECE_BYTES, 1));
    while (found) {
        found = read(fd, piece, PIECE_BYTES);
        if (found > 0)
            sl_sha256_add(sha, piece, (size_t)found);
        if (found < 0 && errno != EINTR) {
            st = SL_FAIL(SL_EIO, "want to read, found: %s", strerror(errno));
            break;
        }
    }
    sl_free(piece);
    return st;
}

sl_status sl_sha256_file(char out[65], const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    unsigned char digest[32];
    sl_sha256 sha;
    sl_status st;

    if (fd < 0)
        return sl_err_where(SL_FAIL(SL_EIO, "want to read it, found: %s", strerror(errno)), "%s",
                            path);
    sl_sha256_open(&sha);
    st = add_descriptor(&sha, fd);
    close(fd);
    sl_sha256_close(&sha, digest);
    sl_sha256_hex(out, digest);
    return sl_err_where(st, "%s", path);
}

uint64_t sl_hash_id(const void *data, size_t bytes)
{
    unsigned char digest[32];
    uint64_t id = 0;
    sl_sha256 sha;

    sl_sha256_open(&sha);
    sl_sha256_add(&sha, data, bytes);
    sl_sha256_close(&sha, digest);
    for (int i = 0; i < 8; i++)
        id = id << 8 | digest[i];
    return id ? id : 1; /* 0 stands for "no id" in the run record */
}
