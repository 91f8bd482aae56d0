/* file - what the commands about files share. */
#ifndef PARLEY_CLI_FILE_H
#define PARLEY_CLI_FILE_H

#include "client.h"
#include "json.h"
#include "options.h"

/* Which file: an id, and where it stands where that is not enough. */
struct file_which {
    const char *id, *channel, *entity; /* the last two may be NULL */
};
#define FILE_OPTIONS(which)                                                    \
    { "channel", OPTION_TEXT, &(which).channel }, {                            \
        "entity", OPTION_TEXT, &(which).entity                                 \
    }
/* Ends the process where it is no id. */
void file_which_check (const struct file_which *which, const char *usage);

/* How long to wait, and for what. */
struct file_wait {
    const char *timeout; /* seconds as given; NULL: as long as it takes */
    int64_t timeout_ms;  /* set by file_wait_check; 0: none */
};
void file_wait_check (struct file_wait *self, const char *usage);
/* The file as the agent has it; `wait`: "complete" or "done", with a line of
 * progress, or NULL. ERR_TIMEOUT leaves what is known in *file. */
enum err file_ask (struct client *client, const struct file_which *which,
                   const char *wait, const struct file_wait *time,
                   json_t **file, struct error *e) MUST_CHECK;

/* A few lines for people. */
void file_print (const struct cli *cli, json_t *file);
/* "16.0 MiB" */
#define FILE_SIZE_TEXT 32
char *file_size_text (char out[FILE_SIZE_TEXT], int64_t octets);

#endif
