/* roster_show - a roster as people read it. */
#include "base/clock.h"
#include "files.h"
#include "identity/rights.h"
#include "identity/roster_chain.h"
#include "json.h"
#include "options.h"
#include "policy.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley roster show NOTE|TEXT|--agent\n"
    "\n"
    "Show a roster, from a file (signed, or the draft that is to be signed) "
    "or\n"
    "the agent's present one: entities, delegations, channels with their "
    "readers\n"
    "and writers, witnesses, brokers and limits. Its signatures are counted,\n"
    "not judged: parley roster check does that. With --json: version, digest,\n"
    "dialogue and the document as it was written.\n"
    "\n"
    "Example: parley roster show roster.note\n";

static void join (struct buf *out, const char *text) {
    if (out->size > 0)
        buf_add_text (out, ", ");
    buf_add_text (out, text);
}

static void cell_of (struct table *table, struct buf *text) {
    table_slice (table, buf_slice (text));
    buf_clear (text);
}

static void finish (struct table **table_p, const char *title) {
    if (!table_is_empty (*table_p)) {
        printf ("\n%s\n", title);
        table_print (*table_p, stdout);
    }
    table_destroy (table_p);
}

static void show_head (const struct roster *r) {
    static const char *const heads[] = { "", "", NULL };
    char text[HASH_TEXT_MAX];
    int have = 0, need = 0;
    struct table *table = table_new (heads);
    enum err rc = roster_self_signed (r, &have, &need, NULL);
    table_cell (table, "name");
    table_cell (table, roster_name (r));
    table_cell (table, "dialogue");
    table_cell (table, hash_text (text, roster_dialogue (r)));
    table_cell (table, "version");
    table_format (table, "%" PRId64 ", epoch %" PRId64 ", digest %s",
                  roster_version (r), roster_epoch (r),
                  hash_text (text, roster_digest (r)));
    table_cell (table, "origin");
    table_cell (table, roster_origin (r));
    table_cell (table, "threshold");
    table_format (table, "%d of %zu root signers%s", roster_threshold (r),
                  roster_signers (r),
                  rc ? "; not signed by its threshold" : "");
    table_print (table, stdout);
    table_destroy (&table);
}

static void state_of (struct buf *out, const struct roster_delegation *d) {
    char text[CLOCK_TEXT_MAX];
    if (d->key_count == 0)
        join (out, "no keys yet");
    if (d->revoked)
        join (out, "revoked");
    if (d->expires) {
        join (out, "expires ");
        buf_add_text (out, clock_text (text, d->expires));
    }
    if (d->key_count == 2) {
        join (out, "older keys until ");
        buf_add_text (out, clock_text (text, d->older_until));
    }
}

static bool is_signer (const struct roster *r, const char *entity) {
    for (size_t i = 0; i < roster_signers (r); i++)
        if (strcmp (roster_signer_at (r, i)->entity, entity) == 0)
            return true;
    return false;
}

static bool is_witness (const struct roster *r,
                        const struct roster_delegation *d) {
    for (size_t i = 0; i < roster_witnesses (r); i++)
        if (roster_witness_at (r, i) == d)
            return true;
    return false;
}

static void show_entities (const struct roster *r) {
    static const char *const heads[] = { "ENTITY", "ROLE", "SECTOR", "REGIONS",
                                         "SIGNER", "NAME", NULL };
    struct table *table = table_new (heads);
    struct buf text = { 0 };
    for (size_t i = 0; i < roster_entities (r); i++) {
        const struct roster_entity *entity = roster_entity_at (r, i);
        table_cell (table, entity->id);
        table_cell (table, entity->role);
        table_cell (table, entity->sector);
        for (size_t k = 0; k < entity->region_count; k++)
            join (&text, entity->regions[k]);
        cell_of (table, &text);
        table_cell (table, is_signer (r, entity->id) ? "yes" : "");
        table_cell (table, entity->name);
    }
    finish (&table, "Entities");
    buf_free (&text);
}

static void show_delegations (const struct roster *r) {
    static const char *const heads[] = { "DELEGATION", "WITNESS", "STATE",
                                         NULL };
    struct table *table = table_new (heads);
    struct buf text = { 0 };
    for (size_t i = 0; i < roster_delegations (r); i++) {
        const struct roster_delegation *d = roster_delegation_at (r, i);
        table_cell (table, d->name);
        table_cell (table, is_witness (r, d) ? "yes" : "");
        state_of (&text, d);
        cell_of (table, &text);
    }
    finish (&table, "Delegations");
    buf_free (&text);
}

static void cell_list (struct table *table, const char *const *items,
                       size_t count) {
    struct buf text = { 0 };
    for (size_t i = 0; i < count; i++)
        join (&text, items[i]);
    cell_of (table, &text);
    buf_free (&text);
}

static bool same_list (const struct roster_channel *c) {
    if (c->reader_count != c->writer_count)
        return false;
    for (size_t i = 0; i < c->reader_count; i++)
        if (strcmp (c->readers[i], c->writers[i]) != 0)
            return false;
    return true;
}

