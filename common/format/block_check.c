/* block_check - what the records of a block say together (PROTOCOL.md sections
 * 7.1 and 7.2). No keys, no roster; nothing is allocated. */
#include "format/block.h"
#include "format/tree.h"

#include <assert.h>
#include <inttypes.h>

/* The run that is walked, and what its records have to agree in. */
struct agreed {
    int64_t last_type; /* of the record before; -1: none */
    int run;           /* -1: none */
    struct block_run_view view;
    size_t known;  /* its records so far whose form we know */
    size_t judged; /* and that of their headers too */
    size_t newer;  /* records whose form we don't know */
    size_t hashes; /* of paths that the records so far need */
    struct record first;
    struct message first_message; /* of the first judged one */
    size_t last_index;
};

/* Place. */

static enum err begin_facts (const struct record *r,
                             struct block_facts *facts) {
    *facts =
        (struct block_facts){ .channel = r->channel,
                              .first_channel_sequence = r->channel_sequence,
                              .roster = r->roster,
                              .epoch = r->epoch,
                              .first_time = r->log_time,
                              .last_time = r->log_time };
    return ERR_NONE;
}

static enum err check_follows (const struct record *r, size_t index,
                               const struct block_facts *facts,
                               struct error *e) {
    if (!slice_equal (r->channel, facts->channel))
        return error_set (e, ERR_CHAIN, "channel %.*s in a block of %.*s",
                          (int) r->channel.size, (const char *) r->channel.data,
                          (int) facts->channel.size,
                          (const char *) facts->channel.data);
    if (r->roster != facts->roster)
        return error_set (e, ERR_CHAIN,
                          "roster %" PRId64 " in a block under %" PRId64,
                          r->roster, facts->roster);
    if (r->epoch != facts->epoch)
        return error_set (e, ERR_CHAIN,
                          "epoch %" PRId64 " in a block of %" PRId64, r->epoch,
                          facts->epoch);
    uint64_t channel_sequence =
        (uint64_t) facts->first_channel_sequence + index;
    if ((uint64_t) r->channel_sequence != channel_sequence)
        return error_set (e, ERR_CHAIN,
                          "channel sequence %" PRId64 " where %" PRIu64
                          " has to stand",
                          r->channel_sequence, channel_sequence);
    if (r->log_time < facts->last_time)
        return error_set (e, ERR_CHAIN, "log time %" PRId64 " after %" PRId64,
                          r->log_time, facts->last_time);
    return ERR_NONE;
}

static enum err check_place (const struct record *r, const struct block_walk *w,
                             struct block_facts *facts, struct error *e) {
    int64_t sequence = w->block->first_sequence + (int64_t) w->index;
    if (r->sequence != sequence)
        return error_set (e, ERR_CHAIN,
                          "sequence %" PRId64 " where %" PRId64 " has to stand",
                          r->sequence, sequence);
    enum err rc = w->index == 0 ? begin_facts (r, facts)
                                : check_follows (r, w->index, facts, e);
    facts->last_time = r->log_time;
    return rc;
}

/* Bodies. */

static enum err explain (enum err rc, const struct refusal *why,
                         struct error *e) {
    char text[REFUSAL_TEXT_MAX];
    return error_set (e, rc, "%s", refusal_print (why, text));
}

static enum err check_body (const struct record *r, const struct message *m,
                            const struct block_walk *w, struct error *e) {
    int64_t length;
    enum err rc = ERR_NONE;
    if (m)
        length = m->body_length;
    else
        rc = record_body_length (r, &length, e);
    if (rc)
        return rc;
    if ((int64_t) w->body_size != length)
        return error_set (e, ERR_DIGEST,
                          "a body of %zu octets, %" PRId64 " are stated",
                          w->body_size, length);
    if (w->state == BODY_ERASED && !m)
        return error_set (e, ERR_MALFORMED,
                          "the body of type %s can't be erased",
                          record_type_name (r->type));
    if (w->state != BODY_PRESENT)
        return ERR_NONE;
    if (!m)
        return record_body_check (r, w->body, e);
    struct refusal why;
    rc = message_body_check (m, w->body, &why);
    return rc ? explain (rc, &why, e) : ERR_NONE;
}

