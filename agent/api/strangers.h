/* strangers - who would be told of what they can't read. */
#ifndef PARLEY_API_STRANGERS_H
#define PARLEY_API_STRANGERS_H

#include "plans/faults.h"

struct roster;

/* What came by the channel `of` is named on the channel `told`: a fault where
 * some readers of that one can't read the first. `what`: "action 'A1'". */
void strangers_judge (const struct roster *roster, const char *of,
                      const char *told, const char *pointer, const char *what,
                      struct faults *faults);

#endif
