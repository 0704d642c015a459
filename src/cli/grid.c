#include "cli/grid.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/grid_int.h"
#include "cli/pool.h"
#include "cli/progress.h"
#include "cli/recipes.h"
#include "cli/run_recipe.h"
#include "cli/stop.h"
#include "run/files.h"
#include "run/reader.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES_MOST = 1 << 24, SEEDS_MOST = 64 };
enum { FAMILIES, STARTS, METHODS, AXES }; /* a kind of run has the axes up to its own */

static const char *const kinds[] = { "base", "start", "run" };

typedef struct grid_run {
    sl_grid_recipe what;
    sl_recipe start; /* of the starts, where there are any */
    int has_start;
    const sl_grid_request *request;
    sl_grid_value axis[AXES][SL_GRID_VALUES]; /* families, starts, methods */
    size_t count[AXES];
    sl_grid_value phase[2]; /* settings of the first and of the second phase */
    double seed[SEEDS_MOST];
    size_t seeds;
    int kind; /* of the round: base, start, run */
    sl_progress_line line;
    size_t done, total;
} grid_run;

/* A job of a round; axes beyond its kind are 0. */
typedef struct place {
    size_t at[AXES];
    int64_t seed;
} place;

/* --- reading --------------------------------------------------------------------------------- */

static sl_status read_seeds(grid_run *g)
{
    const char *rest = g->what.grid.seeds;

    while (rest[strspn(rest, " ,")]) {
        char word[32];
        size_t bytes;

        rest += strspn(rest, " ,");
        bytes = strcspn(rest, " ,");
        if (bytes >= sizeof word || g->seeds == SEEDS_MOST)
            return SL_FAIL(SL_EFORMAT, "want at most %d seeds, found \"%s\"", SEEDS_MOST,
                           g->what.grid.seeds);
        memcpy(word, rest, bytes);
        word[bytes] = 0;
        SL_TRY(sl_text_f64(&g->seed[g->seeds++], word));
        rest += bytes;
    }
    return g->seeds ? SL_OK : SL_FAIL(SL_EFORMAT, "want a seed, found none");
}

/* Settings without a name: as those of a value "phase". */
static sl_status read_phase(sl_grid_value *out, const char *text)
{
    char named[SL_GRID_TEXT + 16];
    sl_grid_value value[SL_GRID_VALUES];
    size_t count;

    snprintf(named, sizeof named, "phase: %s", text);
    SL_TRY(sl_grid_axis(value, &count, named));
    if (count != 1)
        return SL_FAIL(SL_EFORMAT, "want settings with commas, found \";\" in \"%s\"", text);
    *out = value[0];
    return SL_OK;
}

static sl_status settle(grid_run *g)
{
    const sl_grid *grid = &g->what.grid;
    const char *const text[AXES] = { grid->families, grid->starts, grid->methods };
    static const char *const name[AXES] = { "grid.families", "grid.starts", "grid.methods" };

    for (int a = 0; a < AXES; a++) {
        SL_TRY(sl_err_where(sl_grid_axis(g->axis[a], &g->count[a], text[a]), "%s", name[a]));
        if (!g->count[a])
            return SL_FAIL(SL_EFORMAT, "want a value in %s, found none", name[a]);
    }
    SL_TRY(sl_err_where(read_phase(&g->phase[0], grid->first), "grid.first"));
    SL_TRY(sl_err_where(read_phase(&g->phase[1], grid->second), "grid.second"));
    SL_TRY(sl_err_where(read_seeds(g), "grid.seeds"));
    if (!g->request->processes)
        return SL_OK;
    return g->request->processes > 0
               ? SL_OK
               : SL_FAIL(SL_EUSAGE, "want --threads of 0 or more, found %d", g->request->processes);
}

/* --- jobs ------------------------------------------------------------------------------------ */

static size_t jobs_of(const grid_run *g, int kind)
{
    size_t n = g->seeds;

    for (int a = 0; a <= kind; a++)
        n *= g->count[a];
    return n;
}

static place place_of(const grid_run *g, int kind, size_t job)
{
    place p = { .seed = (int64_t)g->seed[job % g->seeds] };

    job /= g->seeds;
    for (int a = kind; a >= 0; a--) {
        p.at[a] = job % g->count[a];
        job /= g->count[a];
    }
    return p;
}

