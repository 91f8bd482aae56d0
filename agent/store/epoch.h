/* epoch - the store goes back to the base of a new epoch (PROTOCOL.md section
 * 7.7): what stood at or above it in the old one is void.
 *
 * In the caller's transaction, and once an epoch: what stands above the base
 * afterwards is the new epoch's. Positions go on from the last that was given:
 * nobody's cursor meets another record under one that it knows. */
#ifndef PARLEY_STORE_EPOCH_H
#define PARLEY_STORE_EPOCH_H

#include "store.h"

/* The epoch that this store has entered; 1 at first. */
int64_t epoch_entered (struct store *self);

struct epoch_void {
    int64_t records;  /* that were held, whole blocks of them */
    int64_t messages; /* of the outbox, that wait again */
};
/* Enter epoch `number`. The store's errors. */
enum err epoch_cut (struct store *self, int64_t number, int64_t base,
                    struct epoch_void *out, struct error *e) MUST_CHECK;

/* What there is of rosters, the floor above which positions are, and how often a
 * block was put there again (records_mend): to see whether rosters came, an epoch
 * took records away, or bodies that were read are others (erased, say). */
struct store_basis {
    int64_t rosters, roster_sequence; /* -1: none */
    int64_t floor;
    int64_t mended;
};
void store_basis (struct store *self, struct store_basis *out);

#endif
