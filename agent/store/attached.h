/* attached - the index of files' messages among the records (threads/FILES.md):
 * manifests with their bodies, parts by the SHA-256 of their content. So a list
 * of files, or what one lacks, reads no part.
 *
 * Kept by records.c as records come and by epoch.c as they go. */
#ifndef PARLEY_ATTACHED_H
#define PARLEY_ATTACHED_H

#include "format/block.h"
#include "format/message.h"
#include "store.h"

/* Of this folder: a record whose topic's second level is "file". In the
 * caller's transaction. */
bool attached_wanted (struct slice topic);
enum err attached_add (struct store *self, const struct record *record,
                       const struct message *message, enum body_state state,
                       struct slice body, struct error *e) MUST_CHECK;

/* A map on a file's topic. Borrowed for the call. */
struct attached {
    int64_t sequence, log_time;
    struct hash id, leaf;
    const char *topic, *author;
    bool map; /* false: neither map nor octets, or no body is there */
    struct slice content; /* of a map, without salt */
};
typedef enum err attached_fn (void *arg, const struct attached *item,
                              struct error *e);
/* All maps on a topic, and what is neither map nor part, by sequence; `each` may
 * not use the store. At most `limit`, the newest. */
enum err attached_said (struct store *self, const char *topic, int64_t limit,
                        attached_fn *each, void *arg, struct error *e)
    MUST_CHECK;
/* Parts on the topic by others than that entity, the newest first. */
enum err attached_strangers (struct store *self, const char *topic,
                             const char *entity, int64_t limit,
                             attached_fn *each, void *arg, struct error *e)
    MUST_CHECK;
/* Topics that have a map, the one with the newest map first; copies are given,
 * so that `each` may use the store. ERR_STATE of `each` ends it well. */
enum err attached_topics (struct store *self,
                          enum err (*each) (void *arg, const char *topic,
                                            struct error *e),
                          void *arg, struct error *e) MUST_CHECK;
/* Topics that end in /FILE-ID and have any message, in order of the topic. */
enum err attached_find (struct store *self, const char *id,
                        enum err (*each) (void *arg, const char *topic,
                                          struct error *e),
                        void *arg, struct error *e) MUST_CHECK;
/* Sequences of all maps that arrived behind position `after`, up to `upto`, in
 * that order: the caller frees the array. */
enum err attached_since (struct store *self, int64_t after, int64_t upto,
                         int64_t **sequences, size_t *count, struct error *e)
    MUST_CHECK;
/* Is the part held, by a delegation of that entity? *sequence: the first record
 * of it. */
bool attached_part (struct store *self, const char *topic, const char *entity,
                    const struct hash *sha256, int64_t size, int64_t *sequence);

/* A store of before there was this index: all records are looked at once. In the
 * caller's transaction. */
enum err attached_rebuild (struct store *self, struct error *e) MUST_CHECK;

#endif
