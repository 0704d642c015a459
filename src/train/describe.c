/* What a run is, for run.json: everything that its result depends on. */
#include "train/session.h"

/* name, formula, source, reference, logp: of the first term; the rest is of all. */
static sl_status describe_loss(sl_json **out, const sl_session *s)
{
    const char *sft = "mean of -log p over all answer tokens of the update";
    char form[SL_OBJECTIVE_FORM];
    sl_json *tree = NULL, *first;

    if (s->update.is_reward) {
        *out = json_pack("{s:s, s:s, s:s, s:f, s:s}", "name", "bradley-terry", "formula",
                         "-(1 - smoothing) log sigmoid(m) - smoothing log sigmoid(-m), "
                         "m = reward_c - reward_r",
                         "source", "arXiv 2203.02155 eq. 1", "smoothing",
                         s->objective.settings.smoothing, "loss_form",
                         "bradley-terry (score.weight at the last token, no reference)");
        return *out ? SL_OK : SL_FAIL(SL_ENOMEM, "want memory for a loss, found none");
    }
    if (!s->loss) {
        *out = json_pack("{s:s, s:s, s:s}", "name", "sft", "formula",
                         "-mean over all answer tokens of log p", "loss_form", sft);
        return *out ? SL_OK : SL_FAIL(SL_ENOMEM, "want memory for a loss, found none");
    }
    SL_TRY(sl_objective_describe(&tree, s->loss));
    sl_objective_form(form, s->loss);
    first = json_array_get(json_object_get(tree, "terms"), 0);
    if (json_object_update_missing(tree, first) != 0 ||
        json_object_set_new(tree, "name", json_string(s->recipe.method.loss)) != 0 ||
        json_object_set_new(tree, "loss_form", json_string(form)) != 0) {
        sl_json_close(&tree);
        return SL_FAIL(SL_ENOMEM, "want memory for a loss, found none");
    }
    *out = tree;
    return SL_OK;
}

/* Source and hash; of a file also what reading, checks and length rules did. */
static sl_json *describe_data(const sl_session *s)
{
    const sl_data_report *r = sl_data_report_of(s->data);
    sl_json *tree = json_pack("{s:s, s:s}", "source", s->recipe.data.source, "sha256",
                              sl_data_hash(s->data)),
            *counts;

    if (!tree || sl_data_is_world(s->data))
        return tree;
    counts = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rows",
        (json_int_t)r->rows, "kept", (json_int_t)r->pairs, "probe_prompts",
        (json_int_t)r->probe_prompts, "empty", (json_int_t)r->empty, "ties", (json_int_t)r->ties,
        "dropped_long", (json_int_t)r->dropped_long, "cut_prompt", (json_int_t)r->cut_prompt,
        "cut_chosen", (json_int_t)r->cut_chosen, "cut_rejected", (json_int_t)r->cut_rejected,
        "eos_missing", (json_int_t)r->eos_missing, "double_bos", (json_int_t)r->double_bos,
        "prefix_mismatch", (json_int_t)r->prefix_mismatch, "duplicates", (json_int_t)r->duplicates,
        "contradictions", (json_int_t)r->contradictions);
    if (json_object_set_new(tree, "counts", counts) != 0) {
        sl_json_close(&tree);
        return NULL;
    }
    return tree;
}

/* Of a measurement of a model elsewhere: what was asked, and the data. */
static sl_status describe_elsewhere(sl_json **out, const sl_session *s)
{
    sl_json *recipe = NULL;

    SL_TRY(sl_yaml_dump(&recipe, &s->recipe, sl_recipe_keys, sl_recipe_key_count));
    *out = json_pack("{s:o, s:s, s:o, s:s, s:s*, s:I}", "recipe", recipe, "sampler", s->door.name,
                     "data", describe_data(s), "judge", sl_judge_name(s->judge), "judge_sha256",
                     sl_judge_identity(s->judge), "vocab",
                     (json_int_t)sl_data_limits_of(s->data)->vocab);
    return *out ? SL_OK : SL_FAIL(SL_ENOMEM, "want memory to describe the run, found none");
}

/* Of the whole run; NULL: it measures and trains nothing. */
static sl_json *updates_json(const sl_session *s)
{
    return s->feed.settings.batch
               ? json_integer((json_int_t)(s->recipe.train.iterations * sl_session_updates(s)))
               : NULL;
}

static sl_status describe_here(sl_json **out, const sl_session *s)
{
    const sl_config *c = sl_model_config(s->policy);
    char policy[65], reference[65] = "";
    sl_json *recipe = NULL, *loss = NULL, *tree;

    SL_TRY(sl_model_hash(policy, s->policy));
    if (s->reference)
        SL_TRY(sl_model_hash(reference, s->reference));
    SL_TRY(sl_yaml_dump(&recipe, &s->recipe, sl_recipe_keys, sl_recipe_key_count));
    if (describe_loss(&loss, s) != SL_OK) {
        sl_json_close(&recipe);
        return sl_err_code();
    }
    tree = json_pack("{s:o, s:o, s:{s:s, s:s, s:I, s:s}, s:s*, s:o, s:s*, s:s, s:s*, s:I, s:o*}",
                     "recipe", recipe, "loss", loss, "policy", "family", sl_config_family_name(c),
                     "sha256", policy, "parameters", (json_int_t)sl_config_parameters(c), "path",
                     s->recipe.model.policy, "reference_sha256", s->reference ? reference : NULL,
                     "data", describe_data(s), "tokenizer_sha256",
                     s->tokenizer_hash[0] ? s->tokenizer_hash : NULL, "judge",
                     s->judge ? sl_judge_name(s->judge) : "", "judge_sha256",
                     s->judge ? sl_judge_identity(s->judge) : NULL, "vocab", (json_int_t)c->V,
                     "updates", updates_json(s));
    if (!tree)
        return SL_FAIL(SL_ENOMEM, "want memory to describe the run, found none");
    *out = tree;
    return SL_OK;
}

sl_status sl_session_describe(sl_json **out, const sl_session *s)
{
    return s->policy ? describe_here(out, s) : describe_elsewhere(out, s);
}
