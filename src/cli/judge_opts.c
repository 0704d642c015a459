#include "cli/judge_opts.h"
#include "base/text.h"
#include "cli/stop.h"
#include "kernels/backend.h"
#include <stdio.h>
#include <string.h>

typedef enum number_type { F64, U32, U64, TEXT } number_type;

static const struct {
    const char *name;
    number_type type;
    size_t offset;
} numbers[] = {
    { "seed", U64, offsetof(sl_judge_opts, set.seed) },
    { "temperature", F64, offsetof(sl_judge_opts, set.temperature) },
    { "batch", U32, offsetof(sl_judge_opts, set.batch) },
    { "timeout_s", F64, offsetof(sl_judge_opts, set.timeout_s) },
    { "start_s", F64, offsetof(sl_judge_opts, set.start_s) },
    { "retries", U32, offsetof(sl_judge_opts, set.retries) },
    { "backoff_s", F64, offsetof(sl_judge_opts, set.backoff_s) },
    { "max_tok", U32, offsetof(sl_judge_opts, set.max_tok) },
    { "env", TEXT, offsetof(sl_judge_opts, set.env) },
    { "tokenizer", TEXT, offsetof(sl_judge_opts, set.tokenizer) },
    { "device", TEXT, offsetof(sl_judge_opts, device) },
    { "threads", U32, offsetof(sl_judge_opts, threads) },
};
enum { NUMBERS = sizeof numbers / sizeof numbers[0], WHOLE_MOST = 65536 };

static sl_status set_number(sl_judge_opts *o, size_t which, const char *text)
{
    void *field = (char *)o + numbers[which].offset;
    int64_t whole;

    if (numbers[which].type == TEXT) {
        *(const char **)field = text;
        return SL_OK;
    }
    if (numbers[which].type == F64)
        return sl_text_f64(field, text);
    SL_TRY(sl_text_i64(&whole, text));
    if (whole < 0 || (numbers[which].type == U32 && whole > WHOLE_MOST))
        return SL_FAIL(SL_EUSAGE, "want an integer in [0,%d], found %lld", WHOLE_MOST,
                       (long long)whole);
    if (numbers[which].type == U32)
        *(uint32_t *)field = (uint32_t)whole;
    else
        *(uint64_t *)field = (uint64_t)whole;
    return SL_OK;
}

static sl_status read_number(sl_judge_opts *o, const char *text)
{
    const char *equals = strchr(text, '=');
    const size_t bytes = equals ? (size_t)(equals - text) : strlen(text);
    const char *names[NUMBERS + 1] = { NULL }, *near;
    char name[32];
    sl_status st;

    for (size_t i = 0; i < NUMBERS; i++) {
        names[i] = numbers[i].name;
        if (equals && strlen(names[i]) == bytes && !strncmp(names[i], text, bytes))
            return set_number(o, i, equals + 1);
    }
    snprintf(name, sizeof name, "%.*s", (int)(bytes < 31 ? bytes : 31), text);
    near = sl_text_nearest(name, names);
    st = SL_FAIL(SL_EUSAGE, "want KEY=VALUE with a key of the list, found \"%.64s\"", text);
    return sl_err_hint(st, "did you mean \"%s\"?", near ? near : names[0]);
}

sl_judge_opts sl_judge_opts_defaults(void)
{
    sl_judge_opts o = { .set = sl_judge_defaults(), .device = "cpu" };

    o.set.name = NULL;
    return o;
}

/* Whether a judge of the options has that name. */
static int has_judge(const sl_judge_opts *o, const char *name)
{
    int has = !strcmp(o->set.name, name);

    for (size_t i = 0; i < o->member.count; i++)
        has |= !strcmp(o->member.at[i], name);
    return has;
}

/* What computes a reward model. */
static sl_status open_backend(sl_judge_opts *o)
{
    if (!has_judge(o, "reward"))
        return SL_OK;
    return sl_err_where(sl_backend_open(&o->set.backend, o->device, (int)o->threads),
                        "--set device=%s", o->device);
}

sl_status sl_judge_opts_settle(sl_judge_opts *o)
{
    sl_status st;

    if (!o->set.name)
        return SL_FAIL(SL_EUSAGE, "want --judge NAME, found none");
    if (o->member.count > SL_JUDGE_MEMBERS_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d members, found %zu", SL_JUDGE_MEMBERS_MOST,
                       o->member.count);
    for (size_t i = 0; i < o->number.count; i++) {
        st = sl_err_where(read_number(o, o->number.at[i]), "--set %s", o->number.at[i]);
        if (st != SL_OK)
            return st == SL_EARG ? SL_EUSAGE : st;
    }
    SL_TRY(open_backend(o));
    o->set.stop = sl_stop_flag();
    for (size_t i = 0; i < o->member.count; i++) {
        o->of_member[i] = o->set;
        o->of_member[i].name = o->of_member[i].label = o->member.at[i];
    }
    if (!o->set.label && o->member.count)
        o->set.label = "ensemble";
    o->set.member = o->of_member;
    o->set.member_count = o->member.count;
    return SL_OK;
}

int sl_judge_opts_want_world(const sl_judge_opts *o)
{
    return has_judge(o, "truth");
}