/* Runs. */

static bool via_equal (const struct via *a, const struct via *b) {
    if (!a->present || !b->present)
        return a->present == b->present;
    return slice_equal (a->submitter, b->submitter)
           && key_id_equal (a->key_id, b->key_id)
           && memcmp (a->signature, b->signature, SIGNATURE_SIZE) == 0;
}

/* What differs, or NULL. Of a header in a newer form (`m` NULL) nobody knows
 * author and key. */
static const char *disagreement (const struct agreed *self,
                                 const struct record *r,
                                 const struct message *m) {
    bool compared = m && self->judged > 0;
    if (compared && !slice_equal (m->author, self->first_message.author))
        return "author";
    if (compared && !key_id_equal (m->key_id, self->first_message.key_id))
        return "sign key id";
    if (r->batch_size != self->first.batch_size)
        return "batch size";
    if (memcmp (r->signature, self->first.signature, SIGNATURE_SIZE) != 0)
        return "batch signature";
    if (!via_equal (&r->via, &self->first.via))
        return "via";
    return NULL;
}

static enum err check_submitter (const struct record *r,
                                 const struct message *m, struct error *e) {
    if (r->via.present && slice_equal (r->via.submitter, m->author))
        return error_set (e, ERR_MALFORMED,
                          "%.*s is author and submitter in one",
                          (int) m->author.size, (const char *) m->author.data);
    return ERR_NONE;
}

static enum err check_next (const struct agreed *self, const struct record *r,
                            const struct message *m, struct error *e) {
    const char *what = disagreement (self, r, m);
    if (what)
        return error_set (e, ERR_MALFORMED,
                          "another %s than the batch's records before", what);
    if (r->batch_index <= self->last_index)
        return error_set (e, ERR_MALFORMED,
                          "index %zu after %zu, they have to ascend",
                          r->batch_index, self->last_index);
    return ERR_NONE;
}

static enum err add_to_run (struct agreed *self, const struct record *r,
                            const struct message *m, struct error *e) {
    enum err rc = self->known == 0 ? ERR_NONE : check_next (self, r, m, e);
    if (!rc && m && self->judged == 0)
        rc = check_submitter (r, m, e);
    if (rc)
        return rc;
    if (self->known++ == 0)
        self->first = *r;
    if (m && self->judged++ == 0)
        self->first_message = *m;
    self->last_index = r->batch_index;
    self->hashes += tree_path_length (r->batch_index, r->batch_size);
    return ERR_NONE;
}

/* Does what stands beside the run fit the size of its batch? */
static enum err end_run (const struct agreed *self, struct error *e) {
    if (self->run < 0 || self->known == 0)
        return ERR_NONE;
    const struct block_run_view *view = &self->view;
    size_t found = view->hashes.size / HASH_SIZE, size = self->first.batch_size;
    size_t wanted = size - view->count;
    if (view->count > size)
        wanted = SIZE_MAX;
    else if (view->kind == RUN_PATHS)
        wanted = self->hashes;
    if (found != wanted)
        return error_set (
            e, ERR_MALFORMED,
            "record %" PRId64
            ": %zu of the %zu messages of a batch, and %zu hashes "
            "for kind %d",
            self->first.sequence, view->count, size, found, (int) view->kind);
    return ERR_NONE;
}

static enum err enter_run (struct agreed *self, const struct block_walk *w,
                           struct error *e) {
    if (w->run == self->run)
        return ERR_NONE;
    enum err rc = end_run (self, e);
    self->run = w->run;
    self->known = self->judged = self->newer = self->hashes = 0;
    if (w->run >= 0)
        block_run_at (w->block, (size_t) w->run, &self->view);
    return rc;
}

/* Records. */

static enum err check_membership (const struct record *r,
                                  const struct block_walk *w, struct error *e) {
    if ((r->type == RECORD_MESSAGE) == (w->run >= 0))
        return ERR_NONE;
    return error_set (e, ERR_MALFORMED, "type %s %s a batch",
                      record_type_name (r->type),
                      w->run >= 0 ? "in" : "outside of");
}

