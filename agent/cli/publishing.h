/* publishing - what a command gives to the agent to be signed and sent: read,
 * its audience named and agreed to, posted, waited for. */
#ifndef PARLEY_PUBLISHING_H
#define PARLEY_PUBLISHING_H

#include "entry.h"
#include "options.h"

#define PUBLISHING_FILE_MAX 409600 /* the API's limit of a request */

struct publishing {
    const char *topic;
    const char *format; /* "json", "text", "octets" */
    const char *key;
    struct words references;
    bool yes;
    bool draft; /* keep it for a releaser, send nothing */
    struct entry_wait wait;
};

/* For a table of options: what all that publish take. */
#define PUBLISHING_OPTIONS(self)                                               \
    { "ref", OPTION_EACH, &(self).references }, PUBLISHING_SENDING (self)
/* Without what it refers to. */
#define PUBLISHING_SENDING(self)                                               \
    { "key", OPTION_TEXT, &(self).key },                                       \
        { "draft", OPTION_FLAG, &(self).draft },                               \
        { "yes", OPTION_FLAG, &(self).yes },                                   \
        { "wait", OPTION_TEXT, &(self).wait.state }, {                         \
        "timeout", OPTION_TEXT, &(self).wait.timeout                           \
    }
/* Words that are no reference, state or number end the process. */
void publishing_check (struct publishing *self, const char *usage);

/* What a file ("-": standard input) holds, as that format's JSON; the caller's.
 * NULL: the text names the file. */
json_t *publishing_read (const char *file, const char *format, struct error *e)
    MUST_CHECK;
/* Says who will read it, asks, posts, waits, prints. A draft is posted unasked,
 * and only its number printed. Takes content's reference. The exit code. */
int publishing_send (const struct cli *cli, struct client *client,
                     const struct publishing *self, json_t *content);
/* The same for a body of another path, which ends on `topic`: takes body's
 * reference, frees path. */
int publishing_post (const struct cli *cli, struct client *client,
                     const struct publishing *self, const char *topic,
                     struct buf *path, json_t *body);
/* The same as JSON on CHANNEL/KIND/REST, which is made here; a word that makes
 * no topic is refused. */
int publishing_send_on (const struct cli *cli, struct client *client,
                        struct publishing *self, json_t *content,
                        const char *channel, const char *rest);

/* A command of one word that publishes on a channel: reads the words, wants
 * --channel (`whom` says why), connects, and has `job` done with them. The exit
 * code. */
typedef int publishing_job (const struct cli *cli, struct client *client,
                            struct publishing *self, const char *word,
                            const char *channel);
int publishing_command (struct cli *cli, int argc, char **argv,
                        const char *usage, const char *whom,
                        publishing_job *job);

/* What was answered to a draft, for people or as JSON; takes its reference. */
int publishing_kept (const struct cli *cli, json_t *draft);

/* What the agent's status names; the caller's. NULL and *e. */
char *publishing_entity (struct client *client, struct error *e) MUST_CHECK;
/* "problems" of an answer, a line each: "  /actions/3/from  is ...". */
void problems_print (json_t *problems, FILE *out);

#endif
