#include "cli/stop.h"
#include <signal.h>
#include <stddef.h>

static volatile int stop_flag;

static void on_signal(int number)
{
    (void)number;
    stop_flag = 1;
}

void sl_stop_install(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

const volatile int *sl_stop_flag(void)
{
    return &stop_flag;
}
