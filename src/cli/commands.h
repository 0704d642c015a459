/* The commands, one file each. */
#ifndef SL_CLI_COMMANDS_H
#define SL_CLI_COMMANDS_H

#include "cli/opts.h"

extern const sl_command sl_command_demo, sl_command_train, sl_command_sample, sl_command_score,
    sl_command_judge, sl_command_measure, sl_command_analyze, sl_command_plot, sl_command_report,
    sl_command_inspect, sl_command_verify, sl_command_text, sl_command_bench, sl_command_audit,
    sl_command_export, sl_command_watch, sl_command_replay, sl_command_compare, sl_command_import;

#endif
