/* plan_show - parts of a plan's answer at a terminal, for command_plan_show. */
#ifndef PARLEY_PLAN_SHOW_H
#define PARLEY_PLAN_SHOW_H

#include "json.h"

/* The latest report of each body on each action, of those that count; nothing
 * where there is none. */
void plan_reports_print (json_t *answer);
/* Of a withdrawn plan: by whom and why, and whose agents have hidden it, have
 * not yet, or can't say so. */
void plan_withdrawn_print (json_t *withdrawn);

#endif
