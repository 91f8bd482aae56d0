/* index_table - rows in a file and behind it in memory.
 *
 * Rows of the file never change below `filed`, and `filed` grows only after
 * they are written. So readers look at numbers and at the tail under the lock,
 * and at the file without it. */
#include "ledger/index_table.h"

#include "base/hash.h"

#include <inttypes.h>
#include <stdlib.h>

#define TABLE_HEADER 16
#define PAGE_ROWS 64 /* read at once, where a search ends */

static const uint8_t table_magic[8] = { 'P', 'L', 'Y', 'I', 'D', 'X', 0, 2 };

void table_init (struct table *self, char *path, size_t row,
                 uint64_t generation) {
    *self =
        (struct table){ .path = path, .row = row, .generation = generation };
}

void table_free (struct table *self) {
    free (self->path);
    buf_free (&self->tail);
}

static uint64_t row_place (const struct table *self, int64_t n) {
    return TABLE_HEADER + (uint64_t) n * self->row;
}

static uint64_t row_sum (const struct table *self, const uint8_t *row,
                         int64_t n) {
    return hash_xxh3 (slice_of (row, self->row - 8),
                      self->generation + (uint64_t) n);
}

static enum err check_row (const struct table *self, const uint8_t *row,
                           int64_t n, struct error *e) {
    if (get_u64 (row + self->row - 8) == row_sum (self, row, n))
        return ERR_NONE;
    return error_set (e, ERR_DAMAGED,
                      "'%s' at %" PRIu64 ": the checksum of row %" PRId64
                      " differs; without the index's folder it is made anew",
                      self->path, row_place (self, n), n);
}

/* Rows [from, from + count) of the file, checked. */
static enum err read_rows (const struct table *self, int fd, int64_t from,
                           int64_t count, uint8_t *out, struct error *e) {
    enum err rc = disk_read_at (fd, out, (size_t) count * self->row,
                                row_place (self, from), e);
    if (rc)
        return error_at (e, "'%s'", self->path);
    for (int64_t i = 0; !rc && i < count; i++)
        rc = check_row (self, out + (size_t) i * self->row, from + i, e);
    return rc;
}

static enum err check_file (const struct table *self, int fd, int64_t rows,
                            struct error *e) {
    uint8_t header[TABLE_HEADER], row[TABLE_ROW_MAX];
    enum err rc = disk_read_at (fd, header, sizeof header, 0, e);
    if (rc)
        return rc;
    if (memcmp (header, table_magic, sizeof table_magic) != 0
        || get_u64 (header + 8) != self->generation)
        return error_set (e, ERR_DAMAGED, "'%s' belongs to another index",
                          self->path);
    return read_rows (self, fd, rows - 1, 1, row, e);
}

enum err table_resume (struct table *self, int64_t rows, struct error *e) {
    struct error own;
    if (!e)
        e = &own;
    if (rows > 0) {
        int fd = disk_open (self->path, DISK_READ, e);
        if (fd < 0)
            return e->code == ERR_NOT_FOUND ? (e->code = ERR_DAMAGED) : e->code;
        enum err rc = check_file (self, fd, rows, e);
        disk_close (&fd);
        if (rc)
            return rc;
    }
    self->filed = self->shown = rows;
    return ERR_NONE;
}

/* Writing. */

int64_t table_rows (const struct table *self) {
    return self->filed + (int64_t) (self->tail.size / self->row);
}

void table_add (struct table *self, const uint8_t *row) {
    int64_t n = table_rows (self);
    buf_add (&self->tail, row, self->row - 8);
    buf_add_u64 (&self->tail, row_sum (self, row, n));
}

