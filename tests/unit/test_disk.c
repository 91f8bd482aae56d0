/* disk: every call, secrets, the lock, a full disk. */
#include "base/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "disk_fixture.h"

#define MANY (IOV_MAX + 100)

static mode_t mode_of (const char *name) {
    struct stat st;
    assert_int_equal (lstat (in (name), &st), 0);
    return st.st_mode & 07777;
}

/* Descriptors */

static void test_open_refuses (void **state) {
    (void) state;
    put ("file", "x");
    assert_int_equal (symlink ("file", in ("link")), 0);
    assert_int_equal (symlink ("nothing", in ("dangling")), 0);
    static const struct {
        const char *name;
        int flags;
        enum err want;
    } rows[] = {
        { "file", DISK_CREATE, ERR_ARGUMENT }, /* without WRITE */
        { "file", 4, ERR_ARGUMENT },
        { "file", -1, ERR_ARGUMENT },
        { "nothing", DISK_READ, ERR_NOT_FOUND },
        { "nothing", DISK_WRITE, ERR_NOT_FOUND },
        { "nothing/x", DISK_WRITE | DISK_CREATE, ERR_NOT_FOUND },
        { "file", DISK_WRITE | DISK_CREATE, ERR_EXISTS },
        { "link", DISK_READ, ERR_IO },
        { "link", DISK_WRITE, ERR_IO },
        { "link", DISK_WRITE | DISK_CREATE, ERR_EXISTS },
        { "dangling", DISK_WRITE | DISK_CREATE, ERR_EXISTS },
        { ".", DISK_WRITE, ERR_IO },
        { "file/x", DISK_READ, ERR_IO },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal (disk_open (in (rows[i].name), rows[i].flags, &e), -1);
        assert_int_equal (e.code, rows[i].want);
        assert_true (*e.text);
        assert_int_equal (disk_open (in (rows[i].name), rows[i].flags, NULL),
                          -1);
    }
    assert_int_equal (disk_open (NULL, DISK_READ, &e), -1);
    assert_int_equal (e.code, ERR_ARGUMENT);
    assert_int_equal (disk_open ("", DISK_READ, &e), -1);
    assert_int_equal (e.code, ERR_ARGUMENT);
    assert_null (get ("nothing"));
}

static void test_open (void **state) {
    (void) state;
    mode_t old = umask (0);
    int fd = disk_open (in ("new"), DISK_WRITE | DISK_CREATE, &e);
    umask (old);
    assert_true (fd >= 0);
    assert_int_equal (mode_of ("new"), 0600);
    assert_true (fcntl (fd, F_GETFD) & FD_CLOEXEC);
    errno = EPIPE;
    disk_close (&fd);
    assert_int_equal (errno, EPIPE);
    assert_int_equal (fd, -1);
    disk_close (&fd);
    disk_close (NULL);
    fd = disk_open (in ("new"), DISK_READ, &e);
    assert_true (fd >= 0);
    assert_int_equal (disk_write_at (fd, slice_text ("x"), 0, &e), ERR_IO);
    disk_close (&fd);
}

static void test_descriptor_refuses (void **state) {
    (void) state;
    struct iovec iov = { 0 };
    char out[4];
    uint64_t size = 77;
    put ("file", "abc");
    int fd = disk_open (in ("file"), DISK_WRITE, &e);
    uint64_t top = INT64_MAX;
    assert_int_equal (disk_write_at (-1, slice_text ("x"), 0, &e),
                      ERR_ARGUMENT);
    assert_int_equal (disk_writev_at (fd, NULL, 1, 0, &e), ERR_ARGUMENT);
    assert_int_equal (disk_writev_at (fd, &iov, -1, 0, &e), ERR_ARGUMENT);
    assert_int_equal (disk_write_at (fd, slice_text ("x"), top, &e), ERR_LIMIT);
    assert_int_equal (disk_write_at (fd, slice_text ("x"), UINT64_MAX, NULL),
                      ERR_LIMIT);
    assert_int_equal (disk_read_at (-1, out, 1, 0, &e), ERR_ARGUMENT);
    assert_int_equal (disk_read_at (fd, NULL, 1, 0, &e), ERR_ARGUMENT);
    assert_int_equal (disk_read_at (fd, out, 1, top, &e), ERR_LIMIT);
    assert_int_equal (disk_read_at (fd, out, 4, 0, &e), ERR_DAMAGED);
    assert_non_null (strstr (e.text, "3 of 4"));
    assert_int_equal (disk_read_at (fd, out, 1, 3, &e), ERR_DAMAGED);
    assert_int_equal (disk_truncate (fd, top + 1, &e), ERR_LIMIT);
    assert_int_equal (disk_truncate (-1, 0, &e), ERR_IO);
    assert_int_equal (disk_size (-1, &size, &e), ERR_IO);
    assert_int_equal (disk_sync (-1, &e), ERR_IO);
    assert_int_equal (disk_start (-1, 0, 1, &e), ERR_ARGUMENT);
    assert_int_equal (disk_start (fd, 0, 0, &e), ERR_ARGUMENT);
    assert_int_equal (disk_start (fd, INT64_MAX, 1, &e), ERR_ARGUMENT);
    assert_int_equal (size, 77);
    disk_close (&fd);
    assert_string_equal (get ("file"), "abc");
}

