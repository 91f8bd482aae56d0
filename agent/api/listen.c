/* listen - the sockets of the API. */
#include "api/listen.h"

#include "base/disk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 32
#define GROUP_ROOM 65536 /* of one group's entry, with all members */

/* Unix */

#define NO_GROUP ((gid_t) -1)

static enum err group_read (const char *name, gid_t *out, struct error *e) {
    struct group entry, *found = NULL;
    char *room = mem_alloc (GROUP_ROOM);
    (void) getgrnam_r (name, &entry, room, GROUP_ROOM, &found);
    if (found)
        *out = entry.gr_gid;
    free (room);
    return found ? ERR_NONE
                 : error_set (e, ERR_CONFIG,
                              "socket-group '%s' is no group of this machine",
                              name);
}

static enum err group_give (const char *path, gid_t group, mode_t mode,
                            struct error *e) {
    if (chown (path, (uid_t) -1, group) == 0 && chmod (path, mode) == 0)
        return ERR_NONE;
    return error_set (e, ERR_CONFIG,
                      "'%s' can't be given to group %u: %s; the account of the "
                      "agent has to be in that group",
                      path, group, strerror (errno));
}

static enum err folder_make (const char *folder, gid_t group, struct error *e) {
    if (disk_make_dir (folder, e))
        return e->code;
    return group == NO_GROUP ? ERR_NONE : group_give (folder, group, 0710, e);
}

/* Of one who may enter it, and nobody else. */
static enum err folder_judge (const char *folder, const struct stat *st,
                              const char *name, gid_t group, struct error *e) {
    mode_t mode = st->st_mode & 07777;
    if (!S_ISDIR (st->st_mode))
        return error_set (e, ERR_CONFIG, "'%s' is no folder", folder);
    bool own = st->st_uid == geteuid();
    if (group == NO_GROUP)
        return own && (mode & 077) == 0
                   ? ERR_NONE
                   : error_set (
                       e, ERR_CONFIG,
                       "the socket's folder '%s' has mode %04o and owner "
                       "%u; it must be this user's alone: chmod 700 '%s'",
                       folder, mode, st->st_uid, folder);
    if (own && st->st_gid == group && (mode & 037) == 010)
        return ERR_NONE;
    return error_set (e, ERR_CONFIG,
                      "the socket's folder '%s' has mode %04o, owner %u and "
                      "group %u; group %s may enter it, and not more: chgrp %s "
                      "'%s' && chmod 710 '%s'",
                      folder, mode, st->st_uid, st->st_gid, name, name, folder,
                      folder);
}

static enum err folder_check (const char *path, const char *name, gid_t group,
                              struct error *e) {
    char folder[SOCKET_NAME_MAX + 1] = ".";
    const char *slash = strrchr (path, '/');
    if (slash) {
        size_t size = slash == path ? 1 : (size_t) (slash - path);
        memcpy (folder, path, size);
        folder[size] = '\0';
    }
    struct stat st;
    if (stat (folder, &st) != 0) {
        if (errno != ENOENT)
            return error_sys (e, errno, "socket's folder '%s'", folder);
        if (folder_make (folder, group, e))
            return e->code;
        if (stat (folder, &st) != 0)
            return error_sys (e, errno, "socket's folder '%s'", folder);
    }
    return folder_judge (folder, &st, name, group, e);
}

/* Does somebody answer there? A full queue of connections is an answer too. */
static bool answers (const struct sockaddr_un *address) {
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return true;
    int rc = connect (fd, (const struct sockaddr *) address, sizeof *address);
    bool refused = rc != 0 && (errno == ECONNREFUSED || errno == ENOENT);
    close (fd);
    return !refused;
}

static enum err stale_remove (const char *path,
                              const struct sockaddr_un *address,
                              struct error *e) {
    struct stat st;
    if (lstat (path, &st) != 0)
        return errno == ENOENT ? ERR_NONE
                               : error_sys (e, errno, "socket '%s'", path);
    if (!S_ISSOCK (st.st_mode))
        return error_set (e, ERR_CONFIG, "'%s' is there and is no socket",
                          path);
    if (answers (address))
        return error_set (e, ERR_EXISTS, "another process answers on '%s'",
                          path);
    if (unlink (path) != 0 && errno != ENOENT)
        return error_sys (e, errno, "stale socket '%s'", path);
    return ERR_NONE;
}