/* A file that nothing of ours stands in may be there from an index before. */
static enum err begin_file (const struct table *self, int *fd, bool *made,
                            struct error *e) {
    *made = true; /* or by one who died before he synced the folder */
    *fd = disk_open (self->path, DISK_WRITE, e);
    if (*fd < 0 && e->code == ERR_NOT_FOUND)
        *fd = disk_open (self->path, DISK_WRITE | DISK_CREATE, e);
    if (*fd < 0)
        return e->code;
    uint8_t header[TABLE_HEADER];
    memcpy (header, table_magic, sizeof table_magic);
    put_u64 (header + 8, self->generation);
    enum err rc = disk_truncate (*fd, 0, e);
    if (!rc)
        rc = disk_write_at (*fd, slice_of (header, sizeof header), 0, e);
    return rc;
}

enum err table_write (struct table *self, bool *made, struct error *e) {
    struct error own;
    if (!e)
        e = &own;
    if (self->tail.size == 0)
        return ERR_NONE;
    int fd = -1;
    enum err rc = ERR_NONE;
    if (self->filed == 0)
        rc = begin_file (self, &fd, made, e);
    else if ((fd = disk_open (self->path, DISK_WRITE, e)) < 0)
        rc = e->code;
    if (!rc)
        rc = disk_write_at (fd, buf_slice (&self->tail),
                            row_place (self, self->filed), e);
    if (!rc)
        rc = disk_sync (fd, e);
    disk_close (&fd);
    return rc ? error_at (e, "'%s'", self->path) : ERR_NONE;
}

void table_written (struct table *self) {
    self->filed = table_rows (self);
    buf_clear (&self->tail);
}

/* Reading. */

static int64_t key_of (const uint8_t *row, size_t at) {
    return (int64_t) get_u64 (row + at);
}

static const uint8_t *tail_row (const struct table *self, int64_t n) {
    return self->tail.data + (size_t) (n - self->filed) * self->row;
}

static enum err file_get (const struct table *self, int64_t n, uint8_t *out,
                          struct error *e) {
    int fd = disk_open (self->path, DISK_READ, e);
    if (fd < 0)
        return e->code;
    enum err rc = read_rows (self, fd, n, 1, out, e);
    disk_close (&fd);
    return rc;
}

enum err table_get (const struct table *self, pthread_mutex_t *lock, int64_t n,
                    uint8_t *out, struct error *e) {
    struct error own;
    if (!e)
        e = &own;
    pthread_mutex_lock (lock);
    bool there = n >= 0 && n < self->shown, filed = n < self->filed;
    if (there && !filed)
        memcpy (out, tail_row (self, n), self->row);
    pthread_mutex_unlock (lock);
    if (!there)
        return error_set (e, ERR_NOT_FOUND, "the index has no row %" PRId64, n);
    return filed ? file_get (self, n, out, e) : ERR_NONE;
}

