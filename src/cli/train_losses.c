#include "cli/train_losses.h"
#include "train/loss.h"
#include <stdio.h>

/* "beta=0.1 smoothing=0"; "-": none. */
static void print_settings(const sl_loss *loss)
{
    const sl_loss_settings set = sl_loss_settings_defaults();
    int is_first = 1;

    for (size_t i = 0; i < sl_loss_parameter_count; i++) {
        const sl_loss_parameter *p = &sl_loss_parameters[i];

        if (!(loss->parameters & p->bit))
            continue;
        printf("%s%s=%g", is_first ? "" : " ", p->name, sl_loss_setting(&set, p));
        is_first = 0;
    }
    if (is_first)
        putchar('-');
}

void sl_print_losses(void)
{
    puts("name\treference\tover\tsettings\tformula\tsource");
    for (const char *const *name = sl_loss_names(); *name; name++) {
        const sl_loss *loss = NULL;

        if (sl_loss_find(&loss, *name) != SL_OK)
            continue;
        printf("%s\t%s\t%s\t", loss->name, loss->needs_reference ? "yes" : "no",
               sl_loss_reduction_names[loss->reduction]);
        print_settings(loss);
        printf("\t%s\t%s\n", loss->formula, loss->source);
    }
}
