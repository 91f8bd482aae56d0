/* refusals - signed refusals, kept for those who ask (PROTOCOL.md sections 7.3
 * and 8.6).
 *
 * An entry is a reply, not a message: the proof holds all refused entries of
 * its reply, and would stand there 256 times otherwise.
 *
 *     0  u32 octets of the entry's content   4  u32 0   8  u64 XXH3-64 of it
 *     content: u64 number of its first refusal, u16 numbers, u8 size, author,
 *     the proof (refusal_proof_write)
 *
 * Numbers are consecutive in a file, and from the older one to the newer. In
 * memory stands only where a delegation's next entry belongs. */
#include "refusals.h"

#include "base/disk.h"
#include "base/log.h"
#include "base/topic.h"
#include "format/batch.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#define ENTRY_HEADER 16
#define ENTRY_MIN 11 /* of content: number, numbers, size */
#define HALF_MAX (REFUSALS_OCTETS_MAX / 2)
#define NOT_READ 0 /* `next` of files that were not looked at yet */

/* One delegation's two files. */
struct keep {
    char delegation[DELEGATION_MAX + 1];
    char *path, *old_path; /* owned */
    int64_t next;          /* number of its next refusal, or NOT_READ */
    uint64_t octets;       /* of the newer file; what is behind is void */
};

struct refusals {
    pthread_mutex_t lock;
    char *dir;          /* owned */
    struct keep *keeps; /* of those that were asked for in this run; owned */
    size_t count, room;
    bool failed; /* the last addition, which was logged */
    struct buf scratch;
};

/* A rule of the whole batch that is tried again later: the author has the
 * signed reply and waits, and many of them would push all others out. */
static bool is_kept (const struct promise_refused *refused) {
    enum rule rule = refused->refusal.rule;
    return rule != RULE_RATE && rule != RULE_NO_SPACE && rule != RULE_CLOCK;
}

/* Opening */

struct refusals *refusals_open (const char *dir, struct error *e) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/refusals", dir);
    struct refusals *self = mem_alloc (sizeof *self);
    self->dir = buf_take_text (&path);
    pthread_mutex_init (&self->lock, NULL);
    if (disk_make_dir (self->dir, e))
        refusals_close (&self);
    return self;
}

void refusals_close (struct refusals **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    struct refusals *self = *self_p;
    for (size_t i = 0; i < self->count; i++) {
        free (self->keeps[i].path);
        free (self->keeps[i].old_path);
    }
    free (self->keeps);
    free (self->dir);
    pthread_mutex_destroy (&self->lock);
    buf_free (&self->scratch);
    free (self);
    *self_p = NULL;
    errno = saved;
}

/* `EUROPOL/hq` has the file `EUROPOL.hq`: no name has a point. */
static char *path_of (const struct refusals *self, const char *delegation,
                      const char *end) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/%s%s", self->dir, delegation, end);
    char *text = buf_take_text (&path);
    char *slash = strrchr (text, '/');
    assert (slash);
    *slash = '.';
    return text;
}

static struct keep *keep_of (struct refusals *self, const char *delegation) {
    assert (delegation_valid (slice_text (delegation)));
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->keeps[i].delegation, delegation) == 0)
            return &self->keeps[i];
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 16;
        self->keeps =
            mem_resize (self->keeps, self->room * sizeof *self->keeps);
    }
    struct keep *keep = &self->keeps[self->count++];
    *keep = (struct keep){ .path = path_of (self, delegation, ""),
                           .old_path = path_of (self, delegation, ".old"),
                           .next = NOT_READ };
    strcpy (keep->delegation, delegation);
    return keep;
}

/* Entries */

struct entry {
    int64_t first;
    size_t count; /* numbers */
    struct slice author, proof;
};

static bool content_read (struct slice in, struct entry *out) {
    if (in.size < ENTRY_MIN)
        return false;
    *out = (struct entry){ .first = (int64_t) get_u64 (in.data),
                           .count = get_u16 (in.data + 8) };
    size_t size = in.data[10];
    if (out->first < 1 || out->first > INT64_MAX - BATCH_MAX || out->count < 1
        || out->count > BATCH_MAX || size > DELEGATION_MAX
        || size > in.size - ENTRY_MIN)
        return false;
    out->author = slice_of (in.data + ENTRY_MIN, size);
    out->proof =
        slice_of (in.data + ENTRY_MIN + size, in.size - ENTRY_MIN - size);
    return true;
}

/* The whole entry at the front; false where none stands there. */
static bool entry_take (struct slice *in, struct entry *out) {
    if (in->size < ENTRY_HEADER)
        return false;
    size_t size = get_u32 (in->data);
    if (size > in->size - ENTRY_HEADER || get_u32 (in->data + 4) != 0)
        return false;
    struct slice content = slice_of (in->data + ENTRY_HEADER, size);
    if (hash_xxh3 (content, 0) != get_u64 (in->data + 8)
        || !content_read (content, out))
        return false;
    *in = slice_of (content.data + size, in->size - ENTRY_HEADER - size);
    return true;
}

