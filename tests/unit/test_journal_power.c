/* journal, when the machine loses its power: what was not synced is gone, in
 * each of the ways in which it can be.
 *
 * A model of the disk keeps what is durable: the octets of a file at its last
 * sync, the names of a folder at its last. At each step of a life, and of a
 * recovery, the power goes, the folder is made again from the model, and the
 * journal opened. */
#include "ledger/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "journal_fixture.h"

#define FILES_MAX 200
#define NAMES_MAX 60

/* A file, by its inode. It is held open, so that the number stays its own. */
struct file {
    ino_t inode;
    int fd;
    struct buf octets; /* at the last sync */
    bool refused; /* a sync failed, and nothing was written since: the kernel
                     calls the pages clean, and the next sync does nothing */
};
struct name {
    char text[64];
    ino_t inode;
    bool folder;
    struct buf octets; /* of now; only where the power goes */
};
struct folder {
    const char *path; /* in the test's own; "" is that itself */
    struct name names[NAMES_MAX];
    size_t count;
};

static struct file files[FILES_MAX];
static size_t file_count;
static struct folder durable[] = { { "" }, { "journal" }, { "index" } };
static struct folder now[] = { { "" }, { "journal" }, { "index" } };
#define FOLDERS 3

static struct {
    int countdown; /* steps until the end; below 0: it does not come */
    bool gone;     /* the power, or the process */
    int steps;
} power;

static struct file *file_of (ino_t inode) {
    for (size_t i = 0; i < file_count; i++)
        if (files[i].inode == inode)
            return &files[i];
    return NULL;
}

static void read_now (int fd, struct buf *out) {
    uint64_t size;
    assert_int_equal (disk_size (fd, &size, &e), 0);
    buf_clear (out);
    assert_int_equal (disk_read_at (fd, buf_extend (out, size), size, 0, &e),
                      0);
}

static struct file *file_get (const char *path) {
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    assert_true (fd >= 0 && fstat (fd, &st) == 0);
    struct file *file = file_of (st.st_ino);
    if (file) {
        close (fd);
        return file;
    }
    assert_true (file_count < FILES_MAX);
    file = &files[file_count++];
    *file = (struct file){ .inode = st.st_ino, .fd = fd };
    return file;
}

static void sync_file (const char *path) {
    struct file *file = file_get (path);
    if (!file->refused)
        read_now (file->fd, &file->octets);
}

static void folder_clear (struct folder *self) {
    for (size_t i = 0; i < self->count; i++)
        buf_free (&self->names[i].octets);
    self->count = 0;
}

static void folder_path (const struct folder *self, char *out, size_t size) {
    snprintf (out, size, "%s%s%s", ledger_dir, *self->path ? "/" : "",
              self->path);
}

/* Its names as they are; with their octets if wanted. */
static void folder_look (struct folder *self, bool octets) {
    char path[600];
    folder_path (self, path, sizeof path);
    folder_clear (self);
    DIR *d = opendir (path);
    if (!d)
        return;
    for (struct dirent *one; (one = readdir (d)) != NULL;) {
        if (one->d_name[0] == '.')
            continue;
        assert_true (self->count < NAMES_MAX);
        struct name *name = &self->names[self->count++];
        *name = (struct name){ .inode = one->d_ino,
                               .folder = one->d_type == DT_DIR };
        assert_true (strlen (one->d_name) < sizeof name->text);
        memcpy (name->text, one->d_name, strlen (one->d_name));
        if (name->folder || !octets)
            continue;
        int fd = openat (dirfd (d), one->d_name, O_RDONLY | O_CLOEXEC);
        assert_true (fd >= 0);
        read_now (fd, &name->octets);
        close (fd);
    }
    closedir (d);
}

static void sync_folder (const char *path) {
    char own[600];
    for (size_t i = 0; i < FOLDERS; i++) {
        folder_path (&durable[i], own, sizeof own);
        if (strcmp (own, path) == 0)
            folder_look (&durable[i], false);
    }
}

