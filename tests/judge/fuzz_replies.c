/* What judges outside say, against any bytes: libFuzzer's entry, and a driver of our own that
 * replays files and pseudo-random changes of sound replies. Every input goes to the reader of
 * command lines and to the reader of chat completions, with failures kept and not. Either an
 * opinion with p in [0,1], or a failure that is kept, or a refusal of the format. usage:
 * fuzz_replies [-n CHANGES] [FILE...] */
#include "base/alloc.h"
#include "base/file.h"
#include "judge/judge_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANGES = 20000, REPLY_BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t given, failed, refused;

static void expect(int is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "want %s: %s %s\n", what, sl_err_place(), sl_err_message());
    abort();
}

static void check(sl_status st, const sl_opinion *o, int keeps_failed)
{
    if (st != SL_OK) {
        expect(st == SL_EFORMAT && sl_err_code() == SL_EFORMAT, "a refusal of the format");
        refused++;
    } else if (o->status != SL_VOTED) {
        expect(keeps_failed && o->is_given && isnan(o->p),
               "a failure that is kept, without a vote");
        failed++;
    } else {
        expect(o->is_given && o->p >= 0.0 && o->p <= 1.0, "a vote in [0,1]");
        expect(o->cut <= (SL_CUT_FIRST | SL_CUT_SECOND), "known flags");
        given++;
    }
    sl_err_clear();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int keeps = 0; keeps < 2; keeps++) {
        const sl_reply_rules rules = { 1.0, keeps };
        sl_opinion o = { .p = NAN };
        int64_t id;

        check(sl_command_reply(&id, &o, &rules, (const char *)data, size), &o, keeps);
        o = (sl_opinion){ .p = NAN };
        check(sl_endpoint_reply(&o, &rules, (const char *)data, size), &o, keeps);
    }
    return 0;
}

#ifndef SL_LIBFUZZER
static const char *const sound[] = {
    "{\"id\":7,\"p\":0.25}",
    "{\"id\":7,\"score_a\":1.5,\"score_b\":-2e3,\"truncated_a\":true,\"truncated_b\":false}",
    "{\"id\":7,\"error\":\"too long\"}",
    "{\"choices\":[{\"message\":{\"content\":\"A\",\"refusal\":null}}]}",
    "{\"choices\":[{\"message\":{\"content\":\"**B**.\"},\"logprobs\":null}]}",
    "{\"choices\":[{\"message\":{\"content\":null,\"refusal\":\"no\"}}]}",
    "{\"choices\":[{\"message\":{\"content\":\" A\"},\"logprobs\":{\"content\":[{\"token\":\" "
    "A\",\"top_logprobs\":[{\"token\":\" A\",\"logprob\":-0.2},{\"token\":\"B\",\"logprob\":-1.7},"
    "{\"token\":\" B\",\"logprob\":-9999.0}]}]}}]}",
};
enum { SOUND = sizeof sound / sizeof sound[0] };

/* Bytes changed, cut off, or taken from another place. */
static size_t damage(char *text, size_t n, sl_rng *rng)
{
    static const char spice[] = "{}[]\",:0123456789eE.-+ \\utfnAB\n\xff";

    for (uint32_t changes = 1 + sl_rng_below(rng, 3); changes > 0 && n > 1; changes--) {
        const size_t at = sl_rng_below(rng, (uint32_t)n);

        switch (sl_rng_below(rng, 5)) {
        case 0:
            text[at] = (char)sl_rng_u32(rng);
            break;
        case 1:
            n = at + 1;
            break;
        case 2:
            text[at] = text[sl_rng_below(rng, (uint32_t)n)];
            break;
        default:
            text[at] = spice[sl_rng_below(rng, sizeof spice - 1)];
        }
    }
    return n;
}

static void run_changes(long count)
{
    sl_rng rng = sl_rng_at(1, sl_rng_stream("fuzz replies"), 0);

    for (size_t i = 0; i < SOUND; i++) {
        const size_t before = given + failed;

        LLVMFuzzerTestOneInput((const uint8_t *)sound[i], strlen(sound[i]));
        expect(given + failed > before, "a sound reply to be read");
    }
    for (long i = 0; i < count; i++) {
        char text[REPLY_BYTES];
        size_t n = (size_t)snprintf(text, sizeof text, "%s", sound[sl_rng_below(&rng, SOUND)]);

        n = damage(text, n, &rng);
        LLVMFuzzerTestOneInput((const uint8_t *)text, n);
    }
    expect(count < CHANGES || (given > 100 && failed > 100 && refused > 100),
           "all outcomes to occur");
}

static int replay(const char *name)
{
    char *data;
    size_t size;

    if (sl_file_read(&data, &size, name, 64 << 20) != SL_OK) {
        fprintf(stderr, "%s: %s\n", sl_err_place(), sl_err_message());
        return 1;
    }
    LLVMFuzzerTestOneInput((uint8_t *)data, size);
    sl_free(data);
    return 0;
}

int main(int argc, char **argv)
{
    long changes = argc == 1 ? CHANGES : 0;
    int is_red = 0;

    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "-n") && i + 1 < argc)
            changes = strtol(argv[++i], NULL, 10);
        else
            is_red |= replay(argv[i]);
    if (changes)
        run_changes(changes);
    return is_red;
}
#endif