/* Header and content. */
static void entry_write (struct buf *out, const struct entry *entry) {
    assert (entry->author.size <= DELEGATION_MAX);
    buf_clear (out);
    buf_add_zeros (out, ENTRY_HEADER);
    buf_add_u64 (out, (uint64_t) entry->first);
    buf_add_u16 (out, (uint16_t) entry->count);
    buf_add_u8 (out, (uint8_t) entry->author.size);
    buf_add_slice (out, entry->author);
    buf_add_slice (out, entry->proof);
    struct slice s =
        slice_of (out->data + ENTRY_HEADER, out->size - ENTRY_HEADER);
    put_u32 (out->data, (uint32_t) s.size);
    put_u64 (out->data + 8, hash_xxh3 (s, 0));
}

/* Files */

/* What stands in the two: whole entries with consecutive numbers. */
struct halves {
    struct buf old, now;
    int64_t next;
};

/* No file: nothing is in it. Numbers go on from *next, or begin anywhere where
 * that is 0. Leaves in *out the entries up to the first that is none. */
static enum err half_read (const char *path, struct buf *out, int64_t *next,
                           struct error *e) {
    struct error own;
    enum err rc = disk_read_file (path, HALF_MAX, out, &own);
    if (rc == ERR_NOT_FOUND) {
        buf_clear (out);
        return ERR_NONE;
    }
    if (rc)
        return error_set (e, rc, "%s", own.text);
    struct slice in = buf_slice (out), rest = in;
    struct entry entry;
    while (entry_take (&rest, &entry) && (*next == 0 || entry.first == *next)) {
        *next = entry.first + (int64_t) entry.count;
        in = rest;
    }
    out->size -= in.size;
    return ERR_NONE;
}

static void halves_free (struct halves *self) {
    buf_free (&self->old);
    buf_free (&self->now);
}

/* On failure nothing is held. */
static enum err halves_read (const struct keep *keep, struct halves *out,
                             struct error *e) {
    int64_t old_next = 0;
    struct entry first;
    *out = (struct halves){ 0 };
    enum err rc = half_read (keep->old_path, &out->old, &old_next, e);
    if (!rc)
        rc = half_read (keep->path, &out->now, &out->next, e);
    if (rc) {
        halves_free (out);
        return rc;
    }
    struct slice in = buf_slice (&out->now);
    if (!entry_take (&in, &first))
        out->next = old_next;
    else if (first.first != old_next)
        buf_clear (&out->old); /* lost its end: there would be a hole */
    if (out->next == 0)
        out->next = 1;
    return ERR_NONE;
}

/* What a crash left behind the last whole entry. */
static enum err end_cut (struct keep *self, uint64_t octets, struct error *e) {
    struct error own;
    uint64_t size;
    int fd = disk_open (self->path, DISK_WRITE, &own);
    if (fd < 0)
        return own.code == ERR_NOT_FOUND
                   ? ERR_NONE
                   : error_set (e, own.code, "%s", own.text);
    enum err rc = disk_size (fd, &size, e);
    if (!rc && size > octets) {
        log_warn ("REFUSALS-CUT", "file=%s octets=%" PRIu64 " cut=%" PRIu64,
                  log_text (self->path), size, size - octets);
        rc = disk_truncate (fd, octets, e);
    }
    disk_close (&fd);
    return rc;
}

static enum err keep_load (struct keep *self, struct error *e) {
    struct halves halves;
    if (self->next != NOT_READ)
        return ERR_NONE;
    enum err rc = halves_read (self, &halves, e);
    if (rc)
        return rc;
    rc = end_cut (self, halves.now.size, e);
    if (!rc) {
        self->octets = halves.now.size;
        self->next = halves.next;
    }
    halves_free (&halves);
    return rc;
}

/* Adding */

/* What is written now becomes the older half. After a failure the next entry
 * tries it again; the name may be gone by then. */
static enum err turn (struct keep *self, struct error *e) {
    enum err rc = disk_rename (self->path, self->old_path, e);
    if (rc && rc != ERR_NOT_FOUND)
        return rc;
    self->octets = 0;
    return ERR_NONE;
}

static int now_open (struct keep *self, struct error *e) {
    struct error own;
    int fd = disk_open (self->path, DISK_WRITE, &own);
    if (fd >= 0)
        return fd;
    if (own.code != ERR_NOT_FOUND) {
        (void) error_set (e, own.code, "%s", own.text);
        return -1;
    }
    self->octets = 0;
    return disk_open (self->path, DISK_WRITE | DISK_CREATE, e);
}

