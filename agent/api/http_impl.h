/* http_impl - what the files of this folder share of the API, and nobody
 * else. */
#ifndef PARLEY_API_HTTP_IMPL_H
#define PARLEY_API_HTTP_IMPL_H

#include "api/answers.h"
#include "api/guard.h"
#include "api/handles.h"
#include "api/http.h"
#include "api/listen.h"
#include "api/users.h"
#include "api/wake.h"

/* Of each of the two sockets; a thread each. */
#define HTTP_CONNECTIONS_MAX 64
/* MHD ends a connection whose handler took longer than that, so whoever waits
 * waits less: WAIT_MS_MAX, and KEEP_ALIVE_MS of events.c. */
#define HTTP_TIMEOUT_S 60
#define WAIT_MS_MAX 50000
/* Whoever waits looks so often whether its client is still there: the places
 * for waiting are few. */
#define GONE_MS 1000

struct http;
struct import_job;
struct watcher;

/* One of the sockets, as its requests see it. */
struct http_door {
    struct http *http;
    struct MHD_Daemon *daemon; /* NULL: not open */
    bool guarded;              /* TCP: token and host are asked */
    uint16_t port;
};

struct http {
    struct http_options options;
    struct http_door unix_door, tcp_door;
    struct listen_file file;
    bool bound;         /* the socket's file is there */
    struct guard guard; /* of the token file; empty where there is none */
    pthread_rwlock_t users_lock;
    struct users *users; /* NULL: none, as in tests */
    struct handles handles;
    struct wake wake;
    struct answers answers;
    struct import_job *import; /* NULL: there is no link */
    struct watcher *watcher;
    int64_t started_ms;        /* wall */
    char run[STORE_RUN_MAX];   /* of the store: names the ids of events */
};

/* As of users.h, of the users that are known now. Any thread. */
void http_user_account (struct http *self, uid_t uid, struct user *out);
void http_user_token (struct http *self, const struct token *token,
                      struct user *out);
void http_users_with (struct http *self, enum role role,
                      void (*each) (void *arg, const char *name), void *arg);
bool http_two_person (struct http *self);
/* Is there any user in the configuration? */
bool http_users_listed (struct http *self);

/* The roster in force, by the link or else the store: a reference; NULL and *e
 * (ERR_STATE: none). *sequence: -1 where it is not known. */
struct roster *http_roster (struct http *self, struct store *store,
                            int64_t *sequence, struct error *e) MUST_CHECK;

#endif
