/* taxonomy_extend - the next version: what is there and what is added
 * (CONTENTS.md section 8). The rules of what may stand in a taxonomy are
 * taxonomy_build's; here are those of what may change. */
#include "taxonomy_impl.h"

#include <stdio.h>
#include <stdlib.h>

struct extension {
    const struct taxonomy *before;
    json_t *next; /* the file of the next version, in the making */
    struct faults *faults;
    struct path path;
    bool adds; /* something at all */
};
#define extension_fault(self, ...)                                             \
    faults_add ((self)->faults, (self)->path.text, __VA_ARGS__)

static const char *const sections[] = { "priorities", "regions",
                                        "country_groups" };
enum { SECTION_REGIONS = 1, SECTION_GROUPS = 2, SECTIONS };

static void version_check (struct extension *self, const json_t *body) {
    const json_t *version = json_object_get (body, "version");
    int64_t next = self->before->version + 1;
    size_t mark = path_member (&self->path, "version");
    if (!json_is_integer (version) || json_integer_value (version) != next)
        extension_fault (self, "is not %lld, the next version",
                         (long long) next);
    path_back (&self->path, mark);
    json_object_set_new (self->next, "version", json_integer (next));
}

/* Ends of memberships: the open one gets its last day. */

static json_t *open_member (json_t *members, const char *country) {
    for (size_t i = 0; i < json_array_size (members); i++) {
        json_t *member = json_array_get (members, i);
        const char *code =
            json_string_value (json_object_get (member, "country"));
        const json_t *to = json_object_get (member, "to");
        if (code && !strcmp (code, country) && (!to || json_is_null (to)))
            return member;
    }
    return NULL;
}

static void member_end (struct extension *self, json_t *members,
                        const json_t *end) {
    const char *country = build_text (json_object_get (end, "country"));
    const char *to = build_text (json_object_get (end, "to"));
    json_t *member = country ? open_member (members, country) : NULL;
    const char *since = json_string_value (json_object_get (member, "from"));
    struct date first = { .first = INT32_MIN }, last;
    struct error e = { .text = "has no 'to' as text" };
    if (since && date_read (slice_text (since), &first, NULL))
        return; /* it was read before */
    if (!member)
        extension_fault (self, "names no country that is a member still");
    else if (!to || date_read (slice_text (to), &last, &e))
        extension_fault (self, "%s", e.text);
    else if (last.last < first.first)
        extension_fault (self, "ends before %s, when %s became a member", since,
                         country);
    else
        json_object_set_new (member, "to", json_string (to));
    self->adds = true;
}

static void members_end (struct extension *self, json_t *members,
                         const json_t *ends) {
    size_t mark = path_member (&self->path, "ends");
    if (ends && !json_is_array (ends))
        extension_fault (self, "is no array");
    for (size_t i = 0; i < json_array_size (ends); i++) {
        size_t end_mark = path_index (&self->path, i);
        member_end (self, members, json_array_get (ends, i));
        path_back (&self->path, end_mark);
    }
    path_back (&self->path, mark);
}

/* Further members say from when, which may be a day that is over. */
static void members_add (struct extension *self, json_t *members,
                         const json_t *more) {
    size_t mark = path_member (&self->path, "members");
    if (more && !json_is_array (more))
        extension_fault (self, "is no array");
    for (size_t i = 0; i < json_array_size (more); i++) {
        json_t *member = json_array_get (more, i);
        size_t member_mark = path_index (&self->path, i);
        if (!json_object_get (member, "from"))
            extension_fault (self, "has no 'from'");
        json_array_append_new (members, json_deep_copy (member));
        path_back (&self->path, member_mark);
        self->adds = true;
    }
    path_back (&self->path, mark);
}

static void group_change (struct extension *self, json_t *group,
                          const json_t *change) {
    json_t *members = json_object_get (group, "members");
    if (json_object_get (change, "title"))
        extension_fault (self, "has a title: it is corrected by 'titles'");
    members_end (self, members, json_object_get (change, "ends"));
    members_add (self, members, json_object_get (change, "members"));
}

