#ifndef SL_MEASURE_OUTSIDE_INT_H
#define SL_MEASURE_OUTSIDE_INT_H

#include "base/json.h"
#include "measure/outside.h"

/* One answer that is wanted, and what was said. */
typedef struct sl_wanted {
    const sl_prompt_text *prompt; /* with words */
    uint64_t seed;                /* below 2^53, so that every reader of JSON keeps it */
    uint32_t slot;                /* of the prompt's answers in this draw */
} sl_wanted;
typedef struct sl_said {
    char *text; /* owned by the caller; NULL: nothing yet */
    sl_stop stop;
} sl_said;

/* A sampler of the table. */
typedef struct sl_outside_row {
    const char *name;
    /* *state: the sampler's own. On failure close follows where it is set. */
    sl_status (*open)(void **state, const sl_outside_settings *set);
    void (*close)(void *state);
    /* said (count), empty before. */
    sl_status (*say)(sl_said *said, void *state, const sl_sample_settings *law,
                     const sl_wanted *wanted, size_t count);
} sl_outside_row;

extern const sl_outside_row sl_outside_file, sl_outside_command, sl_outside_endpoint;

/* The keys of the law in a request: temperature, top_p, and top_k where it is on. */
sl_status sl_outside_law(sl_json *request, const sl_sample_settings *law) SL_MUSTUSE;

/* What strangers say: pure functions of their bytes. A line of a command: {"id", and "text" with
 * "truncated" or "error"}. Errors: SL_EFORMAT. */
sl_status sl_outside_line(int64_t *id, sl_said *said, const char *line, size_t bytes) SL_MUSTUSE;
/* The body of a chat completion. Errors: SL_EFORMAT. */
sl_status sl_outside_completion(sl_said *said, const char *body, size_t bytes) SL_MUSTUSE;

#endif