/* ERR_NEWER: its header's form is not known. It is of its batch all the same:
 * in every format a message's id is the leaf hash of its header. */
static enum err check_message (struct agreed *self, const struct record *r,
                               const struct block_walk *w, struct error *e) {
    const struct message *like = self->judged ? &self->first_message : NULL;
    struct message m;
    struct refusal why;
    enum err rc = message_read_form (r->payload, like, &m, &why);
    if (rc == ERR_NEWER) {
        rc = add_to_run (self, r, NULL, e);
        return rc ? rc : ERR_NEWER;
    }
    if (rc)
        return explain (rc, &why, e);
    if (!slice_equal (m.channel, r->channel))
        return error_set (e, ERR_MALFORMED, "topic %.*s on channel %.*s",
                          (int) m.topic.size, (const char *) m.topic.data,
                          (int) r->channel.size,
                          (const char *) r->channel.data);
    rc = add_to_run (self, r, &m, e);
    return rc ? rc : check_body (r, &m, w, e);
}

static enum err check_content (struct agreed *self, const struct record *r,
                               const struct block_walk *w, struct error *e) {
    enum err rc = check_membership (r, w, e);
    if (rc)
        return rc;
    return r->type == RECORD_MESSAGE ? check_message (self, r, w, e)
                                     : check_body (r, NULL, w, e);
}

/* A record whose form we don't know may stand in a run, as a message. */
static enum err check_newer (struct agreed *self, const struct record *r,
                             const struct block_walk *w, struct error *e) {
    if (w->run >= 0 && r->type != RECORD_MESSAGE)
        return check_membership (r, w, e);
    self->newer++;
    return ERR_NEWER;
}

/* Without the ids of all its messages a batch proves nothing, and what is in
 * it must not pass for proven: whoever writes a newer form begins a run. */
static enum err check_mixed (const struct agreed *self,
                             const struct block_walk *w, struct error *e) {
    if (w->run < 0 || self->known == 0 || self->newer == 0)
        return ERR_NONE;
    return error_set (e, ERR_MALFORMED,
                      "records of a newer form and of ours in one batch");
}

/* In every format. Where the roster ends a block, the reader of the next one
 * looks. */
static enum err check_mark (struct agreed *self, const struct record *r,
                            struct error *e) {
    bool due = self->last_type == RECORD_ROSTER;
    self->last_type = r->type;
    if (!due || r->type == RECORD_MARK)
        return ERR_NONE;
    return error_set (e, ERR_CHAIN, "type %s where a mark has to stand",
                      record_type_name (r->type));
}

static enum err check_record (struct agreed *self, const struct block_walk *w,
                              struct block_facts *facts, struct error *e) {
    struct record r;
    enum err form = record_read (w->record, &r, e);
    if (form && form != ERR_NEWER)
        return form;
    enum err rc = check_place (&r, w, facts, e);
    if (!rc)
        rc = check_mark (self, &r, e);
    if (rc)
        return rc;
    rc = form ? check_newer (self, &r, w, e) : check_content (self, &r, w, e);
    if (rc && rc != ERR_NEWER)
        return rc;
    facts->newer += rc == ERR_NEWER;
    return check_mixed (self, w, e);
}

enum err block_check (const struct block *self, struct block_facts *facts,
                      struct error *e) {
    struct error own;
    if (!e)
        e = &own;
    struct agreed agreed;
    agreed.run = -1;
    agreed.last_type = -1;
    agreed.known = agreed.judged = agreed.newer = 0;
    struct block_walk w;
    block_walk (self, &w);
    while (block_next (&w)) {
        enum err rc = enter_run (&agreed, &w, e);
        if (rc)
            return rc;
        rc = check_record (&agreed, &w, facts, e);
        if (rc)
            return error_at (e, "record %" PRId64,
                             self->first_sequence + (int64_t) w.index);
    }
    return end_run (&agreed, e);
}
