/* Parts of a comparison. */
#ifndef SL_ANALYSIS_COMPARE_INT_H
#define SL_ANALYSIS_COMPARE_INT_H

#include "analysis/compare.h"
#include "analysis/json_out_int.h"

/* What is compared on prompts: one value a prompt. Subjects of one unit and group can be held
 * against each other. */
typedef struct sl_subject {
    char label[160];              /* name@step */
    const char *unit;             /* "score", "margin_per_byte" */
    const char *judge, *baseline; /* NULL: none */
    uint64_t *prompt;             /* (n) ascending, owned */
    double *value;                /* (n) owned */
    size_t n;
} sl_subject;
typedef struct sl_subjects {
    sl_subject *at;
    size_t count, capacity;
} sl_subjects;
/* Adds a subject of n values; prompts come in any order, those of one prompt become their mean. */
sl_status sl_subject_add(sl_subject **out, sl_subjects *all, const uint64_t *prompt,
                         const double *value, size_t n) SL_MUSTUSE;
void sl_subjects_close(sl_subjects *all);

/* "name@step", or "name". */
void sl_compare_label(char *out, size_t size, const sl_vote_point *point);
/* Keys "runs" and "progress"; subjects by margin. */
sl_status sl_compare_runs(sl_json *out, sl_subjects *all, const sl_compare_set *set) SL_MUSTUSE;
/* Key "paired": every two subjects of one unit, judge and baseline. */
sl_status sl_compare_paired(sl_json *out, const sl_subjects *all, double alpha) SL_MUSTUSE;
/* Keys "strengths" and "differences": Bradley-Terry of every judge. */
sl_status sl_compare_strengths(sl_json *out, const sl_subjects *all, double alpha) SL_MUSTUSE;
/* Adds "p_holm" to the rows of a list, by their "p". */
sl_status sl_compare_holm(sl_json *list) SL_MUSTUSE;

#endif
