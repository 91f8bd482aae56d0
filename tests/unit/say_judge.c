/* say_judge - what the C code finds in messages of threads, and the notes that it
 * makes of communiques, for tests that compare it with the JSON Schemas and with
 * another implementation (tests/system/test_0860_thread_schema.py, 0870).
 *
 * A line of standard input is a topic, a tab and a document; a line of output
 * {"ok": ..., "newer": ..., "count": N, "faults": [{"pointer", "text"}, ...]},
 * of a good communique also "note" (its text) and "line" (a signature on it), by
 * the ids and the seed below.
 */
#include "threads/communique.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define DIALOGUE                                                               \
    "1111111111111111111111111111111111111111111111111111111111111111"
#define VERSION                                                                \
    "2222222222222222222222222222222222222222222222222222222222222222"
#define SIGNER "ABC/hq" /* its seed is 32 octets of 7 */

static void set_text (json_t *object, const char *name, struct buf *buf) {
    char *text = buf_take_text (buf);
    json_object_set_new (object, name, json_string (text));
    free (text);
}

/* The note, signed. */
static void add_note (json_t *out, const struct thread_place *place,
                      const json_t *document) {
    struct hash dialogue, version;
    struct buf text = { 0 }, line = { 0 };
    struct error e;
    uint8_t seed[KEY_SIZE];
    memset (seed, 7, sizeof seed);
    struct identity *identity =
        identity_from_seed (IDENTITY_DELEGATION, SIGNER, seed, &e);
    if (!identity || hash_parse (DIALOGUE, &dialogue)
        || hash_parse (VERSION, &version))
        abort();
    if (communique_text (&text, &dialogue, place, &version, document, &e)
        || communique_sign (identity, buf_slice (&text), &line, &e)) {
        json_object_set_new (out, "why", json_string (e.text));
    } else {
        set_text (out, "line", &line);
        set_text (out, "note", &text);
    }
    identity_destroy (&identity);
    buf_free (&text);
    buf_free (&line);
}

static json_t *judge (const char *topic, json_t *document,
                      const struct taxonomy *taxonomy) {
    struct faults faults = { 0 };
    struct thread_place place;
    struct say *say = NULL;
    bool newer = false;
    if (thread_place_read (slice_text (topic), &place, &faults))
        say = say_read (&place, document, NULL, taxonomy, &faults, &newer);
    json_t *out =
        json_pack ("{sb sb sI so}", "ok", say != NULL, "newer", newer, "count",
                   (json_int_t) faults.count, "faults", faults_json (&faults));
    if (say && say->does == DOES_PROPOSE && place.kind == THREAD_COMMUNIQUE)
        add_note (out, &place, document);
    say_free (&say);
    faults_clear (&faults);
    return out;
}

static void judge_line (char *line, const struct taxonomy *taxonomy) {
    char *tab = strchr (line, '\t');
    json_error_t error;
    if (!tab) {
        puts ("{\"why\": \"no tab\"}");
        return;
    }
    *tab = '\0';
    json_t *document = json_loads (
        tab + 1, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL,
        &error);
    json_t *out = document ? judge (line, document, taxonomy)
                           : json_pack ("{ss}", "why", error.text);
    json_dumpf (out, stdout, JSON_COMPACT);
    putchar ('\n');
    json_decref (out);
    json_decref (document);
}

int main (void) {
    struct taxonomy *taxonomy = taxonomy_base();
    char *line = NULL;
    size_t room = 0;
    while (getline (&line, &room, stdin) >= 0)
        judge_line (line, taxonomy);
    free (line);
    taxonomy_unref (&taxonomy);
    return 0;
}
