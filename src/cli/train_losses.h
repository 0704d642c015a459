/* The table of losses, for people and for scripts. */
#ifndef SL_CLI_TRAIN_LOSSES_H
#define SL_CLI_TRAIN_LOSSES_H

/* Tab-separated: name, reference (yes, no), over (tokens: sum, mean, batch mean), settings with
 * their defaults, formula, source. */
void sl_print_losses(void);

#endif
