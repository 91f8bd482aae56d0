/* personal - text of a plan that looks like somebody's data: what an officer
 * takes out before it is published.
 *
 * A hint, never a refusal, and made to be rarely wrong: it knows a number by
 * its form (a bank account by its checksum), or by the word before it, in some
 * languages. A name alone is not found. For an own draft: not for a peer's
 * text, which is published already. */
#ifndef PARLEY_PERSONAL_H
#define PARLEY_PERSONAL_H

#include <stddef.h>

struct json_t;

#define PERSONAL_MAX 100 /* kept; all are counted */

enum personal_kind {
    PERSONAL_BIRTH,    /* "birth-date": a date of birth, with a name or not */
    PERSONAL_DOCUMENT, /* "document-number": passport, identity card, licence */
    PERSONAL_PHONE,    /* "phone-number" */
    PERSONAL_PLATE,    /* "plate": of a vehicle */
    PERSONAL_MAIL,     /* "mail-address" */
    PERSONAL_ACCOUNT,  /* "bank-account": an IBAN */
    PERSONAL_KINDS
};
const char *personal_kind_name (enum personal_kind kind);
const char *personal_kind_words (
    enum personal_kind kind); /* "a phone number" */

struct personal_find {
    char *pointer; /* JSON Pointer of the text */
    enum personal_kind kind;
    char *excerpt; /* as found, letters and digits within as "*" */
};
struct personal {
    struct personal_find at[PERSONAL_MAX];
    size_t kept, count;
};

/* Every text of the document, in its order, unknown members too; *out was
 * zeroed. Addresses of `contacts` are functions' and are passed over, web
 * addresses too. Thread-safe. */
void personal_find (const struct json_t *document, struct personal *out);
void personal_clear (struct personal *self); /* frees */
/* [{"pointer": ..., "kind": ..., "excerpt": ...}, ...], the caller's. */
struct json_t *personal_json (const struct personal *self);

#endif
