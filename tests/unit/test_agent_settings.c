/* settings of the agent: what is refused, and what is taken where nothing is
 * said. */
#include "settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LEAST                                                                  \
    "agent\n    identity = \"k\"\n    roster = \"r\"\n    dialogue = \"" HEX   \
    "\"\n"

static char path[256];

static int begin (void **state) {
    (void) state;
    const char *base = getenv ("TMPDIR");
    snprintf (path, sizeof path, "%s/parley-settings-XXXXXX",
              base ? base : "/tmp");
    int fd = mkstemp (path);
    if (fd >= 0)
        close (fd);
    return fd < 0 ? -1 : 0;
}

static int end (void **state) {
    (void) state;
    return unlink (path);
}

static struct settings *load (const char *first, const char *more,
                              struct error *e) {
    FILE *file = fopen (path, "w");
    assert_non_null (file);
    fprintf (file, "%s%s", first, more);
    fclose (file);
    *e = (struct error){ 0 };
    return settings_load (path, e);
}

static void test_refused (void **state) {
    (void) state;
    static const struct {
        const char *first, *more, *says;
    } rows[] = {
        { "", "", "agent/" },
        { "agent\n    identity = \"k\"\n", "", "agent/" },
        { LEAST, "    desk = \"tcp://h\"\n", "agent/desk" },
        { LEAST, "    desk = \"ipc:///x\"\n", "agent/desk" },
        { LEAST, "    feed = \"tcp://*:1\"\n", "agent/feed" },
        { LEAST, "    source = \"here\"\n", "agent/source" },
        { LEAST, "    log = \"loud\"\n", "agent/log" },
        { LEAST, "    new-store = 2\n", "new-store" },
        { LEAST, "    watch-command = tell\n", "agent/watch-command" },
        { LEAST, "    digest-time = \"24:00\"\n", "agent/digest-time" },
        { LEAST, "    digest-time = \"6:00\"\n", "agent/digest-time" },
        { LEAST, "    acknowledge = yes\n", "not one of none, verified, seen" },
        { LEAST, "    colour = 2\n", "colour" },
        { LEAST, "    log = info\n    log = info\n", "log" },
        { LEAST, "    token-file = \"t\"\n", "agent/token-file" },
        { LEAST, "    two-person = yes\n", "needs a section users" },
        { LEAST, "users\n    anna\n        login = \"0\"\n",
          "users/anna/role\" is missing" },
        { LEAST, "users\n    anna\n        role = reader\n        x = 1\n",
          "users/anna/x" },
        { LEAST, "users\n    a.b\n        role = \"none\"\n",
          "users/a.b/role" },
        { LEAST, "users\n    anna\n        role = writer\n",
          "not one or more" },
        { LEAST,
          "users\n    anna\n        role = reader\n"
          "        login = \"no-such-account-here\"\n",
          "is no account" },
        { LEAST,
          "users\n    anna\n        role = reader\n        login = 65534\n",
          "stands for all" },
        { LEAST,
          "users\n    anna\n        role = reader\n        login = 7\n"
          "    ben\n        role = reader\n        login = 7\n",
          "one account" },
        { LEAST, "    tcp = \"0.0.0.0:1\"\n    token-file = \"t\"\n",
          "for this machine" },
        { "agent\n    identity = \"k\"\n    roster = \"r\"\n"
          "    dialogue = \"ABCD\"\n",
          "", "not 64 lower case hex" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error e;
        struct settings *s = load (rows[i].first, rows[i].more, &e);
        if (s || e.code != ERR_CONFIG || !strstr (e.text, rows[i].says))
            fail_msg ("row %zu: \"%s\"", i, s ? "taken" : e.text);
    }
    struct error e;
    assert_null (settings_load ("/nowhere/agent.conf", &e));
}

static void test_socket (void **state) {
    (void) state;
    for (size_t size = SOCKET_PATH_MAX - 1; size <= SOCKET_PATH_MAX + 1;
         size++) {
        char more[256], name[256];
        memset (name, 'a', size);
        name[0] = '/';
        name[size] = '\0';
        snprintf (more, sizeof more, "    socket = \"%s\"\n", name);
        struct error e;
        struct settings *s = load (LEAST, more, &e);
        assert_int_equal (s != NULL, size <= SOCKET_PATH_MAX);
        if (!s)
            assert_non_null (strstr (e.text, "a path of 108 octets"));
        settings_destroy (&s);
    }
}

static void test_loopback (void **state) {
    (void) state;
    static const struct {
        const char *text;
        bool fine;
    } rows[] = {
        { "127.0.0.1:1", true },      { "127.0.0.1:65535", true },
        { "[::1]:7421", true },       { "127.0.0.1:0", false },
        { "127.0.0.1:65536", false }, { "127.0.0.1:07", false },
        { "127.0.0.1:", false },      { "127.0.0.1:1x", false },
        { "127.0.0.2:1", false },     { "localhost:1", false },
        { "::1:1", false },           { "[::]:1", false },
        { "[::1]:999999", false },    { "", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (settings_loopback (rows[i].text) != rows[i].fine)
            fail_msg ("%s", rows[i].text);
}

static void test_taken (void **state) {
    (void) state;
    struct error e;
    struct settings *s = load (LEAST, "", &e);
    if (!s)
        fail_msg ("%s", e.text);
    /* Beside the configuration file. */
    assert_non_null (strstr (s->identity, "/k"));
    assert_non_null (strstr (s->store, "/store.db"));
    assert_non_null (strstr (s->socket, "/api.sock"));
    assert_null (s->desk);
    assert_null (s->feed);
    assert_null (s->source);
    assert_null (s->tcp);
    assert_null (s->token_file);
    assert_int_equal (s->acknowledge, ACK_NONE);
    assert_null (s->watch_command);
    assert_int_equal (s->digest_ms, 6 * 3600000);
    assert_false (s->new_store);
    assert_int_equal (s->log, LOG_INFO);
    settings_destroy (&s);
    settings_destroy (&s);

    s = load (
        LEAST,
        "    desk = \"tcp://[::1]:7411\"\n    feed = \"tcp://h.example:1\""
        "\n    source = \"::1\"\n    store = \"/var/s\"\n    log = debug\n"
        "    tcp = \"[::1]:7421\"\n    token-file = \"t\"\n"
        "    new-store = yes\n    acknowledge = seen\n"
        "    watch-command = \"/bin/true x\"\n    digest-time = \"23:59\"\n",
        &e);
    if (!s)
        fail_msg ("%s", e.text);
    assert_string_equal (s->desk, "tcp://[::1]:7411");
    assert_string_equal (s->store, "/var/s");
    assert_string_equal (s->tcp, "[::1]:7421");
    assert_true (s->token_file[0] == '/');
    assert_true (s->new_store);
    assert_int_equal (s->acknowledge, ACK_SEEN);
    assert_string_equal (s->watch_command, "/bin/true x");
    assert_int_equal (s->digest_ms, (24 * 60 - 1) * 60000);
    assert_int_equal (s->log, LOG_DEBUG);
    settings_destroy (&s);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_refused),
        cmocka_unit_test (test_socket),
        cmocka_unit_test (test_loopback),
        cmocka_unit_test (test_taken),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
