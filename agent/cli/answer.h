/* answer - one question to the agent, and its answer for people or as JSON. */
#ifndef PARLEY_CLI_ANSWER_H
#define PARLEY_CLI_ANSWER_H

#include "client.h"
#include "json.h"
#include "options.h"

/* The first `count` of a command's options as parameters of the same names: a
 * text as it is, a flag as "true". */
void answer_query (struct buf *path, const struct option_spec *specs,
                   size_t count);
typedef void answer_say_fn (const void *arg, json_t *answer);
/* GET path, which is freed. The exit code. */
int answer_print (struct cli *cli, struct buf *path, answer_say_fn *say,
                  const void *arg);
/* The last line of a page that is not the last: "50 of 118 are shown; the next:
 * --offset 50". */
void answer_more (const char *offset, size_t shown, int64_t total);
/* GET path, which is freed, as the octets of a file: to `out`, or to standard
 * output where that is NULL. Says what was written. The exit code. */
int answer_save (struct cli *cli, struct buf *path, const char *out,
                 bool replace);
/* "json", "csv" or "html": as given, else by the end of `out`; ends the process
 * where that can't be told. */
const char *answer_format (const char *given, const char *out,
                           const char *usage);

#endif