/* Only a help: what knows nothing of it is not broken. */
static void test_start_unknown (void **state) {
    (void) state;
    int pipe_fds[2];
    assert_int_equal (pipe (pipe_fds), 0);
    assert_int_equal (disk_start (pipe_fds[1], 0, 1, &e), 0);
    disk_close (&pipe_fds[0]);
    disk_close (&pipe_fds[1]);
    assert_int_equal (disk_start (1000, 0, 1, &e), ERR_IO);
}

static void test_read_write (void **state) {
    (void) state;
    char out[8];
    uint64_t size;
    int fd = disk_open (in ("f"), DISK_WRITE | DISK_CREATE, &e);
    assert_int_equal (disk_write_at (fd, slice_text ("hello"), 2, &e), 0);
    assert_int_equal (disk_write_at (fd, slice_text (""), 100, &e), 0);
    assert_int_equal (disk_write_at (fd, (struct slice){ 0 }, 0, &e), 0);
    assert_int_equal (disk_writev_at (fd, NULL, 0, 0, &e), 0);
    assert_int_equal (disk_size (fd, &size, &e), 0);
    assert_int_equal (size, 7);
    assert_int_equal (disk_read_at (fd, out, 7, 0, &e), 0);
    assert_memory_equal (out, "\0\0hello", 7);
    assert_int_equal (disk_read_at (fd, NULL, 0, 1000, &e), 0);
    assert_int_equal (disk_truncate (fd, 4, &e), 0);
    assert_int_equal (disk_size (fd, &size, &e), 0);
    assert_int_equal (size, 4);
    assert_int_equal (disk_start (fd, 0, 1, &e), 0);
    assert_int_equal (disk_sync (fd, &e), 0);
    disk_close (&fd);
}

/* More slices than one call of the system takes, some of them empty. */
static void test_write_many (void **state) {
    (void) state;
    struct iovec *iov = mem_alloc (MANY * sizeof *iov);
    char *want = mem_alloc (3 * MANY), *out = mem_alloc (3 * MANY);
    size_t size = 0;
    for (size_t i = 0; i < MANY; i++) {
        iov[i].iov_base = want + size;
        iov[i].iov_len = i % 4;
        for (size_t k = 0; k < i % 4; k++)
            want[size++] = (char) (i + k);
    }
    int fd = disk_open (in ("f"), DISK_WRITE | DISK_CREATE, &e);
    assert_int_equal (disk_writev_at (fd, iov, MANY, 10, &e), 0);
    uint64_t found;
    assert_int_equal (disk_size (fd, &found, &e), 0);
    assert_int_equal (found, size + 10);
    assert_int_equal (disk_read_at (fd, out, size, 10, &e), 0);
    assert_memory_equal (out, want, size);
    disk_close (&fd);
    free (iov);
    free (want);
    free (out);
}

/* Names */

static void test_names_refuse (void **state) {
    (void) state;
    put ("file", "x");
    assert_int_equal (disk_rename (in ("nothing"), in ("file"), &e),
                      ERR_NOT_FOUND);
    assert_int_equal (disk_rename (in ("file"), in ("no/x"), &e),
                      ERR_NOT_FOUND);
    assert_int_equal (disk_exchange (in ("nothing"), in ("file"), &e),
                      ERR_NOT_FOUND);
    assert_int_equal (disk_remove (in ("nothing"), &e), ERR_NOT_FOUND);
    assert_int_equal (disk_sync_dir (in ("nothing"), &e), ERR_NOT_FOUND);
    assert_int_equal (disk_sync_dir (in ("file"), NULL), ERR_IO);
    assert_int_equal (disk_make_dir (in ("file"), &e), ERR_EXISTS);
    assert_int_equal (disk_make_dir (in ("no/x"), &e), ERR_NOT_FOUND);
    assert_string_equal (get ("file"), "x");
}

