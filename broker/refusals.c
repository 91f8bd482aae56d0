/* refusals - signed refusals, kept for those who ask (PROTOCOL.md sections 7.3
 * and 8.6).
 *
 * An entry is a reply, not a message: the proof holds all refused entries of
 * its reply, and would stand there 256 times otherwise.
 *
 *     0  u32 octets of the entry's content   4  u32 0   8  u64 XXH3-64 of it
 *     content: u64 number of its first refusal, u8 size, connection, u8 size,
 *     author, the proof (refusal_proof_write)
 *
 * Where entries stand is kept in memory, found anew at each start. */
#include "refusals.h"

#include "base/disk.h"
#include "base/log.h"
#include "base/topic.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#define ENTRY_HEADER 16
#define ENTRY_MIN 10 /* of content: number and two sizes, and a proof */
#define ENTRY_MAX 524288
#define HALF_MAX (REFUSALS_OCTETS_MAX / 2)

struct entry {
    uint64_t offset; /* of its content */
    uint32_t size;
    uint32_t count; /* refusals */
    int64_t first;  /* number */
    char connection[DELEGATION_MAX + 1];
};
struct half {
    int fd; /* -1: there is none */
    uint64_t octets;
    struct entry *entries; /* ascending by number; owned */
    size_t count, room;
};

struct refusals {
    pthread_mutex_t lock;
    char *path, *old_path;
    struct half now, old;
    int64_t next; /* number */
    bool failed;  /* the last write, which was logged */
    struct buf scratch;
};

static char *path_join (const char *dir, const char *name) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/%s", dir, name);
    return buf_take_text (&path);
}

static void half_end (struct half *self) {
    disk_close (&self->fd);
    free (self->entries);
    *self = (struct half){ .fd = -1 };
}

static struct entry *half_add (struct half *self) {
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 64;
        self->entries =
            mem_resize (self->entries, self->room * sizeof *self->entries);
    }
    return &self->entries[self->count++];
}

/* One entry's content */

struct content {
    int64_t first;
    struct slice connection, author, proof;
};

static bool take_text (struct slice *in, struct slice *out) {
    if (in->size < 1 || in->data[0] > DELEGATION_MAX
        || in->size < 1u + in->data[0])
        return false;
    *out = slice_of (in->data + 1, in->data[0]);
    *in = slice_of (in->data + 1 + out->size, in->size - 1 - out->size);
    return true;
}

static bool content_read (struct slice in, struct content *out) {
    if (in.size < ENTRY_MIN)
        return false;
    out->first = (int64_t) get_u64 (in.data);
    in = slice_of (in.data + 8, in.size - 8);
    if (out->first < 1 || !take_text (&in, &out->connection)
        || !take_text (&in, &out->author))
        return false;
    out->proof = in;
    return true;
}

static void put_text (struct buf *out, struct slice text) {
    assert (text.size <= DELEGATION_MAX);
    buf_add_u8 (out, (uint8_t) text.size);
    buf_add_slice (out, text);
}

/* Header and content. */
static void entry_write (struct buf *out, const struct content *content) {
    buf_clear (out);
    buf_add_zeros (out, ENTRY_HEADER);
    buf_add_u64 (out, (uint64_t) content->first);
    put_text (out, content->connection);
    put_text (out, content->author);
    buf_add_slice (out, content->proof);
    struct slice s =
        slice_of (out->data + ENTRY_HEADER, out->size - ENTRY_HEADER);
    put_u32 (out->data, (uint32_t) s.size);
    put_u64 (out->data + 8, hash_xxh3 (s, 0));
}

static void entry_note (struct half *self, const struct content *content,
                        size_t size, size_t count) {
    struct entry *entry = half_add (self);
    *entry = (struct entry){ .offset = self->octets + ENTRY_HEADER,
                             .size = (uint32_t) size,
                             .count = (uint32_t) count,
                             .first = content->first };
    memcpy (entry->connection, content->connection.data,
            content->connection.size);
    self->octets += ENTRY_HEADER + size;
}

/* Opening */

