/* complete_claims - what a mark says of our streams, against what is held of
 * them. */
#include "complete_impl.h"

#include "base/clock.h"
#include "base/topic.h"
#include "identity/rights.h"
#include "store/claims.h"
#include "store/hashes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Claims of a reply */

static void claim_take (void *arg, const struct mark_claim *claim) {
    struct claims_held *self = arg;
    size_t size = claim->stream.name.size;
    if (self->count == COMPLETE_CLAIMS_MAX || size >= MARK_NAME_MAX)
        return;
    struct claim_held *held = &self->at[self->count++];
    held->claim = *claim;
    memcpy (held->name, claim->stream.name.data, size);
    held->name[size] = '\0';
    held->claim.stream.name = slice_of (held->name, size);
}

enum err claims_read (struct slice frame, struct claims_held *out,
                      struct error *e) {
    *out = (struct claims_held){ .mark = -1 };
    out->at = mem_alloc (COMPLETE_CLAIMS_MAX * sizeof *out->at);
    enum err rc = wire_claims_read (frame, &out->mark, claim_take, out, e);
    if (rc)
        claims_drop (out);
    return rc;
}

void claims_drop (struct claims_held *self) {
    free (self->at);
    *self = (struct claims_held){ .mark = -1 };
}

const struct mark_claim *claims_find (const struct claims_held *self,
                                      const char *stream) {
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->at[i].name, stream) == 0)
            return &self->at[i].claim;
    return NULL;
}

bool mark_reads (const struct complete *self, const struct roster *roster,
                 const char *stream) {
    return rights_stream (roster, rosters_newest (self->core->rosters),
                          slice_text (self->core->delegation),
                          slice_text (stream), clock_wall_ms());
}

/* Rights are asked of the newest roster that `$log` has: the desk knows that
 * one, as far as it can be held to it. */
bool mark_owes (const struct complete *self, const struct roster *roster,
                const char *stream) {
    const struct core *core = self->core;
    const struct roster *now =
        roster_chain_last (rosters_chain (core->rosters), NULL);
    struct slice own = slice_text (core->delegation),
                 name = slice_text (stream), ask = name;
    if (!now || mark_stream_find (roster, name) < 0)
        return false;
    if (stream[0] == '@' && !slice_is (delegation_entity (own), stream + 1))
        return false;
    if (stream[0] == '@') /* its entity's: as `$log` is */
        ask = slice_text (CHANNEL_LOG);
    return rights_ask (now, own, ask, RIGHT_READ, clock_wall_ms())
           == VERDICT_YES;
}

/* What lacks */

struct lack *lack_note (struct complete *self, const char *stream,
                        int64_t count, int64_t upto, bool newer,
                        const char *what) {
    struct lack **at = &self->lacks;
    while (*at && strcmp ((*at)->name, stream) != 0)
        at = &(*at)->next;
    if (!*at) {
        *at = mem_alloc (sizeof **at);
        snprintf ((*at)->name, sizeof (*at)->name, "%s", stream);
        (*at)->count = count;
        (*at)->upto = upto;
        self->core->changed = true;
    }
    struct lack *lack = *at;
    bool moves = count > 0 && upto > lack->upto;
    if (moves && upto >= lack->count) { /* that came; others lack by now */
        lack->count = count;
        lack->told = false;
    }
    if (moves)
        lack->waited = 0;
    lack->upto = upto;
    lack->newer = newer;
    snprintf (lack->what, sizeof lack->what, "%s", what);
    return lack;
}

void lack_drop (struct complete *self, const char *stream) {
    struct lack **at = &self->lacks;
    while (*at && strcmp ((*at)->name, stream) != 0)
        at = &(*at)->next;
    struct lack *gone = *at;
    if (!gone)
        return;
    *at = gone->next;
    free (gone);
    self->core->changed = true;
}

void lacks_drop (struct complete *self) {
    while (self->lacks)
        lack_drop (self, self->lacks->name);
}

/* Tests that do not look at the time are not to wait for it. */
static int64_t patience (void) {
    const char *text = getenv ("PARLEY_TEST_PATIENCE_MS");
    char *end;
    if (!text)
        return COMPLETE_PATIENCE_MS;
    long long ms = strtoll (text, &end, 10);
    if (end == text || *end || ms < 0 || ms > COMPLETE_PATIENCE_MS) {
        fprintf (stderr, "parley: PARLEY_TEST_PATIENCE_MS=%s?\n", text);
        abort();
    }
    return ms;
}

static enum err lack_tell (struct complete *self, struct lack *lack,
                           struct error *e) {
    lack->told = true;
    if (lack->name[0] == LACK_TIMES)
        return complete_alarm (self, "WITHHELD", NULL, e, "%s", lack->what);
    return complete_alarm (
        self, "WITHHELD", claims_find (&self->claims, lack->name), e,
        "%s; so says the mark of record %" PRId64 ", and the broker gives "
        "no more",
        lack->what, self->newest.sequence);
}

