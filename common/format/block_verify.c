/* block_verify - what a block proves under the roster in force at its place:
 * whose words these are, and that they might say them there (PROTOCOL.md
 * sections 5.4, 5.5, 6.3, 6.4 and 7.2). One signature a run, two with a `via`;
 * nothing is allocated. */
#include "format/author.h"
#include "format/batch_ids.h"
#include "format/block.h"
#include "format/tree.h"

#include <inttypes.h>

/* The run that is walked. block_check has seen that its records agree. */
struct run {
    int number; /* -1: none */
    struct block_run_view view;
    size_t known;  /* its records so far, those of a newer form left out */
    size_t judged; /* and of headers that we know */
    struct record first; /* of the judged ones */
    struct message first_message;
    int64_t last_time;
    struct batch_ids ids; /* unless it has paths */
    size_t used;          /* hashes of paths */
    struct hash root;     /* that the paths lead to */
};

struct verifier {
    const struct block *block;
    const struct hash *dialogue;
    const struct roster *roster;
    struct run run;
    struct error *e;
};

/* Roots. */

static enum err add_path (struct run *self, const struct record *r,
                          const struct hash *id, struct error *e) {
    size_t length = tree_path_length (r->batch_index, r->batch_size);
    if (length > self->view.hashes.size / HASH_SIZE - self->used)
        return error_set (e, ERR_MALFORMED,
                          "no whole path for index %zu of %zu", r->batch_index,
                          r->batch_size);
    const struct hash *path =
        (const struct hash *) self->view.hashes.data + self->used;
    struct hash root;
    enum err rc =
        tree_path_root (id, r->batch_index, r->batch_size, path, length, &root);
    if (rc)
        return error_set (e, rc, "index %zu of %zu", r->batch_index,
                          r->batch_size);
    self->used += length;
    if (self->known > 0 && !hash_equal (&root, &self->root))
        return error_set (e, ERR_SIGNATURE,
                          "its path leads to another root than those before");
    self->root = root;
    return ERR_NONE;
}

static enum err run_root (struct run *self, struct error *e) {
    if (self->view.kind == RUN_PATHS)
        return ERR_NONE;
    enum err rc = batch_ids_fill (&self->ids, self->view.hashes, e);
    if (!rc)
        self->root = tree_root_of (self->ids.ids, self->ids.size);
    return rc;
}

/* Keys expire and never come back, so the last log time speaks for all. */
static enum err verify_words (const struct verifier *self) {
    const struct run *run = &self->run;
    const struct record *r = &run->first;
    const struct message *m = &run->first_message;
    enum err rc = author_signed (r, m, &run->root, self->dialogue, self->roster,
                                 run->last_time, self->e);
    if (!rc)
        rc = author_via (r, m, &run->root, self->dialogue, self->roster,
                         run->last_time, self->e);
    if (!rc)
        rc = author_right (r, m, self->roster, run->last_time, self->e);
    return rc;
}

static enum err end_run (struct verifier *self) {
    struct run *run = &self->run;
    if (run->number < 0 || run->judged == 0)
        return ERR_NONE;
    enum err rc = run_root (run, self->e);
    if (!rc)
        rc = verify_words (self);
    run->number = -1;
    return rc ? error_at (self->e, "record %" PRId64, run->first.sequence)
              : ERR_NONE;
}

static enum err enter_run (struct verifier *self, const struct block_walk *w) {
    struct run *run = &self->run;
    if (w->run == run->number)
        return ERR_NONE;
    enum err rc = end_run (self);
    run->number = w->run;
    run->known = run->judged = run->used = 0;
    if (w->run >= 0)
        block_run_at (self->block, (size_t) w->run, &run->view);
    return rc;
}

/* Records. */