static enum err unix_open (int fd, const char *path,
                           const struct sockaddr_un *address, gid_t group,
                           struct listen_file *file, struct error *e) {
    if (bind (fd, (const struct sockaddr *) address, sizeof *address) != 0)
        return error_set (e, errno == EADDRINUSE ? ERR_EXISTS : ERR_IO,
                          "bind '%s': %s", path, strerror (errno));
    /* Nobody listens yet, so nobody gets in before this. */
    struct stat st;
    if (group != NO_GROUP && group_give (path, group, 0660, e))
        return e->code;
    if ((group == NO_GROUP && chmod (path, 0600) != 0) || lstat (path, &st) != 0
        || listen (fd, BACKLOG) != 0)
        return error_sys (e, errno, "socket '%s'", path);
    *file = (struct listen_file){ st.st_dev, st.st_ino };
    return ERR_NONE;
}

int listen_unix (const char *path, struct listen_file *file, struct error *e) {
    return listen_unix_group (path, NULL, file, e);
}

int listen_unix_group (const char *path, const char *group,
                       struct listen_file *file, struct error *e) {
    gid_t gid = NO_GROUP;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t size = strlen (path);
    if (size == 0 || size > SOCKET_NAME_MAX) {
        error_set (e, ERR_CONFIG,
                   "the socket's path has %zu octets; the system takes 1 to "
                   "%d: '%s'",
                   size, SOCKET_NAME_MAX, path);
        return -1;
    }
    memcpy (address.sun_path, path, size);
    if (group && group_read (group, &gid, e))
        return -1;
    if (folder_check (path, group, gid, e) || stale_remove (path, &address, e))
        return -1;
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        error_sys (e, errno, "socket");
        return -1;
    }
    if (unix_open (fd, path, &address, gid, file, e))
        disk_close (&fd);
    return fd;
}

void listen_unix_remove (const char *path, const struct listen_file *file) {
    struct stat st;
    if (lstat (path, &st) == 0 && st.st_dev == file->device
        && st.st_ino == file->inode)
        unlink (path);
}

/* Loopback TCP */

union tcp_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool port_read (const char *text, uint16_t *port) {
    size_t size = strlen (text);
    if (size == 0 || size > 5 || strspn (text, "0123456789") != size)
        return false;
    unsigned long value = strtoul (text, NULL, 10);
    *port = (uint16_t) value;
    return value <= UINT16_MAX;
}

static bool loopback_read (const char *text, union tcp_address *out,
                           socklen_t *size) {
    uint16_t port;
    *out = (union tcp_address){ 0 };
    if (strncmp (text, "127.0.0.1:", 10) == 0 && port_read (text + 10, &port)) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons (port);
        out->v4.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
        *size = sizeof out->v4;
        return true;
    }
    if (strncmp (text, "[::1]:", 6) == 0 && port_read (text + 6, &port)) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons (port);
        out->v6.sin6_addr = in6addr_loopback;
        *size = sizeof out->v6;
        return true;
    }
    return false;
}

int listen_loopback (const char *address, uint16_t *port, struct error *e) {
    union tcp_address at;
    socklen_t size;
    if (!loopback_read (address, &at, &size)) {
        error_set (e, ERR_CONFIG,
                   "'%s' is no loopback address: 127.0.0.1:PORT or "
                   "[::1]:PORT",
                   address);
        return -1;
    }
    int one = 1;
    int fd = socket (at.any.sa_family,
                     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one)
        || bind (fd, &at.any, size) || listen (fd, BACKLOG)
        || getsockname (fd, &at.any, &size)) {
        error_set (e, errno == EADDRINUSE ? ERR_EXISTS : ERR_IO, "'%s': %s",
                   address, strerror (errno));
        disk_close (&fd);
        return -1;
    }
    *port =
        ntohs (at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
    return fd;
}
