/* audit - take a bundle out of the agent, and check one anywhere (PROTOCOL.md
 * section 8.10). */
#include "ledger/audit.h"
#include "base/clock.h"
#include "base/disk.h"
#include "base/topic.h"
#include "client.h"
#include "json.h"
#include "ledger/bundle.h"
#include "options.h"
#include "progress.h"
#include "table.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

static const char export_usage[] =
    "usage: parley audit export DIR [--filter FILTER]\n"
    "\n"
    "Take out of the agent what it can prove: all blocks it may read (or "
    "those\n"
    "that hold a record matching FILTER, and all of the log of rosters and\n"
    "marks), the rosters, its promises and refusals. DIR is made; it must not\n"
    "hold anything. Check it anywhere with parley audit check.\n"
    "\n"
    "Example: parley audit export bundle-2026\n";

static const char check_usage[] =
    "usage: parley audit check DIR [--dialogue ID]\n"
    "\n"
    "Check a bundle offline: rosters chain to the dialogue id, every record "
    "was\n"
    "signed by its author, who had the right to write it, digests, numbers "
    "and\n"
    "times agree, promises and refusals are the broker's and were kept. Ends "
    "at\n"
    "the first thing that is wrong and names it. Without --dialogue compare "
    "the\n"
    "id that is printed with the one you know.\n"
    "\n"
    "Example: parley audit check bundle-2026 --dialogue 9f86d081...\n";

/* Export. */

struct taking {
    struct client *client;
    const char *dir;
    const char *filter; /* NULL: all */
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

/* One file as the agent streams it; one that is empty is left out. */
static enum err download (struct taking *self, const char *name, bool filtered,
                          struct error *e) {
    struct buf query = { 0 };
    char *path = path_of (self->dir, name);
    struct download to = { .taking = self };
    client_path (&query, "/api/v1/bundle/%s", name);
    if (self->meta.last >= 0)
        client_query_int (&query, "last", self->meta.last);
    if (filtered)
        client_query (&query, "filter", self->filter);
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
    client_query (&path, "filter", self->filter);
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
    m->made = clock_wall_ms();
    m->first = json_int (*out, "first", 0);
    m->last = json_int (*out, "last", -1);
    return ERR_NONE;
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
        rc = download (self, "promises", false, e);
    if (!rc)
        rc = download (self, "refusals", false, e);
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
            "{s:s,s:s,s:I,s:I,s:I}", "folder", self->dir, "dialogue", dialogue,
            "first", (json_int_t) self->meta.first, "last",
            (json_int_t) self->meta.last, "octets", (json_int_t) self->octets));
        return;
    }
    printf ("Bundle of records %" PRId64 " to %" PRId64 " in %s, %" PRId64
            " octets.\n"
            "Next: parley audit check %s --dialogue %s\n",
            self->meta.first, self->meta.last, self->dir, self->octets,
            self->dir, dialogue);
}

int command_audit_export (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct taking self = { 0 };
    const struct option_spec specs[] = {
        { "filter", OPTION_TEXT, &self.filter }, { 0 }
    };
    struct error e;
    options_read (cli, argc, argv, export_usage, specs, &words, 1, 1);
    if (self.filter && filter_check (slice_text (self.filter), &e))
        options_refuse (export_usage, "filter '%s': %s", self.filter, e.text);
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

/* Check. */

static void on_progress (void *arg, int64_t records) {
    progress_show (arg, records, 0);
}

static void print_json (const struct audit_report *r) {
    char dialogue[HASH_TEXT_MAX], first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX];
    json_t *caveats = json_array();
    for (size_t i = 0; audit_caveat (r, i); i++)
        json_array_append_new (caveats, json_string (audit_caveat (r, i)));
    cli_print_json (json_pack (
        "{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,"
        "s:s,s:s,s:o}",
        "dialogue", hash_text (dialogue, &r->meta.dialogue), "exporter",
        r->meta.exporter, "filter", r->meta.filter, "first",
        (json_int_t) r->meta.first, "last", (json_int_t) r->meta.last,
        "rosters", (json_int_t) r->rosters, "blocks", (json_int_t) r->blocks,
        "records", (json_int_t) r->records, "messages",
        (json_int_t) r->messages, "marks", (json_int_t) r->marks, "newer",
        (json_int_t) r->newer, "signatures", (json_int_t) r->signatures,
        "authors", (json_int_t) r->authors, "promises",
        (json_int_t) r->promises, "refusals", (json_int_t) r->refusals,
        "leaves", (json_int_t) r->leaves, "holes", (json_int_t) r->holes,
        "first_time", clock_text (first, r->first_time), "last_time",
        clock_text (last, r->last_time), "caveats", caveats));
}

static void print_counts (const struct audit_report *r) {
    printf ("rosters    %" PRId64 ", chained by their signatures\n"
            "records    %" PRId64 " in %" PRId64 " blocks: %" PRId64
            " messages of %" PRId64 " authors, %" PRId64 " marks\n"
            "signatures %" PRId64 " verified\n"
            "promises   %" PRId64 ", and %" PRId64 " refusals\n",
            r->rosters, r->records, r->blocks, r->messages, r->authors,
            r->marks, r->signatures, r->promises, r->refusals);
    printf ("not here   %" PRId64 " records by their hash alone, %" PRId64
            " not at all\n",
            r->leaves, r->holes);
    if (r->newer > 0)
        printf ("not judged %" PRId64 " records of a newer format: a newer "
                "parley can\n",
                r->newer);
}

static void print_report (const struct audit_report *r, bool compared) {
    char text[HASH_TEXT_MAX], first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX];
    printf ("dialogue   %s%s\n", hash_text (text, &r->meta.dialogue),
            compared ? "" : "  (compare it with the one you know)");
    printf ("bundle     of %s, filter %s, records %" PRId64 " to %" PRId64 "\n",
            r->meta.exporter, r->meta.filter, r->meta.first, r->meta.last);
    if (r->records > 0)
        printf ("log times  %s to %s\n", clock_text (first, r->first_time),
                clock_text (last, r->last_time));
    print_counts (r);
    printf ("\nAll of that holds. What rests on the broker's word:\n");
    static const char *const heads[] = { "", "", NULL };
    struct table *table = table_new (heads);
    for (size_t i = 0; audit_caveat (r, i); i++) {
        table_cell (table, "-");
        table_cell (table, audit_caveat (r, i));
    }
    table_print (table, stdout);
    table_destroy (&table);
}

int command_audit_check (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *wanted = NULL;
    const struct option_spec specs[] = { { "dialogue", OPTION_TEXT, &wanted },
                                         { 0 } };
    struct audit_report report;
    struct progress progress;
    struct hash dialogue;
    struct error e;
    options_read (cli, argc, argv, check_usage, specs, &words, 1, 1);
    if (wanted && hash_parse (wanted, &dialogue))
        options_refuse (check_usage,
                        "--dialogue '%s' is not 64 digits of lower case hex",
                        wanted);
    progress_start (&progress, "records checked");
    enum err rc = audit_check (words.at[0], wanted ? &dialogue : NULL,
                               on_progress, &progress, &report, &e);
    progress_end (&progress);
    if (rc) {
        error_at (&e, "%s", words.at[0]);
        audit_report_free (&report);
        return cli_fail (&e);
    }
    if (cli->json)
        print_json (&report);
    else
        print_report (&report, wanted != NULL);
    audit_report_free (&report);
    return CLI_FINE;
}
