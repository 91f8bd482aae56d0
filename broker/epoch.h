/* epoch - the first two records of a new epoch, of a stopped broker (PROTOCOL.md
 * section 7.7). */
#ifndef PARLEY_BROKER_EPOCH_H
#define PARLEY_BROKER_EPOCH_H

#include "settings.h"

struct epoch_opened {
    int64_t epoch, base;
    bool already; /* that roster's record is there */
};
/* The roster of the settings' file has to open the epoch behind the ledger's
 * last one, at the ledger's end, with this broker's log key. It and its mark are
 * appended and synced. ERR_CHAIN: it does not follow, or its base is not the
 * ledger's size and root, which are named; ERR_KEY: it lists other keys than
 * ours; ERR_STATE: the folder keeps a checkpoint that settled above the base, or
 * a broker runs. Nothing is written then. */
enum err ledger_epoch (const struct settings *settings,
                       struct epoch_opened *out, struct error *e) MUST_CHECK;

#endif
