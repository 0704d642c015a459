/* Ctrl-C and SIGTERM ask to stop at the next step boundary; a second one ends the program at once.
 */
#ifndef SL_CLI_STOP_H
#define SL_CLI_STOP_H

void sl_stop_install(void);
const volatile int *sl_stop_flag(void);

#endif
