/* `score`: what a model thinks of given answers. */
#include "cli/score.h"
#include "cli/commands.h"
#include <stddef.h>

static const sl_opt opts[] = {
    { "data", SL_OPT_TEXT, offsetof(sl_score_opts, data), "FILE",
      "pairs (JSONL, may be gzip'ed, - is stdin)" },
    { "ids", SL_OPT_FLAG, offsetof(sl_score_opts, is_ids), NULL,
      "rows are token ids: prompt_ids, chosen_ids, rejected_ids" },
    { "reference", SL_OPT_TEXT, offsetof(sl_score_opts, reference), "MODEL",
      "its log-probabilities too" },
    { "tokenizer", SL_OPT_TEXT, offsetof(sl_score_opts, tokenizer), "PATH",
      "folder or tokenizer.json (default: the model's)" },
    { "max-prompt", SL_OPT_I64, offsetof(sl_score_opts, max_prompt), "N",
      "cut longer prompts, keeping their end" },
    { "max-answer", SL_OPT_I64, offsetof(sl_score_opts, max_answer), "N",
      "cut longer answers, keeping their start" },
    { "o", SL_OPT_TEXT, offsetof(sl_score_opts, out), "FILE", "rows as JSONL; logits as HDF5" },
    { "json", SL_OPT_FLAG, offsetof(sl_score_opts, is_json), NULL, "one JSON document" },
    { "golden", SL_OPT_TEXT, offsetof(sl_score_opts, golden), "FILE.h5",
      "compare the model with reference values" },
    { "ids-file", SL_OPT_TEXT, offsetof(sl_score_opts, ids_file), "FILE",
      "rows {\"ids\": [...]} for --logits" },
    { "logits", SL_OPT_TEXT, offsetof(sl_score_opts, logits), "top=K|all",
      "of every position, into -o OUT.h5" },
    { "batch-tokens", SL_OPT_I64, offsetof(sl_score_opts, batch_tok), "N",
      "tokens computed at once (4096)" },
    { "device", SL_OPT_TEXT, offsetof(sl_score_opts, device), "NAME",
      "cpu, cpu-bf16, ref or cuda" },
    { "threads", SL_OPT_I64, offsetof(sl_score_opts, threads), "N", "0: all processors" },
    { "quiet", SL_OPT_FLAG, offsetof(sl_score_opts, is_quiet), NULL, "no progress lines" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

/* One way to use the command. */
typedef struct mode {
    const char *option;
    size_t offset; /* of the option's text */
    sl_status (*run)(const sl_score_opts *o, const sl_backend *backend);
} mode;

static const mode modes[] = {
    { "--data", offsetof(sl_score_opts, data), sl_score_pairs },
    { "--golden", offsetof(sl_score_opts, golden), sl_score_golden },
    { "--ids-file", offsetof(sl_score_opts, ids_file), sl_score_logits },
};
enum { MODE_COUNT = sizeof modes / sizeof modes[0] };

static sl_status find_mode(const mode **out, const sl_score_opts *o)
{
    int found = 0;

    for (size_t i = 0; i < MODE_COUNT; i++)
        if (*(const char *const *)((const char *)o + modes[i].offset)) {
            *out = &modes[i];
            found++;
        }
    if (found != 1)
        return SL_FAIL(SL_EUSAGE, "want one of --data, --golden, --ids-file, found %d", found);
    if ((o->ids_file != NULL) != (o->logits != NULL) || (o->logits && !o->out))
        return SL_FAIL(SL_EUSAGE, "want --ids-file, --logits and -o together, found one alone");
    if (o->batch_tok < 1 || o->batch_tok > 1 << 24)
        return SL_FAIL(SL_EUSAGE, "want --batch-tokens in [1, 2^24], found %lld",
                       (long long)o->batch_tok);
    return SL_OK;
}

static sl_status score_run(int argc, char **argv)
{
    sl_score_opts o = { .device = "cpu", .batch_tok = 4096 };
    const char *argument[SL_OPT_LIST_MOST];
    const sl_backend *backend = NULL;
    const mode *m = NULL;
    size_t count;
    int is_done;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_score, argc, argv));
    if (is_done)
        return SL_OK;
    o.model = argument[0];
    SL_TRY(find_mode(&m, &o));
    SL_TRY(sl_err_where(sl_backend_open(&backend, o.device, (int)o.threads), "--device"));
    return m->run(&o, backend);
}

const sl_command sl_command_score = {
    .name = "score",
    .operands = "MODEL --data FILE [-o FILE] [--json]",
    .summary =
        "log-probabilities or rewards of given answers\n"
        "Sums over answer tokens in nats, the end of the turn included. A row that is longer\n"
        "than the model's positions is an error unless --max-prompt and --max-answer cut it.",
    .opts = opts,
    .least = 1,
    .most = 1,
    .example = "stageline score model --data pairs.jsonl.gz --json",
    .run = score_run,
};
