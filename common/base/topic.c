/* topic - the grammar of PROTOCOL.md section 4, with the limits of section
 * 2.6. One pass, no regular expressions: a topic is judged for each message.
 */
#include "base/topic.h"

/* Characters */

enum { UPPER = 1, LOWER = 2, DIGIT = 4, DASH = 8, DOT = 16 };
#define LEVEL_CHARS (UPPER | LOWER | DIGIT | DASH | DOT)
#define NAME_CHARS (LOWER | DIGIT | DASH)

/* ASCII only, whatever the locale. */
static unsigned class_of (uint8_t c) {
    if (c >= 'a' && c <= 'z')
        return LOWER;
    if (c >= 'A' && c <= 'Z')
        return UPPER;
    if (c >= '0' && c <= '9')
        return DIGIT;
    if (c == '-')
        return DASH;
    return c == '.' || c == '_' ? DOT : 0;
}

/* The first octet that is of none of the classes; s.size where all are. */
static size_t span (struct slice s, unsigned classes) {
    size_t i = 0;
    while (i < s.size && (class_of (s.data[i]) & classes))
        i++;
    return i;
}

/* A first octet of one class, the others of some, within a length. */
static bool word_valid (struct slice s, unsigned first, unsigned others,
                        size_t min, size_t max) {
    return s.size >= min && s.size <= max && (class_of (s.data[0]) & first)
           && span (s, others) == s.size;
}

/* Parts between separators. `more` says whether one follows, so that an empty
 * last part ("a/") is seen. */
struct parts {
    struct slice rest;
    uint8_t separator;
    bool more;
};

static struct parts parts_of (struct slice s, char separator) {
    return (struct parts){ s, (uint8_t) separator, true };
}

static bool parts_next (struct parts *self, struct slice *part) {
    if (!self->more)
        return false;
    struct slice *rest = &self->rest;
    const uint8_t *end = NULL;
    if (rest->size > 0)
        end = memchr (rest->data, self->separator, rest->size);
    self->more = end != NULL;
    *part = *rest;
    if (end) {
        part->size = (size_t) (end - rest->data);
        *rest = slice_of (end + 1, rest->size - part->size - 1);
    }
    return true;
}

/* Names */

bool channel_name_valid (struct slice name) {
    return word_valid (name, LOWER, NAME_CHARS, 1, CHANNEL_NAME_MAX);
}

bool entity_valid (struct slice entity) {
    return word_valid (entity, UPPER, UPPER | DIGIT, 2, ENTITY_MAX);
}

bool delegation_valid (struct slice delegation) {
    struct slice entity = delegation_entity (delegation);
    if (entity.size == delegation.size || !entity_valid (entity))
        return false;
    struct slice name = slice_of (delegation.data + entity.size + 1,
                                  delegation.size - entity.size - 1);
    return channel_name_valid (name) && !slice_is (name, "root");
}

static struct slice before (struct slice s, char separator) {
    struct parts parts = parts_of (s, separator);
    struct slice first = { 0 };
    (void) parts_next (&parts, &first);
    return first;
}

struct slice delegation_entity (struct slice delegation) {
    return before (delegation, '/');
}

/* Ad-hoc channels */

bool channel_is_adhoc (struct slice channel) {
    return channel.size > 0 && channel.data[0] == '@';
}

static struct parts adhoc_parts (struct slice channel) {
    return parts_of (slice_of (channel.data + 1, channel.size - 1), '+');
}

