/* founding - found, open and check a ledger's folder. In main's thread. */
#include "founding.h"

#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"
#include "commit.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>

#define LEDGER_JSON_MAX 4096
#define LEDGER_FORMAT 1
#define FOUNDING_RECORDS 2 /* the first roster and its mark */

static char *path_join (const char *dir, const char *name) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/%s", dir, name);
    return buf_take_text (&path);
}

struct roster *roster_file_read (const char *path, struct error *e) {
    struct buf octets = { 0 };
    if (disk_read_file (path, NOTE_MAX, &octets, e)) {
        error_at (e, "broker/roster");
        return NULL;
    }
    struct roster *roster = roster_read (buf_slice (&octets), e);
    buf_free (&octets);
    if (!roster) {
        error_at (e, "%s", path);
        return NULL;
    }
    if (roster_self_signed (roster, NULL, NULL, e)) {
        error_at (e, "%s", path);
        roster_unref (&roster);
    }
    return roster;
}

static bool keys_hold (const struct roster_keys *keys, const uint8_t *key,
                       int64_t at) {
    for (int i = 0; i < keys->count; i++)
        if (memcmp (keys->key[i], key, KEY_SIZE) == 0)
            return i == 0 || at < keys->older_until;
    return false;
}

enum err broker_check (const struct identity *identity,
                       const struct roster *roster, int64_t at,
                       struct error *e) {
    const char *id = identity_name (identity);
    const struct roster_broker *broker =
        roster_broker (roster, slice_text (id));
    if (!broker)
        return error_set (e, ERR_KEY, "roster %lld lists no broker '%s'",
                          (long long) roster_version (roster), id);
    if (!keys_hold (&broker->link, identity_public (identity, KEY_BROKER_LINK),
                    at))
        return error_set (e, ERR_KEY,
                          "the roster's link key of broker '%s' is not ours, "
                          "or its time is over",
                          id);
    if (!keys_hold (&broker->desk_key, identity_public (identity, KEY_DESK),
                    at))
        return error_set (e, ERR_KEY,
                          "the roster's desk key of broker '%s' is not ours, "
                          "or its time is over",
                          id);
    return ERR_NONE;
}

struct identity *broker_load (const char *path, struct error *e) {
    struct identity *identity = identity_load (path, e);
    if (!identity)
        error_at (e, "broker/identity");
    if (identity && identity_kind (identity) != IDENTITY_BROKER) {
        error_set (e, ERR_CONFIG, "%s holds the keys of '%s', no broker's",
                   path, identity_name (identity));
        identity_destroy (&identity);
    }
    return identity;
}

enum err ledger_settings_check (const struct settings *settings,
                                struct error *e) {
    struct identity *identity = broker_load (settings->identity, e);
    if (!identity)
        return e->code;
    struct roster *roster = roster_file_read (settings->roster, e);
    enum err rc =
        roster ? broker_check (identity, roster, clock_wall_ms(), e) : e->code;
    roster_unref (&roster);
    identity_destroy (&identity);
    return rc;
}

/* ledger.json */

static enum err ledger_json_write (const char *dir, const struct hash *dialogue,
                                   const char *broker, struct error *e) {
    char hex[HASH_TEXT_MAX];
    hash_text (hex, dialogue);
    json_t *json = json_pack ("{s:i, s:s, s:s}", "format", LEDGER_FORMAT,
                              "dialogue", hex, "broker", broker);
    char *text = json_dumps (json, JSON_INDENT (1));
    char *path = path_join (dir, "ledger.json");
    enum err rc = disk_write_file (path, slice_text (text), false, e);
    free (path);
    free (text);
    json_decref (json);
    return rc;
}

static enum err ledger_json_parse (struct slice octets, struct hash *dialogue,
                                   struct error *e) {
    json_error_t why;
    json_t *json = json_loadb ((const char *) octets.data, octets.size,
                               JSON_REJECT_DUPLICATES, &why);
    json_int_t format = 0;
    const char *hex = "", *broker;
    enum err rc = ERR_NONE;
    if (!json
        || json_unpack (json, "{s:I, s:s, s:s !}", "format", &format,
                        "dialogue", &hex, "broker", &broker)
        || hash_parse (hex, dialogue))
        rc = error_set (e, ERR_DAMAGED, "ledger.json is not what init wrote");
    else if (format != LEDGER_FORMAT)
        rc = error_set (e, ERR_NEWER,
                        "the ledger's format is %lld; this program knows %d",
                        (long long) format, LEDGER_FORMAT);
    json_decref (json);
    return rc;
}

enum err ledger_dialogue (const char *dir, struct hash *dialogue,
                          struct error *e) {
    char *path = path_join (dir, "ledger.json");
    struct buf octets = { 0 };
    enum err rc = disk_read_file (path, LEDGER_JSON_MAX, &octets, e);
    if (rc == ERR_NOT_FOUND)
        rc = error_set (e, ERR_NOT_FOUND,
                        "no ledger in '%s'; found one with: parley-broker "
                        "init --config FILE",
                        dir);
    else if (!rc)
        rc = ledger_json_parse (buf_slice (&octets), dialogue, e);
    buf_free (&octets);
    free (path);
    return rc;
}

