/* users - accounts and tokens become users with roles. */
#include "api/users.h"

#include "base/buf.h"

#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the kernel says of an account that this process's user namespace does
 * not know: many accounts, so it is nobody's. */
#define OVERFLOW_UID 65534
#define PASSWD_ROOM 16384 /* of one account's entry */

struct entry {
    struct user user;
    uid_t uid;
};

struct users {
    bool two_person;
    uid_t own;
    struct entry at[USERS_MAX];
    size_t count;
};

/* Roles */

static const struct {
    const char *name;
    unsigned role, includes;
} roles_known[] = {
    { "reader", ROLE_READER, 0 },
    { "drafter", ROLE_DRAFTER, ROLE_READER },
    { "releaser", ROLE_RELEASER, ROLE_READER | ROLE_DRAFTER },
    { "operator", ROLE_OPERATOR, ROLE_READER },
};
#define ROLES (sizeof roles_known / sizeof *roles_known)

bool roles_read (const char *text, unsigned *roles) {
    *roles = 0;
    for (const char *at = text; *(at += strspn (at, " "));) {
        size_t size = strcspn (at, " "), i = 0;
        while (i < ROLES
               && (strlen (roles_known[i].name) != size
                   || memcmp (roles_known[i].name, at, size) != 0))
            i++;
        if (i == ROLES)
            return false;
        *roles |= roles_known[i].role | roles_known[i].includes;
        at += size;
    }
    return *roles != 0;
}

char *roles_text (unsigned roles, char out[ROLES_TEXT_MAX]) {
    unsigned included = 0;
    size_t used = 0;
    for (size_t i = 0; i < ROLES; i++)
        if (roles & roles_known[i].role)
            included |= roles_known[i].includes;
    snprintf (out, ROLES_TEXT_MAX, "none");
    for (size_t i = 0; i < ROLES; i++)
        if (roles & ~included & roles_known[i].role)
            used +=
                (size_t) snprintf (out + used, ROLES_TEXT_MAX - used, "%s%s",
                                   used ? " " : "", roles_known[i].name);
    return out;
}

const char *role_name (enum role role) {
    for (size_t i = 0; i < ROLES; i++)
        if (roles_known[i].role == (unsigned) role)
            return roles_known[i].name;
    return role_name (ROLE_RELEASER);
}

bool user_name_valid (const char *name) {
    size_t size = strspn (name, "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-");
    return size > 0 && size <= USER_NAME_MAX && name[size] == '\0'
           && name[0] != '-';
}

bool user_function_valid (const char *text) {
    size_t characters = 0, left = strlen (text);
    char shown[USER_FUNCTION_MAX * 2];
    if (left > USER_FUNCTION_MAX)
        return false;
    (void) text_printable (shown, sizeof shown, text, left);
    if (strcmp (shown, text) != 0)
        return false;
    for (const uint8_t *at = (const uint8_t *) text; left > 0; characters++) {
        size_t size = utf8_size (at, left);
        if (size == 0)
            return false;
        at += size;
        left -= size;
    }
    return characters <= 200;
}

/* The configuration */

struct users *users_new (bool two_person) {
    struct users *self = mem_alloc (sizeof *self);
    self->two_person = two_person;
    self->own = geteuid();
    return self;
}

void users_destroy (struct users **self_p) {
    if (!self_p)
        return;
    free (*self_p);
    *self_p = NULL;
}

static enum err login_read (const char *name, const char *login, uid_t *uid,
                            struct error *e) {
    struct passwd entry, *found = NULL;
    char *room = mem_alloc (PASSWD_ROOM);
    size_t digits = strspn (login, "0123456789");
    bool number = digits > 0 && digits <= 9 && login[digits] == '\0';
    (void) getpwnam_r (login, &entry, room, PASSWD_ROOM, &found);
    if (found)
        *uid = entry.pw_uid;
    else if (number)
        *uid = (uid_t) strtoul (login, NULL, 10);
    free (room);
    if (!found && !number)
        return error_set (e, ERR_CONFIG,
                          "users/%s/login: '%s' is no account of this machine",
                          name, login);
    if (*uid == OVERFLOW_UID)
        return error_set (e, ERR_CONFIG,
                          "users/%s/login: '%s' stands for all accounts that "
                          "are not known; it is no user",
                          name, login);
    return ERR_NONE;
}

