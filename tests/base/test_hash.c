#include "harness/harness.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/hash_int.h"
#include <string.h>

static void sha_hex(char out[65], const void *data, size_t bytes, size_t piece)
{
    unsigned char digest[32];
    sl_sha256 sha;

    sl_sha256_open(&sha);
    for (size_t i = 0; i < bytes; i += piece)
        sl_sha256_add(&sha, (const char *)data + i, bytes - i < piece ? bytes - i : piece);
    sl_sha256_close(&sha, digest);
    sl_sha256_hex(out, digest);
}

/* NIST, "SHA-256 examples" and FIPS 180-2 appendix B. */
static const struct {
    const char *text, *want;
} sha_rows[] = {
    { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    { "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmno"
      "p"
      "qrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
};

static void test_sha256_published(void **state)
{
    char hex[65];

    (void)state;
    for (size_t i = 0; i < sizeof sha_rows / sizeof sha_rows[0]; i++)
        for (size_t piece = 1; piece < 70; piece++) {
            sha_hex(hex, sha_rows[i].text, strlen(sha_rows[i].text), piece);
            assert_string_equal(hex, sha_rows[i].want);
        }
}

static void test_sha256_million_a(void **state)
{
    static char text[1000000];
    char hex[65];

    (void)state;
    memset(text, 'a', sizeof text);
    sha_hex(hex, text, sizeof text, 4099);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_sha256_file(void **state)
{
    static char text[1000000];
    char path[4200], hex[65];

    (void)state;
    memset(text, 'a', sizeof text);
    T_OK(sl_file_join(path, sizeof path, t_scratch(), "a"));
    T_OK(sl_file_write_atomic(path, text, sizeof text));
    T_OK(sl_sha256_file(hex, path));
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    T_OK(sl_file_write_atomic(path, NULL, 0));
    T_OK(sl_sha256_file(hex, path));
    assert_string_equal(hex, sha_rows[0].want);
    t_scratch_remove();
    T_FAILS(sl_sha256_file(hex, path), SL_EIO, "No such file");
    T_FAILS(sl_sha256_file(hex, "/"), SL_EIO, "/: want to read");
}

static void test_hash_id(void **state)
{
    (void)state;
    assert_true(sl_hash_id("abc", 3) == 0xba7816bf8f01cfea);
    assert_true(sl_hash_id("", 0) == 0xe3b0c44298fc1c14);
}

/* RFC 3720 appendix B.4; "123456789" is the check value of the CRC catalogue. */
static void test_crc32c_published(void **state)
{
    unsigned char zeros[32] = { 0 }, ones[32], up[32], down[32];

    (void)state;
    for (int i = 0; i < 32; i++) {
        ones[i] = 0xff;
        up[i] = (unsigned char)i;
        down[i] = (unsigned char)(31 - i);
    }
    assert_int_equal(sl_crc32c(0, "", 0), 0);
    assert_int_equal(sl_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(sl_crc32c(0, zeros, 32), 0x8a9136aa);
    assert_int_equal(sl_crc32c(0, ones, 32), 0x62a8ab43);
    assert_int_equal(sl_crc32c(0, up, 32), 0x46dd794e);
    assert_int_equal(sl_crc32c(0, down, 32), 0x113fdb5c);
    assert_int_equal(sl_crc32c_plain(0, "123456789", 9), 0xe3069283);
    assert_int_equal(sl_crc32c_plain(0, up, 32), 0x46dd794e);
}

/* Both ways agree, whatever the length and alignment, also in two parts. */
static void test_crc32c_ways_agree(void **state)
{
    sl_rng rng = sl_rng_at(1, 2, 3);
    unsigned char data[300];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)sl_rng_u32(&rng);
    for (size_t first = 0; first < 9; first++)
        for (size_t n = 0; n + first < sizeof data; n++) {
            const uint32_t whole = sl_crc32c(0, data + first, n);
            const uint32_t half = sl_crc32c(0, data + first, n / 2);

            assert_int_equal(sl_crc32c_plain(0, data + first, n), whole);
            assert_int_equal(sl_crc32c(half, data + first + n / 2, n - n / 2), whole);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256_published), cmocka_unit_test(test_sha256_million_a),
        cmocka_unit_test(test_sha256_file),      cmocka_unit_test(test_hash_id),
        cmocka_unit_test(test_crc32c_published), cmocka_unit_test(test_crc32c_ways_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