static void test_names (void **state) {
    (void) state;
    put ("a", "x");
    put ("b", "y");
    assert_int_equal (disk_rename (in ("a"), in ("b"), &e), 0);
    assert_null (get ("a"));
    assert_string_equal (get ("b"), "x");
    put ("a", "z");
    assert_int_equal (disk_exchange (in ("a"), in ("b"), &e), 0);
    assert_string_equal (get ("a"), "x");
    assert_string_equal (get ("b"), "z");
    assert_int_equal (disk_remove (in ("a"), &e), 0);
    assert_int_equal (disk_remove (in ("b"), &e), 0);
    assert_null (get ("b"));
    mode_t old = umask (0);
    assert_int_equal (disk_make_dir (in ("sub"), &e), 0);
    umask (old);
    assert_int_equal (mode_of ("sub"), 0700);
    assert_int_equal (disk_make_dir (in ("sub"), &e), 0);
    assert_int_equal (disk_sync_dir (in ("sub"), &e), 0);
    /* A link that is removed is the link. */
    assert_int_equal (symlink ("sub", in ("link")), 0);
    assert_int_equal (disk_remove (in ("link"), &e), 0);
    assert_int_equal (mode_of ("sub"), 0700);
}

/* A name without a folder stands in the current one. */
static void test_bare_name (void **state) {
    (void) state;
    int here = open (".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal (chdir (dir), 0);
    enum err wrote = disk_write_file ("bare", slice_text ("x"), false, &e);
    enum err removed = disk_remove ("bare", &e);
    assert_int_equal (fchdir (here), 0);
    disk_close (&here);
    assert_int_equal (wrote, 0);
    assert_int_equal (removed, 0);
}

/* Whole files */

static void test_read_file (void **state) {
    (void) state;
    struct buf out = { 0 };
    buf_add_text (&out, "kept");
    put ("five", "12345");
    put ("none", "");
    assert_int_equal (disk_read_file (in ("nothing"), 9, &out, &e),
                      ERR_NOT_FOUND);
    assert_int_equal (disk_read_file (dir, 9, &out, &e), ERR_IO);
    assert_int_equal (disk_read_file (in ("five"), 4, &out, &e), ERR_LIMIT);
    assert_int_equal (disk_read_file (in ("five"), 0, &out, &e), ERR_LIMIT);
    assert_true (slice_is (buf_slice (&out), "kept"));
    assert_int_equal (disk_read_file (in ("five"), 5, &out, &e), 0);
    assert_true (slice_is (buf_slice (&out), "12345"));
    assert_int_equal (disk_read_file (in ("five"), SIZE_MAX, &out, &e), 0);
    assert_true (slice_is (buf_slice (&out), "12345"));
    assert_int_equal (disk_read_file (in ("none"), 0, &out, &e), 0);
    assert_int_equal (out.size, 0);
    /* One without a size, and one without an end. */
    assert_int_equal (disk_read_file ("/proc/self/stat", 10000, &out, &e), 0);
    assert_true (out.size > 10);
    assert_int_equal (disk_read_file ("/dev/zero", 200000, &out, &e),
                      ERR_LIMIT);
    buf_free (&out);
}

static void test_read_file_sizes (void **state) {
    (void) state;
    struct buf data = { 0 }, out = { 0 };
    for (size_t size = 1; size < 300000; size = size * 2 + 1) {
        buf_clear (&data);
        memset (buf_extend (&data, size), (int) (size % 251), size);
        assert_int_equal (
            disk_write_file (in ("f"), buf_slice (&data), true, &e), 0);
        assert_int_equal (disk_read_file (in ("f"), size - 1, &out, &e),
                          ERR_LIMIT);
        assert_int_equal (disk_read_file (in ("f"), size, &out, &e), 0);
        assert_true (slice_equal (buf_slice (&data), buf_slice (&out)));
    }
    buf_free (&data);
    buf_free (&out);
}

static void test_write_file (void **state) {
    (void) state;
    struct slice text = slice_text ("new");
    mode_t old = umask (0);
    assert_int_equal (disk_write_file (in ("no/x"), text, true, &e),
                      ERR_NOT_FOUND);
    assert_int_equal (disk_write_file (in ("f"), text, false, &e), 0);
    assert_string_equal (get ("f"), "new");
    assert_int_equal (mode_of ("f"), 0600);
    assert_int_equal (
        disk_write_file (in ("f"), slice_text ("other"), false, &e),
        ERR_EXISTS);
    assert_string_equal (get ("f"), "new");
    assert_int_equal (
        disk_write_file (in ("f"), slice_text ("other"), true, &e), 0);
    assert_string_equal (get ("f"), "other");
    assert_int_equal (mode_of ("f"), 0600);
    umask (old);
    /* A link there is a name that is taken, or the name that is replaced:
     * what it points to is never written. */
    assert_int_equal (symlink ("f", in ("link")), 0);
    assert_int_equal (disk_write_file (in ("link"), text, false, &e),
                      ERR_EXISTS);
    assert_int_equal (disk_write_file (in ("link"), text, true, &e), 0);
    assert_string_equal (get ("f"), "other");
    assert_string_equal (get ("link"), "new");
    assert_int_equal (empty_dir (dir), 2); /* no temporary file is left */
}

static void test_secret_modes (void **state) {
    (void) state;
    struct buf out = { 0 };
    buf_add_text (&out, "kept");
    put ("key", "secret");
    for (mode_t mode = 0400; mode < 01000; mode++) {
        if (!(mode & 0400))
            continue;
        assert_int_equal (chmod (in ("key"), mode), 0);
        enum err rc = disk_read_secret (in ("key"), 100, &out, &e);
        assert_int_equal (rc, mode & 077 ? ERR_KEY : ERR_NONE);
        if (!rc)
            continue;
        char want[16];
        snprintf (want, sizeof want, "%04o", (unsigned) mode);
        assert_non_null (strstr (e.text, want));
        assert_non_null (strstr (e.text, "chmod 600"));
    }
    assert_true (slice_is (buf_slice (&out), "secret"));
    assert_int_equal (chmod (in ("key"), 0600), 0);
    assert_int_equal (disk_read_secret (in ("key"), 6, &out, &e), 0);
    assert_int_equal (disk_read_secret (in ("key"), 5, &out, &e), ERR_LIMIT);
    buf_free (&out);
}

static void test_secret_kinds (void **state) {
    (void) state;
    struct buf out = { 0 };
    put ("key", "secret");
    assert_int_equal (chmod (in ("key"), 0600), 0);
    assert_int_equal (symlink ("key", in ("link")), 0);
    assert_int_equal (mkfifo (in ("pipe"), 0600), 0);
    assert_int_equal (mkdir (in ("sub"), 0700), 0);
    assert_int_equal (disk_read_secret (in ("nothing"), 9, &out, &e),
                      ERR_NOT_FOUND);
    assert_int_equal (disk_read_secret (in ("link"), 9, &out, &e), ERR_KEY);
    assert_int_equal (disk_read_secret (in ("pipe"), 9, &out, &e), ERR_KEY);
    assert_int_equal (disk_read_secret (in ("sub"), 9, &out, &e), ERR_KEY);
    if (geteuid() == 0) { /* only root can give a file away */
        assert_int_equal (chown (in ("key"), 1, 1), 0);
        assert_int_equal (disk_read_secret (in ("key"), 9, &out, &e), ERR_KEY);
        assert_non_null (strstr (e.text, "chown 0"));
    }
    assert_null (out.data);
}

/* The file system */

static void test_free_space (void **state) {
    (void) state;
    uint64_t octets = 77;
    assert_int_equal (disk_free_space (in ("nothing"), &octets, &e),
                      ERR_NOT_FOUND);
    assert_int_equal (octets, 77);
    assert_int_equal (disk_free_space (dir, &octets, &e), 0);
    assert_true (octets != 77);
}

static void test_full_device (void **state) {
    (void) state;
    int fd = disk_open ("/dev/full", DISK_WRITE, &e);
    if (fd < 0)
        skip();
    assert_int_equal (disk_write_at (fd, slice_text ("x"), 0, &e),
                      ERR_NO_SPACE);
    assert_non_null (strstr (e.text, "No space left"));
    disk_close (&fd);
}

/* A write that stops half-way is an error, and a file that was to be replaced
 * is what it was. */
static void test_file_limit (void **state) {
    (void) state;
    struct rlimit old, small;
    put ("f", "old");
    int fd = disk_open (in ("g"), DISK_WRITE | DISK_CREATE, &e);
    signal (SIGXFSZ, SIG_IGN);
    assert_int_equal (getrlimit (RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 10;
    assert_int_equal (setrlimit (RLIMIT_FSIZE, &small), 0);
    struct slice text = slice_text ("more than ten octets");
    enum err replaced = disk_write_file (in ("f"), text, true, &e);
    enum err made = disk_write_file (in ("new"), text, false, &e);
    enum err wrote = disk_write_at (fd, text, 0, &e);
    enum err cut = disk_truncate (fd, 11, &e);
    assert_int_equal (setrlimit (RLIMIT_FSIZE, &old), 0);
    disk_close (&fd);
    assert_int_equal (replaced, ERR_IO);
    assert_int_equal (made, ERR_IO);
    assert_int_equal (wrote, ERR_IO);
    assert_int_equal (cut, ERR_IO);
    assert_string_equal (get ("f"), "old");
    assert_string_equal (get ("g"), "more than ");
    assert_int_equal (empty_dir (dir), 2);
}

/* The lock */

static void test_lock_refuses (void **state) {
    (void) state;
    put ("file", "x");
    assert_int_equal (disk_lock (in ("nothing"), &e), -1);
    assert_int_equal (e.code, ERR_NOT_FOUND);
    assert_int_equal (disk_lock (in ("file"), &e), -1);
    assert_int_equal (e.code, ERR_IO);
    assert_int_equal (symlink ("file", in ("lock")), 0);
    assert_int_equal (disk_lock (dir, &e), -1);
    assert_int_equal (e.code, ERR_IO);
    assert_string_equal (get ("file"), "x");
}

static void test_lock (void **state) {
    (void) state;
    int fd = disk_lock (dir, &e);
    assert_true (fd >= 0);
    assert_int_equal (mode_of ("lock"), 0600);
    assert_true (fcntl (fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal (disk_lock (dir, &e), -1); /* not twice in a process */
    assert_int_equal (e.code, ERR_STATE);
    disk_close (&fd);
    fd = disk_lock (dir, &e);
    assert_true (fd >= 0);
    disk_close (&fd);
}

/* A child holds it until it is killed. */
static void test_lock_elsewhere (void **state) {
    (void) state;
    int ready[2];
    char octet = 0;
    assert_int_equal (pipe (ready), 0);
    pid_t child = fork();
    assert_true (child >= 0);
    if (child == 0) {
        octet = disk_lock (dir, NULL) >= 0 ? 'y' : 'n';
        if (write (ready[1], &octet, 1) == 1)
            for (;;)
                pause();
        _exit (1);
    }
    assert_int_equal (read (ready[0], &octet, 1), 1);
    int fd = disk_lock (dir, &e);
    kill (child, SIGKILL);
    waitpid (child, NULL, 0);
    close (ready[0]);
    close (ready[1]);
    assert_int_equal (octet, 'y');
    assert_int_equal (fd, -1);
    assert_int_equal (e.code, ERR_STATE);
    char want[32];
    snprintf (want, sizeof want, "process %ld", (long) child);
    assert_non_null (strstr (e.text, want));
    fd = disk_lock (dir, &e);
    assert_true (fd >= 0);
    disk_close (&fd);
}

int main (void) {
#define TEST(fn) cmocka_unit_test_setup_teardown (fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST (test_open_refuses),
        TEST (test_open),
        TEST (test_descriptor_refuses),
        TEST (test_start_unknown),
        TEST (test_read_write),
        TEST (test_write_many),
        TEST (test_names_refuse),
        TEST (test_names),
        TEST (test_bare_name),
        TEST (test_read_file),
        TEST (test_read_file_sizes),
        TEST (test_write_file),
        TEST (test_secret_modes),
        TEST (test_secret_kinds),
        TEST (test_free_space),
        TEST (test_full_device),
        TEST (test_file_limit),
        TEST (test_lock_refuses),
        TEST (test_lock),
        TEST (test_lock_elsewhere),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
