/* cycle_print - the reports of a period at a terminal. */
#ifndef PARLEY_CYCLE_PRINT_H
#define PARLEY_CYCLE_PRINT_H

#include "json.h"

#include <stdbool.h>

/* GET /cycle as JSON (plans/cycle.h has the rows): a table of the plans, then,
 * unless `brief`, each with its actions, milestones, indicators and reports. */
void cycle_print (json_t *answer, bool brief);
/* How many by class and pair of bodies, then, unless `brief`, each. */
void cycle_overlaps_print (json_t *answer, bool brief);

#endif
