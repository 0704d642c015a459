#ifndef SL_JUDGE_JUDGE_INT_H
#define SL_JUDGE_JUDGE_INT_H

#include "base/json.h"
#include "judge/judge.h"

/* A judge of the table. */
typedef struct sl_judge_row {
    const char *name;
    /* *state: the judge's own, given to the others. On failure close follows where it is set. */
    sl_status (*open)(void **state, const sl_judge_settings *set, const sl_data *data);
    void (*close)(void *state);
    /* vote (count), empty (sl_vote_empty) before; on failure the votes given stay. */
    sl_status (*votes)(sl_vote *vote, void *state, const sl_prompt_text *prompt, const sl_answer *a,
                       const sl_answer *b, size_t count);
    const char *(*identity)(const void *state); /* hex SHA-256; NULL: none */
} sl_judge_row;

extern const sl_judge_row sl_judge_truth, sl_judge_stored, sl_judge_reward, sl_judge_command,
    sl_judge_endpoint, sl_judge_ensemble;

sl_vote sl_vote_empty(void);
/* A vote by scores, p = sigmoid((score_a - score_b) / temperature). */
void sl_vote_by_scores(sl_vote *vote, double score_a, double score_b, double temperature);

/* --- judges that see the answers in an order (orders.c) --------------------------------------- */

typedef struct sl_question {
    const sl_prompt_text *prompt;
    const sl_answer *first, *second;
} sl_question;

enum { SL_CUT_FIRST = 1, SL_CUT_SECOND = 2 };
typedef struct sl_opinion {
    double p;                         /* that the first is better; NaN: none */
    double score_first, score_second; /* NaN: none */
    sl_vote_status status;
    int is_given;
    uint8_t cut; /* SL_CUT_ */
    uint32_t attempts;
} sl_opinion;

/* opinion (count): attempts 0, not given; on failure those given stay. */
typedef sl_status (*sl_ask)(sl_opinion *opinion, void *state, const sl_question *question,
                            size_t count);
/* Votes by a judge that is asked at most `batch` questions at a time: both orders averaged, or one
 * that the seed and the ids of prompt and answers decide, whatever else is asked. */
typedef struct sl_order_settings {
    int both_orders;
    uint64_t seed;
    uint32_t batch;
} sl_order_settings;
sl_status sl_votes_in_orders(sl_vote *vote, const sl_order_settings *set, sl_ask ask, void *state,
                             const sl_prompt_text *prompt, const sl_answer *a, const sl_answer *b,
                             size_t count) SL_MUSTUSE;
/* An opinion without a p: given when failures are kept, else the error. what: "want ..., found". */
sl_status sl_opinion_failed(sl_opinion *opinion, sl_vote_status status, int keeps_failed,
                            const char *wanted, const char *found) SL_MUSTUSE;

/* --- what strangers say: pure functions of their bytes ---------------------------------------- */

typedef struct sl_reply_rules {
    double temperature; /* of scores */
    int keeps_failed;
} sl_reply_rules;
/* A line of a command: *id and the opinion on it. Errors: SL_EFORMAT. */
sl_status sl_command_reply(int64_t *id, sl_opinion *opinion, const sl_reply_rules *rules,
                           const char *line, size_t bytes) SL_MUSTUSE;
/* The body of a chat completion. Errors: SL_EFORMAT. */
sl_status sl_endpoint_reply(sl_opinion *opinion, const sl_reply_rules *rules, const char *body,
                            size_t bytes) SL_MUSTUSE;

/* --- the prompt of an endpoint (template.c) --------------------------------------------------- */

/* *text: owned by the caller. path NULL: the built-in one. Errors: SL_EFORMAT unless {prompt}, {a}
 * and {b} stand in it. */
sl_status sl_template_load(char **text, const char *path) SL_MUSTUSE;
/* The template with its marks replaced in one pass: what answers say is never a mark. */
sl_status sl_template_fill(char **out, const char *text, const char *prompt, const char *first,
                           const char *second) SL_MUSTUSE;

#endif
