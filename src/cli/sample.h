/* What the files of `sample` share: prompts as token ids. */
#ifndef SL_CLI_SAMPLE_H
#define SL_CLI_SAMPLE_H

#include "base/json.h"
#include "text/encoder.h"

/* A prompt of a file. */
typedef struct sl_prompt_row {
    sl_json *row; /* as read; owned */
    char *text;   /* what is sent to the model, before tokenising; NULL: ids were given */
    int32_t *ids; /* (count), owned */
    size_t count, line;
} sl_prompt_row;

typedef struct sl_prompt_rows {
    sl_prompt_row *row; /* (count) */
    size_t count, capacity, longest;
} sl_prompt_rows;

typedef struct sl_prompt_settings {
    const char *path;
    const sl_text_encoder *encoder; /* NULL: rows of token ids only */
    int is_raw;                     /* a plain prompt is not made a user's message */
    size_t vocab;                   /* ids are below */
} sl_prompt_settings;

/* Rows {"prompt": "..."}, {"prompt": [messages]}, {"messages": [...]}, {"prompt_ids": [...]}; a
 * plain prompt becomes a user's message where the model has a chat format. Errors: SL_EFORMAT with
 * file and line. */
sl_status sl_prompt_rows_read(sl_prompt_rows *out, const sl_prompt_settings *settings) SL_MUSTUSE;
void sl_prompt_rows_close(sl_prompt_rows *rows);

#endif
