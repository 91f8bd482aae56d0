/* users: roles, names, accounts and tokens become users; and what is kept of
 * tokens and of acts. */
#include "store_fixture.h"

#include "api/router.h"
#include "store/acts.h"

#include <unistd.h>

static void test_roles (void **state) {
    (void) state;
    static const struct {
        const char *text;
        unsigned roles;
        const char *shown;
    } rows[] = {
        { "", 0, "none" },
        { "  ", 0, "none" },
        { "writer", 0, "none" },
        { "reader,drafter", 0, "none" },
        { "reader x", 0, "none" },
        { "Reader", 0, "none" },
        { "reader", 1, "reader" },
        { "drafter", 3, "drafter" },
        { " releaser", 7, "releaser" },
        { "operator", 9, "operator" },
        { "operator reader", 9, "operator" },
        { "drafter  operator", 11, "drafter operator" },
        { "operator releaser", ROLES_ALL, "releaser operator" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned roles;
        char text[ROLES_TEXT_MAX];
        bool fine = roles_read (rows[i].text, &roles);
        if (fine != (rows[i].roles != 0) || (fine && roles != rows[i].roles))
            fail_msg ("row %zu: %u", i, roles);
        assert_string_equal (roles_text (rows[i].roles, text), rows[i].shown);
    }
    assert_string_equal (role_name (ROLE_OPERATOR), "operator");
    assert_string_equal (role_name (ROLE_PUBLISH), "releaser");
}

static void test_texts (void **state) {
    (void) state;
    char text[USER_FUNCTION_MAX + 2];
    assert_false (user_name_valid ("") || user_name_valid ("a b")
                  || user_name_valid ("-a") || user_name_valid ("a/b"));
    assert_true (user_name_valid ("A.b_c@d-1"));
    memset (text, 'a', sizeof text);
    text[USER_NAME_MAX] = '\0';
    assert_true (user_name_valid (text));
    text[USER_NAME_MAX] = 'a';
    text[USER_NAME_MAX + 1] = '\0';
    assert_false (user_name_valid (text));
    text[USER_NAME_MAX + 1] = 'a';
    text[200] = '\0';
    assert_true (user_function_valid (text));
    text[200] = 'a';
    text[201] = '\0';
    assert_false (user_function_valid (text));
    for (size_t i = 0; i < 200; i++)
        memcpy (text + i * 4, "\xf0\x9f\x93\x9c", 4);
    text[800] = '\0';
    assert_true (user_function_valid (text));
    memcpy (text + 800, "a", 2);
    assert_false (user_function_valid (text));
    assert_true (user_function_valid (""));
    assert_false (user_function_valid ("a\nb") || user_function_valid ("\xff"));
}

static void test_none_configured (void **state) {
    (void) state;
    struct user user;
    struct users *users = users_new (false);
    const struct users *both[] = { NULL, users };
    for (size_t i = 0; i < 2; i++) {
        assert_false (users_any (both[i]) || users_two_person (both[i]));
        users_account (both[i], 0, &user);
        assert_int_equal (user.roles, ROLES_ALL);
        assert_string_equal (user.name, "root");
        users_account (both[i], 4242424, &user);
        assert_int_equal (user.roles, ROLES_ALL);
        assert_string_equal (user.name, "uid-4242424");
        assert_string_equal (user.function, "");
    }
    users_destroy (&users);
    users_destroy (&users);
    users_destroy (NULL);
}

static void name_add (void *arg, const char *name) {
    strcat (arg, name);
    strcat (arg, " ");
}

static void test_configured (void **state) {
    (void) state;
    struct user user;
    char names[200] = "";
    struct users *users = users_new (true);
    struct error error;
    assert_int_equal (users_add (users, "a b", "1", "reader", NULL, &error),
                      ERR_CONFIG);
    assert_int_equal (users_add (users, "a", "1", "", NULL, &error),
                      ERR_CONFIG);
    assert_int_equal (users_add (users, "a", "1", "reader", "a\n", &error),
                      ERR_CONFIG);
    assert_int_equal (users_add (users, "a", "no such", "reader", NULL, &error),
                      ERR_CONFIG);
    FINE (users_add (users, "anna", "4201", "drafter", NULL, &e));
    FINE (users_add (users, "ben", "4202", "releaser", "Head", &e));
    assert_int_equal (users_add (users, "anna", "4203", "reader", NULL, &error),
                      ERR_CONFIG);
    assert_int_equal (users_add (users, "carl", "4202", "reader", NULL, &error),
                      ERR_CONFIG);
    assert_true (users_any (users) && users_two_person (users));
    users_account (users, 4201, &user);
    assert_string_equal (user.name, "anna");
    assert_int_equal (user.roles, ROLE_READER | ROLE_DRAFTER);
    users_account (users, 4202, &user);
    assert_string_equal (user.function, "Head");
    users_account (users, 4203, &user);
    assert_int_equal (user.roles, 0);
    users_account (users, 0, &user);
    assert_int_equal (user.roles, ROLE_READER | ROLE_OPERATOR);
    users_account (users, geteuid(), &user);
    assert_int_equal (user.roles, ROLE_READER | ROLE_OPERATOR);
    FINE (users_add (users, "boss", "root", "releaser", NULL, &e));
    users_account (users, 0, &user);
    assert_string_equal (user.name, "boss");
    assert_int_equal (user.roles & ROLE_OPERATOR, 0);
    users_with (users, ROLE_RELEASER, name_add, names);
    assert_string_equal (names, "ben boss ");

    struct token token = { .name = "feed",
                           .roles = ROLE_READER | ROLE_DRAFTER,
                           .function = "Desk" };
    users_token (users, &token, &user);
    assert_string_equal (user.name, "feed");
    assert_string_equal (user.function, "Desk");
    assert_int_equal (user.roles, ROLE_READER | ROLE_DRAFTER);
    /* A token of a person: that person, and no more than he may. */
    token =
        (struct token){ .name = "phone", .user = "anna", .roles = ROLES_ALL };
    users_token (users, &token, &user);
    assert_string_equal (user.name, "anna");
    assert_int_equal (user.roles, ROLE_READER | ROLE_DRAFTER);
    /* Nobody is taken for another by his token's name. */
    token = (struct token){ .name = "anna", .roles = ROLES_ALL };
    users_token (users, &token, &user);
    assert_int_equal (user.roles, ROLE_READER | ROLE_DRAFTER);
    strcpy (token.user, "gone");
    users_token (users, &token, &user);
    assert_int_equal (user.roles, 0);
    users_token_file (&user);
    assert_int_equal (user.roles, ROLES_ALL);
    users_destroy (&users);
}

/* What the store keeps of tokens */

static struct token keep (const char *name, const char *secret) {
    struct token token = { .roles = 3, .expires_ms = 99 };
    struct hash digest = hash_blake2b (slice_text (secret));
    snprintf (token.name, sizeof token.name, "%s", name);
    strcpy (token.user, "anna");
    strcpy (token.maker, "root");
    strcpy (token.function, "Desk");
    FINE (tokens_add (store, &token, &digest, &e));
    return token;
}

static enum err find (const char *secret, struct token *out) {
    struct hash digest = hash_blake2b (slice_text (secret));
    return tokens_find (store, &digest, out, &e);
}

static void token_name (void *arg, const struct token *token) {
    name_add (arg, token->name);
}

static void test_tokens (void **state) {
    (void) state;
    struct token token = { 0 };
    char secret[TOKEN_SECRET_MAX], other[TOKEN_SECRET_MAX], names[100] = "";
    token_secret (secret);
    token_secret (other);
    assert_int_equal (strlen (secret), strlen ("parley-") + 64);
    assert_string_not_equal (secret, other);
    assert_int_equal (find (secret, &token), ERR_NOT_FOUND);
    keep ("feed", secret);
    struct hash digest = hash_blake2b (slice_text (other));
    token = (struct token){ .name = "feed" };
    assert_int_equal (tokens_add (store, &token, &digest, &e), ERR_EXISTS);
    keep ("desk", other);
    store_reopen();
    FINE (find (secret, &token));
    assert_string_equal (token.name, "feed");
    assert_string_equal (token.user, "anna");
    assert_string_equal (token.function, "Desk");
    assert_string_equal (token.maker, "root");
    assert_int_equal (token.roles, 3);
    assert_int_equal (token.expires_ms, 99);
    assert_true (token.created_ms > 0 && token.revoked_ms == 0
                 && token.used_ms == 0);
    assert_int_equal (tokens_used (store, "none", 5, &e), ERR_NOT_FOUND);
    FINE (tokens_used (store, "feed", 86400000, &e));
    assert_int_equal (tokens_revoke (store, "none", &e), ERR_NOT_FOUND);
    FINE (tokens_revoke (store, "feed", &e));
    FINE (find (secret, &token));
    assert_int_equal (token.used_ms, 86400000);
    int64_t revoked = token.revoked_ms;
    assert_true (revoked > 0);
    FINE (tokens_revoke (store, "feed", &e));
    FINE (find (secret, &token));
    assert_int_equal (token.revoked_ms, revoked);
    FINE (tokens_list (store, token_name, names, &e));
    assert_string_equal (names, "desk feed ");
}

static void test_many_tokens (void **state) {
    (void) state;
    char text[32];
    FINE (store_group_begin (store, &e));
    for (int i = 0; i < TOKENS_KEPT_MAX; i++) {
        snprintf (text, sizeof text, "t%d", i);
        keep (text, text);
    }
    struct token token = { .name = "more" };
    struct hash digest = hash_blake2b (slice_text ("more"));
    assert_int_equal (tokens_add (store, &token, &digest, &e), ERR_FULL);
    FINE (store_group_end (store, &e));
}

/* Acts */

struct listing {
    int64_t numbers[10], entry;
    size_t count;
};

static void act_see (void *arg, const struct act *act) {
    struct listing *self = arg;
    assert_string_equal (act->user, "anna");
    assert_true (act->ms > 0);
    self->entry = act->entry;
    self->numbers[self->count++] = act->number;
}

static void test_acts (void **state) {
    (void) state;
    struct listing seen = { 0 };
    struct act act = {
        .user = "anna", .what = "drafted", .subject = "a/b", .draft = 7
    };
    assert_int_equal (acts_released (store, 7), 0);
    FINE (acts_add (store, &act, &e));
    act.what = "released";
    act.entry = 12;
    FINE (acts_add (store, &act, &e));
    act = (struct act){
        .user = "anna", .what = "published", .subject = "", .entry = 13
    };
    FINE (acts_add (store, &act, &e));
    assert_int_equal (acts_released (store, 7), 12);
    assert_int_equal (acts_released (store, 0), 0);
    FINE (acts_list (store, 0, 2, act_see, &seen, &e));
    assert_int_equal (seen.count, 2);
    assert_true (seen.numbers[0] == 3 && seen.numbers[1] == 2);
    FINE (acts_list (store, 2, 10, act_see, &seen, &e));
    assert_int_equal (seen.count, 3);
    assert_int_equal (seen.numbers[2], 1);
}

/* The table of operations */

static void test_table (void **state) {
    (void) state;
    for (const struct route *r = router_routes; r->path; r++) {
        bool publishes = r->role == ROLE_PUBLISH;
        if (r->role != ROLE_READER && r->role != ROLE_DRAFTER
            && r->role != ROLE_RELEASER && r->role != ROLE_OPERATOR
            && !publishes)
            fail_msg ("%s %s has no role", r->method, r->path);
        if (publishes != router_query (r, "draft"))
            fail_msg ("%s %s: draft is for what publishes", r->method, r->path);
    }
}

int main (void) {
#define STORE(name)                                                            \
    cmocka_unit_test_setup_teardown (name, store_begin_test, store_end_test)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_roles),
        cmocka_unit_test (test_texts),
        cmocka_unit_test (test_none_configured),
        cmocka_unit_test (test_configured),
        STORE (test_tokens),
        STORE (test_many_tokens),
        STORE (test_acts),
        cmocka_unit_test (test_table),
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
