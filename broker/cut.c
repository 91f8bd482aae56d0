/* cut - shut one peer's connection. */
#include "cut.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

uint16_t cut_port (const char *endpoint) {
    const char *colon = strrchr (endpoint, ':');
    unsigned long port = colon ? strtoul (colon + 1, NULL, 10) : 0;
    return port <= UINT16_MAX ? (uint16_t) port : 0;
}

uint16_t cut_local_port (int fd) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } at;
    socklen_t size = sizeof at;
    if (getsockname (fd, &at.any, &size) != 0)
        return 0;
    if (at.any.sa_family == AF_INET)
        return ntohs (at.v4.sin_port);
    return at.any.sa_family == AF_INET6 ? ntohs (at.v6.sin6_port) : 0;
}

bool cut_connection (const zmq_msg_t *message, uint16_t port) {
    int fd = zmq_msg_get (message, ZMQ_SRCFD);
    return fd >= 0 && port != 0 && cut_local_port (fd) == port
           && shutdown (fd, SHUT_RDWR) == 0;
}
