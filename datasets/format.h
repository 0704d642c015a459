/* Formats of rows: one row of a table each. A reader turns a JSON object into texts or ids; what
 * comes after is common. A row has a prompt, perhaps an answer, perhaps a pair of answers. */
#ifndef SL_DATASETS_FORMAT_H
#define SL_DATASETS_FORMAT_H

#include "base/json.h"
#include "datasets/data.h"

/* A part of a row: ids when they stand in the row, else text. Owned by the reader's caller:
 * sl_raw_close. An answer without words is empty text, also in a conversation. */
typedef struct sl_raw_part {
    char *text;   /* NULL: ids */
    int32_t *ids; /* (count) */
    size_t count;
    char *words; /* what people wrote, where text has marks of a chat format too; NULL: the text */
} sl_raw_part;

enum { SL_PART_PROMPT, SL_PART_CHOSEN, SL_PART_REJECTED, SL_PARTS };
extern const char *const sl_part_names[SL_PARTS];

typedef struct sl_raw {
    sl_raw_part part[SL_PARTS];
    size_t parts;              /* that the row has, the prompt first */
    int wants_eos;             /* plain strings: the end of the answer is not written in them */
    int is_tie;                /* no answer is preferred: the row is no pair */
    double score[SL_PARTS];    /* of chosen and rejected; NaN: none */
    double ref_logp[SL_PARTS]; /* of them under a reference, nats; NaN: none */
    double label_p;            /* probability of the label; NaN: none */
    uint64_t prompt_id;        /* of "prompt_id", text or an integer; 0: none */
    size_t format;             /* place in sl_formats */
} sl_raw;

typedef struct sl_format {
    const char *name;
    int is_text; /* its rows want an encoder */
    int (*fits)(const sl_json *row);
    sl_status (*read)(sl_raw *out, const sl_json *row, const sl_encoder *encoder);
} sl_format;

/* Reads a row by the first format that fits. Errors: SL_EFORMAT naming the field; SL_EARG for text
 * without an encoder. */
sl_status sl_format_read(sl_raw *out, const sl_json *row, const sl_encoder *encoder) SL_MUSTUSE;
void sl_raw_close(sl_raw *raw);

/* Copies object[key] as the text of a part; the place of an error is the field. */
sl_status sl_raw_text(sl_raw *out, int part, const sl_json *object, const char *key) SL_MUSTUSE;

enum { SL_FORMATS = 11 };
extern const sl_format *const sl_formats[SL_FORMATS]; /* in the order in which they are tried */
extern const sl_format sl_format_ids, sl_format_messages, sl_format_transcripts, sl_format_strings,
    sl_format_candidates, sl_format_annotations, sl_format_unpaired, sl_format_completion,
    sl_format_dialogue, sl_format_outputs, sl_format_prompts;

#endif
