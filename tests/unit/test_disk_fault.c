/* disk_fault: each operation of disk names its steps in order. Each of them
 * fails in each way; the operation has to say so, go no step further, and leave
 * a state that its check allows. */
#include "base/disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/uio.h>

#include <cmocka.h>

#include "disk_fixture.h"

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
static enum err do_start (int fd) {
    return disk_start (fd, 0, 6, &e);
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
#define START DISK_STEP_START
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
    { "start",
      do_start,
      1,
      { START },
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
        TEST (test_steps),
        TEST (test_faults),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
