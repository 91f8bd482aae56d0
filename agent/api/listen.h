/* listen - the two sockets of the API, bound so that nobody else gets in. */
#ifndef PARLEY_API_LISTEN_H
#define PARLEY_API_LISTEN_H

#include "base/error.h"

#include <stdint.h>
#include <sys/types.h>

#define SOCKET_NAME_MAX 107 /* octets: sun_path has 108 */

/* Which file is ours, so that no other one is removed. */
struct listen_file {
    dev_t device;
    ino_t inode;
};

/* A listening Unix socket, 0600, in a folder of this user that nobody else may
 * enter (made 0700 where it is missing). A socket that is there is removed only
 * when nobody answers on it. -1 and *e: ERR_CONFIG, ERR_EXISTS, ERR_IO. */
int listen_unix (const char *path, struct listen_file *file, struct error *e)
    MUST_CHECK;
/* The same for the accounts of a group too (NULL: none): 0660, in a folder that
 * they may enter and not list (0710). One that is there has to be so already.
 * Who asks is told apart by users.h. */
int listen_unix_group (const char *path, const char *group,
                       struct listen_file *file, struct error *e) MUST_CHECK;
/* Remove it, if it is still the one that was made. */
void listen_unix_remove (const char *path, const struct listen_file *file);

/* "127.0.0.1:PORT" or "[::1]:PORT"; port 0 is any. *port is the bound one. */
int listen_loopback (const char *address, uint16_t *port, struct error *e)
    MUST_CHECK;

#endif
