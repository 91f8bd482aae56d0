/* audit_report - what an audit found, as a page for a data-protection officer:
 * period, what was checked and what could not be, who wrote how much, changes of
 * roster with their signers, refusals, late messages, and how to repeat it.
 *
 * One HTML file without scripts or anything from elsewhere; it prints well. */
#ifndef PARLEY_CLI_AUDIT_REPORT_H
#define PARLEY_CLI_AUDIT_REPORT_H

#include "ledger/audit.h"

/* Of a bundle that was checked just now. `compared`: with a dialogue id that was
 * given. `path` must not be there. file_write's errors and bundle.h's. */
enum err audit_report_write (const char *path, const char *dir,
                             const struct audit_report *report, bool compared,
                             struct error *e) MUST_CHECK;

#endif
