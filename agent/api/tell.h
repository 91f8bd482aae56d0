/* tell - the command of the operator's that is told something, without a shell.
 *
 * It gets `input` on its standard input, nothing of the agent's environment but
 * PATH and LANG, and none of its descriptors; what it prints goes nowhere. */
#ifndef PARLEY_API_TELL_H
#define PARLEY_API_TELL_H

#include "base/buf.h"

#define TELL_COMMAND_MAX 1024 /* octets */
#define TELL_WORDS_MAX 16
#define TELL_INPUT_MAX 32768 /* a pipe holds it whole: nobody has to wait */

/* An absolute path, and words behind it, blanks between. ERR_CONFIG. */
enum err tell_check (const char *command, struct error *e) MUST_CHECK;
/* Waits for its end, at most so long: then all its process group is killed, also
 * when `stops` says so. ERR_STATE: it could not be run, ended otherwise than with
 * 0, or took too long; the text says which, the same each time. */
enum err tell_run (const char *command, struct slice input, int64_t limit_ms,
                   bool (*stops) (void *arg), void *arg, struct error *e)
    MUST_CHECK;

#endif