static void show_channels (const struct roster *r) {
    static const char *const heads[] = { "CHANNEL", "READERS", "WRITERS",
                                         "KEPT",    "TITLE",   NULL };
    struct table *table = table_new (heads);
    for (size_t i = 0; i < roster_channels (r); i++) {
        const struct roster_channel *c = roster_channel_at (r, i);
        table_cell (table, c->id);
        cell_list (table, c->readers, c->reader_count);
        if (same_list (c))
            table_cell (table, "its readers");
        else
            cell_list (table, c->writers, c->writer_count);
        if (c->retention_days)
            table_format (table, "%" PRId64 " days", c->retention_days);
        else
            table_cell (table, "always");
        table_cell (table, c->title);
    }
    finish (&table, "Channels");
}

static void show_groups (const struct roster *r) {
    static const char *const heads[] = { "GROUP", "TITLE", "ENTITIES", NULL };
    struct table *table = table_new (heads);
    struct buf text = { 0 };
    for (size_t i = 0; i < roster_groups (r); i++) {
        const struct roster_group *group = roster_group_at (r, i);
        table_cell (table, group->id);
        table_cell (table, group->title);
        for (size_t k = 0; k < group->entity_count; k++)
            join (&text, roster_entity_at (r, group->entities[k])->id);
        cell_of (table, &text);
    }
    finish (&table, "Groups");
    buf_free (&text);
}

static void show_brokers (const struct roster *r) {
    static const char *const heads[] = { "BROKER", "DESK", "FEED", NULL };
    struct table *table = table_new (heads);
    for (size_t i = 0; i < roster_brokers (r); i++) {
        const struct roster_broker *b = roster_broker_at (r, i);
        table_cell (table, b->id);
        table_cell (table, b->desk);
        table_cell (table, b->feed);
    }
    for (size_t i = 0; i < roster_proxies (r); i++) {
        const struct roster_proxy *p = roster_proxy_at (r, i);
        table_format (table, "%s (proxy)", p->id);
        table_cell (table, "");
        table_cell (table, p->feed);
    }
    finish (&table, "Brokers");
}

static void show_rest (const struct roster *r) {
    static const char *const heads[] = { "", "", NULL };
    const struct roster_limits *l = roster_limits (r);
    const struct {
        const char *name;
        int64_t value;
    } rows[] = { { "messages a minute", l->messages_a_minute },
                 { "octets a minute", l->octets_a_minute },
                 { "connections", l->connections },
                 { "requests outstanding", l->requests_outstanding },
                 { "lanes a day", l->lanes_a_day } };
    struct table *table = table_new (heads);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        table_cell (table, rows[i].name);
        table_int (table, rows[i].value);
    }
    finish (&table, "Limits of each delegation");
    if (roster_witnesses (r) > 0)
        printf ("\n%zu witnesses, a quorum is %d.\n", roster_witnesses (r),
                roster_quorum (r));
}

/* Behind the two first lines of a note's text stands its document. */
static json_t *document_of (const struct roster *r) {
    enum note_kind kind;
    struct hash dialogue;
    bool has_dialogue;
    struct slice rest;
    if (note_head (roster_note (r)->text, &kind, &dialogue, &has_dialogue,
                   &rest, NULL))
        return NULL;
    return json_loadb ((const char *) rest.data, rest.size, 0, NULL);
}

static void show_json (const struct roster *r) {
    char digest[HASH_TEXT_MAX], dialogue[HASH_TEXT_MAX];
    cli_print_json (json_pack (
        "{s:I,s:s,s:s,s:o}", "version", (json_int_t) roster_version (r),
        "digest", hash_text (digest, roster_digest (r)), "dialogue",
        hash_text (dialogue, roster_dialogue (r)), "document",
        document_of (r)));
}

/* Signed, or the text that parley roster draft wrote. */
static struct roster *read_any (struct slice octets, struct error *e) {
    bool draft = octets.size > 0 && octets.data[octets.size - 1] == '\n'
                 && !memmem (octets.data, octets.size, "\n\n", 2);
    return draft ? roster_read_draft (octets, e) : roster_read (octets, e);
}

static int show (const struct cli *cli, struct slice note, const char *where) {
    struct error e;
    struct roster *r = read_any (note, &e);
    if (!r) {
        error_at (&e, "%s", where);
        return cli_fail (&e);
    }
    if (cli->json)
        show_json (r);
    else {
        show_head (r);
        show_entities (r);
        show_delegations (r);
        show_channels (r);
        show_groups (r);
        show_brokers (r);
        show_rest (r);
    }
    roster_unref (&r);
    return CLI_FINE;
}

int command_roster_show (struct cli *cli, int argc, char **argv) {
    static struct words words;
    bool agent = false;
    const struct option_spec specs[] = { { "agent", OPTION_FLAG, &agent },
                                         { 0 } };
    struct buf note = { 0 };
    struct error e;
    options_read (cli, argc, argv, usage, specs, &words, 0, 1);
    if (agent == (words.count == 1))
        options_refuse (usage, "name a roster's file, or say --agent");
    const char *file = agent ? "the agent's roster" : words.at[0];
    enum err rc = agent ? policy_roster_note (cli, -1, &note, &e)
                        : file_read (file, NOTE_MAX, &note, &e);
    int code = rc ? cli_fail (&e) : show (cli, buf_slice (&note), file);
    buf_free (&note);
    return code;
}