/* New countries. */

static bool is_below (const struct taxonomy *self, int region, int wanted) {
    bool found = region == wanted;
    for (size_t i = 0; !found && i < self->regions[region].part_count; i++)
        found = is_below (self, self->regions[region].parts[i], wanted);
    return found;
}

/* Into the region; true: and so into World. */
static bool country_into (struct extension *self, const char *country,
                          const json_t *wanted) {
    const struct taxonomy *before = self->before;
    const char *code = build_text (wanted);
    int world = taxonomy_region (before, slice_text (TAXONOMY_WORLD));
    int region = code ? taxonomy_region (before, slice_text (code)) : -1;
    if (region < 0 || before->regions[region].part_count == 0) {
        extension_fault (self, "is no region with parts of version %lld",
                         (long long) before->version);
        return false;
    }
    json_t *object =
        json_object_get (json_object_get (self->next, "regions"), code);
    json_t *parts = json_object_get (object, "parts");
    for (size_t i = 0; i < json_array_size (parts); i++)
        if (!strcmp (json_string_value (json_array_get (parts, i)), country)) {
            extension_fault (self, "is '%s', which is there already", code);
            return false;
        }
    json_array_append_new (parts, json_string (country));
    return world >= 0 && is_below (before, world, region);
}

/* It is a part of the regions that it names, and of World at least: directly
 * where they are not. */
static void country_place (struct extension *self, const char *country,
                           json_t *object) {
    const json_t *within = json_object_get (object, "within");
    size_t mark = path_member (&self->path, "within"), count;
    bool in_world = false;
    count = json_array_size (within);
    if (within && !json_object_get (object, "alpha2"))
        extension_fault (self, "is for a country: a region has 'parts'");
    else if (within && (!count || count > self->before->region_count))
        extension_fault (self, "is no array of 1 to %zu codes of regions",
                         self->before->region_count);
    else if (json_object_get (object, "alpha2")) {
        for (size_t i = 0; i < count; i++) {
            size_t index_mark = path_index (&self->path, i);
            in_world |=
                country_into (self, country, json_array_get (within, i));
            path_back (&self->path, index_mark);
        }
        json_t *world = json_object_get (
            json_object_get (json_object_get (self->next, "regions"),
                             TAXONOMY_WORLD),
            "parts");
        if (!in_world && world)
            json_array_append_new (world, json_string (country));
    }
    json_object_del (object, "within");
    path_back (&self->path, mark);
}

static bool region_known (const struct taxonomy *self, const char *code) {
    return taxonomy_region (self, slice_text (code)) >= 0;
}

/* In the order of codes: that of the body's members means nothing. */
static void countries_place (struct extension *self) {
    json_t *regions = json_object_get (self->next, "regions");
    size_t mark = path_member (&self->path, "adds"), count;
    path_member (&self->path, "regions");
    const char **codes =
        build_codes_new (regions, region_known, self->before, &count);
    for (size_t i = 0; i < count; i++) {
        size_t code_mark = path_member (&self->path, codes[i]);
        json_t *object = json_object_get (regions, codes[i]);
        if (json_is_object (object))
            country_place (self, codes[i], object);
        path_back (&self->path, code_mark);
    }
    free (codes);
    path_back (&self->path, mark);
}

static void code_add (struct extension *self, size_t section, const char *code,
                      json_t *value) {
    json_t *all = json_object_get (self->next, sections[section]);
    json_t *there = json_object_get (all, code);
    if (there && !json_is_object (value))
        extension_fault (self, "is no object");
    else if (there && section == SECTION_GROUPS)
        group_change (self, there, value);
    else if (there)
        extension_fault (self, "is there already, and keeps its meaning");
    else {
        if (section == SECTION_GROUPS && json_object_get (value, "ends"))
            extension_fault (self, "is new, and has 'ends'");
        json_t *copy = json_deep_copy (value);
        json_object_set_new (all, code, copy);
        self->adds = true;
    }
}

