/* `audit`: what is wrong with a data file, before anything is trained on it. */
#include "analysis/interval.h"
#include "cli/commands.h"
#include "cli/print.h"
#include "datasets/audit.h"
#include "train/data_file.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct audit_opts {
    const char *model, *tokenizer, *probe;
    int is_json;
    sl_opt_list set;
} audit_opts;

static const sl_opt opts[] = {
    { "model", SL_OPT_TEXT, offsetof(audit_opts, model), "FOLDER",
      "its tokenizer, chat format, ends of turn and vocabulary" },
    { "tokenizer", SL_OPT_TEXT, offsetof(audit_opts, tokenizer), "T",
      "tokenizer.json or a folder that holds one" },
    { "probe", SL_OPT_TEXT, offsetof(audit_opts, probe), "FILE",
      "prompts kept for measurement, which must not stand in the data" },
    { "set", SL_OPT_LIST, offsetof(audit_opts, set), "KEY=VALUE",
      "override a key, as data.max_prompt=512; may be given again" },
    { "json", SL_OPT_FLAG, offsetof(audit_opts, is_json), NULL, "one JSON document" },
    { NULL, SL_OPT_FLAG, 0, NULL, NULL },
};

/* What was audited, and how. */
typedef struct audited {
    const char *path;
    const sl_recipe *recipe;
    const sl_data_file *data;
    sl_audit audit;
} audited;

/* --- what to audit --------------------------------------------------------------------------- */

static int is_recipe(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml"));
}

static sl_status put_path(char *to, size_t size, const char *path, const char *what)
{
    if (strlen(path) >= size)
        return SL_FAIL(SL_EUSAGE, "want %s of fewer than %zu bytes, found a longer one", what,
                       size);
    strcpy(to, path);
    return SL_OK;
}

/* A file without a recipe is audited by the defaults of one. */
static sl_status load_recipe(sl_recipe *r, const audit_opts *o, const char *path)
{
    if (is_recipe(path)) {
        SL_TRY(sl_yaml_load(r, sl_recipe_keys, sl_recipe_key_count, path));
    } else {
        SL_TRY(sl_yaml_defaults(r, sl_recipe_keys, sl_recipe_key_count));
        SL_TRY(put_path(r->data.source, sizeof r->data.source, path, "a path"));
    }
    if (o->model)
        SL_TRY(put_path(r->model.policy, sizeof r->model.policy, o->model, "a model"));
    if (o->tokenizer)
        SL_TRY(put_path(r->data.tokenizer, sizeof r->data.tokenizer, o->tokenizer, "a tokenizer"));
    for (size_t i = 0; i < o->set.count; i++)
        SL_TRY(sl_yaml_set(r, sl_recipe_keys, sl_recipe_key_count, o->set.at[i]));
    if (!strcmp(r->data.source, "world"))
        return sl_err_where(
            SL_FAIL(SL_EARG, "want data.source to be a file, found the built-in world"), "%s",
            path);
    return SL_OK;
}

/* A special token is one id where it counts as such, and ordinary text where it does not. */
static sl_status has_special(void *state, int *out, const char *text)
{
    const sl_tokenizer *tokenizer = sl_text_encoder_tokenizer(state);
    const size_t bytes = strlen(text);
    sl_ids with = { 0 }, without = { 0 };
    sl_status st = SL_OK;

    *out = 0;
    SL_TRY_OUT(sl_tokenizer_encode(&with, tokenizer, text, bytes, SL_ENCODE_SPECIAL_IN_TEXT));
    SL_TRY_OUT(sl_tokenizer_encode(&without, tokenizer, text, bytes, 0));
    *out = with.count != without.count ||
           (with.count && memcmp(with.id, without.id, with.count * sizeof *with.id) != 0);
out:
    sl_ids_close(&with);
    sl_ids_close(&without);
    return st;
}

/* --- results --------------------------------------------------------------------------------- */

static double decided(const sl_audit_lengths *l)
{
    return (double)(l->chosen_longer + l->chosen_shorter);
}

/* NaN for what is no share of rows. */
static double share_of(const sl_audit *a, sl_fault fault)
{
    const double of = fault == SL_FAULT_LENGTH_BIAS ? decided(&a->lengths) : (double)a->report.rows;

    return fault == SL_FAULT_LONGEST ? NAN : (double)a->tally[fault].count / of;
}

static size_t kinds_of(const audited *d, sl_severity severity)
{
    size_t n = 0;

    for (int f = 0; f < SL_FAULTS; f++)
        n += d->audit.tally[f].count &&
             sl_fault_severity((sl_fault)f, d->data->file.allows) == severity;
    return n;
}

static sl_json *places_json(const sl_fault_tally *t)
{
    sl_json *list = json_array();

    for (size_t i = 0; i < t->place_count; i++)
        json_array_append_new(list,
                              json_pack("{s:I, s:s?, s:s?}", "line", (json_int_t)t->place[i].line,
                                        "field", t->place[i].field, "what",
                                        t->place[i].what[0] ? t->place[i].what : NULL));
    return list;
}

