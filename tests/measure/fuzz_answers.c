/* What samplers outside say, against any bytes: a line of a program and the body of a chat
 * completion. Either a text of its own, or a refusal of the format. */
#include "base/alloc.h"
#include "harness/fuzz.h"
#include "measure/outside_int.h"
#include <string.h>

const t_fuzz_target t_fuzz = { .name = "fuzz answers",
                               .spice = "{}[]\",:0123456789eE.-+ \\utfn\n\xff",
                               .changes = 10000 };

static void check(sl_status st, sl_said *said)
{
    if (st == SL_OK) {
        t_expect(said->text && (said->stop == SL_STOP_EOS || said->stop == SL_STOP_LENGTH),
                 "a text and how it ended");
        t_expect(strlen(said->text) < SIZE_MAX, "a text with an end");
    } else {
        t_expect(st == SL_EFORMAT, "a refusal of the format");
    }
    t_fuzz_count(st == SL_OK);
    sl_free(said->text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_said line = { 0 }, body = { 0 };
    int64_t id = 0;

    check(sl_outside_line(&id, &line, (const char *)data, size), &line);
    check(sl_outside_completion(&body, (const char *)data, size), &body);
    return 0;
}