/* Open */

static void recovery_say (const struct journal_opened *opened) {
    if (opened->cut_octets)
        log_warn ("LEDGER-CUT",
                  "octets=%llu kept=%s why=\"a last group that was not whole "
                  "and never promised\"",
                  (unsigned long long) opened->cut_octets,
                  log_text (opened->cut_path));
    if (opened->index_rebuilt)
        log_warn ("INDEX-REBUILT", "records=%lld",
                  (long long) opened->replayed);
    log_info ("LEDGER-OPEN", "records=%lld read=%lld",
              (long long) opened->records, (long long) opened->replayed);
}

static enum err journal_get (struct ledger *self, const char *dir,
                             const struct hash *dialogue, uint64_t segment,
                             struct error *e) {
    self->counters = counters_new();
    struct journal_replay replay = counters_replay (self->counters);
    struct journal_options options = { .segment_octets = segment };
    struct journal_opened opened;
    self->journal = journal_open (dir, dialogue, &options, &replay, &opened, e);
    if (!self->journal)
        return e->code;
    recovery_say (&opened);
    return ERR_NONE;
}

enum err ledger_open (struct ledger *self, const struct settings *settings,
                      struct error *e) {
    *self = (struct ledger){ .lock = -1 };
    struct hash dialogue;
    enum err rc = ledger_dialogue (settings->state, &dialogue, e);
    if (rc)
        return rc;
    self->lock = disk_lock (settings->state, e);
    if (self->lock < 0)
        return e->code;
    self->identity = broker_load (settings->identity, e);
    if (!self->identity)
        return e->code;
    return journal_get (self, settings->state, &dialogue,
                        (uint64_t) settings->segment, e);
}

void ledger_close (struct ledger *self) {
    journal_close (&self->journal);
    counters_destroy (&self->counters);
    identity_destroy (&self->identity);
    disk_close (&self->lock);
}

enum err ledger_identity_check (const struct ledger *self, struct state *state,
                                struct error *e) {
    struct roster *roster = state_roster (state, NULL);
    enum err rc = broker_check (self->identity, roster, clock_wall_ms(), e);
    roster_unref (&roster);
    return rc;
}

/* Found */

/* ledger.json comes last: where it is, there is a ledger. */
static enum err check_new (const char *dir, struct error *e) {
    struct hash dialogue;
    enum err rc = ledger_dialogue (dir, &dialogue, e);
    if (rc == ERR_NOT_FOUND)
        return ERR_NONE;
    return rc == ERR_IO
               ? rc /* whatever else it is, a file stands there */
               : error_set (e, ERR_EXISTS, "'%s' holds a ledger already", dir);
}

/* The ledger with its first two records, in a folder that is locked. An init
 * that was cut off may have left a journal without records, or with both. */
static enum err records_found (const struct settings *settings,
                               const struct identity *broker,
                               struct roster *first, struct error *e) {
    const struct hash *dialogue = roster_dialogue (first);
    enum err rc = check_new (settings->state, e);
    if (!rc)
        rc = journal_create (settings->state, dialogue, e);
    if (rc && rc != ERR_EXISTS)
        return rc;
    struct ledger ledger = { .lock = -1 };
    rc = journal_get (&ledger, settings->state, dialogue,
                      (uint64_t) settings->segment, e);
    int64_t records = rc ? 0 : journal_size (ledger.journal);
    if (!rc && records == 0)
        rc = commit_found (ledger.journal, broker, first, clock_wall_ms(), e);
    else if (!rc && records != FOUNDING_RECORDS)
        rc = error_set (e, ERR_EXISTS,
                        "'%s' holds a ledger of %lld records, whose"
                        " ledger.json is missing",
                        settings->state, (long long) records);
    ledger_close (&ledger);
    return rc;
}

enum err ledger_found (const struct settings *settings,
                       char dialogue[HASH_TEXT_MAX], struct error *e) {
    struct roster *first = roster_file_read (settings->roster, e);
    if (!first)
        return e->code;
    struct identity *identity = broker_load (settings->identity, e);
    enum err rc = identity ? ERR_NONE : e->code;
    if (!rc)
        rc = broker_check (identity, first, clock_wall_ms(), e);
    if (!rc)
        rc = roster_founds (first, e);
    if (!rc && (rc = disk_make_dir (settings->state, e)))
        error_at (e, "broker/state");
    int lock = -1;
    if (!rc) {
        lock = disk_lock (settings->state, e);
        rc = lock < 0 ? e->code : ERR_NONE;
    }
    if (!rc)
        rc = records_found (settings, identity, first, e);
    if (!rc)
        rc = ledger_json_write (settings->state, roster_dialogue (first),
                                identity_name (identity), e);
    if (!rc)
        hash_text (dialogue, roster_dialogue (first));
    disk_close (&lock);
    identity_destroy (&identity);
    roster_unref (&first);
    return rc;
}