static sl_status folder_of(char out[SL_RUN_PATH], const grid_run *g, int kind, const place *p)
{
    char name[160];
    size_t used = (size_t)snprintf(name, sizeof name, "%s", kinds[kind]);

    for (int a = 0; a <= kind; a++)
        used += (size_t)snprintf(name + used, sizeof name - used, "-%s", g->axis[a][p->at[a]].name);
    snprintf(name + used, sizeof name - used, "-%lld", (long long)p->seed);
    return sl_file_join(out, SL_RUN_PATH, g->request->out, name);
}

static sl_status apply(sl_recipe *r, const sl_grid_value *v)
{
    for (size_t i = 0; i < v->sets; i++)
        SL_TRY(sl_err_where(sl_yaml_set(r, sl_recipe_keys, sl_recipe_key_count, v->set[i]), "%s",
                            v->name));
    return SL_OK;
}

/* The newest checkpoint of another run of the grid becomes the policy. */
static sl_status begin_from(sl_recipe *r, const grid_run *g, int kind, const place *p)
{
    char folder[SL_RUN_PATH], policy[SL_RUN_PATH];

    SL_TRY(folder_of(folder, g, kind, p));
    SL_TRY(sl_run_last_checkpoint(policy, folder));
    if (strlen(policy) >= sizeof r->model.policy)
        return SL_FAIL(SL_EARG, "want a path below %zu bytes, found \"%s\"", sizeof r->model.policy,
                       policy);
    strcpy(r->model.policy, policy);
    return SL_OK;
}

static sl_status start_recipe(sl_recipe *r, const grid_run *g, int kind, const place *p)
{
    *r = g->start;
    SL_TRY(apply(r, &g->axis[FAMILIES][p->at[FAMILIES]]));
    SL_TRY(apply(r, &g->phase[0]));
    if (kind == FAMILIES)
        return SL_OK;
    SL_TRY(begin_from(r, g, FAMILIES, p));
    SL_TRY(apply(r, &g->phase[1]));
    return apply(r, &g->axis[STARTS][p->at[STARTS]]);
}

static sl_status recipe_of(sl_recipe *r, const grid_run *g, int kind, const place *p)
{
    if (kind < METHODS) {
        SL_TRY(start_recipe(r, g, kind, p));
    } else {
        *r = g->what.recipe;
        if (g->has_start) {
            SL_TRY(begin_from(r, g, STARTS, p));
        } else {
            SL_TRY(apply(r, &g->axis[FAMILIES][p->at[FAMILIES]]));
            SL_TRY(apply(r, &g->axis[STARTS][p->at[STARTS]]));
        }
        SL_TRY(apply(r, &g->axis[METHODS][p->at[METHODS]]));
    }
    r->seed = r->world.seed = p->seed;
    return sl_recipe_check(r);
}

static sl_status is_complete(int *out, const char *folder)
{
    sl_reader_state state;
    sl_reader *reader = NULL;
    sl_status st;

    SL_TRY(sl_reader_open(&reader, folder));
    st = sl_reader_state_get(reader, &state);
    sl_reader_close(&reader);
    *out = !state.is_running && state.ended == SL_ENDED_COMPLETE;
    return st;
}

/* What is there of a run: nothing of worth, a part, or all. */
static sl_status look(int *is_done, int *is_resumed, const char *folder)
{
    char path[SL_RUN_PATH];

    *is_done = *is_resumed = 0;
    if (!sl_file_exists(folder))
        return SL_OK;
    SL_TRY(sl_file_join(path, sizeof path, folder, "run.json"));
    if (!sl_file_exists(path)) /* killed before anything was recorded */
        return sl_file_remove_tree(folder);
    SL_TRY(is_complete(is_done, folder));
    *is_resumed = !*is_done;
    return SL_OK;
}

