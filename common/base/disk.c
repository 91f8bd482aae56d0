/* disk - durable files (PROTOCOL.md section 7: what a promise rests on).
 *
 * Each step that changes the disk asks the fault hook first (disk_fault.c), so
 * that the tests can fail every one of them, both not done and done anyway. */
#include "base/disk_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

/* "WHAT 'PATH': reason", with a code of its own for the two reasons that a
 * caller may want to act on. */
static enum err path_error (struct error *e, int number, const char *what,
                            const char *path) {
    enum err code = error_sys (e, number, "%s '%s'", what, path);
    if (number == ENOENT)
        code = ERR_NOT_FOUND;
    else if (number == EEXIST)
        code = ERR_EXISTS;
    if (e)
        e->code = code;
    return code;
}

/* The folder that holds the last name of `path`; the caller frees it. */
static char *folder_of (const char *path) {
    char *copy = mem_copy_text (path);
    char *folder = mem_copy_text (dirname (copy));
    free (copy);
    return folder;
}

/* Descriptors */

int disk_open (const char *path, int flags, struct error *e) {
    if (!path || !*path || (flags & ~(DISK_WRITE | DISK_CREATE))
        || ((flags & DISK_CREATE) && !(flags & DISK_WRITE))) {
        error_set (e, ERR_ARGUMENT, "open '%s' with flags %d",
                   path ? path : "(null)", flags);
        return -1;
    }
    int mode = O_CLOEXEC | O_NOFOLLOW;
    mode |= flags & DISK_WRITE ? O_RDWR : O_RDONLY;
    enum disk_fault fault = DISK_FINE;
    if (flags & DISK_CREATE) {
        mode |= O_CREAT | O_EXCL;
        fault = disk_ask (DISK_STEP_CREATE, path);
    }
    int fd = -1;
    if (fault == DISK_FINE || fault == DISK_FAIL_DONE)
        fd = open (path, mode, 0600);
    int opened = fd;
    fd = disk_result (fault, fd);
    if (fd < 0) {
        path_error (e, errno, flags & DISK_CREATE ? "create" : "open", path);
        disk_close (&opened);
    }
    return fd;
}

void disk_close (int *fd_p) {
    if (!fd_p || *fd_p < 0)
        return;
    int saved = errno;
    close (*fd_p); /* never retried: Linux has freed the number already */
    *fd_p = -1;
    errno = saved;
}

static size_t iov_total (const struct iovec *iov, int count) {
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += iov[i].iov_len;
    return total;
}

/* Leave only the first `keep` octets of the slices. */
static void iov_cut (struct iovec *iov, int count, size_t keep) {
    for (int i = 0; i < count; i++) {
        if (iov[i].iov_len > keep)
            iov[i].iov_len = keep;
        keep -= iov[i].iov_len;
    }
}

/* Drop the first `done` octets, and slices that are empty then. */
static void iov_skip (struct iovec **iov_p, int *count_p, size_t done) {
    while (*count_p > 0 && done >= (*iov_p)->iov_len) {
        done -= (*iov_p)->iov_len;
        (*iov_p)++;
        (*count_p)--;
    }
    if (*count_p > 0) {
        (*iov_p)->iov_base = (char *) (*iov_p)->iov_base + done;
        (*iov_p)->iov_len -= done;
    }
}

/* 0, or -1 and errno. A short write is what a nearly full disk gives first:
 * going on is no retry, since those octets were taken. */
static int iov_write (int fd, struct iovec *iov, int count, uint64_t offset) {
    iov_skip (&iov, &count, 0);
    while (count > 0) {
        int some = count < IOV_MAX ? count : IOV_MAX;
        ssize_t n = pwritev (fd, iov, some, (off_t) offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            if (n == 0)
                errno = EIO;
            return -1;
        }
        offset += (uint64_t) n;
        iov_skip (&iov, &count, (size_t) n);
    }
    return 0;
}

enum err disk_writev_at (int fd, struct iovec *iov, int count, uint64_t offset,
                         struct error *e) {
    if (fd < 0 || count < 0 || (count > 0 && !iov))
        return error_set (e, ERR_ARGUMENT, "write of %d slices to %d", count,
                          fd);
    size_t total = iov_total (iov, count);
    if (offset > INT64_MAX || total > INT64_MAX - offset)
        return error_set (e, ERR_LIMIT, "write of %zu octets at %ju", total,
                          (uintmax_t) offset);
    enum disk_fault fault = disk_ask_fd (DISK_STEP_WRITE, fd);
    if (fault == DISK_FAIL_HALF)
        iov_cut (iov, count, total / 2);
    int rc = 0;
    if (fault != DISK_FAIL_UNDONE)
        rc = iov_write (fd, iov, count, offset);
    if (disk_result (fault, rc) != 0)
        return error_sys (e, errno, "write of %zu octets at %ju", total,
                          (uintmax_t) offset);
    return ERR_NONE;
}

