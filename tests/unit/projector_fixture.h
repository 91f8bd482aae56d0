/* projector_fixture - records about plans, and rosters, as a store has them. */
#ifndef PARLEY_PROJECTOR_FIXTURE_H
#define PARLEY_PROJECTOR_FIXTURE_H

#include "records_fixture.h"

FIXTURE_UNUSED static void message_put_in (
    int64_t sequence, int64_t author_time, const struct identity *author,
    const char *topic, enum body_format format, const char *content,
    enum body_state state) {
    char channel[CHANNEL_MAX + 1];
    struct buf body = { 0 }, header = { 0 }, octets = { 0 };
    snprintf (channel, sizeof channel, "%.*s", (int) strcspn (topic, "/"),
              topic);
    buf_add (&body, "0123456789abcdef", BODY_SALT);
    if (format == BODY_MAP) {
        json_t *json = fixture_json (content);
        FINE (mp_from_json (&octets, json, CONTENT_MAX, &e));
        json_decref (json);
    } else
        buf_add_text (&octets, content);
    buf_add_slice (&body, buf_slice (&octets));
    struct build *build = build_new (channel);
    build->roster = 0;
    struct message_draft draft = {
        .dialogue = &cast.dialogue,
        .author = identity_name (author),
        .key_id = identity_key_id (author, LABEL_BATCH),
        .roster_version = 1,
        .lane = 9,
        .number = sequence,
        .author_time = author_time,
        .topic = slice_text (topic),
        .body_format = format,
    };
    static const uint8_t signature[SIGNATURE_SIZE];
    FINE (message_write_header (&draft, buf_slice (&body), &header, &e));
    struct record r = build_place (build, RECORD_MESSAGE);
    r.payload = buf_slice (&header);
    r.batch_size = 1;
    r.signature = signature;
    build_item (build, &r, buf_slice (&body), build->run_count);
    build->runs[build->run_count++].kind = RUN_WHOLE;
    build->items[0].state = state;
    add_build (build, sequence, BUILD_TIME + sequence);
    buf_free (&body);
    buf_free (&header);
    buf_free (&octets);
}

FIXTURE_UNUSED static void message_put (
    int64_t sequence, const struct identity *author, const char *topic,
    enum body_format format, const char *content, enum body_state state) {
    message_put_in (sequence, BUILD_TIME, author, topic, format, content,
                    state);
}

FIXTURE_UNUSED static void plan_put (int64_t sequence,
                                     const struct identity *author,
                                     const char *channel, const char *id) {
    char topic[TOPIC_MAX + 1];
    int entity = (int) strcspn (id, "-");
    snprintf (topic, sizeof topic, "%s/plan/%.*s/%s", channel, entity, id, id);
    struct buf text = { 0 };
    buf_add_format (
        &text,
        "{'format':1,'plan':'%s','entity':'%.*s','lang':'en','title':'A plan',"
        "'cycle':{'from':'2026','to':'2027'},'handling':'TLP:GREEN',"
        "'priorities':['organized-crime/drugs-trafficking'],"
        "'regions':['150'],'goals':[{'id':'G1','title':'A goal'}],"
        "'actions':[{'id':'A1','title':'T','kind':'operation',"
        "'priorities':['organized-crime/drugs-trafficking'],"
        "'regions':['150'],'from':'2026','lead':'%.*s','status':'active'}]}",
        id, entity, id, entity, id);
    char *quotes = buf_take_text (&text);
    message_put (sequence, author, topic, BODY_MAP, quotes, BODY_PRESENT);
    free (quotes);
}

FIXTURE_UNUSED static void roster_put (const struct roster *roster,
                                       int64_t sequence) {
    FINE (store_add_roster (store, roster_version (roster), sequence,
                            roster_octets (roster), &e));
}

/* The next version, in which one or two things are otherwise. */
FIXTURE_UNUSED static struct roster *next_roster (const char *path,
                                                  const char *value,
                                                  const char *path_2,
                                                  const char *value_2) {
    char dialogue[HASH_TEXT_MAX];
    json_t *document = fixture_next (cast.roster, cast_document (&cast));
    fixture_set (document, path, value);
    if (path_2)
        fixture_set (document, path_2, value_2);
    struct roster *next = fixture_read (
        document, hash_text (dialogue, &cast.dialogue), "EUROPOL FRONTEX", &e);
    if (!next)
        fail_msg ("%s", e.text);
    return next;
}

#endif
