/* files - public files and the standard streams. */
#include "files.h"

#include "base/disk.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static enum err read_input (size_t max, struct buf *out, struct error *e) {
    buf_clear (out);
    for (;;) {
        buf_reserve (out, 65536);
        size_t n = fread (out->data + out->size, 1, 65536, stdin);
        out->size += n;
        if (out->size > max)
            return error_set (e, ERR_LIMIT,
                              "standard input has more than %zu octets", max);
        if (ferror (stdin))
            return error_sys (e, errno, "standard input");
        if (n == 0)
            return ERR_NONE;
    }
}

enum err file_read (const char *path, size_t max, struct buf *out,
                    struct error *e) {
    if (strcmp (path, "-") == 0)
        return read_input (max, out, e);
    return disk_read_file (path, max, out, e);
}

static enum err write_output (struct slice data, struct error *e) {
    if (fwrite (data.data, 1, data.size, stdout) != data.size
        || fflush (stdout) != 0)
        return error_sys (e, errno, "standard output");
    return ERR_NONE;
}

enum err file_write (const char *path, struct slice data, bool replace,
                     struct error *e) {
    if (!path)
        return write_output (data, e);
    enum err rc = disk_write_file (path, data, replace, e);
    if (rc)
        return rc;
    mode_t mask = umask (0);
    umask (mask);
    if (chmod (path, 0644 & ~mask) != 0)
        return error_sys (e, errno, "%s", path);
    return ERR_NONE;
}
