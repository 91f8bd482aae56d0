/* options - a command's words, sorted into options and arguments. */
#ifndef PARLEY_OPTIONS_H
#define PARLEY_OPTIONS_H

#include "cli.h"

#include <stddef.h>
#include <stdint.h>

/* Words of argv, in order; at most OPTIONS_WORDS_MAX. */
#define OPTIONS_WORDS_MAX 2048
struct words {
    const char *at[OPTIONS_WORDS_MAX];
    size_t count;
};

enum option_kind {
    OPTION_FLAG, /* bool *: --yes */
    OPTION_TEXT, /* const char **: --out FILE, once */
    OPTION_EACH, /* struct words *: --ref ID, as often as needed */
    OPTION_REST, /* struct words *: --cards FILE..., up to the next option */
};
struct option_spec {
    const char *name; /* without the dashes; NULL ends the table */
    enum option_kind kind;
    void *out;
};

/* Fill what the specs point to, and *words with the rest, of which there are
 * min to max. argv[0] is the command's last word. Everywhere --socket, --json
 * and --help stand too. Help, or a mistake with the head of `usage` behind
 * it, ends the process. */
void options_read (struct cli *cli, int argc, char **argv, const char *usage,
                   const struct option_spec *specs, struct words *words,
                   size_t min, size_t max);
/* A mistake that only the command can see: says it, with the usage up to its
 * empty line, and ends the process. */
_Noreturn void options_refuse (const char *usage, const char *format, ...)
    PRINTF_LIKE (2, 3);

/* What --timeout says, in milliseconds: 1 second to a year; else as above. */
int64_t options_timeout (const char *usage, const char *text);

#endif
