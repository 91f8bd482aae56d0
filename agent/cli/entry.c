/* entry - waiting is done by the agent, at most WAIT_MS at a time. */
#include "entry.h"

#include "base/clock.h"
#include "options.h"
#include "progress.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS 20000         /* well below what either side gives a request */
#define WAIT_TERMINAL_MS 1000 /* the progress line goes on */
#define PAUSE_MS 100
void entry_wait_check (struct entry_wait *self, const char *usage) {
    if (self->state && strcmp (self->state, "promised") != 0
        && strcmp (self->state, "done") != 0)
        options_refuse (usage, "--wait '%s' is not promised or done",
                        self->state);
    if (!self->timeout)
        return;
    if (!self->state)
        options_refuse (usage, "--timeout needs --wait");
    self->timeout_ms = options_timeout (usage, self->timeout);
}

void entry_print (const struct cli *cli, json_t *entry) {
    if (cli->json) {
        cli_print_json (json_incref (entry));
        return;
    }
    struct buf line = { 0 };
    json_t *refusal = json_object_get (entry, "refusal");
    buf_add_format (&line, "outbox %" PRId64 ": %s",
                    json_int (entry, "number", -1),
                    json_text_or (entry, "state", "?"));
    if (json_int (entry, "sequence", -1) >= 0)
        buf_add_format (&line, " as record %" PRId64,
                        json_int (entry, "sequence", -1));
    if (json_text (entry, "id"))
        buf_add_format (&line, ", id %s", json_text (entry, "id"));
    if (json_text (entry, "thread"))
        buf_add_format (&line, ", thread %s", json_text (entry, "thread"));
    if (json_is_object (refusal)) {
        buf_add_text (&line, ", ");
        json_refusal (&line, refusal);
    } else if (strcmp (json_text_or (entry, "state", ""), "waiting") == 0)
        buf_add_format (
            &line, "; parley outbox show %" PRId64 " tells what became of it",
            json_int (entry, "number", -1));
    print_text (stdout, (const char *) line.data, line.size);
    fflush (stdout);
    buf_free (&line);
}

static bool is_over (json_t *entry) {
    const char *state = json_text_or (entry, "state", "");
    return strcmp (state, "refused") == 0 || strcmp (state, "cancelled") == 0;
}

static bool is_reached (json_t *entry, const char *wanted) {
    const char *state = json_text_or (entry, "state", "");
    return strcmp (state, wanted) == 0 || strcmp (state, "done") == 0;
}

static enum err ask (struct client *client, int64_t number, const char *state,
                     int64_t wait_ms, json_t **entry_p, struct error *e) {
    struct buf path = { 0 };
    json_t *next;
    client_path (&path, "/api/v1/outbox/%" PRId64, number);
    client_query (&path, "wait", state);
    client_query_int (&path, "timeout_ms", wait_ms);
    enum err rc = client_get (client, &path, wait_ms, &next, e);
    buf_free (&path);
    if (rc)
        return rc;
    /* The thread that was opened is named in the first answer alone. */
    json_object_update_missing (next, *entry_p);
    json_decref (*entry_p);
    *entry_p = next;
    return ERR_NONE;
}

static enum err wait_for (struct client *client, const struct entry_wait *wait,
                          json_t **entry_p, struct error *e) {
    struct progress progress;
    char what[64];
    enum err rc = ERR_NONE;
    int64_t number = json_int (*entry_p, "number", -1);
    int64_t start = clock_mono_ms(), left = WAIT_MS;
    snprintf (what, sizeof what, "waiting until it is %s", wait->state);
    progress_start (&progress, what);
    while (!rc && !is_over (*entry_p) && !is_reached (*entry_p, wait->state)) {
        int64_t asked = clock_mono_ms();
        int64_t step = progress.terminal ? WAIT_TERMINAL_MS : WAIT_MS;
        if (wait->timeout_ms)
            left = start + wait->timeout_ms - clock_mono_ms();
        if (left <= 0)
            rc = error_set (e, ERR_TIMEOUT,
                            "not %s after %s s; it stays in the outbox, and "
                            "is sent when that is possible: parley outbox show "
                            "%" PRId64 ", parley status",
                            wait->state, wait->timeout, number);
        else
            rc = ask (client, number, wait->state, left < step ? left : step,
                      entry_p, e);
        progress_text (&progress);
        /* An agent that is about to end answers at once. */
        if (clock_mono_ms() - asked < PAUSE_MS)
            poll (NULL, 0, PAUSE_MS);
    }
    progress_end (&progress);
    return rc;
}

int entry_finish (const struct cli *cli, struct client *client, json_t *entry,
                  const struct entry_wait *wait) {
    struct error e;
    enum err rc = wait->state ? wait_for (client, wait, &entry, &e) : ERR_NONE;
    entry_print (cli, entry);
    int code = rc ? cli_fail (&e) : is_over (entry) ? CLI_REFUSED : CLI_FINE;
    json_decref (entry);
    return code;
}