static enum err read_header (const struct verifier *self,
                             const struct record *r, struct message *out) {
    const struct run *run = &self->run;
    const struct message *like = run->judged ? &run->first_message : NULL;
    struct refusal why;
    char text[REFUSAL_TEXT_MAX];
    enum err rc = message_read_like (r->payload, like, out, &why);
    return rc ? error_set (self->e, rc, "%s", refusal_print (&why, text))
              : ERR_NONE;
}

/* In every format of a header it is its leaf hash. */
static enum err add_id (struct verifier *self, const struct record *r,
                        const struct hash *id) {
    struct run *run = &self->run;
    if (run->known == 0)
        batch_ids_begin (&run->ids, r->batch_size);
    enum err rc = run->view.kind == RUN_PATHS
                      ? add_path (run, r, id, self->e)
                      : batch_ids_put (&run->ids, r, id, self->e);
    run->known++;
    return rc;
}

static enum err add_message (struct verifier *self, const struct record *r) {
    struct run *run = &self->run;
    if (run->number < 0)
        return error_set (self->e, ERR_MALFORMED, "a message in no batch");
    struct message m;
    enum err rc = read_header (self, r, &m);
    if (rc == ERR_NEWER)
        return add_id (self, r, &m.id);
    if (!rc)
        rc = author_place (&m, self->dialogue, self->roster, self->e);
    if (rc)
        return rc;
    if (run->judged++ == 0) {
        run->first = *r;
        run->first_message = m;
    }
    run->last_time = r->log_time;
    return add_id (self, r, &m.id);
}

static enum err same_roster (const struct verifier *self, int64_t version,
                             const struct hash *digest) {
    if (version == roster_version (self->roster)
        && hash_equal (digest, roster_digest (self->roster)))
        return ERR_NONE;
    char text[HASH_TEXT_MAX];
    return error_set (
        self->e, ERR_CHAIN,
        "it names roster version %" PRId64 " %s, in force is %" PRId64, version,
        hash_text (text, digest), roster_version (self->roster));
}

static enum err verify_content (struct verifier *self, const struct record *r) {
    struct roster_payload roster;
    struct mark_payload mark;
    enum err rc;
    switch (r->type) {
    case RECORD_MESSAGE:
        return add_message (self, r);
    case RECORD_ROSTER:
        rc = roster_payload_read (r->payload, &roster, self->e);
        return rc ? rc : same_roster (self, roster.version, &roster.digest);
    case RECORD_MARK:
        rc = mark_payload_read (r->payload, &mark, self->e);
        return rc ? rc
                  : same_roster (self, mark.roster_version,
                                 &mark.roster_digest);
    default:
        return ERR_NONE; /* an erasure's order is a note of its own */
    }
}

static enum err verify_record (struct verifier *self,
                               const struct block_walk *w) {
    struct record r;
    enum err rc = record_read (w->record, &r, self->e);
    if (rc == ERR_NEWER) /* alone in its run, or in none: block_check */
        return ERR_NONE;
    if (!rc && r.epoch != roster_epoch (self->roster))
        return error_set (self->e, ERR_CHAIN,
                          "epoch %" PRId64 ", the roster's is %" PRId64,
                          r.epoch, roster_epoch (self->roster));
    return rc ? rc : verify_content (self, &r);
}

enum err block_verify (const struct block *self, const struct hash *dialogue,
                       const struct roster *roster, struct error *e) {
    struct error own;
    struct verifier verifier; /* of 9 KiB, which need no zeros */
    verifier.block = self;
    verifier.dialogue = dialogue;
    verifier.roster = roster;
    verifier.run.number = -1;
    verifier.run.known = verifier.run.judged = 0;
    verifier.e = e ? e : &own;
    struct block_walk w;
    block_walk (self, &w);
    while (block_next (&w)) {
        enum err rc = enter_run (&verifier, &w);
        if (rc)
            return rc;
        rc = verify_record (&verifier, &w);
        if (rc)
            return error_at (verifier.e, "record %" PRId64,
                             self->first_sequence + (int64_t) w.index);
    }
    return end_run (&verifier);
}
