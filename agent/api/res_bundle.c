/* res_bundle - what an export is made of: the files of PROTOCOL.md section
 * 8.10, streamed. The exporter asks for meta first and then for each file up to
 * the same `last`, so that what arrives meanwhile does not mix in. */
#include "api/bundle.h"
#include "api/http_impl.h"
#include "api/json_record.h"
#include "api/problem.h"
#include "api/resources.h"
#include "base/log.h"
#include "store/checkpoints.h"
#include "store/hashes.h"
#include "store/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define OCTETS "application/octet-stream"

/* Meta */

/* Up to where: what is held, and all that a settled or a verified checkpoint
 * covers, so that a reader recomputes its root. */
static int64_t last_of (struct store *store) {
    struct checkpoint_row row;
    struct checkpoint verified;
    struct tree tree;
    int64_t time, last = records_highest (store, &time), size = 0;
    if (!checkpoints_newest (store, &row, NULL, NULL))
        size = row.checkpoint.size;
    if (!checkpoints_verified (store, &verified, NULL, NULL)
        && verified.size > size)
        size = verified.size;
    if (size - 1 > last && !hashes_tree (store, HASHES_LEDGER, &tree, NULL)
        && (int64_t) tree.size >= size)
        last = size - 1;
    return last;
}

static enum err version_add (void *arg, int64_t version, int64_t sequence,
                             struct slice note, struct error *e) {
    (void) sequence, (void) note, (void) e;
    json_array_append_new (arg, json_integer (version));
    return ERR_NONE;
}

void bundle_meta_get (struct request *r) {
    struct error e;
    struct store *store = request_reader (r);
    struct bundle_choice *choice = store ? bundle_choice_read (r, store) : NULL;
    if (!choice)
        return;
    const struct bundle_meta *limits = bundle_choice_limits (choice);
    json_t *versions = json_array();
    if (store_rosters (store, version_add, versions, &e)) {
        json_decref (versions);
        problem_error (r, &e);
    } else {
        reply_json (r, 200,
                    json_pack ("{so ss sI sI ss ss so so so}", "dialogue",
                               json_hash (r->http->options.dialogue),
                               "exporter", r->http->options.delegation, "first",
                               (json_int_t) 0, "last",
                               (json_int_t) last_of (store), "filter",
                               limits->filter, "author", limits->author,
                               "since", json_time_or_null (limits->since),
                               "until", json_time_or_null (limits->until),
                               "versions", versions));
    }
    bundle_choice_free (&choice);
}

/* Blocks: from the store as the client reads, with no reading open between */

struct blocks {
    struct http *http;
    struct bundle_choice *choice;
    int64_t next, last; /* sequences */
    struct block_writer *writer;
    struct buf ready;
    size_t sent;
};

static enum err block_put (struct blocks *self, const struct block *b,
                           int64_t direct_first, struct error *e) {
    size_t at = self->ready.size;
    buf_add_u32 (&self->ready, 0);
    enum err rc =
        bundle_block_put (self->choice, b, self->writer, &self->ready, e);
    if (rc)
        return rc;
    put_u32 (self->ready.data + at, (uint32_t) (self->ready.size - at - 4));
    buf_add_u64 (&self->ready, (uint64_t) direct_first);
    return ERR_NONE;
}

/* One is made ready; the walk is ended. */
static enum err block_add_one (void *arg, int64_t direct_first,
                               struct slice octets, struct error *e) {
    struct blocks *self = arg;
    struct block b;
    enum err rc = block_read (octets, &b, e);
    if (rc)
        return rc;
    int64_t end = b.first_sequence + (int64_t) b.count;
    if (end <= self->next) /* in one that was given */
        return ERR_NONE;
    self->next = end;
    if (!bundle_shows (self->choice, &b))
        return ERR_NONE;
    rc = block_put (self, &b, direct_first, e);
    return rc ? rc : ERR_STATE;
}

static ssize_t blocks_room (void *cls, uint64_t at, char *out, size_t room) {
    struct blocks *self = cls;
    struct error e = { 0 };
    (void) at;
    if (self->sent == self->ready.size && self->next <= self->last) {
        buf_clear (&self->ready);
        self->sent = 0;
        struct store *store = handles_take (&self->http->handles, &e);
        enum err rc = store ? records_blocks (store, self->next, self->last,
                                              block_add_one, self, &e)
                            : e.code;
        handles_give (&self->http->handles, &store);
        if (rc && rc != ERR_STATE) {
            log_limited (LOG_ERROR, "API-BUNDLE", "", "why=%s",
                         log_text (e.text));
            return MHD_CONTENT_READER_END_WITH_ERROR;
        }
    }
    return bundle_give (&self->ready, &self->sent, out, room);
}

