/* audit_export - take out of the agent what it can prove (PROTOCOL.md section
 * 8.10). */
#include "audit_tiles.h"
#include "audit_verified.h"
#include "base/clock.h"
#include "base/disk.h"
#include "base/topic.h"
#include "client.h"
#include "json.h"
#include "ledger/bundle.h"
#include "options.h"
#include "progress.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley audit export DIR [--filter FILTER] [--author WHO] [--since "
    "TIME]\n"
    "                               [--until TIME] [--headers]\n"
    "       parley audit export --tiles DIR [--entries]\n"
    "\n"
    "Take out of the agent what it can prove: all blocks it may read, the "
    "hashes of\n"
    "all else, checkpoints, rosters, what marks say of its streams, its "
    "promises and\n"
    "refusals. DIR is made; it must not hold anything. Check it anywhere with\n"
    "parley audit check.\n"
    "\n"
    "FILTER, WHO (an entity or a delegation) and times limit it: bodies of "
    "other\n"
    "records stay out, and so do blocks that hold none of those wanted. With "
    "times a\n"
    "channel is shown between the marks around them. FILTER CHANNEL/#, or no "
    "FILTER,\n"
    "without WHO shows whole channels, and the check says up to where they "
    "are\n"
    "complete. In a channel of which only a part is wanted, that nothing is "
    "left out\n"
    "shows only where the other records are there by their headers: --headers "
    "puts\n"
    "them in. Whoever gets the bundle sees then who wrote when on which topic "
    "of these\n"
    "channels, how much, and what it refers to; not what it says. Without, the "
    "check\n"
    "says that completeness is not proved.\n"
    "\n"
    "With --tiles: the newest settled checkpoint and the hashes of the "
    "ledger's\n"
    "tree, as files that any web server can offer (C2SP tlog-tiles). DIR may "
    "hold\n"
    "an earlier export, which is brought up to date. It shows how much is "
    "written\n"
    "when, and nothing of what. --entries adds the records of those bundles of "
    "256\n"
    "whose every record this agent may read: they show who wrote when on "
    "which\n"
    "topic, so it asks first (--yes: not).\n"
    "\n"
    "Example: parley audit export bundle-2026\n"
    "         parley audit export of-frontex --author FRONTEX --headers\n";

struct taking {
    struct client *client;
    const char *dir;
    const char *filter, *author, *since, *until; /* NULL: no limit */
    bool headers;
    struct bundle_meta meta;
    struct progress progress;
    int64_t octets; /* of all files so far */
};

struct download {
    struct taking *taking;
    int fd;
    uint64_t size;
};

static char *path_of (const char *dir, const char *name) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/%s", dir, name);
    return buf_take_text (&path);
}

static enum err must_be_empty (const char *dir, struct error *e) {
    DIR *folder = opendir (dir);
    enum err rc = ERR_NONE;
    if (!folder)
        return error_sys (e, errno, "folder '%s'", dir);
    for (struct dirent *entry; !rc && (entry = readdir (folder));)
        if (strcmp (entry->d_name, ".") != 0
            && strcmp (entry->d_name, "..") != 0)
            rc = error_set (e, ERR_EXISTS, "folder '%s' is not empty", dir);
    closedir (folder);
    return rc;
}

static enum err on_octets (void *arg, struct slice octets, struct error *e) {
    struct download *self = arg;
    enum err rc = disk_write_at (self->fd, octets, self->size, e);
    self->size += octets.size;
    self->taking->octets += (int64_t) octets.size;
    progress_show (&self->taking->progress, self->taking->octets, 0);
    return rc;
}

static void limits_query (const struct taking *self, struct buf *query) {
    client_query (query, "filter", self->filter);
    client_query (query, "author", self->author);
    client_query (query, "since", self->since);
    client_query (query, "until", self->until);
    if (self->headers)
        client_query_int (query, "headers", 1);
}