static sl_status work(void *state, size_t job, char **text)
{
    const grid_run *g = state;
    const place p = place_of(g, g->kind, job);
    sl_run_request request = { .device = g->request->device, .threads = 1, .is_quiet = 1 };
    char folder[SL_RUN_PATH];
    sl_recipe recipe;
    int is_done;

    (void)text;
    SL_TRY(folder_of(folder, g, g->kind, &p));
    SL_TRY(look(&is_done, &request.is_resumed, folder));
    if (is_done)
        return SL_OK;
    SL_TRY(sl_err_where(recipe_of(&recipe, g, g->kind, &p), "%s", folder));
    request.label = request.folder = folder;
    return sl_err_where(sl_run_recipe(&recipe, &request), "%s", folder);
}

static sl_status done(void *state, size_t job, const char *text, size_t bytes)
{
    grid_run *g = state;

    (void)job;
    (void)text;
    (void)bytes;
    sl_progress_count(&g->line, ++g->done, g->total, "runs");
    return SL_OK;
}

/* --- the whole ------------------------------------------------------------------------------- */

static sl_status run_rounds(grid_run *g)
{
    const long all = sysconf(_SC_NPROCESSORS_ONLN);
    const sl_pool pool = { .state = g,
                           .processes = g->request->processes ? (size_t)g->request->processes
                                        : all > 0             ? (size_t)all
                                                              : 1,
                           .work = work,
                           .done = done,
                           .stop = sl_stop_flag() };

    for (int kind = g->has_start ? FAMILIES : METHODS; kind < AXES; kind++)
        g->total += jobs_of(g, kind);
    for (g->kind = g->has_start ? FAMILIES : METHODS; g->kind < AXES; g->kind++)
        SL_TRY(sl_pool_run(&pool, jobs_of(g, g->kind)));
    return SL_OK;
}

/* Every recipe of the grid is sound before the first one is run; policies that are still to come
 * are left out. */
static sl_status check_all(const grid_run *g)
{
    for (size_t job = 0; job < jobs_of(g, METHODS); job++) {
        const place p = place_of(g, METHODS, job);
        sl_recipe r = g->has_start ? g->start : g->what.recipe;

        SL_TRY(apply(&r, &g->axis[FAMILIES][p.at[FAMILIES]]));
        if (g->has_start)
            SL_TRY(apply(&r, &g->phase[0]));
        SL_TRY(apply(&r, &g->phase[1]));
        SL_TRY(apply(&r, &g->axis[STARTS][p.at[STARTS]]));
        SL_TRY(sl_recipe_check(&r));
        r = g->what.recipe;
        SL_TRY(apply(&r, &g->axis[METHODS][p.at[METHODS]]));
        SL_TRY(sl_recipe_check(&r));
    }
    return SL_OK;
}

static sl_status go(grid_run *g)
{
    sl_status st;

    sl_progress_open(&g->line, "grid", g->request->is_quiet);
    sl_stop_install();
    st = run_rounds(g);
    sl_progress_close(&g->line);
    if (st == SL_EINTERRUPT)
        st = sl_err_hint(st, "stageline train --resume --out %s goes on", g->request->out);
    return st;
}

static sl_status grid_path(char out[SL_RUN_PATH], const char *folder)
{
    return sl_file_join(out, SL_RUN_PATH, folder, "grid.json");
}

static sl_status write_grid(const grid_run *g)
{
    sl_json *tree = NULL, *start = NULL, *document = NULL;
    char path[SL_RUN_PATH], *text = NULL;
    sl_status st = SL_OK;

    SL_TRY_OUT(sl_grid_dump(&tree, &g->what));
    if (g->has_start)
        SL_TRY_OUT(sl_yaml_dump(&start, &g->start, sl_recipe_keys, sl_recipe_key_count));
    document =
        json_pack("{s:s, s:O, s:O?}", "schema", "stageline.grid/1", "recipe", tree, "start", start);
    if (!document)
        SL_TRY_OUT(SL_FAIL(SL_ENOMEM, "want memory for grid.json, found none"));
    SL_TRY_OUT(sl_json_dump(&text, document, 1));
    SL_TRY_OUT(sl_file_new_folder(g->request->out));
    SL_TRY_OUT(grid_path(path, g->request->out));
    st = sl_file_write_atomic(path, text, strlen(text));
out:
    sl_json_close(&tree);
    sl_json_close(&start);
    sl_json_close(&document);
    sl_free(text);
    return st;
}