/* By octets, a shorter one first where it begins the other. */
static int slice_order (struct slice a, struct slice b) {
    int order = memcmp (a.data, b.data, a.size < b.size ? a.size : b.size);
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

enum err channel_adhoc_check (struct slice channel, struct error *e) {
    if (!channel_is_adhoc (channel))
        return error_set (e, ERR_MALFORMED,
                          "an ad-hoc channel begins with '@'");
    if (channel.size > CHANNEL_MAX)
        return error_set (e, ERR_LIMIT,
                          "ad-hoc channel of %zu octets, at most %d",
                          channel.size, CHANNEL_MAX);
    struct parts parts = adhoc_parts (channel);
    struct slice entity, last = { 0 };
    for (size_t n = 1; parts_next (&parts, &entity); n++) {
        if (n > ADHOC_ENTITIES_MAX)
            return error_set (e, ERR_LIMIT,
                              "ad-hoc channel of over %d entities",
                              ADHOC_ENTITIES_MAX);
        if (!entity_valid (entity))
            return error_set (e, ERR_MALFORMED,
                              "entity %zu of the ad-hoc channel, '%.*s', is no "
                              "[A-Z][A-Z0-9]{1,15}",
                              n, (int) entity.size, (const char *) entity.data);
        if (n > 1 && slice_order (last, entity) >= 0)
            return error_set (e, ERR_MALFORMED,
                              "entity %zu of the ad-hoc channel, '%.*s', does "
                              "not ascend",
                              n, (int) entity.size, (const char *) entity.data);
        last = entity;
    }
    return ERR_NONE;
}

struct slice channel_adhoc_entity (struct slice channel, size_t n) {
    struct slice entity = { 0 };
    if (!channel_is_adhoc (channel))
        return entity;
    struct parts parts = adhoc_parts (channel);
    for (size_t i = 0; parts_next (&parts, &entity); i++)
        if (i == n)
            return entity;
    return (struct slice){ 0 };
}

bool channel_adhoc_names (struct slice channel, struct slice entity) {
    if (!channel_is_adhoc (channel))
        return false;
    struct parts parts = adhoc_parts (channel);
    struct slice one;
    while (parts_next (&parts, &one))
        if (slice_equal (one, entity))
            return true;
    return false;
}

/* Topics and filters */

struct slice topic_channel (struct slice topic) {
    return before (topic, '/');
}

static enum err channel_check (struct slice level, struct error *e) {
    if (slice_is (level, CHANNEL_LOG))
        return error_set (e, ERR_MALFORMED,
                          "the channel %s is the broker's; no topic names it",
                          CHANNEL_LOG);
    if (!channel_name_valid (level))
        return error_set (e, ERR_MALFORMED,
                          "the channel '%.*s' is no [a-z][a-z0-9-]{0,31}",
                          (int) level.size, (const char *) level.data);
    return ERR_NONE;
}

static enum err level_check (struct slice level, size_t n, struct error *e) {
    if (n > TOPIC_LEVELS_MAX)
        return error_set (e, ERR_LIMIT, "more than %d levels",
                          TOPIC_LEVELS_MAX);
    if (level.size == 0)
        return error_set (e, ERR_MALFORMED, "level %zu is empty", n);
    if (level.size > TOPIC_LEVEL_MAX)
        return error_set (e, ERR_LIMIT, "level %zu has %zu octets, at most %d",
                          n, level.size, TOPIC_LEVEL_MAX);
    if (n == 1)
        return channel_is_adhoc (level) ? channel_adhoc_check (level, e)
                                        : channel_check (level, e);
    size_t good = span (level, LEVEL_CHARS);
    if (good < level.size)
        return error_set (e, ERR_MALFORMED,
                          "level %zu has octet 0x%02x at %zu; allowed are "
                          "A-Z a-z 0-9 . _ -",
                          n, level.data[good], good);
    return ERR_NONE;
}

static enum err size_check (struct slice s, struct error *e) {
    if (s.size > TOPIC_MAX)
        return error_set (e, ERR_LIMIT, "%zu octets, at most %d", s.size,
                          TOPIC_MAX);
    return ERR_NONE;
}

enum err topic_check (struct slice topic, struct error *e) {
    enum err rc = size_check (topic, e);
    struct parts parts = parts_of (topic, '/');
    struct slice level;
    size_t n = 0;
    while (!rc && parts_next (&parts, &level))
        rc = level_check (level, ++n, e);
    if (!rc && n < TOPIC_LEVELS_MIN)
        rc = error_set (e, ERR_MALFORMED, "%zu level, at least %d", n,
                        TOPIC_LEVELS_MIN);
    return rc;
}

enum err filter_check (struct slice filter, struct error *e) {
    enum err rc = size_check (filter, e);
    struct parts parts = parts_of (filter, '/');
    struct slice level;
    size_t n = 0;
    while (!rc && parts_next (&parts, &level)) {
        n++;
        bool all = slice_is (level, "#");
        if (all && parts.more)
            rc =
                error_set (e, ERR_MALFORMED, "'#' at level %zu is not last", n);
        else if (n > TOPIC_LEVELS_MAX || !(all || slice_is (level, "+")))
            rc = level_check (level, n, e);
    }
    return rc;
}

bool filter_match (struct slice filter, struct slice topic) {
    struct parts filters = parts_of (filter, '/');
    struct parts levels = parts_of (topic, '/');
    struct slice want, level;
    while (parts_next (&filters, &want)) {
        if (slice_is (want, "#"))
            return true; /* also where the topic ends here */
        if (!parts_next (&levels, &level))
            return false;
        if (!slice_is (want, "+") && !slice_equal (want, level))
            return false;
    }
    return !levels.more;
}
