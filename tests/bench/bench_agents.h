/* bench_agents - real agents beside a bench's broker, and their API. */
#ifndef PARLEY_BENCH_AGENTS_H
#define PARLEY_BENCH_AGENTS_H

#include "bench.h"

struct bench_agent {
    pid_t pid;
    char socket[256]; /* of its API */
};
/* Makes its store and starts it; waits until its link is ready. */
void bench_agent_begin (struct bench *bench, const char *program,
                        int delegation, struct bench_agent *out);
void bench_agent_end (struct bench_agent *self);

/* One connection to its API: blocking, kept alive. */
int bench_api_open (const struct bench_agent *agent);
/* Sends a request; reads the whole reply; its status, and the body as text. */
int bench_api (int fd, const char *method, const char *path, const char *body,
               struct buf *reply);
/* POSTs octets. */
int bench_api_octets (int fd, const char *path, struct slice octets,
                      struct buf *reply);
/* GETs a stream of server-sent events, and reads to the end of its head. */
int bench_api_events (const struct bench_agent *agent, const char *path);
/* Blocks until one more "event: record" came on it. */
void bench_api_event (int fd);
/* The integer behind "NAME": in a JSON text; -1. */
int64_t bench_json_int (const struct buf *json, const char *name);

#endif