/* Rows below lo have keys that are not above; rows from hi on are above. */
static int64_t tail_find (const struct table *self, size_t at, int64_t key) {
    int64_t lo = self->filed, hi = self->shown;
    while (lo < hi) {
        int64_t middle = lo + (hi - lo) / 2;
        if (key_of (tail_row (self, middle), at) <= key)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo - 1;
}

static enum err page_find (const struct table *self, int fd, size_t at,
                           int64_t key, int64_t lo, int64_t hi, int64_t *n,
                           uint8_t *out, struct error *e) {
    uint8_t page[(PAGE_ROWS + 1) * TABLE_ROW_MAX];
    int64_t from = lo > 0 ? lo - 1 : 0;
    enum err rc = read_rows (self, fd, from, hi - from, page, e);
    if (rc)
        return rc;
    *n = -1;
    for (int64_t i = from; i < hi; i++) {
        const uint8_t *row = page + (size_t) (i - from) * self->row;
        if (key_of (row, at) > key)
            break;
        *n = i;
        memcpy (out, row, self->row);
    }
    return ERR_NONE;
}

static enum err file_find (const struct table *self, int fd, int64_t rows,
                           size_t at, int64_t key, int64_t *n, uint8_t *out,
                           struct error *e) {
    int64_t lo = 0, hi = rows;
    while (hi - lo > PAGE_ROWS) {
        int64_t middle = lo + (hi - lo) / 2;
        enum err rc = read_rows (self, fd, middle, 1, out, e);
        if (rc)
            return rc;
        if (key_of (out, at) <= key)
            lo = middle + 1;
        else
            hi = middle;
    }
    return page_find (self, fd, at, key, lo, hi, n, out, e);
}

enum err table_find (const struct table *self, pthread_mutex_t *lock, size_t at,
                     int64_t key, int64_t *n, uint8_t *out, struct error *e) {
    struct error own;
    if (!e)
        e = &own;
    pthread_mutex_lock (lock);
    int64_t filed = self->filed;
    *n = tail_find (self, at, key);
    bool in_tail = *n >= filed;
    if (in_tail)
        memcpy (out, tail_row (self, *n), self->row);
    pthread_mutex_unlock (lock);
    if (in_tail || filed == 0)
        return ERR_NONE; /* of no rows at all, -1 */
    int fd = disk_open (self->path, DISK_READ, e);
    if (fd < 0)
        return e->code;
    enum err rc = file_find (self, fd, filed, at, key, n, out, e);
    disk_close (&fd);
    return rc;
}

/* Rows of the run that are in the file; *out moves behind the run. */
static enum err file_take (const struct table *self, int fd,
                           const struct table_run *run, int64_t filed,
                           size_t width, uint8_t **out, struct error *e) {
    uint8_t page[PAGE_ROWS * TABLE_ROW_MAX];
    uint8_t *at = *out;
    int64_t to = run->from + run->count, n;
    *out += (size_t) run->count * width;
    to = to < filed ? to : filed;
    enum err rc = ERR_NONE;
    for (int64_t from = run->from; !rc && from < to; from += n) {
        n = to - from < PAGE_ROWS ? to - from : PAGE_ROWS;
        rc = read_rows (self, fd, from, n, page, e);
        for (int64_t i = 0; !rc && i < n; i++, at += width)
            memcpy (at, page + (size_t) i * self->row, width);
    }
    return rc;
}

/* And those in memory, under the lock. */
static uint8_t *tail_take (const struct table *self,
                           const struct table_run *run, size_t width,
                           uint8_t *out) {
    for (int64_t n = run->from; n < run->from + run->count; n++, out += width)
        if (n >= self->filed)
            memcpy (out, tail_row (self, n), width);
    return out;
}

enum err table_take_runs (const struct table *self, pthread_mutex_t *lock,
                          const struct table_run *runs, size_t count,
                          size_t width, uint8_t *out, struct error *e) {
    struct error own;
    if (!e)
        e = &own;
    bool there = true, in_file = false;
    pthread_mutex_lock (lock);
    int64_t filed = self->filed;
    for (size_t i = 0; there && i < count; i++) {
        there = runs[i].from >= 0 && runs[i].count <= self->shown
                && runs[i].from <= self->shown - runs[i].count;
        in_file = in_file || (runs[i].from < filed && runs[i].count > 0);
    }
    uint8_t *at = out;
    for (size_t i = 0; there && i < count; i++)
        at = tail_take (self, &runs[i], width, at);
    pthread_mutex_unlock (lock);
    if (!there)
        return error_set (e, ERR_NOT_FOUND, "the index has no such rows");
    if (!in_file)
        return ERR_NONE;
    int fd = disk_open (self->path, DISK_READ, e);
    if (fd < 0)
        return e->code;
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < count; i++)
        rc = file_take (self, fd, &runs[i], filed, width, &out, e);
    disk_close (&fd);
    return rc;
}

enum err table_take (const struct table *self, pthread_mutex_t *lock,
                     int64_t from, int64_t count, size_t width, struct buf *out,
                     struct error *e) {
    pthread_mutex_lock (lock);
    int64_t there = self->shown > from ? self->shown - from : 0;
    pthread_mutex_unlock (lock);
    struct table_run run = { from, count < there ? count : there };
    if (run.count <= 0)
        return ERR_NONE;
    size_t before = out->size;
    uint8_t *at = buf_extend (out, (size_t) run.count * width);
    enum err rc = table_take_runs (self, lock, &run, 1, width, at, e);
    if (rc)
        out->size = before;
    return rc;
}