static enum err add (struct keep *self, struct entry *entry,
                     struct buf *scratch, struct error *e) {
    enum err rc = keep_load (self, e);
    if (rc)
        return rc;
    entry->first = self->next;
    entry_write (scratch, entry);
    if (scratch->size > HALF_MAX)
        return error_set (e, ERR_LIMIT, "an entry of %zu octets, at most %d",
                          scratch->size, HALF_MAX);
    if (self->octets + scratch->size > HALF_MAX)
        rc = turn (self, e);
    if (rc)
        return rc;
    int fd = now_open (self, e);
    if (fd < 0)
        return e->code;
    /* what a failed one left there is written over */
    rc = disk_write_at (fd, buf_slice (scratch), self->octets, e);
    disk_close (&fd);
    if (rc)
        return rc;
    self->octets += scratch->size;
    self->next += (int64_t) entry->count;
    return ERR_NONE;
}

void refusals_add (struct refusals *self, const char *connection,
                   struct slice author, const struct promise *promise,
                   const struct promise_refused *refused, size_t count) {
    struct buf proof = { 0 };
    struct error e;
    struct entry entry = { .author = author };
    assert (count > 0 && count <= BATCH_MAX);
    for (size_t i = 0; i < count; i++)
        entry.count += is_kept (&refused[i]);
    if (entry.count == 0)
        return;
    refusal_proof_write (&proof, promise, refused, count);
    entry.proof = buf_slice (&proof);
    pthread_mutex_lock (&self->lock);
    bool failed = add (keep_of (self, connection), &entry, &self->scratch, &e);
    if (failed && !self->failed)
        log_error ("REFUSALS-LOST", "delegation=%s why=%s",
                   log_text (connection), log_text (e.text));
    self->failed = failed;
    pthread_mutex_unlock (&self->lock);
    buf_free (&proof);
}

/* Listing */

struct list {
    int64_t from;
    size_t most, count, octets_max;
    struct buf *out;
};

static bool list_full (const struct list *self, size_t more) {
    return self->count == self->most
           || (self->count > 0 && self->out->size + more > self->octets_max);
}

static bool list_reply (struct list *list, const struct entry *entry,
                        const struct promise *promise,
                        const struct promise_refused *refused, size_t count) {
    int64_t number = entry->first;
    for (size_t i = 0; i < count; i++) {
        if (!is_kept (&refused[i]))
            continue;
        struct wire_refusal one = { .number = number++,
                                    .log_time = promise->log_time,
                                    .author = entry->author,
                                    .id = refused[i].id,
                                    .refusal = refused[i].refusal,
                                    .proof = entry->proof };
        if (one.number < list->from)
            continue;
        if (list_full (list, entry->proof.size + 2 * REFUSAL_VALUES_MAX))
            return false;
        wire_refusal_put (list->out, &one);
        list->count++;
    }
    return true;
}

static void complain (const struct error *e) {
    log_limited (LOG_ERROR, "REFUSALS-UNREADABLE", "", "why=%s",
                 log_text (e->text));
}

/* false: the list is full, or no proof stands there. */
static bool list_entry (struct list *list, const struct entry *entry) {
    struct error e;
    struct promise promise;
    struct promise_refused *refused;
    size_t count;
    if (refusal_proof_read (entry->proof, &promise, &refused, &count, &e)) {
        complain (&e);
        return false;
    }
    bool more = list_reply (list, entry, &promise, refused, count);
    free (refused);
    return more;
}

static bool list_half (struct list *list, struct slice in) {
    struct entry entry;
    while (entry_take (&in, &entry)) {
        if (entry.first + (int64_t) entry.count > list->from
            && !list_entry (list, &entry))
            return false;
    }
    return true;
}

/* Read under the lock, judged outside: what is refused meanwhile has to be
 * signed, not to wait. */
static enum err read_for (struct refusals *self, const char *delegation,
                          struct halves *out, struct error *e) {
    pthread_mutex_lock (&self->lock);
    struct keep *keep = keep_of (self, delegation);
    enum err rc = keep_load (keep, e);
    if (!rc)
        rc = halves_read (keep, out, e);
    if (!rc && out->now.size > keep->octets)
        out->now.size = (size_t) keep->octets; /* a write that failed */
    pthread_mutex_unlock (&self->lock);
    return rc;
}

size_t refusals_list (struct refusals *self, const char *delegation,
                      int64_t from, size_t most, struct buf *out) {
    struct list list = { .from = from,
                         .most = most,
                         .octets_max = out->size + REFUSALS_LIST_MAX,
                         .out = out };
    struct halves halves;
    struct error e;
    if (read_for (self, delegation, &halves, &e)) {
        complain (&e);
        return 0;
    }
    if (list_half (&list, buf_slice (&halves.old)))
        (void) list_half (&list, buf_slice (&halves.now));
    halves_free (&halves);
    return list.count;
}
