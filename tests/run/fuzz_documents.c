/* The small documents of a run against any bytes: run.json, the user block of a segment and of
 * run.h5 (its checksum is set, so that the keys are reached), a line of texts, the start of a
 * journal. Each is refused with a reason, or its values lie within their ranges. */
#include "base/hash.h"
#include "harness/fuzz.h"
#include "run/identity.h"
#include "run/journal.h"
#include "run/segment_int.h"
#include "run/texts.h"
#include "run/userblock_int.h"
#include <stdio.h>
#include <string.h>

const t_fuzz_target t_fuzz = { .name = "fuzz documents",
                               .spice = "{}[]\",:0123456789eE.-+ \\utfn\n\xff",
                               .changes = 4000 };

static const char *in_folder(const char *name)
{
    static char path[4200];

    (void)snprintf(path, sizeof path, "%s/%s", t_fuzz_folder(), name);
    return path;
}

static int as_run(const uint8_t *data, size_t size)
{
    sl_run_identity identity;
    int is_read;

    t_fuzz_write("run.json", data, size);
    is_read = sl_run_identity_load(&identity, t_fuzz_folder()) == SL_OK;
    if (is_read) {
        t_expect(identity.world_size >= 1 && identity.world_size <= 999, "a sound world size");
        t_expect(identity.level >= 0 && identity.level <= 3, "a sound level");
        sl_run_identity_close(&identity);
    }
    return is_read;
}

static int as_segment(const uint8_t *data, size_t size)
{
    unsigned char block[SL_USERBLOCK_BYTES];
    sl_segment_info info;
    uint32_t sum;

    memset(block, ' ', sizeof block);
    memcpy(block, data, size < sizeof block - 4 ? size : sizeof block - 4);
    sum = sl_crc32c(0, block, sizeof block - 4);
    for (int i = 0; i < 4; i++)
        block[sizeof block - 4 + (size_t)i] = (unsigned char)(sum >> 8 * i);
    t_fuzz_write("seg-000001.h5", block, sizeof block);
    if (sl_segment_prove(&info, in_folder("seg-000001.h5")) == SL_OK)
        t_expect(0, "a file that ends with its user block to be refused");
    sl_err_clear();
    return sl_segment_info_read(&info, in_folder("seg-000001.h5")) == SL_OK;
}

static int as_text(const uint8_t *data, size_t size)
{
    sl_text text;
    int is_read;

    is_read = sl_text_line_read(&text, (const char *)data, size) == SL_OK;
    if (is_read) {
        t_expect(sl_hash_id(text.text, strlen(text.text)) == text.hash, "the hash of the text");
        sl_text_close(&text);
    }
    return is_read;
}

static int as_start(const uint8_t *data, size_t size)
{
    const sl_frame frame = { .type = SL_FRAME_START,
                             .payload_bytes = (uint32_t)size,
                             .payload = data };
    sl_start start;
    int is_read;

    is_read = sl_start_decode(&start, &frame) == SL_OK;
    if (is_read)
        sl_start_close(&start);
    return is_read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int (*const reader[])(const uint8_t *, size_t) = { as_run, as_segment, as_text, as_start };

    for (size_t i = 0; i < sizeof reader / sizeof reader[0]; i++) {
        const int is_read = reader[i](data, size);

        if (is_read)
            sl_err_clear();
        t_fuzz_count(is_read);
    }
    return 0;
}
