/* verify_impl - what the parts of `parley verify` share. */
#ifndef PARLEY_VERIFY_IMPL_H
#define PARLEY_VERIFY_IMPL_H

#include "base/hash.h"
#include "options.h"
#include "table.h"

struct json_t;

struct asked {
    const struct cli *cli;
    const char *file, *policy, *roster;
    const struct hash *dialogue; /* NULL: not given */
};

/* What is said, line by line or as one object. */
struct verifying {
    struct json_t *object;
    struct table *table;
};
void verify_begin (struct verifying *self, const char *kind);
void verify_say (struct verifying *self, const char *name, const char *format,
                 ...) PRINTF_LIKE (3, 4);
/* Prints all of it; the exit code. */
int verify_end (struct verifying *self, const struct asked *asked,
                const char *verdict);
int verify_fail (const struct asked *asked, struct error *e);
/* The call was wrong; ends the program. */
_Noreturn void verify_refuse (const char *why);

/* A communique, with its adoptions. */
int verify_communique (const struct asked *asked, struct slice octets);

#endif
