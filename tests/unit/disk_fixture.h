/* A folder for each test, removed with all in it, and files of text in it.
 * Include behind cmocka.h. */
#ifndef PARLEY_DISK_FIXTURE_H
#define PARLEY_DISK_FIXTURE_H

#include "base/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[256];
static struct error e;

/* A name in the folder; one of four buffers. */
static inline const char *in (const char *name) {
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf (path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static inline int setup (void **state) {
    (void) state;
    const char *base = getenv ("TMPDIR");
    snprintf (dir, sizeof dir, "%s/parley-disk-XXXXXX", base ? base : "/tmp");
    e = (struct error){ 0 };
    return mkdtemp (dir) ? 0 : -1;
}

/* Removes all names; how many there were. */
static inline int empty_dir (const char *path) {
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

static inline int teardown (void **state) {
    (void) state;
    disk_set_fault (NULL, NULL);
    empty_dir (dir);
    return rmdir (dir);
}

static inline void put (const char *name, const char *text) {
    FILE *f = fopen (in (name), "w");
    assert_non_null (f);
    fputs (text, f);
    fclose (f);
}

/* What stands in a file; NULL where there is none. One buffer. */
static inline const char *get (const char *name) {
    static char text[100];
    FILE *f = fopen (in (name), "r");
    if (!f)
        return NULL;
    text[fread (text, 1, sizeof text - 1, f)] = 0;
    fclose (f);
    return text;
}

#endif
