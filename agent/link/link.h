/* link - the one thread that talks to the broker (PROTOCOL.md section 8).
 *
 * Connects out only: a DEALER to the desk, a SUB to the feed. Says hello,
 * verifies, follows its streams, fills gaps, sends the outbox; back-off when
 * the broker is away, silence noticed in 30 s. Nothing it hears can end it;
 * a store that fails does (`failed`). */
#ifndef PARLEY_LINK_H
#define PARLEY_LINK_H

#include "audit_status.h"
#include "identity/identity.h"
#include "identity/roster.h"

#include <stdbool.h>
#include <stdint.h>

enum link_phase { LINK_DOWN, LINK_CONNECTING, LINK_HELLO, LINK_READY };

struct link_options {
    const struct identity *identity; /* borrowed for its life */
    struct hash dialogue;
    const char *store;  /* path of the store, which exists */
    const char *desk;   /* address to dial instead of the roster's; or NULL */
    const char *feed;   /* the same */
    const char *source; /* source address, or NULL */
    struct roster
        *roster; /* the file that was configured; a reference is taken.
                              The store's newer one wins */
    /* Called from the link's thread after each change that somebody may wait
     * for: new records, outbox states, phase. Must not block. */
    void (*changed) (void *arg);
    /* The store can't be written any more: the daemon must end. */
    void (*failed) (void *arg, const struct error *e);
    void *arg;
};

struct link;
struct link *link_new (const struct link_options *options, struct error *e)
    MUST_CHECK;
void link_destroy (struct link **self_p); /* ends the thread */
/* Something was put in the outbox, or cancelled: look. Any thread. */
void link_wake (struct link *self);

/* An operator's words; any thread, done by the link's, soon. While down: try
 * now, whatever the back-off; ready: ask for all streams at once. */
void link_retry (struct link *self);
/* Evidence was looked at: cosign again (ledger.h). */
void link_resume (struct link *self);

/* The roster in force as this agent knows it: a reference. Any thread. */
struct roster *link_roster (struct link *self, int64_t *sequence);

/* What somebody took out of the ledger (PROTOCOL.md section 8.10), in parts, in
 * this order: as if it had been fetched, with or without a link. Blocks are
 * verified here; of leaves and checkpoints the caller has audited the bundle
 * (audit.h). Any thread, one at a time; waits until it is durable. The error is
 * what is wrong with the part, or ERR_STATE: the agent stops. */
enum link_part {
    LINK_ROSTER, /* a note, as was `wanted`; empty: there is none. number
                        0: begin. Until `wanted` is 0 */
    LINK_BLOCKS, /* entries of a bundle's file, in its order */
    LINK_LEAVES, /* leaf hashes, joined, from sequence `number` on */
    LINK_CHECKPOINT, /* a settled one, whose leaves are there */
};
struct link_import {
    enum link_part part;
    int64_t number;
    struct slice octets;
};
struct link_imported {
    int64_t wanted;  /* a roster's version; -1: the newest; 0: none */
    int64_t records; /* that are new */
    int64_t held;    /* were here already */
    int64_t others;  /* that this delegation may not read, or of another's
                        direct stream */
    int64_t gaps;    /* whose streams lack what stands before */
    struct error why;
};
enum err link_import (struct link *self, const struct link_import *in,
                      struct link_imported *out, struct error *e) MUST_CHECK;

/* A copy of what there is to say about the link. Any thread. */
#define LINK_STREAMS_MAX 300
struct link_stream_status {
    char name[64]; /* "$log", "members", "@EUROPOL" */
    int64_t upto, last;
    int64_t heard_ms; /* wall clock; 0: never */
    char problem[96]; /* why it does not go on; "" */
};
struct link_status {
    enum link_phase phase;
    int64_t since_ms, retry_in_ms; /* wall; from now */
    char desk[256];
    char run[33]; /* hex; "" before the first hello */
    char last_error[512];
    bool has_offset;
    int64_t clock_offset_ms; /* broker's clock minus ours, at the last hello */
    int64_t broker_size, broker_log_time;
    char closed[33]; /* rule; "" when the broker takes messages */
    struct ledger_status ledger;
    struct complete_status complete;
    size_t stream_count;
    struct link_stream_status streams[LINK_STREAMS_MAX];
};
void link_status (struct link *self, struct link_status *out);

#endif
