/* notify - one datagram to the service manager. */
#include "base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static enum err address_of (const char *name, struct sockaddr_un *out,
                            socklen_t *size, struct error *e) {
    size_t length = strlen (name);
    if ((name[0] != '/' && name[0] != '@') || length < 2
        || length > sizeof out->sun_path - 1)
        return error_set (e, ERR_ARGUMENT,
                          "NOTIFY_SOCKET is '%.120s': a path or '@NAME' of 2 "
                          "to %zu octets",
                          name, sizeof out->sun_path - 1);
    *out = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy (out->sun_path, name, length);
    if (name[0] == '@')
        out->sun_path[0] = '\0';
    *size = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + length);
    return ERR_NONE;
}

enum err notify_send (const char *state, struct error *e) {
    const char *name = getenv ("NOTIFY_SOCKET");
    struct sockaddr_un address;
    socklen_t size = 0;
    if (!name || !*name)
        return ERR_NONE;
    enum err rc = address_of (name, &address, &size, e);
    if (rc)
        return rc;
    int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0
        || sendto (fd, state, strlen (state), MSG_DONTWAIT | MSG_NOSIGNAL,
                   (const struct sockaddr *) &address, size)
               < 0) {
        error_sys (e, errno, "tell '%s' %s", name, state);
        rc = e->code = ERR_IO;
    }
    if (fd >= 0)
        close (fd);
    return rc;
}
