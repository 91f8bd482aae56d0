/* bundle_limits - what a bundle that is limited by author and topic is there to
 * show (PROTOCOL.md section 8.10). */
#include "base/topic.h"
#include "ledger/bundle.h"

bool bundle_limited (const struct bundle_meta *self) {
    return strcmp (self->filter, "#") != 0 || self->author[0] || self->since
           || self->until;
}

bool bundle_takes (const struct bundle_meta *self,
                   const struct message *message) {
    struct slice author = slice_text (self->author);
    if (author.size > 0 && !slice_equal (author, message->author)
        && !slice_equal (author, delegation_entity (message->author)))
        return false;
    return filter_match (slice_text (self->filter), message->topic);
}

bool bundle_touches (const struct bundle_meta *self, const char *stream) {
    struct slice level = slice_of (self->filter, strcspn (self->filter, "/"));
    if (slice_is (level, "#") || slice_is (level, "+")
        || slice_is (level, stream))
        return true;
    return stream[0] == '@' && channel_is_adhoc (level)
           && channel_adhoc_names (level, slice_text (stream + 1));
}

/* A direct stream has many channels: "#" alone takes all of it. */
bool bundle_takes_all (const struct bundle_meta *self, const char *stream) {
    size_t size = strlen (stream);
    if (self->author[0])
        return false;
    return strcmp (self->filter, "#") == 0
           || (stream[0] != '@' && strncmp (self->filter, stream, size) == 0
               && strcmp (self->filter + size, "/#") == 0);
}