/* The whole entry at the front; false where none stands there. */
static bool entry_read (struct slice in, struct content *content,
                        size_t *count) {
    if (in.size < ENTRY_HEADER)
        return false;
    size_t size = get_u32 (in.data);
    if (size > in.size - ENTRY_HEADER || get_u32 (in.data + 4) != 0)
        return false;
    struct slice s = slice_of (in.data + ENTRY_HEADER, size);
    struct promise promise;
    struct promise_refused *refused;
    if (hash_xxh3 (s, 0) != get_u64 (in.data + 8) || !content_read (s, content)
        || refusal_proof_read (content->proof, &promise, &refused, count, NULL))
        return false;
    free (refused);
    return true;
}

/* Note all entries of `octets`; where the first stands that is none. */
static uint64_t half_scan (struct half *self, struct slice octets,
                           int64_t *next) {
    struct content content;
    size_t count;
    while (entry_read (octets, &content, &count) && content.first >= *next) {
        size_t size = get_u32 (octets.data);
        entry_note (self, &content, size, count);
        *next = content.first + (int64_t) count;
        octets = slice_of (octets.data + ENTRY_HEADER + size,
                           octets.size - ENTRY_HEADER - size);
    }
    return self->octets;
}

static enum err half_load (struct half *self, const char *path, int64_t *next,
                           struct error *e) {
    struct buf octets = { 0 };
    uint64_t size;
    enum err rc = disk_size (self->fd, &size, e);
    if (!rc && size > HALF_MAX)
        rc = error_set (e, ERR_LIMIT, "%s: %" PRIu64 " octets, at most %d",
                        path, size, HALF_MAX);
    if (!rc)
        rc = disk_read_at (self->fd, buf_extend (&octets, (size_t) size),
                           (size_t) size, 0, e);
    if (!rc && half_scan (self, buf_slice (&octets), next) < size) {
        log_warn ("REFUSALS-CUT", "file=%s octets=%" PRIu64 " cut=%" PRIu64,
                  log_text (path), size, size - self->octets);
        rc = disk_truncate (self->fd, self->octets, e);
    }
    buf_free (&octets);
    return rc;
}

/* Where there is none it is made, or not at all. */
static enum err half_open (struct half *self, const char *path, bool make,
                           int64_t *next, struct error *e) {
    *self = (struct half){ .fd = -1 };
    struct error own;
    self->fd = disk_open (path, DISK_WRITE, &own);
    if (self->fd >= 0)
        return half_load (self, path, next, e);
    if (own.code != ERR_NOT_FOUND)
        return error_set (e, own.code, "%s", own.text);
    if (!make)
        return ERR_NONE;
    self->fd = disk_open (path, DISK_WRITE | DISK_CREATE, e);
    return self->fd < 0 ? e->code : ERR_NONE;
}

struct refusals *refusals_open (const char *dir, struct error *e) {
    struct error own;
    if (!e)
        e = &own;
    struct refusals *self = mem_alloc (sizeof *self);
    self->path = path_join (dir, "refusals");
    self->old_path = path_join (dir, "refusals.old");
    self->next = 1;
    self->now.fd = self->old.fd = -1;
    pthread_mutex_init (&self->lock, NULL);
    if (half_open (&self->old, self->old_path, false, &self->next, e)
        || half_open (&self->now, self->path, true, &self->next, e))
        refusals_close (&self);
    return self;
}

void refusals_close (struct refusals **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    struct refusals *self = *self_p;
    half_end (&self->now);
    half_end (&self->old);
    pthread_mutex_destroy (&self->lock);
    buf_free (&self->scratch);
    free (self->path);
    free (self->old_path);
    free (self);
    *self_p = NULL;
    errno = saved;
}

/* Adding */

/* What is written now becomes the older half. After a failure the next entry
 * tries it again; the name may be gone by then. */
static enum err turn (struct refusals *self, struct error *e) {
    if (self->now.fd >= 0) {
        enum err rc = disk_rename (self->path, self->old_path, e);
        if (rc && rc != ERR_NOT_FOUND)
            return rc;
        half_end (&self->old);
        self->old = self->now;
        self->now = (struct half){ .fd = -1 };
    }
    self->now.fd = disk_open (self->path, DISK_WRITE | DISK_CREATE, e);
    return self->now.fd < 0 ? e->code : ERR_NONE;
}

