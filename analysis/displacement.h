/* Why does the chosen answers' reward fall? A loss over pairs asks for a margin only, so the
 * log-probability of the chosen answers may fall under it (likelihood displacement, arXiv
 * 2410.08847). This report splits the fall by pairs, tokens, ending, length and likeness of the two
 * answers, and says whether it is benign, with the reason. Everything is derived from tables
 * `pairs` and `tokens` of the record; without tokens their columns are NaN. */
#ifndef SL_ANALYSIS_DISPLACEMENT_H
#define SL_ANALYSIS_DISPLACEMENT_H

#include "run/reader.h"
#include <stddef.h>

enum { SL_DISPLACEMENT_WINDOWS = 8, SL_DISPLACEMENT_EXAMPLES = 3 };

/* Updates [first, last] of one iteration. Rewards are log-ratios logp - ref_logp, nats. */
typedef struct sl_displacement_row {
    int64_t first, last;
    uint32_t iteration;
    size_t pairs, tokens;
    double chosen, chosen_se, rejected; /* mean rewards; se over pairs */
    double per_tok;                     /* chosen reward over chosen tokens */
    double fell, rejected_fell;         /* shares of pairs with a negative reward */
    double tokens_fell;                 /* share of the chosen answers' tokens */
    double worst_tenth; /* of what the falling tokens lose: the part of the worst 10 % of all */
    double ending;      /* mean reward of the last token of the chosen answers */
    double ending_part; /* of the chosen answers' fall; NaN when they do not fall */
    double length_corr; /* of reward and length of the chosen answers */
    double
        likeness; /* mean 2 common tokens/(tok_c + tok_r), tokens counted as often as they occur */
    double likeness_corr;             /* of reward per token and likeness */
    double like, unlike, like_gap_se; /* reward per token of the most and the least alike third */
    double entropy;                   /* of the policy at answer tokens, nat/token */
} sl_displacement_row;

typedef enum sl_displacement_kind {
    SL_DISPLACED_UNKNOWN,
    SL_DISPLACED_NOT,
    SL_DISPLACED_LITTLE,
    SL_DISPLACED_ENDING,
    SL_DISPLACED_ALIKE,
    SL_DISPLACED_FEW_TOKENS,
    SL_DISPLACED_EVERYWHERE,
    SL_DISPLACED_KINDS
} sl_displacement_kind;
extern const char *const sl_displacement_names[SL_DISPLACED_KINDS];

typedef struct sl_displacement {
    sl_displacement_row *row; /* (count) windows, ascending */
    size_t count;
    sl_displacement_kind kind; /* of the last window */
    int is_benign;             /* 0 also when unknown */
    char sentence[512];
    uint64_t example[SL_DISPLACEMENT_EXAMPLES]; /* pairs that fell most a token in that window */
    size_t examples;
} sl_displacement;

sl_status sl_displacement_run(sl_displacement *out, sl_reader *reader) SL_MUSTUSE;
void sl_displacement_close(sl_displacement *displacement);
/* The rule on one window: kind, benign or not, sentence. */
void sl_displacement_judge(sl_displacement *out, const sl_displacement_row *window);

#endif
