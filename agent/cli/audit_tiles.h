/* audit_tiles - the ledger's tree as static files (PROTOCOL.md section 8.15). */
#ifndef PARLEY_CLI_AUDIT_TILES_H
#define PARLEY_CLI_AUDIT_TILES_H

#include "cli.h"

/* `parley audit export --tiles DIR`: an exit code. `yes`: entries are not asked
 * for at the terminal. */
int audit_tiles (const struct cli *cli, const char *dir, bool entries,
                 bool yes);

#endif
