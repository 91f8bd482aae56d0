/* config - a daemon's configuration file, read strictly.
 *
 * The syntax is ZPL (ZeroMQ RFC 4), parsed by CZMQ's zconfig; since that is
 * lenient, the file is checked before (no NUL, UTF-8, quotes around values
 * with '#', no control characters) and the tree is walked after: every name
 * must be asked for, once. Not thread-safe. */
#ifndef PARLEY_CONFIG_H
#define PARLEY_CONFIG_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct config;

/* NULL and *e: not readable, over 64 KiB, not ZPL, a name given twice.
 *
 *     # comment
 *     desk
 *         endpoint = "tcp://0.0.0.0:7001"   # comment
 *         workers = 4
 *
 * Four spaces a level, at most 8 levels; names of [a-z0-9_-./], 512 in all. A
 * name has either a value or names below it. A value with a space, a quote or
 * '#' stands in quotes; quotes know no escapes. */
struct config *config_load (const char *path, struct error *e) MUST_CHECK;
/* The same for text that is in memory; `path` is what errors name and where
 * relative file names start. */
struct config *config_read (struct slice text, const char *path,
                            struct error *e) MUST_CHECK;
void config_destroy (struct config **self_p);

/* Values by path ("desk/endpoint"). A relative file name, also the fallback's,
 * is taken from the configuration file's own folder: config_path does that.
 * The first failure is kept for config_finish (but a name that nobody asked
 * for goes before one that is missing); `fallback` is returned then.
 * A NULL fallback (text) makes the name required, and not empty. Returned text
 * is borrowed from the config. A bool is yes, no, true or false. */
const char *config_text (struct config *self, const char *name,
                         const char *fallback);
const char *config_path (struct config *self, const char *name,
                         const char *fallback);
int64_t config_int (struct config *self, const char *name, int64_t fallback,
                    int64_t min, int64_t max);
bool config_bool (struct config *self, const char *name, bool fallback);

/* The name of the n-th entry, from 0, that stands directly below `section`;
 * NULL: there are fewer. Asking so does not ask for its value. */
const char *config_below (const struct config *self, const char *section,
                          size_t n);

/* Every name in the file has been asked for, and nothing failed: 0. Otherwise
 * ERR_CONFIG, naming the file, the name, the rule and the value. */
enum err config_finish (struct config *self, struct error *e) MUST_CHECK;

#endif
