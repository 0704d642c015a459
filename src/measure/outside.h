/* Samplers outside: answers as words, from a file of candidates, a program, or an OpenAI-compatible
 * server. One row of a table (outside.c) each. Words are all there is: an answer's tokens are its
 * bytes, its log-probability is NaN. */
#ifndef SL_MEASURE_OUTSIDE_H
#define SL_MEASURE_OUTSIDE_H

#include "measure/sampler.h"

typedef struct sl_outside sl_outside;

/* Texts are borrowed until sl_outside_open returns, `stop` until it is closed. What a sampler does
 * not use is ignored. */
typedef struct sl_outside_settings {
    const char *name;         /* row of the table */
    const char *candidates;   /* candidates: file of rows */
    const char *command;      /* command: for /bin/sh -c */
    const char *env;          /* command: variables that it gets (sl_process_settings) */
    const char *url;          /* endpoint: ".../v1" or the whole address */
    const char *model;        /* endpoint: its name there */
    const char *key_env;      /* endpoint: variable that holds the key; NULL: no key */
    double start_s;           /* command: for its first answer, over timeout_s */
    double timeout_s;         /* command: of a batch; endpoint: of a request */
    double backoff_s;         /* before the first new attempt; doubles */
    uint32_t batch;           /* requests under way at a time */
    uint32_t retries;         /* attempts after the first */
    uint32_t max_new;         /* tokens of an answer */
    uint64_t seed;            /* with an answer's stream the seed that is sent */
    const volatile int *stop; /* not 0: SL_EINTERRUPT at once; NULL: never */
} sl_outside_settings;

/* The names of the table, NULL at the end. */
const char *const *sl_outside_names(void);
/* Errors: SL_EARG for settings that do not make a sampler, with the nearest name; SL_EIO,
 * SL_EFORMAT for its files. */
sl_status sl_outside_open(sl_outside **out, const sl_outside_settings *settings) SL_MUSTUSE;
void sl_outside_close(sl_outside **outside);
/* Draws as a sampler; answers carry words until the next draw. Errors of a draw: SL_EARG for
 * prompts without words or a prompt that a file has too few answers to; SL_EIO, SL_EFORMAT,
 * SL_EINTERRUPT as those who are asked. law: temperature and cuts are sent; law->max_new bounds the
 * tokens kept. */
sl_sampler sl_outside_door(sl_outside *outside, const sl_generate *law);

#endif