static sl_json *findings_json(const audited *d)
{
    sl_json *list = json_array();

    for (int f = 0; f < SL_FAULTS; f++) {
        const sl_fault_tally *t = &d->audit.tally[f];
        const sl_fault_kind *kind = sl_fault_kind_of((sl_fault)f);
        const sl_severity severity = sl_fault_severity((sl_fault)f, d->data->file.allows);

        if (t->count)
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:I, s:o, s:s, s:o}", "name", kind->name, "severity",
                                sl_severity_names[severity], "count", (json_int_t)t->count, "share",
                                sl_json_number(share_of(&d->audit, (sl_fault)f)), "what",
                                kind->what, "places", places_json(t)));
    }
    return list;
}

static sl_json *lengths_json(const audited *d)
{
    const sl_audit_lengths *l = &d->audit.lengths;
    const double n = decided(l), none = d->audit.has_tokens ? 0.0 : NAN;
    const sl_interval i = sl_wilson((double)l->chosen_longer, n, 0.05);

    return json_pack(
        "{s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "chosen_longer",
        (json_int_t)l->chosen_longer, "chosen_shorter", (json_int_t)l->chosen_shorter, "equal",
        (json_int_t)l->equal, "chosen_longer_share", sl_json_number((double)l->chosen_longer / n),
        "lower", sl_json_number(n > 0.0 ? i.lower : NAN), "upper",
        sl_json_number(n > 0.0 ? i.upper : NAN), "prompt_chars", sl_json_number(l->prompt_chars),
        "chosen_chars", sl_json_number(l->chosen_chars), "rejected_chars",
        sl_json_number(l->rejected_chars), "prompt_tokens", sl_json_number(l->prompt_tok + none),
        "chosen_tokens", sl_json_number(l->chosen_tok + none), "rejected_tokens",
        sl_json_number(l->rejected_tok + none));
}

static sl_json *rules_json(const audited *d)
{
    const sl_file_settings *s = &d->data->file;

    return json_pack("{s:I, s:I, s:b, s:o, s:o, s:o}", "max_prompt", (json_int_t)s->max_prompt_tok,
                     "max_answer", (json_int_t)s->max_answer_tok, "drop_long", s->drop_long,
                     "probe_share", sl_json_number(s->probe_share), "eos",
                     s->eos >= 0 ? json_integer(s->eos) : json_null(), "bos",
                     s->bos ? json_integer(*s->bos) : json_null());
}

static sl_status print_document(const audited *d)
{
    const sl_audit *a = &d->audit;
    const size_t pairs = a->lengths.chosen_longer + a->lengths.chosen_shorter + a->lengths.equal;
    const char *tokenizer =
        d->data->text ? sl_tokenizer_hash(sl_text_encoder_tokenizer(d->data->text)) : NULL;
    sl_json *formats = json_object(), *tree;
    sl_status st;

    for (size_t i = 0; i < a->format_count; i++)
        json_object_set_new(formats, a->format[i].name,
                            json_integer((json_int_t)a->format[i].rows));
    tree =
        json_pack("{s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:s?, s:b, s:o, s:o, s:I, s:I, "
                  "s:o}",
                  "schema", "stageline.audit/1", "path", d->path, "sha256", a->hash, "formats",
                  formats, "rows", (json_int_t)a->report.rows, "kept", (json_int_t)a->report.pairs,
                  "pairs", (json_int_t)pairs, "prompts", (json_int_t)a->prompts, "probe_prompts",
                  (json_int_t)a->report.probe_prompts, "tokenizer_sha256", tokenizer, "has_tokens",
                  a->has_tokens, "rules", rules_json(d), "lengths", lengths_json(d), "errors",
                  (json_int_t)kinds_of(d, SL_SEVERITY_ERROR), "warnings",
                  (json_int_t)kinds_of(d, SL_SEVERITY_WARNING), "findings", findings_json(d));
    if (!tree)
        return SL_FAIL(SL_ENOMEM, "want memory for the findings, found none");
    st = sl_print_json(tree);
    sl_json_close(&tree);
    return st;
}

static void print_lengths(const audited *d)
{
    const sl_audit_lengths *l = &d->audit.lengths;
    const double n = decided(l);
    const sl_interval i = sl_wilson((double)l->chosen_longer, n, 0.05);

    if (!(l->prompt_chars >= 0.0))
        return;
    printf("characters, mean: prompt %.1f, chosen %.1f, rejected %.1f\n", l->prompt_chars,
           l->chosen_chars, l->rejected_chars);
    if (d->audit.has_tokens)
        printf("tokens, mean: prompt %.1f, chosen %.1f, rejected %.1f\n", l->prompt_tok,
               l->chosen_tok, l->rejected_tok);
    if (n > 0.0)
        printf("the chosen answer is the longer one in %.1f %% [%.1f, %.1f] of %.0f pairs of "
               "unequal length\n",
               100.0 * (double)l->chosen_longer / n, 100.0 * i.lower, 100.0 * i.upper, n);
}

