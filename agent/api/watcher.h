/* watcher - tells people of what they watch (store/watches.h), by the command
 * that the operator configured (tell.h): immediate watches once it is quiet for
 * some seconds, daily ones at a time of the day.
 *
 * The command gets counts and links, and nothing that anybody wrote:
 *
 *   {"format": 1, "test": false, "delegation": "EUROPOL/hq", "user": "anna",
 *    "watch": {"number": 3, "name": "plans", "mode": "immediate"},
 *    "total": 2, "counts": {"plan": 2}, "inbox": {"stance": 1},
 *    "commands": ["parley inbox"], "links": ["/api/v1/inbox", ...]}
 *
 * What was told is noted only once the command has ended well; where it fails
 * that is a notice, and is tried again, later each time. A thread of its own,
 * woken as live feeds are. */
#ifndef PARLEY_API_WATCHER_H
#define PARLEY_API_WATCHER_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct http;
struct watch;
struct watcher;

/* Borrows the API; NULL and *e. */
struct watcher *watcher_new (struct http *http, struct error *e) MUST_CHECK;
/* After wake_stop. */
void watcher_destroy (struct watcher **self_p);

/* Runs the command now with what that watch would say ("test": true), and notes
 * nothing. ERR_STATE: it failed, and the text says how; ERR_FULL: one runs. */
enum err watcher_test (struct watcher *self, const struct watch *watch,
                       struct error *e) MUST_CHECK;

#endif