/* One file as the agent streams it; one that is empty is left out. */
static enum err download (struct taking *self, const char *name, bool filtered,
                          struct error *e) {
    struct buf query = { 0 };
    char *path = path_of (self->dir, name);
    struct download to = { .taking = self };
    client_path (&query, "/api/v1/bundle/%s", name);
    /* What was promised may be all that is left of it. */
    if (self->meta.last >= 0 && strcmp (name, "promises") != 0)
        client_query_int (&query, "last", self->meta.last);
    if (filtered)
        limits_query (self, &query);
    to.fd = disk_open (path, DISK_WRITE | DISK_CREATE, e);
    enum err rc = to.fd < 0 ? e->code : ERR_NONE;
    if (!rc)
        rc = client_stream (self->client, &query, NULL, on_octets, &to, e);
    if (!rc && to.size > 0)
        rc = disk_sync (to.fd, e);
    disk_close (&to.fd);
    if (!rc && to.size == 0)
        rc = disk_remove (path, e);
    buf_free (&query);
    free (path);
    return rc ? error_at (e, "%s", name) : ERR_NONE;
}

static enum err get_roster (struct taking *self, int64_t version,
                            struct error *e) {
    struct buf path = { 0 }, note = { 0 };
    char name[48];
    snprintf (name, sizeof name, "rosters/%08" PRId64 ".note", version);
    char *file = path_of (self->dir, name);
    client_path (&path, "/api/v1/rosters/%" PRId64, version);
    enum err rc = client_get_octets (self->client, &path, NOTE_MAX, &note, e);
    if (!rc)
        rc = disk_write_file (file, buf_slice (&note), false, e);
    free (file);
    buf_free (&path);
    buf_free (&note);
    return rc ? error_at (e, "roster version %" PRId64, version) : ERR_NONE;
}

static enum err get_rosters (struct taking *self, json_t *versions,
                             struct error *e) {
    size_t i;
    json_t *version;
    char *folder = path_of (self->dir, "rosters");
    enum err rc = disk_make_dir (folder, e);
    free (folder);
    json_array_foreach (versions, i, version) if (!rc) rc =
        get_roster (self, json_integer_value (version), e);
    return rc;
}

static enum err get_meta (struct taking *self, json_t **out, struct error *e) {
    struct buf path = { 0 };
    client_path (&path, "/api/v1/bundle/meta");
    limits_query (self, &path);
    enum err rc = client_get (self->client, &path, 0, out, e);
    buf_free (&path);
    if (rc)
        return rc;
    struct bundle_meta *m = &self->meta;
    if (hash_parse (json_text_or (*out, "dialogue", ""), &m->dialogue))
        return error_set (e, ERR_DAMAGED, "the agent names no dialogue");
    snprintf (m->exporter, sizeof m->exporter, "%s",
              json_text_or (*out, "exporter", ""));
    snprintf (m->filter, sizeof m->filter, "%s",
              self->filter ? self->filter : "#");
    snprintf (m->author, sizeof m->author, "%s",
              self->author ? self->author : "");
    m->made = clock_wall_ms();
    m->first = json_int (*out, "first", 0);
    m->last = json_int (*out, "last", -1);
    return ERR_NONE;
}

/* What the agent is alarmed by, for the report: its own word. */
static enum err get_alarms (struct taking *self, struct error *e) {
    struct buf path = { 0 };
    json_t *status = NULL, *alarms = json_array(), *one;
    size_t i;
    client_path (&path, "/api/v1/status");
    enum err rc = client_get (self->client, &path, 0, &status, e);
    buf_free (&path);
    json_array_foreach (json_object_get (status, "notices"), i, one) {
        if (json_is_true (json_object_get (one, "alarm")))
            json_array_append (alarms, one);
    }
    char *file = path_of (self->dir, "alarms.json");
    char *text = json_dumps (alarms, JSON_INDENT (1));
    if (!rc && json_array_size (alarms) > 0)
        rc = disk_write_file (file, slice_text (text), false, e);
    free (text);
    free (file);
    json_decref (alarms);
    json_decref (status);
    return rc;
}

/* bundle.json comes last: a folder without it is no bundle. */
static enum err finish (struct taking *self, struct error *e) {
    struct buf json = { 0 };
    struct bundle_meta check;
    char *path = path_of (self->dir, "bundle.json");
    bundle_meta_write (&self->meta, &json);
    enum err rc = bundle_meta_read (buf_slice (&json), &check, e);
    if (!rc)
        rc = disk_sync_dir (self->dir, e);
    if (!rc)
        rc = disk_write_file (path, buf_slice (&json), false, e);
    free (path);
    buf_free (&json);
    return rc;
}

