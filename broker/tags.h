/* tags - one generation of the feed's tags and keys (PROTOCOL.md sections 8.3
 * and 8.7): one for $log, one for each roster channel, one for each entity's
 * direct stream. Immutable and counted. */
#ifndef PARLEY_TAGS_H
#define PARLEY_TAGS_H

#include "identity/roster.h"
#include "wire/feedkey.h"

struct tags;

/* Fresh random tags and keys for all streams of the roster, which is held. */
struct tags *tags_new (struct roster *roster, int64_t generation) MUST_CHECK;
struct tags *tags_ref (struct tags *self);
void tags_unref (struct tags **self_p);
int64_t tags_generation (const struct tags *self);

/* All streams: names as "$log", "members", "@EUROPOL". Borrowed. */
size_t tags_count (const struct tags *self);
const char *tags_name (const struct tags *self, size_t n);
const struct feed_key *tags_key (const struct tags *self, size_t n);
/* Index of a stream by name; -1. */
int tags_find (const struct tags *self, struct slice name);
/* Which stream a tag is; -1. */
int tags_of_tag (const struct tags *self, const uint8_t tag[TAG_SIZE]);

/* May this delegation have stream n at time `at` (ms)? */
bool tags_allowed (const struct tags *self, size_t n, struct slice delegation,
                   int64_t at);
/* The first moment after `at` (ms) from which somebody may have his streams no
 * more, since his delegation expires: these tags may be used until then.
 * INT64_MAX: none. */
int64_t tags_until (const struct tags *self, int64_t at);
struct roster *tags_roster (const struct tags *self); /* borrowed */

#endif