static enum err add (struct refusals *self, struct content *content,
                     size_t count, struct error *e) {
    content->first = self->next;
    entry_write (&self->scratch, content);
    size_t size = self->scratch.size - ENTRY_HEADER;
    if (size > ENTRY_MAX)
        return error_set (e, ERR_LIMIT, "an entry of %zu octets, at most %d",
                          size, ENTRY_MAX);
    enum err rc = ERR_NONE;
    if (self->now.fd < 0 || self->now.octets + self->scratch.size > HALF_MAX)
        rc = turn (self, e);
    if (!rc) /* what a failed one left there is written over */
        rc = disk_write_at (self->now.fd, buf_slice (&self->scratch),
                            self->now.octets, e);
    if (rc)
        return rc;
    entry_note (&self->now, content, size, count);
    self->next += (int64_t) count;
    return ERR_NONE;
}

void refusals_add (struct refusals *self, const char *connection,
                   struct slice author, const struct promise *promise,
                   const struct promise_refused *refused, size_t count) {
    assert (count > 0);
    struct buf proof = { 0 };
    struct error e;
    refusal_proof_write (&proof, promise, refused, count);
    struct content content = { .connection = slice_text (connection),
                               .author = author,
                               .proof = buf_slice (&proof) };
    pthread_mutex_lock (&self->lock);
    bool failed = add (self, &content, count, &e) != ERR_NONE;
    if (failed && !self->failed)
        log_error ("REFUSALS-LOST", "file=%s why=%s", log_text (self->path),
                   log_text (e.text));
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

static bool list_reply (struct list *list, const struct content *content,
                        const struct promise *promise,
                        const struct promise_refused *refused, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct wire_refusal one = { .number = content->first + (int64_t) i,
                                    .log_time = promise->log_time,
                                    .author = content->author,
                                    .id = refused[i].id,
                                    .refusal = refused[i].refusal,
                                    .proof = content->proof };
        if (one.number < list->from)
            continue;
        if (list_full (list, content->proof.size + 2 * REFUSAL_VALUES_MAX))
            return false;
        wire_refusal_put (list->out, &one);
        list->count++;
    }
    return true;
}

/* false: the list is full, or the file can't be read any more. */
static bool list_entry (struct list *list, const struct half *half,
                        const struct entry *entry, struct buf *scratch) {
    struct error e;
    struct content content;
    struct promise promise;
    struct promise_refused *refused;
    size_t count;
    buf_clear (scratch);
    enum err rc = disk_read_at (half->fd, buf_extend (scratch, entry->size),
                                entry->size, entry->offset, &e);
    if (!rc && !content_read (buf_slice (scratch), &content))
        rc = error_set (&e, ERR_DAMAGED, "the entry at octet %" PRIu64,
                        entry->offset);
    if (!rc)
        rc = refusal_proof_read (content.proof, &promise, &refused, &count, &e);
    if (rc) {
        log_limited (LOG_ERROR, "REFUSALS-UNREADABLE", "", "why=%s",
                     log_text (e.text));
        return false;
    }
    bool more = list_reply (list, &content, &promise, refused, count);
    free (refused);
    return more;
}

/* The first entry that holds `number` or a higher one. */
static size_t half_find (const struct half *self, int64_t number) {
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct entry *entry = &self->entries[middle];
        if (entry->first + (int64_t) entry->count <= number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool list_half (struct list *list, const struct half *half,
                       const char *delegation, struct buf *scratch) {
    for (size_t i = half_find (half, list->from); i < half->count; i++) {
        const struct entry *entry = &half->entries[i];
        if (strcmp (entry->connection, delegation) == 0
            && !list_entry (list, half, entry, scratch))
            return false;
    }
    return true;
}

size_t refusals_list (struct refusals *self, const char *delegation,
                      int64_t from, size_t most, struct buf *out) {
    struct list list = { .from = from,
                         .most = most,
                         .octets_max = out->size + REFUSALS_LIST_MAX,
                         .out = out };
    pthread_mutex_lock (&self->lock);
    if (list_half (&list, &self->old, delegation, &self->scratch))
        (void) list_half (&list, &self->now, delegation, &self->scratch);
    pthread_mutex_unlock (&self->lock);
    return list.count;
}