static enum err double_check (const struct users *self, const char *name,
                              uid_t uid, struct error *e) {
    if (self->count == USERS_MAX)
        return error_set (e, ERR_CONFIG, "users: more than %d", USERS_MAX);
    for (size_t i = 0; i < self->count; i++) {
        if (strcmp (self->at[i].user.name, name) == 0)
            return error_set (e, ERR_CONFIG, "users/%s is there twice", name);
        if (self->at[i].uid == uid)
            return error_set (e, ERR_CONFIG,
                              "users/%s and users/%s are one account: %u",
                              self->at[i].user.name, name, uid);
    }
    return ERR_NONE;
}

enum err users_add (struct users *self, const char *name, const char *login,
                    const char *roles, const char *function, struct error *e) {
    unsigned bits;
    uid_t uid = 0;
    if (!user_name_valid (name))
        return error_set (e, ERR_CONFIG,
                          "users/%s: a user's name is 1 to %d of letters, "
                          "digits, '.', '_', '@' and '-'",
                          name, USER_NAME_MAX);
    if (!roles_read (roles, &bits))
        return error_set (e, ERR_CONFIG,
                          "users/%s/role is '%s', not one or more of reader, "
                          "drafter, releaser, operator",
                          name, roles);
    if (function && !user_function_valid (function))
        return error_set (e, ERR_CONFIG,
                          "users/%s/function: at most 200 characters, and no "
                          "controls",
                          name);
    enum err rc = login_read (name, login, &uid, e);
    if (!rc)
        rc = double_check (self, name, uid, e);
    if (rc)
        return rc;
    struct entry *entry = &self->at[self->count++];
    entry->uid = uid;
    entry->user.roles = bits;
    snprintf (entry->user.name, sizeof entry->user.name, "%s", name);
    snprintf (entry->user.function, sizeof entry->user.function, "%s",
              function ? function : "");
    return ERR_NONE;
}

bool users_any (const struct users *self) {
    return self && self->count > 0;
}

bool users_two_person (const struct users *self) {
    return self && self->two_person;
}

/* Who asks */

/* The account's name, or "uid-1000": what is kept as a name has to be one. */
static void account_name (uid_t uid, char out[USER_NAME_MAX + 1]) {
    struct passwd entry, *found = NULL;
    char *room = mem_alloc (PASSWD_ROOM);
    (void) getpwuid_r (uid, &entry, room, PASSWD_ROOM, &found);
    if (found && user_name_valid (entry.pw_name))
        snprintf (out, USER_NAME_MAX + 1, "%s", entry.pw_name);
    else
        snprintf (out, USER_NAME_MAX + 1, "uid-%u", uid);
    free (room);
}

void users_account (const struct users *self, uid_t uid, struct user *out) {
    for (size_t i = 0; self && i < self->count; i++)
        if (self->at[i].uid == uid) {
            *out = self->at[i].user;
            return;
        }
    *out = (struct user){ 0 };
    account_name (uid, out->name);
    if (!users_any (self))
        out->roles = ROLES_ALL;
    else if (uid == 0 || uid == self->own)
        out->roles = ROLE_OPERATOR | ROLE_READER;
}

void users_token (const struct users *self, const struct token *token,
                  struct user *out) {
    /* One that bears a user's name is his, so that nobody is taken for him. */
    const char *name = *token->user ? token->user : token->name;
    *out = (struct user){ .roles = token->roles & ROLES_ALL };
    snprintf (out->name, sizeof out->name, "%s", name);
    snprintf (out->function, sizeof out->function, "%s", token->function);
    for (size_t i = 0; self && i < self->count; i++) {
        const struct user *user = &self->at[i].user;
        if (strcmp (user->name, name) != 0)
            continue;
        out->roles &= user->roles;
        if (!*out->function)
            memcpy (out->function, user->function, sizeof out->function);
        return;
    }
    if (*token->user)
        out->roles = 0;
}

void users_token_file (struct user *out) {
    *out = (struct user){ .name = "token-file", .roles = ROLES_ALL };
}

void users_with (const struct users *self, enum role role,
                 void (*each) (void *arg, const char *name), void *arg) {
    for (size_t i = 0; self && i < self->count; i++)
        if (self->at[i].user.roles & (unsigned) role)
            each (arg, self->at[i].user.name);
}
