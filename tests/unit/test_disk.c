/* disk: every call, every step with every fault, secrets, the lock, a full
 * disk. Each test has a folder of its own, removed with all in it. */
#include "base/disk.h"

#include <dirent.h>
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

#define MANY (IOV_MAX + 100)

static char dir[256];
static struct error e;

/* A name in the folder; one of four buffers. */
static const char *in (const char *name) {
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf (path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static int setup (void **state) {
    (void) state;
    const char *base = getenv ("TMPDIR");
    snprintf (dir, sizeof dir, "%s/parley-disk-XXXXXX", base ? base : "/tmp");
    e = (struct error){ 0 };
    return mkdtemp (dir) ? 0 : -1;
}

/* Removes all names; how many there were. */
static int empty_dir (const char *path) {
    int names = 0;
    DIR *d = opendir (path);
    if (!d)
        return 0;
    for (struct dirent *one; (one = readdir (d)) != NULL;) {
        if (one->d_name[0] == '.')
            continue;
        names++;
        if (unlinkat (dirfd (d), one->d_name, 0) != 0)
            unlinkat (dirfd (d), one->d_name, AT_REMOVEDIR);
    }
    closedir (d);
    return names;
}

static int teardown (void **state) {
    (void) state;
    disk_set_fault (NULL, NULL);
    empty_dir (dir);
    return rmdir (dir);
}

static void put (const char *name, const char *text) {
    FILE *f = fopen (in (name), "w");
    assert_non_null (f);
    fputs (text, f);
    fclose (f);
}

/* What stands in a file; NULL where there is none. One buffer. */
static const char *get (const char *name) {
    static char text[100];
    FILE *f = fopen (in (name), "r");
    if (!f)
        return NULL;
    text[fread (text, 1, sizeof text - 1, f)] = 0;
    fclose (f);
    return text;
}

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
    assert_int_equal (size, 77);
    disk_close (&fd);
    assert_string_equal (get ("file"), "abc");
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

/* Faults: each operation names its steps in order. Each of them fails in each
 * way; the operation has to say so, go no step further, and leave a state that
 * its check allows. */

enum { STEPS_MAX = 8 };

struct script {
    enum disk_step seen[STEPS_MAX];
    char paths[STEPS_MAX][512];
    size_t count;
    size_t fail_at; /* SIZE_MAX: never */
    enum disk_fault fault;
};

static enum disk_fault script_ask (void *arg, enum disk_step step,
                                   const char *path) {
    struct script *s = arg;
    assert_true (s->count < STEPS_MAX);
    s->seen[s->count] = step;
    snprintf (s->paths[s->count], sizeof s->paths[0], "%s", path);
    return s->count++ == s->fail_at ? s->fault : DISK_FINE;
}

static enum err do_open (int fd) {
    (void) fd;
    int made = disk_open (in ("new"), DISK_WRITE | DISK_CREATE, &e);
    enum err rc = made < 0 ? e.code : ERR_NONE;
    disk_close (&made);
    return rc;
}
static enum err do_write (int fd) {
    return disk_write_at (fd, slice_text ("NEWNEW"), 0, &e);
}
static enum err do_writev (int fd) {
    char a[] = "NE", b[] = "WNEW";
    struct iovec iov[] = { { a, 2 }, { b, 0 }, { b, 4 } };
    return disk_writev_at (fd, iov, 3, 0, &e);
}
static enum err do_truncate (int fd) {
    return disk_truncate (fd, 1, &e);
}
static enum err do_sync (int fd) {
    return disk_sync (fd, &e);
}
static enum err do_sync_dir (int fd) {
    (void) fd;
    return disk_sync_dir (dir, &e);
}
static enum err do_rename (int fd) {
    (void) fd;
    return disk_rename (in ("f"), in ("new"), &e);
}
static enum err do_remove (int fd) {
    (void) fd;
    return disk_remove (in ("f"), &e);
}
static enum err do_make_dir (int fd) {
    (void) fd;
    return disk_make_dir (in ("sub"), &e);
}
static enum err do_replace (int fd) {
    (void) fd;
    return disk_write_file (in ("f"), slice_text ("NEWNEW"), true, &e);
}
static enum err do_create (int fd) {
    (void) fd;
    return disk_write_file (in ("new"), slice_text ("NEWNEW"), false, &e);
}
static enum err do_lock (int fd) {
    (void) fd;
    int lock = disk_lock (dir, &e);
    enum err rc = lock < 0 ? e.code : ERR_NONE;
    disk_close (&lock);
    return rc;
}

#define CREATE DISK_STEP_CREATE
#define WRITE DISK_STEP_WRITE
#define SYNC DISK_STEP_SYNC
#define SYNC_DIR DISK_STEP_SYNC_DIR
#define RENAME DISK_STEP_RENAME
#define REMOVE DISK_STEP_REMOVE
#define TRUNCATE DISK_STEP_TRUNCATE

/* f stands there before, "oldold". After a failure at step i: what f and
 * "new" hold ("-": are not there) where the step was not done, and where it
 * was. A half write is told from an undone one by `half`. */
struct outcome {
    const char *f, *made;
};
static const struct operation {
    const char *what;
    enum err (*run) (int fd);
    size_t count;
    enum disk_step steps[STEPS_MAX];
    struct outcome undone[STEPS_MAX], done[STEPS_MAX];
    const char *half; /* f after a half write in place */
} operations[] = {
    { "open",
      do_open,
      1,
      { CREATE },
      { { "oldold", "-" } },
      { { "oldold", "" } },
      NULL },
    { "write",
      do_write,
      1,
      { WRITE },
      { { "oldold", "-" } },
      { { "NEWNEW", "-" } },
      "NEWold" },
    { "writev",
      do_writev,
      1,
      { WRITE },
      { { "oldold", "-" } },
      { { "NEWNEW", "-" } },
      "NEWold" },
    { "truncate",
      do_truncate,
      1,
      { TRUNCATE },
      { { "oldold", "-" } },
      { { "o", "-" } },
      NULL },
    { "sync",
      do_sync,
      1,
      { SYNC },
      { { "oldold", "-" } },
      { { "oldold", "-" } },
      NULL },
    { "sync dir",
      do_sync_dir,
      1,
      { SYNC_DIR },
      { { "oldold", "-" } },
      { { "oldold", "-" } },
      NULL },
    { "rename",
      do_rename,
      2,
      { RENAME, SYNC_DIR },
      { { "oldold", "-" }, { "-", "oldold" } },
      { { "-", "oldold" }, { "-", "oldold" } },
      NULL },
    { "remove",
      do_remove,
      2,
      { REMOVE, SYNC_DIR },
      { { "oldold", "-" }, { "-", "-" } },
      { { "-", "-" }, { "-", "-" } },
      NULL },
    { "make dir",
      do_make_dir,
      2,
      { CREATE, SYNC_DIR },
      { { "oldold", "-" }, { "oldold", "-" } },
      { { "oldold", "-" }, { "oldold", "-" } },
      NULL },
    { "replace",
      do_replace,
      5,
      { CREATE, WRITE, SYNC, RENAME, SYNC_DIR },
      { { "oldold", "-" },
        { "oldold", "-" },
        { "oldold", "-" },
        { "oldold", "-" },
        { "NEWNEW", "-" } },
      { { "oldold", "-" },
        { "oldold", "-" },
        { "oldold", "-" },
        { "NEWNEW", "-" },
        { "NEWNEW", "-" } },
      NULL },
    { "create",
      do_create,
      5,
      { CREATE, WRITE, SYNC, RENAME, SYNC_DIR },
      { { "oldold", "-" },
        { "oldold", "-" },
        { "oldold", "-" },
        { "oldold", "-" },
        { "oldold", "NEWNEW" } },
      { { "oldold", "-" },
        { "oldold", "-" },
        { "oldold", "-" },
        { "oldold", "NEWNEW" },
        { "oldold", "NEWNEW" } },
      NULL },
    { "lock",
      do_lock,
      1,
      { CREATE },
      { { "oldold", "-" } },
      { { "oldold", "-" } },
      NULL },
};

static void expect_file (const char *what, const char *name, const char *want) {
    const char *found = get (name);
    found = found ? found : "-";
    if (strcmp (found, want) != 0)
        fail_msg ("%s: %s holds '%s', not '%s'", what, name, found, want);
}

/* One run in an emptied folder. */
static enum err run_one (const struct operation *op, struct script *script) {
    empty_dir (dir);
    put ("f", "oldold");
    int fd = disk_open (in ("f"), DISK_WRITE, &e);
    assert_true (fd >= 0);
    script->count = 0;
    disk_set_fault (script_ask, script);
    enum err rc = op->run (fd);
    disk_set_fault (NULL, NULL);
    disk_close (&fd);
    return rc;
}

static void run_fault (const struct operation *op, size_t i,
                       enum disk_fault fault) {
    struct script script = { .fail_at = i, .fault = fault };
    enum err rc = run_one (op, &script);
    char what[64];
    snprintf (what, sizeof what, "%s, step %zu, fault %d", op->what, i, fault);
    if (rc != ERR_IO || e.code != ERR_IO || script.count != i + 1)
        fail_msg ("%s: %s after %zu steps", what, error_name (rc),
                  script.count);
    bool done = fault == DISK_FAIL_DONE;
    struct outcome want = done ? op->done[i] : op->undone[i];
    if (fault == DISK_FAIL_HALF && op->half)
        want.f = op->half;
    expect_file (what, "f", want.f);
    expect_file (what, "new", want.made);
    unlink (in ("lock"));
    rmdir (in ("sub"));
    unlink (in ("f"));
    unlink (in ("new"));
    if (empty_dir (dir) != 0)
        fail_msg ("%s: leaves a temporary file", what);
}

static void test_steps (void **state) {
    (void) state;
    for (size_t n = 0; n < sizeof operations / sizeof *operations; n++) {
        const struct operation *op = &operations[n];
        struct script script = { .fail_at = SIZE_MAX };
        assert_int_equal (run_one (op, &script), ERR_NONE);
        if (script.count != op->count
            || memcmp (script.seen, op->steps, op->count * sizeof *op->steps)
                   != 0)
            fail_msg ("%s: other steps", op->what);
        /* A hook tells files apart by their names. */
        for (size_t i = 0; i < script.count; i++)
            assert_memory_equal (script.paths[i], dir, strlen (dir));
    }
}

static void test_faults (void **state) {
    (void) state;
    for (size_t n = 0; n < sizeof operations / sizeof *operations; n++)
        for (size_t i = 0; i < operations[n].count; i++)
            for (int fault = DISK_FAIL_UNDONE; fault <= DISK_FAIL_HALF; fault++)
                run_fault (&operations[n], i, (enum disk_fault) fault);
}

int main (void) {
#define TEST(fn) cmocka_unit_test_setup_teardown (fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST (test_open_refuses),
        TEST (test_open),
        TEST (test_descriptor_refuses),
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
        TEST (test_steps),
        TEST (test_faults),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
