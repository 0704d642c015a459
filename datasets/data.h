/* Preference data behind one door, whatever it comes from: the built-in world or a file. A source
 * is a row of a table (sl_data_ops); records are token ids. Everything is a pure function of (seed,
 * split, iteration, index), so nothing has to be saved to resume. */
#ifndef SL_DATASETS_DATA_H
#define SL_DATASETS_DATA_H

#include "base/status.h"
#include "text/chat.h"
#include <stddef.h>
#include <stdint.h>

/* The values are those of the run record's enumerations. */
typedef enum sl_source { SL_SOURCE_STATIC, SL_SOURCE_ON_POLICY, SL_SOURCE_OTHER } sl_source;
typedef enum sl_split {
    SL_SPLIT_TRAIN, /* prompts of training; the world draws fresh ones every iteration */
    SL_SPLIT_PROBE, /* held out: boundary measurement; never trained on */
    SL_SPLIT_EVAL   /* held out: exact reward, frozen over the whole run */
} sl_split;
enum {
    SL_PAIR_PROMPT_CUT = 1,
    SL_PAIR_CHOSEN_CUT = 2,
    SL_PAIR_REJECTED_CUT = 4,
    SL_PAIR_EOS_MISSING = 8,
    SL_PAIR_DUPLICATE = 16,
    SL_PAIR_LABEL_TIE = 32
};

/* Tokens are borrowed from the buffers that the call names. */
typedef struct sl_answer {
    const int32_t *token;
    uint32_t count;
    uint32_t bytes, chars; /* of its words; of token ids without text: count */
    uint64_t id;
    float score;      /* of its judge or generator law; NaN: none */
    const char *text; /* its words, borrowed; NULL: ids are all there is */
} sl_answer;

typedef struct sl_prompt_text {
    const int32_t *token;
    uint32_t count;
    uint64_t id;
    const char *text; /* as sl_answer's: what the user asked, without the marks of a chat format */
} sl_prompt_text;

typedef struct sl_pair {
    sl_prompt_text prompt;
    sl_answer chosen, rejected;
    uint64_t id;
    float
        label_p; /* probability, under the judge's law, of the label that was drawn; NaN: unknown */
    float weight;
    uint32_t flags; /* SL_PAIR_ */
    uint32_t visit; /* epoch within the iteration */
    uint64_t line;  /* of the file it stands in, from 1; 0: none */
    sl_source source;
    int has_ref_logp; /* the file brings log-probabilities under a reference, in nats */
    double ref_logp_c, ref_logp_r;
} sl_pair;

typedef struct sl_data sl_data;
enum { SL_STOPS = 8 };

typedef struct sl_data_limits {
    uint32_t prompt_tok, answer_tok; /* longest of each, after the length rules */
    uint32_t stop_count;             /* end-of-turn ids that close an answer; 0: fixed length */
    int32_t stop[SL_STOPS];
    size_t vocab;       /* token ids are below */
    size_t train_count; /* pairs of the train split; SIZE_MAX: unlimited */
    size_t probe_count; /* prompts of the probe split; SIZE_MAX: unlimited */
} sl_data_limits;

void sl_data_close(sl_data **data);
const sl_data_limits *sl_data_limits_of(const sl_data *data);
/* Hex SHA-256 of what the data are: file bytes, or the world's definition and parameters. */
const char *sl_data_hash(const sl_data *data);

/* Whether the reward is known (the built-in world). */
int sl_data_is_world(const sl_data *data);

/* Buffers are the caller's: token (limits.prompt_tok), (limits.answer_tok) each. */
sl_status sl_data_prompt(sl_prompt_text *out, int32_t *token, const sl_data *data, sl_split split,
                         uint64_t iteration, uint64_t index) SL_MUSTUSE;
/* The static pair of a train prompt, labelled. token: prompt, chosen, rejected buffers one after
 * another (prompt_tok + 2 * answer_tok). */
sl_status sl_data_static_pair(sl_pair *out, int32_t *token, const sl_data *data, uint64_t iteration,
                              uint64_t index) SL_MUSTUSE;
/* The static candidates of a probe prompt, for votes: answer[0..want-1], *count of them there (a
 * file has chosen and rejected; the world draws from `want` different generators).
 * token (want * answer_tok). */
sl_status sl_data_static_candidates(sl_answer *answer, size_t *count, int32_t *token,
                                    const sl_data *data, sl_split split, uint64_t iteration,
                                    uint64_t index, size_t want) SL_MUSTUSE;
/* An answer to imitate (SFT): the world's start generator, or the chosen answer of a file. */
sl_status sl_data_imitation(sl_prompt_text *prompt, sl_answer *answer, int32_t *token,
                            const sl_data *data, uint64_t iteration, uint64_t index) SL_MUSTUSE;

