/* Topics, filters and names: what is taken has the shape that others build
 * on. Input: a filter, NUL, a topic; without NUL it is both. */
#include "base/topic.h"

#include <assert.h>

static void check_channel (struct slice channel) {
    assert (channel.size <= CHANNEL_MAX);
    if (!channel_is_adhoc (channel)) {
        assert (channel_name_valid (channel));
        return;
    }
    struct error e;
    assert (channel_adhoc_check (channel, &e) == ERR_NONE);
    size_t n = 0, size = 0;
    for (struct slice one; (one = channel_adhoc_entity (channel, n)).size > 0;
         n++) {
        assert (entity_valid (one) && channel_adhoc_names (channel, one));
        size += one.size + 1;
    }
    assert (n >= 1 && n <= ADHOC_ENTITIES_MAX && size == channel.size);
}

static void check_topic (struct slice topic) {
    struct error e = { 0 };
    enum err rc = topic_check (topic, &e);
    assert (rc == ERR_NONE || (rc == e.code && e.text[0]));
    if (rc)
        return;
    assert (topic.size <= TOPIC_MAX);
    check_channel (topic_channel (topic));
    /* Each topic is a filter that matches itself and is matched by all. */
    assert (filter_check (topic, NULL) == ERR_NONE);
    assert (filter_match (topic, topic));
    assert (filter_match (slice_text ("#"), topic));
    assert (filter_match (slice_text ("+/#"), topic));
    assert (!filter_match (slice_text ("+"), topic));
}

/* "x/#" matches all that "x" does. */
static void check_filter (struct slice filter, struct slice topic) {
    struct error e = { 0 };
    enum err rc = filter_check (filter, &e);
    assert (rc == ERR_NONE || (rc == e.code && e.text[0]));
    bool match = filter_match (filter, topic);
    if (rc || !match)
        return;
    struct buf below = { 0 };
    buf_add_slice (&below, filter);
    if (filter.data[filter.size - 1] != '#')
        buf_add_text (&below, "/#");
    assert (filter_match (buf_slice (&below), topic));
    buf_free (&below);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    struct slice filter = slice_of (data, size), topic = filter;
    const uint8_t *nul = size > 0 ? memchr (data, 0, size) : NULL;
    if (nul) {
        filter.size = (size_t) (nul - data);
        topic = slice_of (nul + 1, size - filter.size - 1);
    }
    check_topic (topic);
    check_filter (filter, topic);
    (void) channel_adhoc_check (filter, NULL);
    if (delegation_valid (filter))
        assert (filter.size <= DELEGATION_MAX
                && entity_valid (delegation_entity (filter)));
    return 0;
}
