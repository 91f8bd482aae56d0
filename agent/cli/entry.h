/* entry - a message in the agent's outbox: shown, and waited for. */
#ifndef PARLEY_ENTRY_H
#define PARLEY_ENTRY_H

#include "client.h"
#include "json.h"

struct entry_wait {
    const char *state;   /* "promised", "done", or NULL: do not wait */
    const char *timeout; /* seconds as given, or NULL: as long as it takes */
    int64_t timeout_ms;  /* set by entry_wait_check; 0: none */
};
/* Words that are no such state or number end the process with `usage`. */
void entry_wait_check (struct entry_wait *self, const char *usage);

/* What the agent answered to a message: waits if asked, prints it, lets go of
 * it. The exit code: CLI_REFUSED for one that was refused or cancelled,
 * CLI_TIME. */
int entry_finish (const struct cli *cli, struct client *client, json_t *entry,
                  const struct entry_wait *wait);
/* "outbox 3: promised at sequence 12, id ...", or as JSON. */
void entry_print (const struct cli *cli, json_t *entry);

#endif