/* Opens the built-in world. */
typedef struct sl_world_settings {
    uint64_t seed;
    double start_content, start_style; /* c, k of the generator to imitate */
    double habit_std;                  /* .5 for starts; static generators have 1 */
    double quirk;                      /* logit of the letter after the right one; 0: none */
    double generator_content[8];       /* c of the static generators */
    size_t generator_count;            /* 5: 0 1 2 3 4 */
    double label_temperature;          /* 1 */
} sl_world_settings;
sl_world_settings sl_world_defaults(void);
sl_status sl_data_open_world(sl_data **out, const sl_world_settings *settings) SL_MUSTUSE;

/* Text to token ids, for rows of text. What it gives is owned by the caller (sl_free). */
typedef struct sl_encoder {
    void *state;
    /* *ids is never NULL on success. is_start: the text begins a sequence (a BOS belongs before it,
     * where the model has one). */
    sl_status (*encode)(void *state, int32_t **ids, size_t *count, const char *text, int is_start);
    /* Messages as text by the model's chat format; is_prompt: with the prompt for the answer. The
     * text is for encode alone: it may hold marks of the encoder's own, in bytes that are no UTF-8.
     * NULL: the encoder knows no chat format. */
    sl_status (*render)(void *state, char **text, const sl_message *message, size_t count,
                        int is_prompt);
} sl_encoder;

/* Least that a row must have. */
typedef enum sl_file_wants {
    SL_WANTS_PAIRS,   /* prompt, chosen, rejected */
    SL_WANTS_ANSWERS, /* prompt and an answer to imitate; of a pair the chosen one */
    SL_WANTS_PROMPTS  /* a prompt; where answers are missing, sl_data_static_ and _imitation fail */
} sl_file_wants;
/* Faults of rows that may be allowed. */
enum { SL_ALLOW_MISMATCH = 1, SL_ALLOW_EOS_MISSING = 2, SL_ALLOW_DOUBLE_BOS = 4 };

/* Opens a file of rows (JSONL or one JSON list, plain or gzip'ed) as token ids or text; the format
 * is found by each row's keys (table in format.h). Prompts are the same when "prompt_id" or their
 * words are. Order: a permutation of the train split for every iteration. The hash is that of the
 * bytes after inflation. Errors: SL_EFORMAT, SL_EARG, SL_EIO, SL_ENOMEM with file, line and
 * field. */
typedef struct sl_file_settings {
    const char *path;
    sl_file_wants wants;
    const sl_encoder *encoder;               /* NULL: rows of token ids only */
    uint32_t max_prompt_tok, max_answer_tok; /* longer ones follow the length rule */
    int drop_long; /* 1: drop the pair, 0: cut (prompt keeps its end, answer its start) */
    uint64_t seed; /* order of the pairs */
    double
        probe_share; /* of the prompts, in [0,1], chosen by hash: held out with all their pairs */
    int keeps_text;  /* 1: prompts and answers of text rows keep their words */
    int is_in_file_order;   /* 1: index i is the i-th pair of the file in every iteration */
    int32_t eos;            /* appended to answers of plain strings; -1: none, and none is missed */
    int32_t stop[SL_STOPS]; /* ids beside eos that close an answer */
    uint32_t stop_count;    /* below SL_STOPS */
    const int32_t *bos;     /* id that begins a sequence; NULL: unknown */
    size_t vocab;           /* ids are below; 0: not checked */
    /* SL_ALLOW_: rows with these faults are counted, others refused. A token that spans prompt and
     * answer puts the mask off by one; where it is allowed the answer is encoded by itself. An end
     * of turn that a cut took away is no fault of the row. */
    unsigned allows;
} sl_file_settings;
sl_status sl_data_open_file(sl_data **out, const sl_file_settings *settings) SL_MUSTUSE;
/* What the length rules and checks did, for the record and for people. */
typedef struct sl_data_report {
    size_t rows;         /* that are not blank */
    size_t pairs;        /* kept */
    size_t empty;        /* dropped: a prompt or an answer without a token */
    size_t ties;         /* dropped: no answer is preferred */
    size_t dropped_long; /* dropped by drop_long */
    size_t cut_prompt, cut_chosen, cut_rejected;
    size_t eos_missing;     /* pairs with an answer, not cut, that no end of turn closes */
    size_t duplicates;      /* pairs that stand in an earlier row too */
    size_t contradictions;  /* pairs whose sides stand swapped in another row */
    size_t same_answers;    /* pairs whose answers are the same */
    size_t prefix_mismatch; /* rows with a token across prompt and answer */
    size_t double_bos;      /* rows that begin with two beginnings */
    size_t probe_prompts;
    size_t referenced; /* pairs that bring the log-probabilities of a reference for both answers */
    size_t held_bytes; /* memory that the pairs take: ids, records, words */
} sl_data_report;
const sl_data_report *sl_data_report_of(const sl_data *data);

#endif
