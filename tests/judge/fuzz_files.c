/* Files of judges against any bytes: stored scores and the prompt of an endpoint. Scores are
 * refused with the file's name, or give votes in [0,1] to pairs that have them; a template is
 * refused, or is filled in one pass. */
#include "base/alloc.h"
#include "harness/fuzz.h"
#include "judge/judge_int.h"
#include <stdio.h>
#include <string.h>

const t_fuzz_target t_fuzz = { .name = "fuzz judge files",
                               .spice = "{}[]\",:0123456789eE.-+ \\utfn\nab\xff",
                               .changes = 2000 };

static void ask(sl_judge *judge)
{
    const sl_prompt_text prompt = { .id = 7 };
    const sl_answer a = { .id = 1, .text = "yes" }, b = { .id = 2, .text = "no" };
    sl_vote vote;

    if (sl_judge_votes(&vote, judge, &prompt, &a, &b, 1) == SL_OK)
        t_expect(vote.p >= 0.0 && vote.p <= 1.0, "a vote in [0,1]");
    else
        t_expect(sl_err_code() == SL_EFORMAT, "a pair without scores");
    sl_err_clear();
}

static void as_scores(const char *path)
{
    sl_judge_settings set = sl_judge_defaults();
    sl_judge *judge = NULL;
    sl_status st;

    set.name = "stored";
    set.scores = path;
    st = sl_judge_open(&judge, &set, NULL);
    t_expect(st == SL_OK || (st == SL_EFORMAT && strstr(sl_err_place(), path)),
             "the file by its name");
    t_fuzz_count(st == SL_OK);
    if (st == SL_OK)
        ask(judge);
    sl_judge_close(&judge);
}

static void as_template(const char *path)
{
    char *text = NULL, *filled = NULL;

    if (sl_template_load(&text, path) == SL_OK) {
        t_expect(sl_template_fill(&filled, text, "{a}", "{b}", "{prompt}") == SL_OK, "a prompt");
        t_expect(strstr(filled, "{a}") != NULL, "words that are no mark");
    }
    sl_err_clear();
    sl_free(filled);
    sl_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[4200];

    t_fuzz_write("scores.jsonl", data, size);
    (void)snprintf(path, sizeof path, "%s/scores.jsonl", t_fuzz_folder());
    as_scores(path);
    as_template(path);
    return 0;
}
