/* Command-line options: a table a command. "--name value" or "--name=value"; a name of one letter
 * is written "-n value". What is left are the arguments, "-" among them. A mistyped option gets the
 * nearest one. */
#ifndef SL_CLI_OPTS_H
#define SL_CLI_OPTS_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

typedef enum sl_opt_type {
    SL_OPT_FLAG, /* int */
    SL_OPT_TEXT, /* const char * */
    SL_OPT_I64,  /* int64_t */
    SL_OPT_F64,  /* double */
    SL_OPT_LIST  /* sl_opt_list: may be given again */
} sl_opt_type;

enum { SL_OPT_LIST_MOST = 64 };
typedef struct sl_opt_list {
    const char *at[SL_OPT_LIST_MOST];
    size_t count;
} sl_opt_list;

typedef struct sl_opt {
    const char *name; /* without the dashes */
    sl_opt_type type;
    size_t offset;       /* in the command's struct */
    const char *operand; /* shown in help: "DIR"; NULL for a flag */
    const char *help;
} sl_opt;

typedef struct sl_command {
    const char *name, *operands, *summary;
    const sl_opt *opts; /* ends with a NULL name */
    size_t least, most; /* arguments */
    const char *example;
    sl_status (*run)(int argc, char **argv);
} sl_command;

/* Fills `out` (the command's struct, defaults already there) from argv[1..]; *argument (argc)
 * receives what is left, *count how many. --help prints the help: *is_done 1 and nothing else
 * happens. Errors: SL_EUSAGE. */
sl_status sl_opts_parse(void *out, const char **argument, size_t *count, int *is_done,
                        const sl_command *command, int argc, char **argv) SL_MUSTUSE;
void sl_opts_help(const sl_command *command);

#endif
