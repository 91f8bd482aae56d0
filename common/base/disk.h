/* disk - every write, sync, rename and removal that Parley relies on.
 *
 * One place, so that one table of faults in the tests covers all of them, and
 * so that the rules of durable files are written once: data is synced before
 * the name that points to it, and the folder after the name. A failed write or
 * sync is never retried on the same file: the kernel may have dropped the
 * pages and say "fine" the second time. Callers end the process.
 * Thread-safe, but for the fault hook. */
#ifndef PARLEY_DISK_H
#define PARLEY_DISK_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Open flags. Files are made 0600, folders 0700. */
enum {
    DISK_READ = 0,
    DISK_WRITE = 1,  /* reading and writing */
    DISK_CREATE = 2, /* with WRITE; ERR_EXISTS where it exists */
};

/* -1 and *e, or a descriptor (close-on-exec). Never follows a link at the
 * last place. Creating does not sync the folder: disk_sync_dir does. */
int disk_open (const char *path, int flags, struct error *e) MUST_CHECK;
void disk_close (int *fd_p); /* sets -1; keeps errno */

/* All of it, or an error; how much of it then stands there is unknown. */
enum err disk_write_at (int fd, struct slice data, uint64_t offset,
                        struct error *e) MUST_CHECK;
/* Several slices in one call, in order, at offset. `iov` is used up. */
struct iovec;
enum err disk_writev_at (int fd, struct iovec *iov, int count, uint64_t offset,
                         struct error *e) MUST_CHECK;
/* Exactly `size` octets, or ERR_DAMAGED at the file's end. */
enum err disk_read_at (int fd, void *out, size_t size, uint64_t offset,
                       struct error *e) MUST_CHECK;
enum err disk_size (int fd, uint64_t *size, struct error *e) MUST_CHECK;
enum err disk_truncate (int fd, uint64_t size, struct error *e) MUST_CHECK;
/* Let the disk begin with what was written there, and do not wait: the caller
 * works on, and disk_sync, which alone makes it durable, takes so much less. */
enum err disk_start (int fd, uint64_t offset, uint64_t size, struct error *e)
    MUST_CHECK;
enum err disk_sync (int fd, struct error *e) MUST_CHECK; /* fdatasync */
enum err disk_sync_dir (const char *dir, struct error *e) MUST_CHECK;
enum err disk_rename (const char *from, const char *to, struct error *e)
    MUST_CHECK; /* then syncs the folder of `to` */
/* Both change names in one step, then both folders are synced. */
enum err disk_exchange (const char *a, const char *b, struct error *e)
    MUST_CHECK;
enum err disk_remove (const char *path, struct error *e)
    MUST_CHECK; /* then syncs its folder; ERR_NOT_FOUND if not there */
enum err disk_make_dir (const char *path, struct error *e)
    MUST_CHECK; /* 0700; its parent synced; fine where it is one already */

/* Whole small files. Read: at most `max` octets, ERR_LIMIT above; *out is
 * replaced. Write: temporary name, sync, rename, sync of the folder; `replace`
 * false gives ERR_EXISTS where the name is taken (link(2), no race). */
enum err disk_read_file (const char *path, size_t max, struct buf *out,
                         struct error *e) MUST_CHECK;
enum err disk_write_file (const char *path, struct slice data, bool replace,
                          struct error *e) MUST_CHECK;

/* As disk_read_file for a secret: a regular file of this user, with no right
 * for group or others; otherwise ERR_KEY with the mode and the command that
 * mends it. */
enum err disk_read_secret (const char *path, size_t max, struct buf *out,
                           struct error *e) MUST_CHECK;

/* Octets that this user may still write on the file system of `path`. */
enum err disk_free_space (const char *path, uint64_t *octets, struct error *e)
    MUST_CHECK;

/* An exclusive lock on `dir`/lock for the life of the process. ERR_STATE where
 * another process holds it, with its number. -1 or the descriptor. */
int disk_lock (const char *dir, struct error *e) MUST_CHECK;

/* For tests: asked before each step that changes the disk. The answer says
 * whether the step is done, and whether it is reported as failed. */
enum disk_step {
    DISK_STEP_CREATE,
    DISK_STEP_WRITE,
    DISK_STEP_START,
    DISK_STEP_SYNC,
    DISK_STEP_SYNC_DIR,
    DISK_STEP_RENAME,
    DISK_STEP_REMOVE,
    DISK_STEP_TRUNCATE,
};
enum disk_fault {
    DISK_FINE,
    DISK_FAIL_UNDONE, /* not done, reported as failed */
    DISK_FAIL_DONE,   /* done, reported as failed */
    DISK_FAIL_HALF,   /* a write: its first half done, reported as failed */
};
typedef enum disk_fault disk_fault_fn (void *arg, enum disk_step step,
                                       const char *path);
void disk_set_fault (disk_fault_fn *fn, void *arg); /* NULL: none */

#endif