static enum err export_all (struct taking *self, struct error *e) {
    json_t *meta = NULL;
    enum err rc = get_meta (self, &meta, e);
    if (!rc)
        rc = disk_make_dir (self->dir, e);
    if (!rc)
        rc = must_be_empty (self->dir, e);
    if (!rc)
        rc = get_rosters (self, json_object_get (meta, "versions"), e);
    bool any = self->meta.last >= 0;
    if (!rc && any)
        rc = download (self, "blocks", true, e);
    if (!rc && any)
        rc = download (self, "leaves", true, e);
    if (!rc && any)
        rc = download (self, "checkpoints", false, e);
    if (!rc && any)
        rc = download (self, "claims", true, e);
    if (!rc && any)
        rc = audit_verified (self->client, self->dir, self->meta.last, e);
    if (!rc)
        rc = download (self, "promises", false, e);
    if (!rc)
        rc = download (self, "refusals", false, e);
    if (!rc)
        rc = get_alarms (self, e);
    if (!rc)
        rc = finish (self, e);
    progress_end (&self->progress);
    json_decref (meta);
    return rc;
}

static void say_export (const struct cli *cli, const struct taking *self) {
    char dialogue[HASH_TEXT_MAX];
    hash_text (dialogue, &self->meta.dialogue);
    if (cli->json) {
        cli_print_json (json_pack (
            "{s:s,s:s,s:I,s:I,s:I,s:b}", "folder", self->dir, "dialogue",
            dialogue, "first", (json_int_t) self->meta.first, "last",
            (json_int_t) self->meta.last, "octets", (json_int_t) self->octets,
            "headers", self->headers));
        return;
    }
    if (self->headers)
        printf ("It shows who wrote when on which topic of these channels, and "
                "how much: all headers\nare in it.\n");
    printf ("Bundle of records %" PRId64 " to %" PRId64 " in %s, %" PRId64
            " octets.\n"
            "Next: parley audit check %s --dialogue %s\n",
            self->meta.first, self->meta.last, self->dir, self->octets,
            self->dir, dialogue);
}

static void time_read (const char *option, const char *text, int64_t *out) {
    if (text && (clock_parse (text, out) || *out < 1))
        options_refuse (usage,
                        "%s '%s' is no time such as 2026-01-31 or "
                        "2026-01-31T08:00:00Z",
                        option, text);
}

static void limits_read (struct taking *self) {
    struct error e;
    struct slice author = slice_text (self->author ? self->author : "");
    if (self->filter && filter_check (slice_text (self->filter), &e))
        options_refuse (usage, "filter '%s': %s", self->filter, e.text);
    if (self->author && !entity_valid (author) && !delegation_valid (author))
        options_refuse (usage, "author '%s' is no entity and no delegation",
                        self->author);
    time_read ("--since", self->since, &self->meta.since);
    time_read ("--until", self->until, &self->meta.until);
    if (self->meta.until && self->meta.since > self->meta.until)
        options_refuse (usage, "--since is behind --until");
}

int command_audit_export (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct taking self = { 0 };
    const char *tiles = NULL;
    bool entries = false, yes = false;
    const struct option_spec specs[] = {
        { "filter", OPTION_TEXT, &self.filter },
        { "author", OPTION_TEXT, &self.author },
        { "since", OPTION_TEXT, &self.since },
        { "until", OPTION_TEXT, &self.until },
        { "headers", OPTION_FLAG, &self.headers },
        { "tiles", OPTION_TEXT, &tiles },
        { "entries", OPTION_FLAG, &entries },
        { "yes", OPTION_FLAG, &yes },
        { 0 }
    };
    struct error e;
    options_read (cli, argc, argv, usage, specs, &words, 0, 1);
    bool limited =
        self.filter || self.author || self.since || self.until || self.headers;
    if ((tiles != NULL) == (words.count == 1) || (tiles && limited)
        || (entries && !tiles))
        options_refuse (usage, "name a folder, or --tiles a folder, with "
                               "--entries or not");
    if (tiles)
        return audit_tiles (cli, tiles, entries, yes);
    limits_read (&self);
    self.dir = words.at[0];
    self.client = client_new (cli, &e);
    if (!self.client)
        return cli_fail (&e);
    progress_start (&self.progress, "octets taken out");
    enum err rc = export_all (&self, &e);
    if (!rc)
        say_export (cli, &self);
    client_destroy (&self.client);
    return rc ? cli_fail (&e) : CLI_FINE;
}