static void blocks_gone (void *cls) {
    struct blocks *self = cls;
    block_writer_destroy (&self->writer);
    buf_free (&self->ready);
    bundle_choice_free (&self->choice);
    free (self);
}

void bundle_blocks_get (struct request *r) {
    int64_t time;
    struct store *store = request_reader (r);
    struct bundle_choice *choice = store ? bundle_choice_read (r, store) : NULL;
    if (!choice)
        return;
    struct blocks *self = mem_alloc (sizeof *self);
    int64_t highest = records_highest (store, &time);
    self->http = r->http;
    self->choice = choice;
    self->last = bundle_choice_last (choice);
    if (self->last > highest)
        self->last = highest;
    self->writer = block_writer_new();
    reply_response (r, 200, OCTETS,
                    MHD_create_response_from_callback (MHD_SIZE_UNKNOWN, 65536,
                                                       blocks_room, self,
                                                       blocks_gone));
}

/* Proofs: given all at once by the store, so they go through a file that has no
 * name, beside the store. */

struct proofs {
    int fd;
    bool refusals;
    int64_t last; /* promises above it are left out */
    struct buf ready;
};

static enum err proofs_flush (struct proofs *self, struct error *e) {
    for (size_t at = 0; at < self->ready.size;) {
        ssize_t n =
            write (self->fd, self->ready.data + at, self->ready.size - at);
        if (n < 0 && errno != EINTR)
            return error_sys (e, errno, "temporary file of an export");
        at += n > 0 ? (size_t) n : 0;
    }
    buf_clear (&self->ready);
    return ERR_NONE;
}

static enum err proof_put (struct proofs *self, struct slice octets,
                           struct error *e) {
    buf_add_u32 (&self->ready, (uint32_t) octets.size);
    buf_add_slice (&self->ready, octets);
    return self->ready.size < 65536 ? ERR_NONE : proofs_flush (self, e);
}

static enum err promise_put (void *arg, const struct promise_proof *proof,
                             struct error *e) {
    struct proofs *self = arg;
    struct buf octets = { 0 };
    if (self->refusals || proof->sequence > self->last)
        return ERR_NONE;
    promise_proof_write (&octets, proof);
    enum err rc = proof_put (self, buf_slice (&octets), e);
    buf_free (&octets);
    return rc;
}

static enum err refusal_put_one (void *arg, struct slice proof,
                                 struct error *e) {
    struct proofs *self = arg;
    return self->refusals ? proof_put (self, proof, e) : ERR_NONE;
}

static int nameless_file (const char *beside, struct error *e) {
    char *folder = mem_copy_text (beside);
    char *slash = strrchr (folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    int fd = open (slash ? folder : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        error_sys (e, errno, "temporary file in '%s'", slash ? folder : ".");
    free (folder);
    return fd;
}

static void proofs_reply (struct request *r, bool refusals) {
    struct proofs self = { .refusals = refusals };
    struct error e = { 0 };
    struct stat st;
    struct store *store = request_reader (r);
    if (!store
        || !request_query_int (r, "last", INT64_MAX, 0, INT64_MAX, &self.last))
        return;
    self.fd = nameless_file (r->http->options.store, &e);
    enum err rc = self.fd < 0 ? e.code : ERR_NONE;
    if (!rc)
        rc = outbox_proofs (store, promise_put, refusal_put_one, &self, &e);
    if (!rc)
        rc = proofs_flush (&self, &e);
    buf_free (&self.ready);
    if (!rc && fstat (self.fd, &st) == 0) {
        reply_response (
            r, 200, OCTETS,
            MHD_create_response_from_fd64 ((uint64_t) st.st_size, self.fd));
        return; /* the file is closed with the response */
    }
    if (self.fd >= 0)
        close (self.fd);
    problem_error (r, &e);
}

void bundle_promises_get (struct request *r) {
    proofs_reply (r, false);
}

void bundle_refusals_get (struct request *r) {
    proofs_reply (r, true);
}
