/* What `analyze` makes of its inputs, one file each. */
#ifndef SL_CLI_ANALYZE_H
#define SL_CLI_ANALYZE_H

#include "analysis/insight.h"
#include "analysis/votes.h"
#include "base/json.h"
#include "cli/analyze_branch.h"
#include "cli/opts.h"
#include <stddef.h>

/* path: of a run, whose branch tests go to `branches` too (NULL: they are left out). Prints
 * sentences, or with `document` gives stageline.run/1 (owned by the caller) instead; tables go to
 * the folder `out` (NULL: none), which is made when missing. Errors: SL_EFORMAT naming the first
 * look at which the votes give another result than was recorded; the document is there then all the
 * same. */
sl_status sl_analyze_run(sl_json **document, sl_analyze_branches *branches, const char *path,
                         const char *out) SL_MUSTUSE;

/* All tables of a run into the folder `out`, which is made when missing; nothing is printed. */
sl_status sl_analyze_tables(const char *path, const char *out) SL_MUSTUSE;

/* Other losses, displacement, probe texts, gradients, a line each where the record has them. */
void sl_analyze_print_insight(const sl_insight *insight);
/* *document: stageline.pair/1 of the pair with that id (text: decimal or 0x...), owned by the
 * caller. */
sl_status sl_analyze_pair(sl_json **document, const char *path, const char *id) SL_MUSTUSE;
void sl_analyze_print_pair(const sl_json *document);

/* Files of votes, and the votes of runs beside them. */
typedef struct sl_analyze_votes_opts {
    const char *seed;      /* shuffles the prompts; NULL: the order of the file */
    const char *allow_bad; /* share of bad rows; NULL: the default */
    const char *baselines; /* file with the answers of the baselines; NULL: none */
    int is_soft;           /* scores become votes by sigmoid instead of by sign */
} sl_analyze_votes_opts;
/* The limit that --allow-bad asks for. Errors: SL_EUSAGE. */
sl_status sl_analyze_limit(sl_rows_limit *out, const char *allow_bad) SL_MUSTUSE;
/* An entry of "inputs": path, rows, bad rows with lines. */
void sl_analyze_print_input(const sl_json *input);
/* Adds the votes of a file or, of a folder, those of the run in it under its path. */
sl_status sl_analyze_read(sl_vote_set *set, const char *path) SL_MUSTUSE;
/* Lengths of the baselines' answers of that file; NULL: none. */
sl_status sl_analyze_baselines(sl_vote_set *set, const char *path) SL_MUSTUSE;
int sl_analyze_is_run(const char *path); /* a folder */
/* *document: stageline.analysis/1, owned by the caller. path (count). */
sl_status sl_analyze_vote_files(sl_json **document, const char *const *path, size_t count,
                                const sl_analyze_votes_opts *o) SL_MUSTUSE;
/* The document in sentences. */
void sl_analyze_print_votes(const sl_json *document);

/* A point of that document in sentences. */
void sl_analyze_print_point(const sl_json *point);

/* Files of answers. Texts as they were typed; NULL: the default. */
typedef struct sl_analyze_candidates_opts {
    const char *tokens, *seed, *allow_bad;
    const sl_opt_list *embeddings; /* a .npy file for each input */
    const sl_opt_list *chosen;     /* "take=4", ... */
    int is_soft, is_quiet;
} sl_analyze_candidates_opts;
/* *document: stageline.candidates/1, owned by the caller. path (count). */
sl_status sl_analyze_candidate_files(sl_json **document, const char *const *path, size_t count,
                                     const sl_analyze_candidates_opts *o) SL_MUSTUSE;
void sl_analyze_print_candidates(const sl_json *document);
/* What was kept, and the peak of the process, on stderr. */
void sl_analyze_say_memory(const sl_json *memory);
/* The table of metrics. */
sl_status sl_analyze_list_metrics(int is_json) SL_MUSTUSE;

/* Runs the test vectors of a file; prints stageline.golden/1. Errors: SL_EFORMAT unless all passed.
 */
sl_status sl_analyze_golden(const char *path) SL_MUSTUSE;

#endif