static enum disk_fault power_step (void *arg, enum disk_step step,
                                   const char *path) {
    (void) arg;
    if (power.gone)
        return DISK_FAIL_UNDONE;
    power.steps++;
    if (power.countdown == 0) {
        for (size_t i = 0; i < FOLDERS; i++)
            folder_look (&now[i], true);
        power.gone = true;
        if (step == DISK_STEP_SYNC)
            file_get (path)->refused = true;
        return DISK_FAIL_UNDONE;
    }
    power.countdown -= power.countdown > 0;
    if (step == DISK_STEP_WRITE)
        file_get (path)->refused = false;
    else if (step == DISK_STEP_SYNC)
        sync_file (path);
    else if (step == DISK_STEP_SYNC_DIR)
        sync_folder (path);
    return DISK_FINE;
}

static void power_on (void) {
    for (size_t i = 0; i < file_count; i++) {
        close (files[i].fd);
        buf_free (&files[i].octets);
    }
    file_count = 0;
    for (size_t i = 0; i < FOLDERS; i++) {
        folder_clear (&durable[i]);
        folder_clear (&now[i]);
    }
    power.gone = false;
    power.steps = 0;
    power.countdown = -1;
    disk_set_fault (power_step, NULL);
}

/* What the machine may find after it. */
enum loss {
    LOSS_ALL,   /* all that was not synced is lost */
    LOSS_DATA,  /* names and sizes came through, octets did not */
    LOSS_NAMES, /* octets came through, names did not */
    LOSS_HALF,  /* names, and half of the octets behind the synced ones */
    LOSSES
};

static void write_file (const char *path, const struct name *name,
                        enum loss loss) {
    const struct file *file = file_of (name->inode);
    struct buf octets = { 0 };
    if (loss == LOSS_NAMES)
        buf_add_slice (&octets, buf_slice (&name->octets));
    else if (file)
        buf_add_slice (&octets, buf_slice (&file->octets));
    size_t size = octets.size, more = name->octets.size;
    if (loss == LOSS_HALF && more > size)
        buf_add (&octets, name->octets.data + size, (more - size) / 2);
    if (loss == LOSS_DATA && more > size)
        buf_add_zeros (&octets, more - size);
    FILE *f = fopen (path, "w");
    assert_non_null (f);
    if (octets.size > 0)
        assert_int_equal (fwrite (octets.data, 1, octets.size, f), octets.size);
    fclose (f);
    buf_free (&octets);
}

/* The octets that a name has now, where it is one that was synced. */
static const struct name *name_now (const struct name *name) {
    for (size_t i = 0; i < FOLDERS; i++)
        for (size_t n = 0; n < now[i].count; n++)
            if (now[i].names[n].inode == name->inode)
                return &now[i].names[n];
    return name;
}

static void make_again (enum loss loss) {
    disk_set_fault (NULL, NULL);
    ledger_empty (ledger_dir);
    bool by_now = loss == LOSS_DATA || loss == LOSS_HALF;
    for (size_t i = 0; i < FOLDERS; i++) {
        const struct folder *folder = by_now ? &now[i] : &durable[i];
        char path[600], inner[700];
        folder_path (folder, path, sizeof path);
        if (access (path, F_OK) != 0)
            continue; /* its own name is gone */
        for (size_t n = 0; n < folder->count; n++) {
            struct name name = *name_now (&folder->names[n]);
            snprintf (inner, sizeof inner, "%s/%s", path,
                      folder->names[n].text);
            if (folder->names[n].folder)
                assert_int_equal (mkdir (inner, 0700), 0);
            else
                write_file (inner, &name, loss);
        }
    }
}

static void check_loss (struct progress progress, enum loss loss) {
    make_again (loss);
    found_if_needed();
    if (loss == LOSS_ALL) {
        check_restart (progress.acknowledged, progress.tried);
        return;
    }
    struct journal *journal = open_journal (0);
    int groups = check_groups (journal);
    assert_in_range (groups, progress.acknowledged, progress.tried);
    journal_close (&journal);
    check_again (groups);
}

