/* What judges outside say, against any bytes. Every input goes to the reader of command lines and
 * to the reader of chat completions, with failures kept and not. Either an opinion with p in [0,1],
 * or a failure that is kept, or a refusal of the format. */
#include "harness/fuzz.h"
#include "judge/judge_int.h"
#include <math.h>

const t_fuzz_target t_fuzz = { .name = "fuzz replies",
                               .spice = "{}[]\",:0123456789eE.-+ \\utfnAB\n\xff",
                               .changes = 10000 };

static void check(sl_status st, const sl_opinion *o, int keeps_failed)
{
    if (st != SL_OK) {
        t_expect(st == SL_EFORMAT, "a refusal of the format");
    } else if (o->status != SL_VOTED) {
        t_expect(keeps_failed && o->is_given && isnan(o->p),
                 "a failure that is kept, without a vote");
    } else {
        t_expect(o->is_given && o->p >= 0.0 && o->p <= 1.0, "a vote in [0,1]");
        t_expect(o->cut <= (SL_CUT_FIRST | SL_CUT_SECOND), "known flags");
    }
    t_fuzz_count(st == SL_OK);
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
