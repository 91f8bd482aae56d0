/* core - transaction and notices of the link's thread. */
#include "core.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>

enum err core_begin (struct core *self, struct error *e) {
    if (self->transaction)
        return ERR_NONE;
    enum err rc = store_group_begin (self->store, e);
    self->transaction = !rc;
    return rc;
}

enum err core_commit (struct core *self, struct error *e) {
    if (!self->transaction)
        return ERR_NONE;
    self->transaction = false;
    int64_t begun = clock_mono_ns();
    enum err rc = store_group_end (self->store, e);
    self->commit_ns += clock_mono_ns() - begun;
    return rc;
}

void core_abort (struct core *self) {
    self->transaction = false;
    store_group_drop (self->store);
}

bool core_store_failed (enum err code) {
    return code == ERR_IO || code == ERR_NO_SPACE || code == ERR_DAMAGED;
}

enum err core_notice (struct core *self, const char *kind, bool alarm,
                      const char *text, struct slice evidence,
                      struct error *e) {
    log_limited (alarm ? LOG_ERROR : LOG_WARN, kind, "", "why=%s",
                 log_text (text));
    snprintf (self->problem, sizeof self->problem, "%s", text);
    self->changed = true;
    return store_notice (self->store, kind, alarm, text, evidence, e);
}
