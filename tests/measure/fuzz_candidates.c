/* Files of answers that were drawn before, against any bytes: refused with the file's name, or a
 * prompt gets answers of the file, in its order, or hears that there are too few. */
#include "base/alloc.h"
#include "harness/fuzz.h"
#include "measure/outside_int.h"
#include <stdio.h>
#include <string.h>

const t_fuzz_target t_fuzz = { .name = "fuzz candidates",
                               .spice = "{}[]\",:0123456789eE.-+ \\utfn\n\xff",
                               .changes = 2000 };

static void ask(void *state)
{
    const sl_prompt_text prompt = { .text = "Hi" };
    const sl_wanted wanted[2] = { { .prompt = &prompt, .slot = 0 },
                                  { .prompt = &prompt, .slot = 1 } };
    const sl_sample_settings law = { .temperature = 1.0f };
    sl_said said[2] = { { NULL, SL_STOP_EOS }, { NULL, SL_STOP_EOS } };
    const sl_status st = sl_outside_file.say(said, state, &law, wanted, 2);

    t_expect(st == SL_EARG || (st == SL_OK && said[0].text && said[1].text),
             "two answers, or too few");
    sl_err_clear();
    sl_free(said[0].text);
    sl_free(said[1].text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[4200];
    const sl_outside_settings set = { .candidates = path };
    void *state = NULL;
    sl_status st;

    t_fuzz_write("answers.jsonl", data, size);
    (void)snprintf(path, sizeof path, "%s/answers.jsonl", t_fuzz_folder());
    st = sl_outside_file.open(&state, &set);
    t_expect(st == SL_OK || (st == SL_EFORMAT && strstr(sl_err_place(), path)),
             "the file by its name");
    t_fuzz_count(st == SL_OK);
    if (st == SL_OK)
        ask(state);
    if (state)
        sl_outside_file.close(state);
    return 0;
}
