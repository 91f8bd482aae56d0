/* disk_fault - the hook by which tests fail a step of the disk. The only global
 * state of disk; it is set before threads start. */
#include "base/disk_impl.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static disk_fault_fn *fault_fn;
static void *fault_arg;

void disk_set_fault (disk_fault_fn *fn, void *arg) {
    fault_fn = fn;
    fault_arg = arg;
}

enum disk_fault disk_ask (enum disk_step step, const char *path) {
    return fault_fn ? fault_fn (fault_arg, step, path) : DISK_FINE;
}

enum disk_fault disk_ask_fd (enum disk_step step, int fd) {
    if (!fault_fn)
        return DISK_FINE;
    char link[64], path[PATH_MAX];
    snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink (link, path, sizeof path - 1);
    path[size > 0 ? size : 0] = 0;
    return fault_fn (fault_arg, step, path);
}

int disk_result (enum disk_fault fault, int result) {
    if (fault == DISK_FINE)
        return result;
    errno = EIO;
    return -1;
}
