/* The options by which commands name a judge: rows for their tables, and the settings they make. */
#ifndef SL_CLI_JUDGE_OPTS_H
#define SL_CLI_JUDGE_OPTS_H

#include "cli/opts.h"
#include "judge/judge.h"

enum { SL_JUDGE_MEMBERS_MOST = 8 };

typedef struct sl_judge_opts {
    sl_judge_settings set;
    sl_opt_list member, number;
    const char *device; /* of a reward model */
    uint32_t threads;
    sl_judge_settings of_member[SL_JUDGE_MEMBERS_MOST]; /* set.member */
} sl_judge_opts;

/* Rows of a table sl_opt[]; type: the command's struct, at: its member of type sl_judge_opts. */
#define SL_JUDGE_OPT_ROWS(type, at)                                                                \
    { "judge", SL_OPT_TEXT, offsetof(type, at.set.name), "NAME",                                   \
      "truth, stored, reward, command, endpoint or ensemble" },                                    \
        { "both-orders", SL_OPT_FLAG, offsetof(type, at.set.both_orders), NULL,                    \
          "ask each pair twice, sides swapped; else the seed draws one order" },                   \
        { "reward", SL_OPT_TEXT, offsetof(type, at.set.reward), "MODEL",                           \
          "reward: folder (--set tokenizer=PATH device=NAME threads=N)" },                         \
        { "command", SL_OPT_TEXT, offsetof(type, at.set.command), "CMD",                           \
          "command: a program that reads and writes lines of JSON" },                              \
        { "url", SL_OPT_TEXT, offsetof(type, at.set.url), "URL",                                   \
          "endpoint: OpenAI-compatible address, http://.../v1" },                                  \
        { "model", SL_OPT_TEXT, offsetof(type, at.set.model), "NAME", "endpoint: its model" },     \
        { "key-env", SL_OPT_TEXT, offsetof(type, at.set.key_env), "VARIABLE",                      \
          "endpoint: environment variable that holds the key" },                                   \
        { "template", SL_OPT_TEXT, offsetof(type, at.set.template_path), "FILE",                   \
          "endpoint: prompt with {prompt}, {a}, {b}" },                                            \
        { "scores", SL_OPT_TEXT, offsetof(type, at.set.scores), "FILE",                            \
          "stored: scores by prompt_id and answer (default: of the candidates)" },                 \
        { "member", SL_OPT_LIST, offsetof(type, at.member), "NAME",                                \
          "ensemble: a judge of it; again for each" },                                             \
        { "label", SL_OPT_TEXT, offsetof(type, at.set.label), "TEXT",                              \
          "the judge's name in the votes" },                                                       \
        { "keep-failed", SL_OPT_FLAG, offsetof(type, at.set.keeps_failed), NULL,                   \
          "pairs without an answer become votes of null instead of an error" },                    \
    {                                                                                              \
        "set", SL_OPT_LIST, offsetof(type, at.number), "KEY=VALUE",                                \
            "seed temperature batch timeout_s start_s retries backoff_s max_tok env"               \
    }

sl_judge_opts sl_judge_opts_defaults(void); /* no judge is named */
/* After the options were read: numbers, what computes a reward model, members (which have all other
 * settings in common), the stop flag. Errors: SL_EUSAGE. */
sl_status sl_judge_opts_settle(sl_judge_opts *o) SL_MUSTUSE;
/* Whether a judge of them wants the built-in world as its data. */
int sl_judge_opts_want_world(const sl_judge_opts *o);

#endif
