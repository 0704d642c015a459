#include "remote/server.h"
#include "remote/process.h"

#include <stdio.h>
#include <stdlib.h>

static sl_process *process;
static char port[16];

static sl_status take_port(void *with, int *is_done, const char *line, size_t bytes)
{
    (void)with;
    snprintf(port, sizeof port, "%.*s", (int)(bytes < 8 ? bytes : 8), line);
    *is_done = 1;
    return SL_OK;
}

int server_start(void)
{
    const char *python = getenv("STAGELINE_PYTHON"), *root = getenv("STAGELINE_SOURCE");
    sl_process_settings set = sl_process_defaults();
    char command[4096];

    if (!python || !*python || !root)
        return 0;
    snprintf(command, sizeof command, "exec '%s' '%s/tests/remote/server.py'", python, root);
    set.command = command;
    if (sl_process_open(&process, &set) == SL_OK &&
        sl_process_exchange(process, "", 0, 30.0, take_port, NULL) == SL_OK)
        return 1;
    fprintf(stderr, "%s\n", sl_err_message());
    exit(1);
}

void server_stop(void)
{
    sl_process_close(&process);
}

const char *server_url(const char *path)
{
    static char url[8192];

    snprintf(url, sizeof url, "http://127.0.0.1:%s%s", port, path);
    return url;
}