/* Beside the recipe, else among those that come with the program. */
static sl_status load_start(grid_run *g)
{
    const char *name = g->what.grid.start, *end = strrchr(g->request->recipe, '/');
    char path[SL_RUN_PATH];

    g->has_start = name[0] != 0;
    if (!g->has_start)
        return SL_OK;
    snprintf(path, sizeof path, "%.*s%s", end ? (int)(end + 1 - g->request->recipe) : 0,
             g->request->recipe, name);
    if (!sl_file_exists(path))
        SL_TRY(sl_err_where(sl_recipe_path(path, sizeof path, name), "grid.start"));
    return sl_yaml_load(&g->start, sl_recipe_keys, sl_recipe_key_count, path);
}

sl_status sl_grid_run(const sl_grid_recipe *recipe, const sl_grid_request *request)
{
    grid_run *g = NULL;
    sl_status st = SL_OK;

    SL_TRY(sl_take(&g, 1, sizeof *g));
    g->what = *recipe;
    g->request = request;
    if (sl_file_exists(request->out))
        SL_TRY_OUT(sl_err_hint(
            SL_FAIL(SL_EARG, "want a new folder for the grid, found \"%s\"", request->out),
            "--resume goes on with it, another --out leaves it alone"));
    SL_TRY_OUT(sl_err_where(load_start(g), "%s", request->recipe));
    SL_TRY_OUT(sl_err_where(settle(g), "%s", request->recipe));
    SL_TRY_OUT(sl_err_where(check_all(g), "%s", request->recipe));
    SL_TRY_OUT(write_grid(g));
    st = go(g);
out:
    sl_free(g);
    return st;
}

int sl_grid_is_folder(const char *folder)
{
    char path[SL_RUN_PATH];

    return grid_path(path, folder) == SL_OK && sl_file_exists(path);
}

/* The grid of a folder; g->request is set. */
static sl_status load_grid(grid_run *g)
{
    char path[SL_RUN_PATH];
    sl_json *tree = NULL;
    const sl_json *start;
    sl_status st = SL_OK;

    SL_TRY(grid_path(path, g->request->out));
    SL_TRY(sl_json_load(&tree, path, FILE_BYTES_MOST));
    SL_TRY_OUT(sl_grid_undump(&g->what, json_object_get(tree, "recipe"), path));
    start = json_object_get(tree, "start");
    g->has_start = json_is_object(start);
    if (g->has_start)
        SL_TRY_OUT(sl_yaml_undump(&g->start, sl_recipe_keys, sl_recipe_key_count, start, path));
    st = sl_err_where(settle(g), "%s", path);
out:
    sl_json_close(&tree);
    return st;
}

sl_status sl_grid_resume(const sl_grid_request *request)
{
    grid_run *g = NULL;
    sl_status st;

    SL_TRY(sl_take(&g, 1, sizeof *g));
    g->request = request;
    st = load_grid(g);
    if (st == SL_OK)
        st = go(g);
    sl_free(g);
    return st;
}

static sl_status list(sl_grid_place **out, size_t *count, const grid_run *g)
{
    *count = jobs_of(g, METHODS);
    SL_TRY(sl_take(out, *count + 1, sizeof **out));
    for (size_t job = 0; job < *count; job++) {
        const place p = place_of(g, METHODS, job);
        sl_grid_place *to = &(*out)[job];

        to->seed = p.seed;
        strcpy(to->family, g->axis[FAMILIES][p.at[FAMILIES]].name);
        strcpy(to->start, g->axis[STARTS][p.at[STARTS]].name);
        strcpy(to->method, g->axis[METHODS][p.at[METHODS]].name);
        SL_TRY(folder_of(to->run, g, METHODS, &p));
    }
    return SL_OK;
}

sl_status sl_grid_list(sl_grid_place **out, size_t *count, const char *folder)
{
    const sl_grid_request request = { .out = folder };
    grid_run *g = NULL;
    sl_status st;

    *out = NULL;
    SL_TRY(sl_take(&g, 1, sizeof *g));
    g->request = &request;
    st = load_grid(g);
    if (st == SL_OK)
        st = list(out, count, g);
    sl_free(g);
    if (st != SL_OK) {
        sl_free(*out);
        *out = NULL;
    }
    return st;
}
