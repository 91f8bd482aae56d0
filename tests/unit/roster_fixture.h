/* A good roster for the tests to break: two members with three delegations, an
 * observer that is revoked, one with no keys yet. Text that begins with '$'
 * stands for a key drawn from that text; $root:ENTITY for the public key of a
 * root signer; $set:NAME and $old:NAME for five drawn keys, the older ones until
 * June 2026. */
#ifndef PARLEY_ROSTER_FIXTURE_H
#define PARLEY_ROSTER_FIXTURE_H

#include "identity/note.h"
#include "identity/roster.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define FIXTURE_UNUSED __attribute__ ((unused))

static const char FIXTURE_TEXT[] =
    "{'format':1,'requires':[],'version':1,'previous':null,"
    "'nonce':'00112233445566778899aabbccddeeff"
    "00112233445566778899aabbccddeeff',"
    "'name':'Test dialogue','origin':'example.org/test',"
    "'epoch':{'number':1},'threshold':2,"
    "'root_signers':[{'entity':'EUROPOL','key':'$root:EUROPOL'},"
    "{'entity':'FRONTEX','key':'$root:FRONTEX'},"
    "{'entity':'UNODC','key':'$root:UNODC'}],"
    "'log':{'key':'$log'},"
    "'brokers':[{'id':'lyon','desk':'tcp://127.0.0.1:7001',"
    "'feed':'tcp://[::1]:7002','link':[{'key':'$blink'},"
    "{'key':'$blink-old','until':'2026-06-01'}],"
    "'desk_key':[{'key':'$bdesk'}]}],"
    "'proxies':[{'id':'relay','feed':'tcp://relay.example:7003',"
    "'link':'$plink'}],"
    "'entities':["
    "{'id':'EUROPOL','name':'Europol','role':'member','sector':'police',"
    "'regions':['EU','150'],'x-seat':'The Hague','delegations':["
    "{'id':'hq','x-agent':true,"
    "'keys':['$set:EUROPOL/hq','$old:EUROPOL/hq']},"
    "{'id':'ec3','keys':['$set:EUROPOL/ec3'],"
    "'expires':'2027-01-01T00:00:00Z'}]},"
    "{'id':'FRONTEX','name':'Frontex','role':'member','sector':'border',"
    "'regions':[],'delegations':["
    "{'id':'hq','keys':['$set:FRONTEX/hq']}]},"
    "{'id':'UNODC','name':'Drugs and Crime','role':'observer',"
    "'sector':'justice','regions':['001'],'delegations':["
    "{'id':'hq','keys':['$set:UNODC/hq'],'revoked':true},"
    "{'id':'late','keys':[]}]},"
    "{'id':'NEWCOMER','name':'No delegation','role':'guest',"
    "'sector':'police','regions':[],'delegations':[]}],"
    "'groups':[{'id':'core','title':'Core','entities':"
    "['EUROPOL','UNODC']}],"
    "'channels':[{'id':'all','title':'All','readers':"
    "['role:member','role:observer'],'writers':['role:member']},"
    "{'id':'core','title':'Core group','readers':['group:core',"
    "'delegation:FRONTEX/hq'],'writers':['entity:EUROPOL'],"
    "'retention_days':30},"
    "{'id':'late','title':'Nobody yet','readers':['delegation:UNODC/late'],"
    "'writers':['role:nobody']}],"
    "'adhoc':['delegation:EUROPOL/ec3'],"
    "'witnesses':['EUROPOL/hq','FRONTEX/hq'],'quorum':2,"
    "'limits':{'messages_a_minute':100000,'octets_a_minute':268435456,"
    "'connections':16,'requests_outstanding':1024,'lanes_a_day':64},"
    "'x-note':{'anything':[1,2]}}";

FIXTURE_UNUSED static struct identity *fixture_root (const char *entity) {
    char name[IDENTITY_NAME_MAX + 1];
    snprintf (name, sizeof name, "%s/root", entity);
    struct hash seed = hash_sha256 (slice_text (name));
    struct error e;
    struct identity *root =
        identity_from_seed (IDENTITY_ROOT, name, seed.octets, &e);
    assert_non_null (root);
    return root;
}

/* The key that a '$' text stands for. */
FIXTURE_UNUSED static void fixture_key (const char *text, uint8_t out[32]) {
    struct hash drawn = hash_sha256 (slice_text (text));
    memcpy (out, drawn.octets, 32);
    if (strncmp (text, "$root:", 6) != 0)
        return;
    struct identity *root = fixture_root (text + 6);
    memcpy (out, identity_public (root, KEY_ROOT), 32);
    identity_destroy (&root);
}

/* What a '$' text stands for. */
static json_t *fixture_value (const char *text) {
    static const char *const names[] = { "sign", "note", "witness", "seal",
                                         "link" };
    uint8_t key[32];
    char drawn[80], base64[BASE64_SIZE (32)];
    bool is_old = strncmp (text, "$old:", 5) == 0;
    if (!is_old && strncmp (text, "$set:", 5) != 0) {
        fixture_key (text, key);
        return json_string (base64_encode (base64, key, 32));
    }
    json_t *set = json_object();
    for (size_t i = 0; i < 5; i++) {
        snprintf (drawn, sizeof drawn, "%s.%s", text, names[i]);
        fixture_key (drawn, key);
        json_object_set_new (set, names[i],
                             json_string (base64_encode (base64, key, 32)));
    }
    if (is_old)
        json_object_set_new (set, "until", json_string ("2026-06-01"));
    return set;
}

