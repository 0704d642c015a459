/* The analyzer behind the measurement's advisor interface: the plug between two rooms that do not
 * know each other. */
#ifndef SL_CLI_ADVISE_H
#define SL_CLI_ADVISE_H

#include "analysis/decide.h"
#include "measure/advisor.h"
#include "train/recipe.h"

typedef struct sl_advise {
    sl_advisor door;
    sl_boundary_settings settings;
    sl_boundary boundary;
    sl_decision_rule rule;
    sl_decision_state decided;
    uint32_t max_prompts;
    char parameters[512]; /* of the rule, JSON */
} sl_advise;

/* The rule of the recipe; *advise must stay where it is while the door is in use. */
sl_status sl_advise_open(sl_advise *advise, const sl_recipe *recipe) SL_MUSTUSE;
void sl_advise_close(sl_advise *advise);

#endif
