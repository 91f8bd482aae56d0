/* record_print - a record of the ledger as the agent's API gives it, for
 * people. */
#ifndef PARLEY_RECORD_PRINT_H
#define PARLEY_RECORD_PRINT_H

#include "cli.h"
#include "json.h"

/* One line: sequence, time, author, topic, what it holds. JSON: as it is. Does
 * not take the reference. */
void record_print_line (const struct cli *cli, json_t *record);
/* All there is, with its content. */
void record_print_whole (json_t *record);

#endif
