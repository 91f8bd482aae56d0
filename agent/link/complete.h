/* complete - does this agent hold all that it may read? (PROTOCOL.md sections
 * 7.4 and 8.12)
 *
 * For the newest mark whose streams are held so far, the desk is asked for the
 * claims of our streams; each must stand in the mark's root, and have the root of
 * our own tree over that stream. Then everything below that mark is there. What
 * a claim says above what we hold is fetched; what is withheld for longer than
 * COMPLETE_PATIENCE_MS is an alarm that names the stream and its numbers. Spans
 * that we may not read are covered by the desk's subtrees, and proved by the
 * marks behind the rosters that begin and end them. For what we handed in on
 * channels that we may not read, its place is asked for once. Of the link's
 * thread. */
#ifndef PARLEY_COMPLETE_H
#define PARLEY_COMPLETE_H

#include "audit_status.h"
#include "follow.h"

#define COMPLETE_PATIENCE_MS 60000

#define COMPLETE_TICK_MS 100 /* between two ticks that count */

struct complete;
struct complete *complete_new (struct core *core, struct follow *follow)
    MUST_CHECK;
void complete_destroy (struct complete **self_p);

void complete_begin (struct complete *self);
void complete_end (struct complete *self);
/* An epoch has cut the store. Between two connections. */
void complete_reload (struct complete *self);
enum err complete_reply (struct complete *self, const struct reply *reply,
                         bool *mine, struct error *e) MUST_CHECK;
enum err complete_tick (struct complete *self, int64_t now, struct error *e)
    MUST_CHECK;
/* A reply came: what it leads to is due at the next tick, not at leisure. */
bool complete_hurries (const struct complete *self);

void complete_status (const struct complete *self, struct complete_status *out);

#endif