enum err lacks_tell (struct complete *self, struct error *e) {
    int64_t most = self->lacks ? patience() : 0;
    for (struct lack *lack = self->lacks; lack; lack = lack->next) {
        lack->waited += self->wait_ms;
        if (lack->told || lack->newer || lack->waited < most)
            continue;
        enum err rc = lack_tell (self, lack, e);
        if (rc)
            return rc;
    }
    return ERR_NONE;
}

/* Judging */

struct judged {
    const char *stream;
    int64_t upto;
    bool newer;
    const struct mark_claim *claim;
    bool fine;
};

static enum err wrong (struct complete *self, struct judged *judged,
                       const char *why, struct error *e) {
    char what[128];
    snprintf (what, sizeof what, "%s: %s", judged->stream, why);
    struct lack *lack =
        lack_note (self, judged->stream, judged->claim->stream.count,
                   judged->upto, false, what);
    if (lack->told)
        return ERR_NONE;
    lack->told = true;
    return complete_wrong (self, judged->stream, &self->newest, judged->claim,
                           why, e);
}

/* The places of the ledger that we know, against the count: is any record on
 * another side of the mark than it says? */
static enum err places_judge (struct complete *self, struct judged *judged,
                              bool *good, struct error *e) {
    struct store *store = self->core->store;
    struct stream_place below = { 0, 0, -1 }, above = { INT64_MAX, 0, 0 };
    const struct mark_stream *says = &judged->claim->stream;
    int64_t mark = self->newest.sequence;
    char why[100];
    enum err rc = streams_below (store, judged->stream, mark, &below, e);
    if (!rc || rc == ERR_NOT_FOUND)
        rc = streams_above (store, judged->stream, mark, &above, e);
    if (rc && rc != ERR_NOT_FOUND)
        return rc;
    *good = false;
    if (below.last > says->count)
        snprintf (why, sizeof why,
                  "number %" PRId64 " is record %" PRId64 ", below it",
                  below.last, below.sequence);
    else if (above.first <= says->count)
        snprintf (why, sizeof why, "number %" PRId64 " stands behind it",
                  above.first);
    else if (below.last == says->count && below.sequence != says->last)
        snprintf (why, sizeof why,
                  "the last is record %" PRId64 ", not %" PRId64,
                  below.sequence, says->last);
    else
        *good = true;
    return *good ? ERR_NONE : wrong (self, judged, why, e);
}

/* Missing, since it may be on its way; withheld, once that took too long. */
static void missing_note (struct complete *self, const struct judged *judged) {
    int64_t count = judged->claim->stream.count, first = judged->upto + 1;
    struct lack *lack = lack_note (self, judged->stream, count, judged->upto,
                                   judged->newer, "");
    const char *how = lack->told ? "withheld" : "missing";
    if (first == count)
        snprintf (lack->what, sizeof lack->what,
                  "%s: number %" PRId64 ", the last of its records, is %s",
                  judged->stream, count, how);
    else
        snprintf (lack->what, sizeof lack->what,
                  "%s: numbers %" PRId64 " to %" PRId64 " of its records are "
                  "%s",
                  judged->stream, first, count, how);
    follow_check (self->follow, judged->stream);
}

/* All numbers are here: is it the tree that the mark names? */
static enum err root_judge (struct complete *self, struct judged *judged,
                            struct error *e) {
    const struct mark_stream *says = &judged->claim->stream;
    struct hash root;
    char what[128], cover[MARK_NAME_MAX + 1];
    enum err rc = hashes_root (self->core->store, judged->stream,
                               (uint64_t) says->count, &root, e);
    snprintf (cover, sizeof cover, "%c%s", LACK_COVER, judged->stream);
    if (rc == ERR_NOT_FOUND || rc == ERR_STATE) {
        lack_drop (self, judged->stream); /* no number does */
        snprintf (what, sizeof what,
                  "%s: hashes of numbers that are not ours to read are "
                  "missing",
                  judged->stream);
        lack_note (self, cover, 0, 0, false, what);
        return ERR_NONE;
    }
    if (rc)
        return rc;
    lack_drop (self, cover);
    if (!hash_equal (&root, &says->root)) {
        rc = wrong (self, judged, "they are not those that were given out", e);
        return rc ? rc : cover_doubt (self, judged->stream, e);
    }
    judged->fine = true;
    lack_drop (self, judged->stream);
    return ERR_NONE;
}