static void fixture_fill (json_t **value_p) {
    size_t i;
    const char *name, *text = json_string_value (*value_p);
    json_t *child;
    if (text && text[0] == '$') {
        child = fixture_value (text);
        json_decref (*value_p);
        *value_p = child;
        return;
    }
    json_array_foreach (*value_p, i, child) {
        json_incref (child);
        fixture_fill (&child);
        json_array_set_new (*value_p, i, child);
    }
    json_object_foreach (*value_p, name, child) {
        json_incref (child);
        fixture_fill (&child);
        json_object_set_new (*value_p, name, child);
    }
}

/* JSON written with ' for ". */
static json_t *fixture_json (const char *text) {
    char *copy = mem_copy_text (text);
    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    json_error_t why;
    json_t *value = json_loads (copy, JSON_DECODE_ANY, &why);
    if (!value)
        fail_msg ("%s: %s", text, why.text);
    free (copy);
    fixture_fill (&value);
    return value;
}

FIXTURE_UNUSED static json_t *fixture_document (void) {
    return fixture_json (FIXTURE_TEXT);
}

/* Put a value (NULL: take it away) at "entities[0].keys[1].until". A name that
 * is not there is added; so is an item behind the last. */
FIXTURE_UNUSED static void fixture_set (json_t *at, const char *path,
                                        const char *text) {
    json_t *value = text ? fixture_json (text) : NULL;
    while (*path) {
        char name[64] = "";
        size_t n = strcspn (path, ".["), index = 0;
        bool is_item = *path == '[';
        if (is_item) {
            index = strtoul (path + 1, NULL, 10);
            n = strcspn (path, "]") + 1;
        } else {
            assert_true (n < sizeof name);
            memcpy (name, path, n);
        }
        path += n + (path[n] == '.');
        if (*path) {
            at = is_item ? json_array_get (at, index)
                         : json_object_get (at, name);
            assert_non_null (at);
        } else if (!is_item)
            value ? json_object_set (at, name, value)
                  : json_object_del (at, name);
        else if (index == json_array_size (at))
            json_array_append (at, value);
        else
            value ? json_array_set (at, index, value)
                  : json_array_remove (at, index);
    }
    json_decref (value);
}

/* A text under its two lines, "-" for the first. */
FIXTURE_UNUSED static void fixture_text (json_t *document, const char *dialogue,
                                         struct buf *out) {
    char *json = json_dumps (document, JSON_INDENT (1));
    assert_non_null (json);
    buf_add_format (out, "parley/roster/1\n%s\n", dialogue);
    buf_add_text (out, json);
    buf_add_text (out, "\n");
    free (json);
}

/* A note of a text, signed by those root signers: "EUROPOL FRONTEX". */
FIXTURE_UNUSED static void fixture_sign (struct slice text, const char *signers,
                                         struct buf *out) {
    struct error e;
    note_begin (out, text);
    for (size_t n; *signers; signers += n + (signers[n] == ' ')) {
        char name[32] = "";
        n = strcspn (signers, " ");
        memcpy (name, signers, n);
        struct identity *root = fixture_root (name);
        assert_int_equal (note_sign (root, text, out, &e), ERR_NONE);
        identity_destroy (&root);
    }
}

/* Read a document as it is; the document's reference is taken. */
FIXTURE_UNUSED static struct roster *fixture_read (json_t *document,
                                                   const char *dialogue,
                                                   const char *signers,
                                                   struct error *e) {
    struct buf text = { 0 }, note = { 0 };
    fixture_text (document, dialogue, &text);
    fixture_sign (buf_slice (&text), signers, &note);
    struct roster *roster = roster_read (buf_slice (&note), e);
    buf_free (&text);
    buf_free (&note);
    json_decref (document);
    return roster;
}

/* The fixture with changes: path, value, path, value, ..., NULL. */
FIXTURE_UNUSED static struct roster *fixture_roster (const char *path, ...) {
    json_t *document = fixture_document();
    va_list args;
    va_start (args, path);
    for (; path; path = va_arg (args, const char *))
        fixture_set (document, path, va_arg (args, const char *));
    va_end (args);
    struct error e = { 0 };
    struct roster *roster = fixture_read (document, "-", "EUROPOL FRONTEX", &e);
    if (!roster)
        fail_msg ("%s", e.text);
    return roster;
}

/* The next of a fixture: its document with version, previous and no nonce. */
FIXTURE_UNUSED static json_t *fixture_next (const struct roster *before,
                                            json_t *document) {
    char text[HASH_TEXT_MAX];
    json_object_set_new (document, "version",
                         json_integer (roster_version (before) + 1));
    json_object_set_new (
        document, "previous",
        json_string (hash_text (text, roster_digest (before))));
    json_object_del (document, "nonce");
    return document;
}

#endif
