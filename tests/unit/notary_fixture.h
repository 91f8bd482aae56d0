/* For the tests of the notary: a stage (broker_fixture.h) whose witnesses have
 * real keys, and cosignatures by them. */
#ifndef PARLEY_NOTARY_FIXTURE_H
#define PARLEY_NOTARY_FIXTURE_H

#include "broker_fixture.h"

#include "notary_impl.h"

static struct stage *stage;
static struct error e;

/* The stage's document with these witnesses, `'EUROPOL/hq','FRONTEX/hq'`. */
static json_t *witnessed (const struct cast *cast, const char *witnesses,
                          int quorum) {
    struct stage draft = { .cast = *cast };
    json_t *d = stage_document (&draft);
    char text[256];
    snprintf (text, sizeof text, "[%s]", witnesses);
    cast_key (d, "entities[0].delegations[0].keys[0].witness",
              identity_public (cast->hq, KEY_WITNESS));
    cast_key (d, "entities[0].delegations[1].keys[0].witness",
              identity_public (cast->ec3, KEY_WITNESS));
    cast_key (d, "entities[1].delegations[0].keys[0].witness",
              identity_public (cast->frontex, KEY_WITNESS));
    cast_key (d, "log.key", identity_public (cast->broker, KEY_LOG));
    fixture_set (d, "witnesses", text);
    snprintf (text, sizeof text, "%d", quorum);
    fixture_set (d, "quorum", text);
    return d;
}

static void stage_begin (const char *witnesses, int quorum) {
    struct cast draft;
    cast_begin (&draft);
    stage = stage_new (witnessed (&draft, witnesses, quorum));
    cast_end (&draft);
}

/* The next roster, with others; in the ledger and in force. */
FIXTURE_UNUSED static void stage_witnesses (const char *witnesses, int quorum) {
    struct roster *next =
        stage_next (stage, witnessed (&stage->cast, witnesses, quorum), NULL);
    roster_unref (&next);
}

/* A witness's note: the checkpoint's text with its line. */
static struct slice cosigned (const struct checkpoint *checkpoint,
                              const struct identity *witness, int64_t time) {
    static struct buf note;
    buf_clear (&note);
    checkpoint_text (checkpoint, &note);
    buf_add_text (&note, "\n");
    checkpoint_cosign (checkpoint, witness, time, &note);
    return buf_slice (&note);
}

#endif
