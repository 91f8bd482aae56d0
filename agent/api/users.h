/* users - who asks an agent, and what he may do there.
 *
 * Whoever asks is known by the account at the other end of the Unix socket, as
 * the kernel says it (SO_PEERCRED), or by a token that the request brings
 * (store/tokens.h), over either socket. The agent's configuration names the
 * users and gives each his roles:
 *
 *   users
 *       anna                        the name that others see
 *           login = "anna.b"        an account, or its number; else the name
 *           role = "releaser"       one or more, blanks between
 *           function = "Head of Strategic Analysis"   may be left out
 *
 *   reader    sees what this body may read
 *   drafter   and writes drafts, which stay here
 *   releaser  and publishes: releases drafts, or sends at once
 *   operator  runs the agent: tokens, alarms, imports; and reads
 *
 * Each role includes those above it, an operator's only the first. Where no
 * user is configured, whoever can open the socket (mode 0600) has all roles, by
 * his account's name. Where there are some, the account that the agent runs as,
 * and root, are operators unless they are listed otherwise: they could read its
 * files anyway. All other accounts have no role. A line of the token file has
 * all roles.
 *
 * Which role an operation needs is in the table of router.c alone. */
#ifndef PARLEY_API_USERS_H
#define PARLEY_API_USERS_H

#include "store/tokens.h"

#include <stdbool.h>
#include <sys/types.h>

#define USERS_MAX 100
#define ROLES_TEXT_MAX 64

enum role {
    ROLE_READER = 1,
    ROLE_DRAFTER = 2,
    ROLE_RELEASER = 4,
    ROLE_OPERATOR = 8,
    /* What a publishing operation needs: with draft=true the first, without it
     * the second. No user has it as such. */
    ROLE_PUBLISH = ROLE_DRAFTER | ROLE_RELEASER,
};
#define ROLES_ALL 15U

struct user {
    char name[USER_NAME_MAX + 1];
    char function[USER_FUNCTION_MAX + 1]; /* "": none */
    unsigned roles;
};

/* "releaser operator" with all that they include; false: a word is no role, or
 * there is none. */
bool roles_read (const char *text, unsigned *roles) MUST_CHECK;
/* Those that no other one includes: "releaser operator"; "none". */
char *roles_text (unsigned roles, char out[ROLES_TEXT_MAX]);
/* "reader"; of ROLE_PUBLISH "releaser". */
const char *role_name (enum role role);
/* 1 to 64 of [A-Za-z0-9._@-], not a hyphen first. */
bool user_name_valid (const char *name) MUST_CHECK;
/* At most 200 characters of UTF-8, none of them a control. */
bool user_function_valid (const char *text) MUST_CHECK;

/* All users of a configuration. Not changed once it is made; then any thread. */
struct users;
struct users *users_new (bool two_person) MUST_CHECK;
void users_destroy (struct users **self_p); /* NULL is fine */
/* ERR_CONFIG, with a text that names the member: no such account, two users of
 * one name or account, roles that are none. `function` may be NULL. */
enum err users_add (struct users *self, const char *name, const char *login,
                    const char *roles, const char *function, struct error *e)
    MUST_CHECK;
bool users_any (const struct users *self);
/* Has a draft to be released by another person than who wrote it? */
bool users_two_person (const struct users *self);

/* Who that account is; roles 0 where it is none of ours. */
void users_account (const struct users *self, uid_t uid, struct user *out);
/* Who asks by a token: the user `user` of the configuration, who has no more
 * than his roles there; or, where that is "", somebody of the token's own name,
 * which may be a user's too. */
void users_token (const struct users *self, const struct token *token,
                  struct user *out);
/* Who asks by a line of the token file. */
void users_token_file (struct user *out);
/* Each configured user who has the role. */
void users_with (const struct users *self, enum role role,
                 void (*each) (void *arg, const char *name), void *arg);

#endif
