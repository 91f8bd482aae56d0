/* audience - who will be able to read what is about to be published; said, and
 * on a terminal asked, before anything is sent. */
#ifndef PARLEY_AUDIENCE_H
#define PARLEY_AUDIENCE_H

#include "client.h"

#include <jansson.h>

/* Names every entity on standard error. With a terminal there, and without
 * `yes`, asks. `own`: this agent's delegation is the author, and has to be a
 * writer. ERR_RIGHT: an unknown or empty audience, not a writer, or "no". */
enum err audience_confirm (struct client *client, const char *topic, bool own,
                           bool yes, struct error *e) MUST_CHECK;

/* The question alone: 0 for y or yes, ERR_RIGHT for all else; 0 unasked where
 * standard error is no terminal. */
enum err audience_ask (bool yes, struct error *e) MUST_CHECK;

/* Says on standard error where a filter can't match anything, by the streams
 * of the agent's status: a channel that it does not read, or one without the
 * rest of a topic. */
void audience_warn (json_t *status, const char *filter);

#endif
