/* notify: names that are none, nobody there, a path, an abstract name. */
#include "base/notify.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static struct error e;

static enum err tell (const char *name, const char *state) {
    if (name)
        setenv ("NOTIFY_SOCKET", name, 1);
    else
        unsetenv ("NOTIFY_SOCKET");
    e = (struct error){ 0 };
    return notify_send (state, &e);
}

/* A manager's socket; `name` begins with '/' or '@'. */
static int manager (const char *name) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen (name);
    memcpy (address.sun_path, name, length);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true (fd >= 0);
    assert_int_equal (
        bind (fd, (struct sockaddr *) &address,
              (socklen_t) (offsetof (struct sockaddr_un, sun_path) + length)),
        0);
    return fd;
}

static void hears (int fd, const char *want) {
    char text[100] = "";
    ssize_t size = recv (fd, text, sizeof text - 1, 0);
    assert_int_equal (size, strlen (want));
    assert_string_equal (text, want);
}

static void test_no_name (void **state) {
    (void) state;
    char most[110], more[111];
    memset (most, 'x', sizeof most);
    most[0] = '/';
    memcpy (more, most, sizeof most);
    most[107] = '\0'; /* sun_path has 108 */
    more[108] = '\0';
    static const char *const bad[] = { "relative", "@", "/", "vsock:2:1" };
    assert_int_equal (tell (NULL, NOTIFY_READY), ERR_NONE);
    assert_int_equal (tell ("", NOTIFY_READY), ERR_NONE);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal (tell (bad[i], NOTIFY_READY), ERR_ARGUMENT);
    assert_int_equal (tell (more, NOTIFY_READY), ERR_ARGUMENT);
    assert_non_null (strstr (e.text, "107"));
    assert_int_equal (tell (most, NOTIFY_READY), ERR_IO); /* nobody there */
}

static void test_told (void **state) {
    (void) state;
    const char *base = getenv ("TMPDIR");
    char dir[80], names[2][110];
    snprintf (dir, sizeof dir, "%.60s/notify-XXXXXX", base ? base : "/tmp");
    assert_non_null (mkdtemp (dir));
    snprintf (names[0], sizeof names[0], "%s/socket", dir);
    snprintf (names[1], sizeof names[1], "@%s", dir);
    for (int i = 0; i < 2; i++) {
        int fd = manager (names[i]);
        assert_int_equal (tell (names[i], NOTIFY_READY), ERR_NONE);
        assert_int_equal (tell (names[i], NOTIFY_STOPPING), ERR_NONE);
        hears (fd, "READY=1");
        hears (fd, "STOPPING=1");
        close (fd);
        assert_int_equal (tell (names[i], NOTIFY_READY), ERR_IO);
        assert_non_null (strstr (e.text, names[i]));
    }
    unlink (names[0]);
    assert_int_equal (rmdir (dir), 0);
}

/* A manager that does not read is not waited for. */
static void test_full (void **state) {
    (void) state;
    char name[60];
    snprintf (name, sizeof name, "@parley-notify-%d", (int) getpid());
    int fd = manager (name);
    enum err rc = ERR_NONE;
    for (int i = 0; !rc && i < 100000; i++)
        rc = tell (name, NOTIFY_READY);
    assert_int_equal (rc, ERR_IO);
    close (fd);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_no_name),
        cmocka_unit_test (test_told),
        cmocka_unit_test (test_full),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