/* A word of the desk's without proof: asked for again. */
static enum err unproved (struct complete *self, struct judged *judged,
                          const struct error *why, struct error *e) {
    char what[128];
    snprintf (what, sizeof what, "%s: what is said of it is not proved",
              judged->stream);
    struct lack *lack =
        lack_note (self, judged->stream, 0, judged->upto, false, what);
    self->claims.mark = -1;
    self->paths.retry = clock_mono_ms() + COMPLETE_RETRY_MS;
    if (lack->told)
        return ERR_NONE;
    lack->told = true;
    return complete_alarm (self, "BAD-CLAIM", judged->claim, e,
                           "mark of record %" PRId64 ", stream %s: %s",
                           self->newest.sequence, judged->stream, why->text);
}

static enum err claim_judge (struct complete *self, struct judged *judged,
                             struct error *e) {
    struct error why;
    bool good;
    enum err rc = mark_claim_check (judged->claim, self->newest.roster,
                                    &self->newest.root, &why);
    if (rc)
        return unproved (self, judged, &why, e);
    rc = places_judge (self, judged, &good, e);
    if (rc || !good)
        return rc;
    if (judged->claim->stream.count > judged->upto) {
        missing_note (self, judged);
        return ERR_NONE;
    }
    return root_judge (self, judged, e);
}

static enum err stream_judge (struct complete *self, struct judged *judged,
                              struct error *e) {
    char what[128];
    judged->claim = claims_find (&self->claims, judged->stream);
    if (judged->claim)
        return claim_judge (self, judged, e);
    judged->fine = !mark_owes (self, self->newest.roster, judged->stream);
    if (judged->fine) {
        lack_drop (self, judged->stream);
        return ERR_NONE;
    }
    snprintf (what, sizeof what, "%s: how many records it has is withheld",
              judged->stream);
    lack_note (self, judged->stream, 0, judged->upto, false, what);
    self->claims.mark = -1; /* asked for again */
    self->paths.retry = clock_mono_ms() + COMPLETE_RETRY_MS;
    return ERR_NONE;
}

static bool is_followed (const struct complete *self, const char *stream) {
    int64_t upto;
    bool newer, found = false;
    const char *name;
    for (size_t n = 0;
         !found && (name = follow_stream (self->follow, n, &upto, &newer)); n++)
        found = strcmp (name, stream) == 0;
    return found;
}

/* Streams that are no longer ours lack nothing. */
static void lacks_sweep (struct complete *self) {
    struct lack *next;
    for (struct lack *lack = self->lacks; lack; lack = next) {
        char first = lack->name[0];
        next = lack->next;
        bool more =
            first == LACK_HIDDEN || first == LACK_COVER || first == LACK_TIMES;
        if (first != '\0' && first != LACK_UNLISTED
            && !is_followed (self, lack->name + more))
            lack_drop (self, lack->name);
    }
}

/* Streams that are ours by the roster, and that the desk does not give. */
static bool lists_judge (struct complete *self) {
    const struct roster *roster = self->newest.roster;
    bool fine = true;
    for (size_t n = 0; n < mark_streams (roster); n++) {
        char key[MARK_NAME_MAX + 1], *name = key + 1, what[128];
        key[0] = LACK_UNLISTED;
        mark_stream_name (roster, n, name);
        if (is_followed (self, name) || !mark_owes (self, roster, name)) {
            lack_drop (self, key);
            continue;
        }
        fine = false;
        snprintf (what, sizeof what, "%s: the desk does not list this stream",
                  name);
        lack_note (self, key, 0, 0, false, what);
    }
    return fine;
}

enum err claims_judge (struct complete *self, bool *fine, struct error *e) {
    struct judged judged = { 0 };
    enum err rc = ERR_NONE;
    lacks_sweep (self);
    *fine = lists_judge (self);
    for (size_t n = 0; !rc; n++) {
        judged = (struct judged){ 0 };
        judged.stream =
            follow_stream (self->follow, n, &judged.upto, &judged.newer);
        if (!judged.stream)
            break;
        if (strcmp (judged.stream, CHANNEL_LOG) == 0)
            continue;
        rc = stream_judge (self, &judged, e);
        *fine = *fine && judged.fine;
    }
    return rc;
}

enum err claims_store (struct complete *self, struct error *e) {
    const struct mark_held *mark = &self->newest;
    enum err rc = ERR_NONE;
    int64_t upto;
    bool newer;
    const char *stream;
    for (size_t n = 0;
         !rc && (stream = follow_stream (self->follow, n, &upto, &newer));
         n++) {
        const struct mark_claim *claim = claims_find (&self->claims, stream);
        if (claim)
            rc = claims_keep (self->core->store, mark->sequence, mark->time,
                              mark->behind_roster, claim, e);
    }
    return rc ? rc : claims_prune (self->core->store, mark->time, e);
}