enum err disk_write_at (int fd, struct slice data, uint64_t offset,
                        struct error *e) {
    /* writev does not change what it reads; its type just cannot say so. */
    struct iovec iov = { .iov_base = (void *) (uintptr_t) data.data,
                         .iov_len = data.size };
    return disk_writev_at (fd, &iov, 1, offset, e);
}

enum err disk_read_at (int fd, void *out, size_t size, uint64_t offset,
                       struct error *e) {
    if (fd < 0 || (size > 0 && !out))
        return error_set (e, ERR_ARGUMENT, "read of %zu octets from %d", size,
                          fd);
    if (offset > INT64_MAX || size > INT64_MAX - offset)
        return error_set (e, ERR_LIMIT, "read of %zu octets at %ju", size,
                          (uintmax_t) offset);
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread (fd, (char *) out + done, size - done,
                           (off_t) (offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys (e, errno, "read of %zu octets at %ju", size,
                              (uintmax_t) offset);
        if (n == 0)
            return error_set (e, ERR_DAMAGED,
                              "the file ends after %zu of %zu octets at %ju",
                              done, size, (uintmax_t) offset);
        done += (size_t) n;
    }
    return ERR_NONE;
}

enum err disk_size (int fd, uint64_t *size, struct error *e) {
    struct stat st;
    if (fstat (fd, &st) != 0)
        return error_sys (e, errno, "size of descriptor %d", fd);
    *size = (uint64_t) st.st_size;
    return ERR_NONE;
}

enum err disk_truncate (int fd, uint64_t size, struct error *e) {
    if (size > INT64_MAX)
        return error_set (e, ERR_LIMIT, "cut to %ju octets", (uintmax_t) size);
    enum disk_fault fault = disk_ask_fd (DISK_STEP_TRUNCATE, fd);
    int rc = 0;
    if (fault == DISK_FINE || fault == DISK_FAIL_DONE)
        do
            rc = ftruncate (fd, (off_t) size);
        while (rc != 0 && errno == EINTR);
    if (disk_result (fault, rc) != 0)
        return error_sys (e, errno, "cut to %ju octets", (uintmax_t) size);
    return ERR_NONE;
}

enum err disk_sync (int fd, struct error *e) {
    enum disk_fault fault = disk_ask_fd (DISK_STEP_SYNC, fd);
    int rc = 0;
    /* No second try, not even after EINTR: see the header. */
    if (fault == DISK_FINE || fault == DISK_FAIL_DONE)
        rc = fdatasync (fd);
    if (disk_result (fault, rc) != 0)
        return error_sys (e, errno, "sync");
    return ERR_NONE;
}

/* Where it is not there, disk_sync does all of it. */
static bool is_unknown (int number) {
    return number == ENOSYS || number == EINVAL || number == ESPIPE
           || number == EOPNOTSUPP;
}

enum err disk_start (int fd, uint64_t offset, uint64_t size, struct error *e) {
    if (fd < 0 || size == 0 || offset > INT64_MAX || size > INT64_MAX - offset)
        return error_set (e, ERR_ARGUMENT, "start %ju octets at %ju of %d",
                          (uintmax_t) size, (uintmax_t) offset, fd);
    enum disk_fault fault = disk_ask_fd (DISK_STEP_START, fd);
    int rc = 0;
    if (fault == DISK_FINE || fault == DISK_FAIL_DONE)
        rc = sync_file_range (fd, (off_t) offset, (off_t) size,
                              SYNC_FILE_RANGE_WRITE);
    if (rc != 0 && is_unknown (errno))
        rc = 0;
    if (disk_result (fault, rc) != 0)
        return error_sys (e, errno, "start of %ju octets at %ju",
                          (uintmax_t) size, (uintmax_t) offset);
    return ERR_NONE;
}

/* Names */

enum err disk_sync_dir (const char *dir, struct error *e) {
    enum disk_fault fault = disk_ask (DISK_STEP_SYNC_DIR, dir);
    int rc = 0;
    if (fault == DISK_FINE || fault == DISK_FAIL_DONE) {
        int fd = open (dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        rc = fd < 0 ? -1 : fsync (fd);
        disk_close (&fd);
    }
    if (disk_result (fault, rc) != 0)
        return path_error (e, errno, "sync folder", dir);
    return ERR_NONE;
}

static enum err sync_folder_of (const char *path, struct error *e) {
    char *folder = folder_of (path);
    enum err rc = disk_sync_dir (folder, e);
    free (folder);
    return rc;
}

enum err disk_rename (const char *from, const char *to, struct error *e) {
    enum disk_fault fault = disk_ask (DISK_STEP_RENAME, to);
    int rc = 0;
    if (fault == DISK_FINE || fault == DISK_FAIL_DONE)
        rc = rename (from, to);
    if (disk_result (fault, rc) != 0)
        return path_error (e, errno, "rename to", to);
    return sync_folder_of (to, e);
}

enum err disk_exchange (const char *a, const char *b, struct error *e) {
    enum disk_fault fault = disk_ask (DISK_STEP_RENAME, b);
    int rc = 0;
    if (fault == DISK_FINE || fault == DISK_FAIL_DONE)
        rc = renameat2 (AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
    if (disk_result (fault, rc) != 0)
        return path_error (e, errno, "exchange with", b);
    enum err code = sync_folder_of (a, e);
    return code ? code : sync_folder_of (b, e);
}

enum err disk_remove (const char *path, struct error *e) {
    enum disk_fault fault = disk_ask (DISK_STEP_REMOVE, path);
    int rc = 0;
    if (fault == DISK_FINE || fault == DISK_FAIL_DONE)
        rc = unlink (path);
    if (disk_result (fault, rc) != 0)
        return path_error (e, errno, "remove", path);
    return sync_folder_of (path, e);
}

enum err disk_make_dir (const char *path, struct error *e) {
    enum disk_fault fault = disk_ask (DISK_STEP_CREATE, path);
    int rc = 0;
    if (fault == DISK_FINE || fault == DISK_FAIL_DONE)
        rc = mkdir (path, 0700);
    struct stat st;
    if (rc != 0 && errno == EEXIST && stat (path, &st) == 0) {
        if (!S_ISDIR (st.st_mode))
            return error_set (e, ERR_EXISTS, "'%s' is there and no folder",
                              path);
        rc = 0;
    }
    if (disk_result (fault, rc) != 0)
        return path_error (e, errno, "make folder", path);
    /* Also where it stood already: whoever made it may have died before. */
    return sync_folder_of (path, e);
}

/* Whole files */

/* Up to `max` octets of fd into an empty buffer. A regular file's size is
 * reserved at once, so that a secret leaves no copies behind in the heap. */
static enum err read_all (int fd, const char *path, size_t max, struct buf *out,
                          struct error *e) {
    struct stat st;
    if (fstat (fd, &st) != 0)
        return path_error (e, errno, "read", path);
    if (S_ISREG (st.st_mode) && (uint64_t) st.st_size <= max)
        buf_reserve (out, (size_t) st.st_size + 1);
    for (;;) {
        /* One octet above the limit is enough to see that it is passed. */
        size_t want = max - out->size < 65535 ? max - out->size + 1 : 65536;
        if (want > out->room - out->size && out->room > out->size)
            want = out->room - out->size;
        buf_reserve (out, want);
        ssize_t n = read (fd, out->data + out->size, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return path_error (e, errno, "read", path);
        if (n == 0)
            return ERR_NONE;
        out->size += (size_t) n;
        if (out->size > max)
            return error_set (e, ERR_LIMIT, "'%s' is over %zu octets", path,
                              max);
    }
}

static void buf_wipe (struct buf *self) {
    if (self->data)
        explicit_bzero (self->data, self->room);
    buf_free (self);
}

/* Closes fd. *out is replaced on success only. */
static enum err read_into (int *fd_p, const char *path, size_t max,
                           struct buf *out, struct error *e) {
    struct buf content = { 0 };
    enum err rc = read_all (*fd_p, path, max, &content, e);
    disk_close (fd_p);
    if (rc) {
        buf_wipe (&content);
        return rc;
    }
    buf_free (out);
    *out = content;
    return ERR_NONE;
}

enum err disk_read_file (const char *path, size_t max, struct buf *out,
                         struct error *e) {
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return path_error (e, errno, "open", path);
    return read_into (&fd, path, max, out, e);
}

static enum err secret_check (int fd, const char *path, struct error *e) {
    struct stat st;
    if (fstat (fd, &st) != 0)
        return path_error (e, errno, "read", path);
    if (!S_ISREG (st.st_mode))
        return error_set (e, ERR_KEY, "secret '%s' is no regular file", path);
    if (st.st_uid != geteuid())
        return error_set (e, ERR_KEY,
                          "secret '%s' belongs to user %u, not to %u; "
                          "try: chown %u '%s'",
                          path, (unsigned) st.st_uid, (unsigned) geteuid(),
                          (unsigned) geteuid(), path);
    if (st.st_mode & 077)
        return error_set (e, ERR_KEY,
                          "secret '%s' has mode %04o, so that others may use "
                          "it; try: chmod 600 '%s'",
                          path, (unsigned) st.st_mode & 07777, path);
    return ERR_NONE;
}

enum err disk_read_secret (const char *path, size_t max, struct buf *out,
                           struct error *e) {
    /* Without O_NONBLOCK, opening a pipe would wait for its other end. */
    int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ELOOP)
        return error_set (e, ERR_KEY,
                          "secret '%s' is a link; name the file itself", path);
    if (fd < 0)
        return path_error (e, errno, "open secret", path);
    enum err rc = secret_check (fd, path, e);
    if (rc) {
        disk_close (&fd);
        return rc;
    }
    return read_into (&fd, path, max, out, e);
}

/* A new file beside `path`, whole and synced. *temp is its name. */
static enum err write_temp (const char *path, struct slice data, char **temp,
                            struct error *e) {
    struct buf name = { 0 };
    buf_add_format (&name, "%s.XXXXXX", path);
    *temp = buf_take_text (&name);
    enum disk_fault fault = disk_ask (DISK_STEP_CREATE, path);
    int made = -1;
    if (fault == DISK_FINE || fault == DISK_FAIL_DONE)
        made = mkostemp (*temp, O_CLOEXEC);
    int fd = made;
    enum err rc = ERR_NONE;
    if (disk_result (fault, made) < 0)
        rc = path_error (e, errno, "create a file beside", path);
    if (!rc)
        rc = disk_write_at (fd, data, 0, e);
    if (!rc)
        rc = disk_sync (fd, e);
    disk_close (&fd);
    if (rc && made >= 0)
        unlink (*temp); /* nobody relies on it */
    return rc;
}

/* Give the finished file its name where nobody has it. */
static enum err link_new (const char *temp, const char *path, struct error *e) {
    enum disk_fault fault = disk_ask (DISK_STEP_RENAME, path);
    int rc = 0;
    if (fault == DISK_FINE || fault == DISK_FAIL_DONE)
        rc = link (temp, path);
    enum err result = ERR_NONE;
    if (disk_result (fault, rc) != 0)
        result = path_error (e, errno, "create", path);
    unlink (temp);
    return result ? result : sync_folder_of (path, e);
}

enum err disk_write_file (const char *path, struct slice data, bool replace,
                          struct error *e) {
    char *temp = NULL;
    enum err rc = write_temp (path, data, &temp, e);
    if (!rc && replace) {
        rc = disk_rename (temp, path, e);
        if (rc)
            unlink (temp);
    } else if (!rc) {
        rc = link_new (temp, path, e);
    }
    free (temp);
    return rc;
}

/* The file system */

enum err disk_free_space (const char *path, uint64_t *octets, struct error *e) {
    struct statvfs fs;
    if (statvfs (path, &fs) != 0)
        return path_error (e, errno, "free space of", path);
    *octets = (uint64_t) fs.f_bavail * fs.f_frsize;
    return ERR_NONE;
}

/* flock decides; the record lock beside it is only there to be asked for its
 * holder's number, which flock cannot tell. */
static enum err lock_file (int fd, const char *dir, struct error *e) {
    struct flock record = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    if (flock (fd, LOCK_EX | LOCK_NB) == 0) {
        if (fcntl (fd, F_SETLK, &record) != 0)
            return path_error (e, errno, "lock", dir);
        return ERR_NONE;
    }
    if (errno != EWOULDBLOCK)
        return path_error (e, errno, "lock", dir);
    if (fcntl (fd, F_GETLK, &record) == 0 && record.l_type != F_UNLCK
        && record.l_pid > 0)
        return error_set (e, ERR_STATE, "'%s' is in use by process %ld", dir,
                          (long) record.l_pid);
    return error_set (e, ERR_STATE, "'%s' is in use already", dir);
}

int disk_lock (const char *dir, struct error *e) {
    struct buf name = { 0 };
    buf_add_format (&name, "%s/lock", dir);
    char *path = buf_take_text (&name);
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    enum disk_fault fault = disk_ask (DISK_STEP_CREATE, path);
    int fd = -1;
    if (fault == DISK_FINE || fault == DISK_FAIL_DONE)
        fd = open (path, flags, 0600);
    if (disk_result (fault, fd) < 0) {
        path_error (e, errno, "open", path);
        disk_close (&fd);
    } else if (lock_file (fd, dir, e)) {
        disk_close (&fd);
    }
    free (path);
    return fd;
}
