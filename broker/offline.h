/* offline - the commands of parley-broker that are no daemon: init, fsck,
 * repair. Each prints, and returns the exit code (settings.h). */
#ifndef PARLEY_OFFLINE_H
#define PARLEY_OFFLINE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* An error in the log; the exit code that goes with it. */
int broker_say (const char *id, const struct error *e);

int command_init (const char *config);
/* Open the next epoch, by the roster that `config` names: epoch.h. */
int command_epoch (const char *config);
/* `config` names the broker's key, for marks; NULL: they are not checked. */
int command_fsck (const char *dir, const char *config);
int command_repair (const char *config, bool dry, char **bundles, size_t count);

#endif
