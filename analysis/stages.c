#include "analysis/stages.h"
#include <math.h>
#include <stddef.h>
#include <string.h>

const char *const sl_place_names[SL_PLACE_COUNT] = { "start",  "off",    "on",   "off_off",
                                                     "off_on", "on_off", "on_on" };

#define OF_CELL(name)                                                                              \
    {                                                                                              \
        "", #name, offsetof(sl_stage_cell, name)                                                   \
    }
#define OF_PLACE(group, at, name)                                                                  \
    {                                                                                              \
        group, #name, offsetof(sl_stage_cell, place[at]) + offsetof(sl_stage_place, name)          \
    }
#define OF_DATA(group, source, name)                                                               \
    {                                                                                              \
        group, #name, offsetof(sl_stage_cell, data[source]) + offsetof(sl_stage_data, name)        \
    }
#define OF_BRANCH(name)                                                                            \
    {                                                                                              \
        "branch", #name, offsetof(sl_stage_cell, branch.name)                                      \
    }
#define PLACE(group, at)                                                                           \
    OF_PLACE(group, at, reward), OF_PLACE(group, at, entropy), OF_PLACE(group, at, kl),            \
        OF_PLACE(group, at, accuracy), OF_PLACE(group, at, gain), OF_PLACE(group, at, gain_se),    \
        OF_PLACE(group, at, bs), OF_PLACE(group, at, bs_se)
#define DATA(group, source)                                                                        \
    OF_DATA(group, source, hamming), OF_DATA(group, source, reward),                               \
        OF_DATA(group, source, reward_sd), OF_DATA(group, source, gap),                            \
        OF_DATA(group, source, close)

static const sl_stage_field fields[] = {
    OF_CELL(seed),
    OF_CELL(strength),
    PLACE("start", SL_PLACE_START),
    PLACE("off", SL_PLACE_OFF),
    PLACE("on", SL_PLACE_ON),
    PLACE("off_off", SL_PLACE_OFF_OFF),
    PLACE("off_on", SL_PLACE_OFF_ON),
    PLACE("on_off", SL_PLACE_ON_OFF),
    PLACE("on_on", SL_PLACE_ON_ON),
    DATA("data_off", SL_STAGE_OFF),
    DATA("data_on", SL_STAGE_ON),
    OF_CELL(margin_on),
    OF_CELL(margin_off),
    OF_CELL(stage),
    OF_CELL(votes),
    OF_CELL(prompts),
    OF_CELL(fixed_votes),
    OF_CELL(cpu_s),
    OF_CELL(flops),
    OF_BRANCH(replicates),
    OF_BRANCH(off),
    OF_BRANCH(on),
    OF_BRANCH(difference),
    OF_BRANCH(sd),
    OF_BRANCH(updates),
    OF_BRANCH(answers),
    OF_BRANCH(votes),
    OF_BRANCH(cpu_s),
};

const sl_stage_field *sl_stage_fields(size_t *count)
{
    *count = sizeof fields / sizeof fields[0];
    return fields;
}

double *sl_stage_number(sl_stage_cell *cell, const sl_stage_field *field)
{
    return (double *)(void *)((char *)cell + field->offset);
}

const char *const sl_stage_methods[SL_STAGE_METHODS] = { "dpo", "slic-hf" };

double sl_stage_number_of(const sl_stage_cell *cell, const sl_stage_field *field)
{
    double value;

    memcpy(&value, (const char *)cell + field->offset, sizeof value);
    return value;
}

void sl_stage_cell_init(sl_stage_cell *cell)
{
    memset(cell, 0, sizeof *cell);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        *sl_stage_number(cell, &fields[i]) = NAN;
}