static void print_place(const audited *d, const sl_fault_place *p)
{
    fputs("    ", stdout);
    sl_print_text(d->path);
    printf(":%" PRIu64, p->line);
    if (p->field)
        printf(" field \"%s\"", p->field);
    if (p->what[0]) {
        fputs(": ", stdout);
        sl_print_text(p->what);
    }
    putchar('\n');
}

static void print_findings(const audited *d)
{
    for (int f = 0; f < SL_FAULTS; f++) {
        const sl_fault_tally *t = &d->audit.tally[f];
        const sl_fault_kind *kind = sl_fault_kind_of((sl_fault)f);

        if (!t->count)
            continue;
        printf("\n%-7s %-16s %7zu  ",
               sl_severity_names[sl_fault_severity((sl_fault)f, d->data->file.allows)], kind->name,
               t->count);
        if (!isnan(share_of(&d->audit, (sl_fault)f)))
            printf("%5.1f %%  ", 100.0 * share_of(&d->audit, (sl_fault)f));
        puts(kind->what);
        for (size_t i = 0; i < t->place_count; i++)
            print_place(d, &t->place[i]);
    }
}

static void print_text(const audited *d)
{
    const sl_audit *a = &d->audit;
    const size_t pairs = a->lengths.chosen_longer + a->lengths.chosen_shorter + a->lengths.equal;

    sl_print_text(d->path);
    printf(": %zu rows, %zu kept, %zu pairs, %zu prompts, %zu of them held out for probes\n",
           a->report.rows, a->report.pairs, pairs, a->prompts, a->report.probe_prompts);
    for (size_t i = 0; i < a->format_count; i++)
        printf("%s%s %zu", i ? ", " : "formats: ", a->format[i].name, a->format[i].rows);
    if (a->format_count)
        putchar('\n');
    print_lengths(d);
    if (!a->has_tokens)
        puts("tokens were not looked at: --model or --tokenizer says which");
    else if (d->data->file.eos < 0)
        puts("ends of turn were not looked at: --model says which");
    print_findings(d);
}

static sl_status verdict(const audited *d)
{
    const size_t errors = kinds_of(d, SL_SEVERITY_ERROR);

    if (!errors)
        return SL_OK;
    return sl_err_where(SL_FAIL(SL_EFORMAT, "want data without errors, found %zu kind%s of them",
                                errors, errors == 1 ? "" : "s"),
                        "%s", d->path);
}

static sl_status audit_data(const sl_recipe *recipe, const audit_opts *o, int is_bare)
{
    sl_audit_settings set = { .probe = o->probe, .has_special = has_special };
    audited d = { .path = recipe->data.source, .recipe = recipe };
    sl_data_file data;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_data_file_open(&data, recipe));
    d.data = &data;
    set.file = data.file;
    if (is_bare) /* no method says that pairs are wanted */
        set.file.wants = SL_WANTS_PROMPTS;
    SL_TRY_OUT(sl_audit_file(&d.audit, &set));
    if (o->is_json)
        SL_TRY_OUT(print_document(&d));
    else
        print_text(&d);
    st = verdict(&d);
out:
    sl_data_file_close(&data);
    return st;
}

static sl_status audit_run(int argc, char **argv)
{
    audit_opts o = { 0 };
    const char *argument[SL_OPT_LIST_MOST];
    sl_recipe recipe;
    size_t count;
    int is_done;

    if (argc > SL_OPT_LIST_MOST)
        return SL_FAIL(SL_EUSAGE, "want at most %d words, found %d", SL_OPT_LIST_MOST, argc);
    SL_TRY(sl_opts_parse(&o, argument, &count, &is_done, &sl_command_audit, argc, argv));
    if (is_done)
        return SL_OK;
    SL_TRY(load_recipe(&recipe, &o, argument[0]));
    return audit_data(&recipe, &o, !is_recipe(argument[0]));
}

const sl_command sl_command_audit = {
    .name = "audit",
    .operands = "(RECIPE.yaml | FILE) [--json]",
    .summary = "faults of the data before anything is trained on it\n"
               "Cuts, missing ends of turn, doubled beginnings, tokens across prompt and answer, "
               "repeats,\n"
               "contradictions, overlap with probe prompts, length bias; each with its first "
               "places.\n"
               "Exit code 1 if train would refuse the data. docs/formats.md: formats of rows.",
    .opts = opts,
    .least = 1,
    .most = 1,
    .example = "stageline audit tests/datasets/fixtures/hh_rlhf.jsonl",
    .run = audit_run,
};
