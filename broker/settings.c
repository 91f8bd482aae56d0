/* settings - parley-broker's configuration (settings.h lists it). */
#include "settings.h"

#include "base/config.h"
#include "base/sock.h"

#include <stdlib.h>

#define MIB INT64_C (1048576)

static char *copy (const char *text) {
    return mem_copy_text (text ? text : "");
}

static void read_all (struct config *config, struct settings *out,
                      const char **level) {
    out->state = copy (config_path (config, "broker/state", NULL));
    out->identity = copy (config_path (config, "broker/identity", NULL));
    out->roster = copy (config_path (config, "broker/roster", NULL));
    out->desk = copy (config_text (config, "broker/desk", NULL));
    out->feed = copy (config_text (config, "broker/feed", NULL));
    const char *ready = config_path (config, "broker/ready-file", "");
    out->ready_file = ready && *ready ? copy (ready) : NULL;
    out->keep_free = config_int (config, "broker/keep-free", 256 * MIB, 0,
                                 INT64_C (1) << 50);
    out->segment =
        config_int (config, "broker/segment", 64 * MIB, MIB, 1024 * MIB);
    out->mark_ms = 1000 * config_int (config, "broker/mark-seconds", 60, 1, 60);
    out->scrub_ms =
        1000 * config_int (config, "broker/scrub-seconds", 3600, 0, 2592000);
    out->intake_threads =
        (int) config_int (config, "broker/intake-threads", 1, 1, 16);
    out->jobs = (int) config_int (config, "broker/jobs", 128, 4, 1024);
    out->commit_before_hello =
        config_bool (config, "broker/commit-before-hello", false);
    *level = config_text (config, "broker/log", "info");
}

/* What config_finish can't know. */
static enum err values_check (struct settings *self, const char *path,
                              const char *level, struct error *e) {
    enum err rc = sock_bind_check (self->desk, e);
    if (rc) {
        error_at (e, "%s: broker/desk", path);
        return ERR_CONFIG;
    }
    rc = sock_bind_check (self->feed, e);
    if (rc) {
        error_at (e, "%s: broker/feed", path);
        return ERR_CONFIG;
    }
    if (log_level_parse (level, &self->log))
        return error_set (e, ERR_CONFIG,
                          "%s: broker/log is '%s', not one of debug, info, "
                          "warn, error",
                          path, level);
    return ERR_NONE;
}

struct settings *settings_load (const char *path, struct error *e) {
    struct config *config = config_load (path, e);
    if (!config) {
        e->code = ERR_CONFIG; /* also where it can't be read */
        return NULL;
    }
    struct settings *self = mem_alloc (sizeof *self);
    const char *level = NULL;
    read_all (config, self, &level);
    enum err rc = config_finish (config, e);
    if (!rc)
        rc = values_check (self, path, level, e);
    config_destroy (&config);
    if (rc)
        settings_destroy (&self);
    return self;
}

void settings_destroy (struct settings **self_p) {
    if (!self_p || !*self_p)
        return;
    struct settings *self = *self_p;
    *self_p = NULL;
    free (self->state);
    free (self->identity);
    free (self->roster);
    free (self->desk);
    free (self->feed);
    free (self->ready_file);
    free (self);
}
