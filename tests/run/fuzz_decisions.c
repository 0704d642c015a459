/* decisions.log against any bytes. Half of the changes get their checksums mended. What is given
 * are whole decisions with their rule, until the end or a refusal; the trainer's side then takes
 * each or says why not. */
#include "base/alloc.h"
#include "base/file.h"
#include "harness/fuzz.h"
#include "run/decision.h"
#include "run/decision_int.h"
#include "run/frames.h"
#include <stdio.h>
#include <string.h>

static size_t make_seed(char *to);
static size_t mutate(char *text, size_t n, sl_rng *rng);
const t_fuzz_target t_fuzz = { .name = "fuzz decisions",
                               .spice = "\1\2\x40\x7f\x80\xff{}\",:0123456789",
                               .changes = 1500,
                               .change = mutate,
                               .make = make_seed };

enum { DECISIONS = 2, STEP = 7 };

static sl_run_identity identity;
static char path[4200];

static void prepare(void)
{
    sl_json *run = json_pack("{s:s}", "loss", "dpo");

    (void)snprintf(identity.uuid_text, sizeof identity.uuid_text,
                   "01234567-89ab-4cde-8f01-23456789abcd");
    identity.world_size = 1;
    identity.layout = sl_layout_defaults();
    t_expect(sl_run_identity_save(&identity, run, t_fuzz_folder()) == SL_OK, "a run");
    sl_json_close(&run);
    t_expect(sl_run_identity_load(&identity, t_fuzz_folder()) == SL_OK, "its identity");
    (void)snprintf(path, sizeof path, "%s/decisions.log", t_fuzz_folder());
}

static uint32_t seed(void)
{
    return sl_journal_seed(identity.uuid, 0, 0);
}

/* Reads it as verify does. */
static sl_status read_log(size_t *count)
{
    sl_decision_log log;
    sl_row_decisions row;
    const char *rule;
    int there = 1;
    sl_status st = sl_decision_log_open(&log, path, &identity);

    for (*count = 0; st == SL_OK && there; *count += there != 0) {
        st = sl_decision_log_peek(&log, &row, &rule, &there);
        t_expect(st != SL_OK || strlen(rule) < SL_DECISIONS_MAX, "a rule");
        sl_decision_log_take(&log);
    }
    sl_decision_log_close(&log);
    return st;
}

/* Reads it as the trainer does. */
static void take_all(void)
{
    const sl_decisions_settings settings = sl_decisions_settings_defaults();
    sl_decisions *d = NULL;
    sl_row_decisions row;
    const char *rule;
    int found = 1;
    sl_status st = sl_decisions_open(&d, t_fuzz_folder(), NULL, 0, 0, &settings);

    while (st == SL_OK && found) {
        st = sl_decisions_next(d, STEP, &row, &rule, &found);
        if (st != SL_OK || !found)
            break;
        t_expect(row.step == STEP, "the step of the trainer");
        t_expect(row.outcome != SL_OUTCOME_APPLIED || !sl_decision_fault(&row),
                 "no decision out of range that is obeyed");
    }
    sl_decisions_close(&d);
    sl_err_clear();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t count;
    sl_status st;

    if (!identity.json)
        prepare();
    t_fuzz_write("decisions.log", data, size);
    st = read_log(&count);
    t_fuzz_count(st == SL_OK);
    take_all();
    return 0;
}

static size_t make_seed(char *to)
{
    sl_decider *d = NULL;
    char *bytes;
    size_t count;

    if (!identity.json)
        prepare();
    (void)remove(path);
    t_expect(sl_decider_open(&d, t_fuzz_folder(), SL_DECIDER_WATCH, "{\"tau\":0.5}") == SL_OK,
             "a decider");
    for (int i = 0; i < DECISIONS; i++) {
        sl_row_decisions row = { .based_on = i,
                                 .expiry = 1000,
                                 .bs = 0.6,
                                 .lower = 0.55,
                                 .upper = 0.7,
                                 .mix_weight = 0.5,
                                 .action = SL_ACTION_MIX,
                                 .stage = SL_STAGE_FINE_TUNING };

        t_expect(sl_decider_put(d, &row) == SL_OK, "a decision");
    }
    sl_decider_close(&d);
    t_expect(sl_file_read(&bytes, &count, path, T_FUZZ_BYTES) == SL_OK, "the log");
    memcpy(to, bytes, count);
    sl_free(bytes);
    return count;
}

static size_t mutate(char *text, size_t n, sl_rng *rng)
{
    return frames_mutate(text, n, rng, seed());
}
