/* Cells of the stage benchmark: what one start, trained by one method on either source, gained in
 * exact reward, beside what the boundary score said. Numbers only; who made them is not known here.
 * A cell that was not measured in some respect holds NaN there. */
#ifndef SL_ANALYSIS_STAGES_H
#define SL_ANALYSIS_STAGES_H

#include "analysis/interval.h"
#include "analysis/table.h"
#include <stdint.h>

/* Where a policy stands: at the start, after one iteration on a source, after two. */
typedef enum sl_place {
    SL_PLACE_START,
    SL_PLACE_OFF,
    SL_PLACE_ON,
    SL_PLACE_OFF_OFF,
    SL_PLACE_OFF_ON,
    SL_PLACE_ON_OFF,
    SL_PLACE_ON_ON,
    SL_PLACE_COUNT
} sl_place;
extern const char *const sl_place_names[SL_PLACE_COUNT];

typedef struct sl_stage_place {
    double reward, entropy, kl, accuracy; /* exact; nats; share of right letters */
    double gain, gain_se;                 /* of reward, since the start; SE over probe prompts */
    double bs, bs_se;                     /* boundary score of a fixed sample */
} sl_stage_place;

/* The pairs of the first iteration, of one source. */
typedef struct sl_stage_data {
    double hamming;           /* slots in which the two answers differ, mean */
    double reward, reward_sd; /* over answers */
    double gap, close;        /* mean |difference of rewards|; share below 1 */
} sl_stage_data;

enum { SL_STAGE_OFF, SL_STAGE_ON, SL_STAGE_SOURCES };

/* A branch test at the start: whole iterations on either source, on data of their own. */
typedef struct sl_stage_branch {
    double replicates;                     /* of either source */
    double off, on;                        /* mean gains */
    double difference, sd;                 /* on - off; sd: of a replicate about the mean */
    double updates, answers, votes, cpu_s; /* what it cost */
} sl_stage_branch;

typedef struct sl_stage_cell {
    char world[16], variant[24], method[16];
    double seed, strength;
    sl_stage_place place[SL_PLACE_COUNT];
    sl_stage_data data[SL_STAGE_SOURCES];
    double margin_on, margin_off; /* mean |2p-1| between two answers of one source */
    double stage, votes, prompts; /* of the sequential test at the start (sl_stage) */
    double fixed_votes;           /* of the whole sample that bs is of */
    double cpu_s, flops;          /* spent, without branch; flops: matrix products */
    sl_stage_branch branch;
} sl_stage_cell;

/* A number of a cell: "bs" of "start" is the column start_bs. */
typedef struct sl_stage_field {
    const char *group, *name; /* group "": of the cell itself */
    size_t offset;
} sl_stage_field;
enum { SL_STAGE_METHODS = 2 };
extern const char *const sl_stage_methods[SL_STAGE_METHODS]; /* in the order of tables */
/* All numbers of a cell, in the order of tables and files; *count of them. */
const sl_stage_field *sl_stage_fields(size_t *count);
double *sl_stage_number(sl_stage_cell *cell, const sl_stage_field *field);
double sl_stage_number_of(const sl_stage_cell *cell, const sl_stage_field *field);
void sl_stage_cell_init(sl_stage_cell *cell); /* all numbers NaN, names empty */

#endif
