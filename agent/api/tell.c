/* tell - one run of the operator's command. */
#include "api/tell.h"

#include "base/clock.h"
#include "base/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 200 /* at whether the agent ends */

static size_t words_split (char *text, char *words[TELL_WORDS_MAX + 1]) {
    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r (text, " ", &rest); word;
         word = strtok_r (NULL, " ", &rest)) {
        if (count < TELL_WORDS_MAX)
            words[count] = word;
        count++;
    }
    words[count < TELL_WORDS_MAX ? count : TELL_WORDS_MAX] = NULL;
    return count;
}

enum err tell_check (const char *command, struct error *e) {
    char text[TELL_COMMAND_MAX + 1], *words[TELL_WORDS_MAX + 1];
    if (strlen (command) > TELL_COMMAND_MAX)
        return error_set (e, ERR_CONFIG, "a command of more than %d octets",
                          TELL_COMMAND_MAX);
    snprintf (text, sizeof text, "%s", command);
    size_t count = words_split (text, words);
    if (count == 0 || count > TELL_WORDS_MAX || words[0][0] != '/')
        return error_set (e, ERR_CONFIG,
                          "'%s' is no absolute path and at most %d words "
                          "behind it",
                          command, TELL_WORDS_MAX - 1);
    return ERR_NONE;
}

/* Its standard input, with all that is said; -1. */
static int input_open (struct slice input, struct error *e) {
    int ends[2];
    if (input.size > TELL_INPUT_MAX) {
        error_set (e, ERR_STATE, "more than %d octets are to be told",
                   TELL_INPUT_MAX);
        return -1;
    }
    if (pipe2 (ends, O_CLOEXEC | O_NONBLOCK)) {
        error_set (e, ERR_STATE, "no pipe: %s", strerror (errno));
        return -1;
    }
    ssize_t wrote = write (ends[1], input.data, input.size);
    disk_close (&ends[1]);
    if (wrote == (ssize_t) input.size
        && fcntl (ends[0], F_SETFL, 0) == 0) /* it reads as from a file */
        return ends[0];
    error_set (e, ERR_STATE, "the pipe does not take it");
    disk_close (&ends[0]);
    return -1;
}

static void variable (char out[300], const char *name, const char *fallback) {
    const char *value = getenv (name);
    snprintf (out, 300, "%s=%s", name,
              value && strlen (value) < 280 ? value : fallback);
}

static int spawn (pid_t *pid, char **words, int input) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, all;
    char path[300], lang[300], *environment[] = { path, lang, NULL };
    variable (path, "PATH", "/usr/bin:/bin");
    variable (lang, "LANG", "C.UTF-8");
    sigemptyset (&none);
    sigfillset (&all);
    posix_spawn_file_actions_init (&files);
    posix_spawnattr_init (&how);
    posix_spawnattr_setflags (&how, POSIX_SPAWN_SETPGROUP
                                        | POSIX_SPAWN_SETSIGMASK
                                        | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask (&how, &none);
    posix_spawnattr_setsigdefault (&how, &all);
    int rc = posix_spawn_file_actions_adddup2 (&files, input, 0);
    if (!rc)
        rc = posix_spawn_file_actions_addopen (&files, 1, "/dev/null", O_WRONLY,
                                               0);
    if (!rc)
        rc = posix_spawn_file_actions_adddup2 (&files, 1, 2);
    /* All are close-on-exec; a library that forgot one changes nothing. */
    if (!rc)
        rc = posix_spawn_file_actions_addclosefrom_np (&files, 3);
    if (!rc)
        rc = posix_spawn_file_actions_addchdir_np (&files, "/");
    if (!rc)
        rc = posix_spawn (pid, words[0], &files, &how, words, environment);
    posix_spawn_file_actions_destroy (&files);
    posix_spawnattr_destroy (&how);
    return rc;
}

/* Its end, or what made us end it. */
static enum err wait_end (pid_t pid, int64_t limit_ms,
                          bool (*stops) (void *arg), void *arg,
                          struct error *e) {
    int64_t until = clock_mono_ms() + limit_ms;
    int status = 0, fd = pidfd_open (pid, 0);
    struct pollfd at = { fd, POLLIN, 0 };
    while (fd >= 0 && !at.revents && clock_mono_ms() < until && !stops (arg))
        (void) !poll (&at, 1, LOOK_MS);
    bool ended = fd >= 0 && at.revents;
    kill (-pid, SIGKILL); /* and what it left behind */
    while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (fd >= 0)
        close (fd);
    if (!ended)
        return error_set (e, ERR_STATE, "it had not ended after %d s",
                          (int) (limit_ms / 1000));
    if (WIFSIGNALED (status))
        return error_set (e, ERR_STATE, "signal %d ended it",
                          WTERMSIG (status));
    if (WEXITSTATUS (status) != 0)
        return error_set (e, ERR_STATE, "it ended with %d",
                          WEXITSTATUS (status));
    return ERR_NONE;
}

enum err tell_run (const char *command, struct slice input, int64_t limit_ms,
                   bool (*stops) (void *arg), void *arg, struct error *e) {
    char text[TELL_COMMAND_MAX + 1], *words[TELL_WORDS_MAX + 1];
    pid_t pid;
    if (tell_check (command, e))
        return e->code;
    snprintf (text, sizeof text, "%s", command);
    words_split (text, words);
    int from = input_open (input, e);
    if (from < 0)
        return e->code;
    int failed = spawn (&pid, words, from);
    disk_close (&from);
    if (failed)
        return error_set (e, ERR_STATE, "it can't be run: %s",
                          strerror (failed));
    return wait_end (pid, limit_ms, stops, arg, e);
}
