/* file_look - files as a request sees them: from the store's index, judged by
 * our rights now (threads/FILES.md). */
#ifndef PARLEY_API_FILE_LOOK_H
#define PARLEY_API_FILE_LOOK_H

#include "api/request.h"
#include "store/sendings.h"
#include "threads/files.h"

/* Of one topic: its records and what this agent sends there. Owned. */
struct file_look {
    struct file_view *view;
    bool sent; /* this agent sends it, or did last */
    enum sending_state state;
    int64_t created_ms, messages, handed, promised, settled, octets_left;
    char *why, *drafter;
    struct file_manifest *manifest; /* that is sent; NULL */
};
/* `whole`: with parts that others put there. *readable false (and nothing in *out): we may not read that channel, or it is
 * no file's topic. */
enum err file_look (struct store *store, const struct roster *roster,
                    const char *delegation, const char *topic, bool whole,
                    struct file_look *out, bool *readable, struct error *e)
    MUST_CHECK;
void file_look_free (struct file_look *self);
/* The manifest to show: of the ledger, or else the one that is sent; NULL. */
const struct file_manifest *file_look_manifest (const struct file_look *self);
/* "incomplete", "sending" (nothing of it is in the ledger yet), ... */
const char *file_look_state (const struct file_look *self);

/* The file that the path's {file}, and `channel` and `entity` of the query, name.
 * false: answered; also where there are several (which are told). */
bool file_find (struct request *r, struct store *store,
                const struct roster *roster, struct file_look *out) MUST_CHECK;

/* Topics of all files that may be read, newest first: those that this agent
 * sends and of which nothing is in the ledger yet before all others. ERR_STATE of
 * `each` ends it well. */
typedef enum err file_look_fn (void *arg, struct file_look *look,
                               struct error *e);
enum err file_look_all (struct store *store, const struct roster *roster,
                        const char *delegation, file_look_fn *each, void *arg,
                        struct error *e) MUST_CHECK;

/* The file as JSON, the caller's; `whole`: with all that was said of it. */
json_t *json_file (const struct file_look *look, const struct roster *roster,
                   bool whole) MUST_CHECK;

/* A part's content, checked against its SHA-256; *out is replaced. */
enum err file_part_load (struct store *store, const struct file_place *place,
                         const struct file_part *part, struct buf *out,
                         struct error *e) MUST_CHECK;

#endif