/* The model itself: without a loss all is there. */
static void what_is_synced_stays (void **state) {
    (void) state;
    power_on();
    struct progress progress = run_script();
    assert_true (progress.whole);
    for (size_t i = 0; i < FOLDERS; i++)
        folder_look (&now[i], true);
    for (int loss = 0; loss < LOSSES; loss++)
        check_loss (progress, (enum loss) loss);
}

static void the_power_may_go_at_any_step (void **state) {
    (void) state;
    power_on();
    assert_true (run_script().whole);
    int steps = power.steps;
    for (int n = 0; n < steps; n++)
        for (int loss = 0; loss < LOSSES; loss++) {
            fresh_dir();
            power_on();
            power.countdown = n;
            struct progress progress = run_script();
            assert_true (power.gone && !progress.whole);
            check_loss (progress, (enum loss) loss);
        }
}

/* Twice: in an append, then in the recovery from it. */
static void it_may_go_again_in_the_recovery (void **state) {
    (void) state;
    for (int loss = LOSS_DATA; loss < LOSSES; loss++)
        for (int n = 0, steps = 1; n < steps; n++)
            for (int again = 0; again < LOSSES; again++) {
                fresh_dir();
                power_on();
                struct progress progress = run_script();
                struct journal *journal = open_journal (0);
                progress.tried++;
                power.countdown = 1; /* written, not synced */
                assert_int_equal (append_group (journal, SCRIPT_GROUPS),
                                  ERR_IO);
                journal_close (&journal);
                make_again ((enum loss) loss);
                power_on();
                for (size_t i = 0; i < FOLDERS; i++) {
                    folder_look (&durable[i], true);
                    for (size_t k = 0; k < durable[i].count; k++)
                        if (!durable[i].names[k].folder) {
                            char path[600], inner[700];
                            folder_path (&durable[i], path, sizeof path);
                            snprintf (inner, sizeof inner, "%s/%s", path,
                                      durable[i].names[k].text);
                            sync_file (inner);
                        }
                }
                power.countdown = n;
                journal = try_open (0);
                if (!power.gone) {
                    assert_non_null (journal);
                    /* Promised from now on. */
                    progress.acknowledged = check_groups (journal);
                    steps = n; /* as many as there are */
                    journal_close (&journal);
                    for (size_t i = 0; i < FOLDERS; i++)
                        folder_look (&now[i], true);
                } else {
                    assert_null (journal);
                    steps = n + 2;
                }
                check_loss (progress, (enum loss) again);
            }
}

/* First the process, at any step; it starts again, and what it finds then is
 * promised, with one group more or without. Then the power. */
static void what_a_start_finds_stays (void **state) {
    (void) state;
    power_on();
    assert_true (run_script().whole);
    int steps = power.steps;
    for (int n = 0; n < steps; n++)
        for (int loss = 0; loss < LOSSES * 2; loss++) {
            fresh_dir();
            power_on();
            power.countdown = n;
            run_script();
            power.gone = false;
            power.countdown = -1;
            found_if_needed();
            struct journal *journal = open_journal (0);
            int groups = check_groups (journal);
            if (loss >= LOSSES)
                assert_int_equal (append_group (journal, groups++), 0);
            journal_close (&journal);
            for (size_t i = 0; i < FOLDERS; i++)
                folder_look (&now[i], true);
            struct progress promised = { groups, groups, false };
            check_loss (promised, (enum loss) (loss % LOSSES));
        }
}

static int setup_dir (void **state) {
    (void) state;
    return ledger_dir_make();
}

static int teardown_dir (void **state) {
    (void) state;
    power_on();
    disk_set_fault (NULL, NULL);
    return ledger_dir_remove();
}

#define TEST(f) cmocka_unit_test_setup_teardown (f, setup_dir, teardown_dir)

int main (void) {
    static const struct CMUnitTest tests[] = {
        TEST (what_is_synced_stays),
        TEST (the_power_may_go_at_any_step),
        TEST (what_a_start_finds_stays),
        TEST (it_may_go_again_in_the_recovery),
    };
    return cmocka_run_group_tests (tests, make_blocks, free_blocks);
}
