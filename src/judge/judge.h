/* Judges: who says which answer is better. One interface, one row of a table (judge.c) a judge:
 * truth of the built-in world, scores that are stored, a reward model, a command, an HTTP endpoint,
 * several of them together. */
#ifndef SL_JUDGE_JUDGE_H
#define SL_JUDGE_JUDGE_H

#include "base/rng.h"
#include "datasets/data.h"

typedef struct sl_judge sl_judge;

/* The values are those of the run record's enumerations. */
typedef enum sl_vote_status {
    SL_VOTED,         /* p is in [0,1] */
    SL_VOTED_LATE,    /* no answer in time */
    SL_VOTED_INVALID, /* an answer that names no side */
    SL_VOTED_REFUSED  /* the judge declined */
} sl_vote_status;
enum { SL_VOTE_CUT_A = 1, SL_VOTE_CUT_B = 2 };

typedef struct sl_vote {
    double p;                /* probability that a is better, in [0,1]; NaN: none */
    double score_a, score_b; /* NaN: the judge compares without scores */
    /* p by the order shown: a first, b first; NaN: not asked. Both NaN: the judge sees no order. */
    double p_ab, p_ba;
    double agreement; /* of an ensemble: share of pairs of members on one side; NaN: one judge */
    sl_vote_status status;
    int is_given;      /* answered, or failed for good; 0: not reached before the call failed */
    int is_tie;        /* p is 1/2 exactly */
    uint8_t cut;       /* SL_VOTE_CUT_: answers that the judge did not read whole */
    uint32_t attempts; /* requests made for it, in all orders; 0: none was needed */
} sl_vote;

/* Texts are borrowed until sl_judge_open returns, `stop` until the judge is closed. What a judge
 * does not use is ignored. */
typedef struct sl_judge_settings {
    const char *name;   /* row of the table */
    const char *label;  /* in records and votes; NULL: the model's name, `name` with 12 digits of
                         * the identity, or `name` */
    double temperature; /* of scores: p = sigmoid((score_a - score_b) / temperature), > 0 */
    uint64_t seed;      /* order of a pair that is shown once; delays; noise */
    int is_noisy;       /* truth: 0 or 1, drawn with that probability; no scores */
    int both_orders;    /* ask a pair in both orders and average; else the seed draws one order */
    int keeps_failed;   /* a pair without an answer is a vote of NaN, not an error */
    const char *scores; /* stored: file of scores; NULL: those that the answers carry */
    const char *reward; /* reward: folder of the checkpoint */
    const char *tokenizer;            /* reward: folder or tokenizer.json; NULL: the checkpoint's */
    const struct sl_backend *backend; /* reward: what computes it */
    const char *command;              /* command: for /bin/sh -c */
    const char *env;                  /* command: variables that it gets (sl_process_settings) */
    const char *url;                  /* endpoint: ".../v1" or the whole address */
    const char *model;                /* endpoint: its name there */
    const char *key_env;              /* endpoint: variable that holds the key; NULL: no key */
    const char *template_path;        /* endpoint: file of the prompt; NULL: the built-in one */
    uint32_t max_tok;                 /* endpoint: longest reply */
    double start_s;                   /* command: for its first reply, over timeout_s */
    double timeout_s;                 /* command: of a batch; endpoint: of a request */
    double backoff_s;                 /* before the first new attempt; doubles */
    uint32_t batch;                   /* requests under way at a time */
    uint32_t retries;                 /* attempts after the first */
    const volatile int *stop;         /* not 0: SL_EINTERRUPT at once; NULL: never */
    const struct sl_judge_settings *member; /* ensemble: (member_count) */
    size_t member_count;
} sl_judge_settings;
sl_judge_settings sl_judge_defaults(void); /* name "truth" */

/* data: what "truth" judges; borrowed, NULL for the other judges. Errors: SL_EARG for settings that
 * do not make a judge, with the nearest name; SL_EIO, SL_EFORMAT for its files. */
sl_status sl_judge_open(sl_judge **out, const sl_judge_settings *settings,
                        const sl_data *data) SL_MUSTUSE;
void sl_judge_close(sl_judge **judge);
/* Borrowed: the label. */
const char *sl_judge_name(const sl_judge *judge);
/* Borrowed: hex SHA-256 of the checkpoint that votes; NULL: the judge has none. */
const char *sl_judge_identity(const sl_judge *judge);
/* The names of the table, NULL at the end. */
const char *const *sl_judge_names(void);
/* vote (count): a[i] against b[i] on prompt[i]. On failure the votes already given stay
 * (is_given); the others are NaN. Errors: SL_ESHAPE, SL_EARG for what the judge cannot read;
 * SL_EIO when it died or was late, after its retries; SL_EFORMAT for answers out of protocol;
 * SL_EINTERRUPT. */
sl_status sl_judge_votes(sl_vote *vote, sl_judge *judge, const sl_prompt_text *prompt,
                         const sl_answer *a, const sl_answer *b, size_t count) SL_MUSTUSE;
/* The votes as the judge gave them, one an order; returns how many, 1 or 2. What a judge says
 * without an order, and a failed vote, is one with a first. */
typedef struct sl_vote_order {
    double p; /* that a is better; NaN: failed */
    int is_b_first;
} sl_vote_order;
size_t sl_vote_orders(sl_vote_order out[2], const sl_vote *vote);
/* Draws a label: 1 when a is preferred, by vote p sharpened by 1/temperature in log-odds; *label_p
 * is the probability of the label drawn. vote->p in [0,1], temperature > 0. */
int sl_judge_label(double *label_p, const sl_vote *vote, double temperature, sl_rng *rng);

#endif