static void title_set (struct extension *self, size_t section, const char *code,
                       json_t *value) {
    json_t *there =
        json_object_get (json_object_get (self->next, sections[section]), code);
    if (!json_object_get (
            json_object_get (self->before->json, sections[section]), code))
        extension_fault (self, "is not in version %lld",
                         (long long) self->before->version);
    else if (taxonomy_title_check (value, &self->path, self->faults))
        json_object_set_new (there, "title", json_deep_copy (value));
    self->adds = true;
}

/* Each code of the body's `member` by section: an object of objects. */
static void each_code (struct extension *self, const json_t *body,
                       const char *member,
                       void (*take) (struct extension *, size_t, const char *,
                                     json_t *)) {
    json_t *all = json_object_get (body, member);
    size_t mark = path_member (&self->path, member);
    if (all && !json_is_object (all))
        extension_fault (self, "is no object");
    for (size_t i = 0; i < SECTIONS; i++) {
        json_t *codes = json_object_get (all, sections[i]), *value;
        size_t section_mark = path_member (&self->path, sections[i]);
        const char *code;
        if (codes && !json_is_object (codes))
            extension_fault (self, "is no object of codes");
        json_object_foreach (codes, code, value) {
            size_t code_mark = path_member (&self->path, code);
            take (self, i, code, value);
            path_back (&self->path, code_mark);
        }
        path_back (&self->path, section_mark);
    }
    path_back (&self->path, mark);
}

/* The place in the extension of what stands at `pointer` of the next version's
 * file: below "adds", and members counted from the first new one. */
static void pointer_turn (const struct taxonomy *before, const char *pointer,
                          char out[PATH_MAX_OCTETS]) {
    char code[TAXONOMY_CODE_MAX + 1];
    unsigned long index;
    int end = 0;
    if (sscanf (pointer, "/country_groups/%80[A-Z]/members/%lu%n", code, &index,
                &end)
            == 2
        && end) {
        size_t had = json_array_size (json_object_get (
            json_object_get (json_object_get (before->json, "country_groups"),
                             code),
            "members"));
        if (index >= had)
            index -= had;
        snprintf (out, PATH_MAX_OCTETS, "/adds/country_groups/%s/members/%lu%s",
                  code, index, pointer + end);
    } else
        snprintf (out, PATH_MAX_OCTETS, "%s%.500s", *pointer ? "/adds" : "",
                  pointer);
}

static struct taxonomy *next_build (struct extension *self) {
    struct faults found = { 0 };
    struct taxonomy *made = taxonomy_build (self->next, self->before, &found);
    for (size_t i = 0; i < found.kept; i++) {
        char pointer[PATH_MAX_OCTETS];
        pointer_turn (self->before, found.at[i].pointer, pointer);
        faults_add (self->faults, pointer, "%s", found.at[i].text);
    }
    self->faults->count += found.count - found.kept;
    faults_clear (&found);
    return made;
}

struct taxonomy *taxonomy_extend (const struct taxonomy *self,
                                  const json_t *body, struct faults *faults) {
    struct extension extension = { .before = self, .faults = faults };
    size_t faults_before = faults->count;
    if (!json_is_object (body)) {
        faults_add (faults, "", "is no JSON object");
        return NULL;
    }
    extension.next = taxonomy_json (self);
    version_check (&extension, body);
    each_code (&extension, body, "adds", code_add);
    countries_place (&extension);
    each_code (&extension, body, "titles", title_set);
    if (!extension.adds)
        extension_fault (&extension, "adds nothing");
    struct taxonomy *made = next_build (&extension); /* takes `next` */
    if (made && faults->count > faults_before)
        taxonomy_unref (&made);
    return made;
}
