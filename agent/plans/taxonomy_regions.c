/* taxonomy_regions - regions, countries and groups of a taxonomy's JSON. */
#include "taxonomy_impl.h"

#include <stdlib.h>

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool region_code_valid (const char *code) {
    return strlen (code) == 3 && strspn (code, "0123456789") == 3;
}

static bool group_code_valid (const char *code) {
    size_t size = strlen (code);
    return size >= 2 && size <= 16 && strspn (code, UPPER) == size;
}

static bool region_known (const struct taxonomy *self, const char *code) {
    return taxonomy_region (self, slice_text (code)) >= 0;
}

static int region_by (const struct build *self, const json_t *code) {
    const char *text = build_text (code);
    return text ? taxonomy_region (self->made, slice_text (text)) : -1;
}

static json_t *region_object (struct build *self, int number) {
    const struct region *region = &self->made->regions[number];
    const char *section = region->is_group ? "country_groups" : "regions";
    return json_object_get (json_object_get (self->made->json, section),
                            region->code);
}

/* Countries. */

static void country_put (struct build *self, struct region *region,
                         const json_t *alpha2) {
    struct taxonomy *made = self->made;
    size_t mark = path_member (&self->path, "alpha2");
    const char *text = build_text (alpha2);
    if (!text || strlen (text) != 2 || strspn (text, UPPER) != 2)
        build_fault (self, "is not two letters A to Z");
    else if (made->country_count == TAXONOMY_COUNTRIES_MAX)
        build_fault (self, "is one country too many: at most %d",
                     TAXONOMY_COUNTRIES_MAX);
    else {
        for (size_t i = 0; i < made->country_count; i++)
            if (!strcmp (made->alpha2[i], text))
                build_fault (self, "is '%s', as country %s has", text,
                             made->regions[made->countries[i]].code);
        made->alpha2[made->country_count] = text;
        made->countries[made->country_count] = (int) (region - made->regions);
        region->country = (int) made->country_count++;
        countries_add (&region->countries, region->country);
    }
    path_back (&self->path, mark);
}

/* Regions. */

static void region_read (struct build *self, int number) {
    struct region *region = &self->made->regions[number];
    const char *code = region->code;
    size_t mark = path_member (&self->path, code);
    const json_t *object = region_object (self, number);
    const json_t *alpha2 = json_object_get (object, "alpha2");
    if (!region_code_valid (code))
        build_fault (self, "is no code of a region or country: three digits");
    if (!json_is_object (object))
        build_fault (self, "is no object");
    else if (!alpha2 == !json_object_get (object, "parts"))
        build_fault (self, "has not one of 'parts' and 'alpha2'");
    region->title = build_title (self, object);
    if (alpha2)
        country_put (self, region, alpha2);
    path_back (&self->path, mark);
}

static void parts_read (struct build *self, int number) {
    struct taxonomy *made = self->made;
    struct region *region = &made->regions[number];
    const json_t *parts =
        json_object_get (region_object (self, number), "parts");
    size_t count = json_array_size (parts), mark = self->path.size;
    if (!parts)
        return;
    path_member (&self->path, region->code);
    path_member (&self->path, "parts");
    if (!count || count > made->region_count)
        build_fault (self, "is no array of 1 to %zu codes", made->region_count);
    else
        region->parts = mem_alloc (count * sizeof *region->parts);
    bool *named = mem_alloc (made->region_count * sizeof *named);
    for (size_t i = 0; region->parts && i < count; i++) {
        int part = region_by (self, json_array_get (parts, i));
        size_t parts_mark = path_index (&self->path, i);
        if (part < 0 || made->regions[part].is_group)
            build_fault (self, "is no region or country of this taxonomy");
        else if (named[part])
            build_fault (self, "is '%s', which is there already",
                         made->regions[part].code);
        else
            region->parts[region->part_count++] = part;
        if (part >= 0)
            named[part] = true;
        path_back (&self->path, parts_mark);
    }
    free (named);
    path_back (&self->path, mark);
}

/* A region's countries are those of its parts; each is looked at once. */
enum visit { NOT_YET, IN_PROGRESS, DONE };

static void parts_join (struct build *self, enum visit *visits, int number) {
    struct region *region = &self->made->regions[number];
    visits[number] = IN_PROGRESS;
    for (size_t i = 0; i < region->part_count; i++) {
        int part = region->parts[i];
        if (visits[part] == NOT_YET)
            parts_join (self, visits, part);
        if (visits[part] == IN_PROGRESS) {
            size_t mark = path_member (&self->path, region->code);
            path_member (&self->path, "parts");
            build_fault (self, "makes a circle: '%s' is within '%s'",
                         region->code, self->made->regions[part].code);
            path_back (&self->path, mark);
        }
        for (int word = 0; word < COUNTRIES_WORDS; word++)
            region->countries.bits[word] |=
                self->made->regions[part].countries.bits[word];
    }
    visits[number] = DONE;
}

static void parts_join_all (struct build *self) {
    size_t count = self->made->region_count;
    size_t mark = path_member (&self->path, "regions");
    enum visit *visits = mem_alloc ((count + 1) * sizeof *visits);
    for (size_t i = 0; i < count; i++)
        if (visits[i] == NOT_YET)
            parts_join (self, visits, (int) i);
    free (visits);
    path_back (&self->path, mark);
}

/* Groups. */

static bool member_day (struct build *self, const json_t *object,
                        const char *name, struct date *out) {
    const json_t *value = json_object_get (object, name);
    struct error e;
    if (!value || (json_is_null (value) && !strcmp (name, "to")))
        return false;
    size_t mark = path_member (&self->path, name);
    const char *text = build_text (value);
    bool good = text && !date_read (slice_text (text), out, &e);
    if (!good)
        build_fault (self, "%s", text ? e.text : "is no date as text");
    path_back (&self->path, mark);
    return good;
}

/* Is one country a member twice on some day? */
static bool member_twice (const struct region *group,
                          const struct member *member) {
    for (size_t i = 0; i < group->member_count; i++) {
        const struct member *other = &group->members[i];
        if (other->country == member->country && other->first <= member->last
            && member->first <= other->last)
            return true;
    }
    return false;
}

static void member_put (struct build *self, struct region *group,
                        const json_t *object) {
    int number = region_by (self, json_object_get (object, "country"));
    struct member member = { .first = INT32_MIN, .last = DAY_OPEN };
    struct date from, to;
    if (member_day (self, object, "from", &from))
        member.first = from.first;
    if (member_day (self, object, "to", &to))
        member.last = to.last;
    member.country = number < 0 ? -1 : self->made->regions[number].country;
    if (member.country < 0)
        build_fault (self, "has a 'country' that is none of this taxonomy");
    else if (member.first > member.last)
        build_fault (self, "ends before it begins");
    else if (member_twice (group, &member))
        build_fault (self, "is %s again, which is a member then already",
                     self->made->regions[number].code);
    else
        group->members[group->member_count++] = member;
}

static void group_read (struct build *self, int number) {
    struct region *group = &self->made->regions[number];
    const char *code = group->code;
    size_t mark = path_member (&self->path, code);
    const json_t *object = region_object (self, number);
    const json_t *members = json_object_get (object, "members");
    size_t count = json_array_size (members);
    if (!group_code_valid (code))
        build_fault (self, "is no code of a group: 2 to 16 letters A to Z");
    if (!json_is_object (object))
        build_fault (self, "is no object");
    group->title = build_title (self, object);
    path_member (&self->path, "members");
    if (!count || count > GROUP_MEMBERS_MAX)
        build_fault (self, "is no array of 1 to %d members", GROUP_MEMBERS_MAX);
    else
        group->members = mem_alloc (count * sizeof *group->members);
    for (size_t i = 0; group->members && i < count; i++) {
        size_t member_mark = path_index (&self->path, i);
        member_put (self, group, json_array_get (members, i));
        path_back (&self->path, member_mark);
    }
    path_back (&self->path, mark);
}

/* All together. */

static int region_order (const void *a, const void *b, void *arg) {
    const struct region *all = arg;
    return strcmp (all[*(const int *) a].code, all[*(const int *) b].code);
}

static void slots_add (struct build *self, json_t *all, bool is_group) {
    size_t count;
    const char **codes =
        build_codes_new (all, region_known, self->before, &count);
    for (size_t i = 0; i < count; i++)
        self->made->regions[self->made->region_count++] =
            (struct region){ codes[i], "", is_group, .country = -1 };
    free (codes);
}

/* Codes at their numbers: those of `before`, then new regions, new groups. */
static void slots_make (struct build *self, json_t *regions, json_t *groups) {
    struct taxonomy *made = self->made;
    size_t room = json_object_size (regions) + json_object_size (groups) + 1;
    made->regions = mem_alloc (room * sizeof *made->regions);
    for (size_t i = 0; self->before && i < self->before->region_count; i++) {
        const struct region *old = &self->before->regions[i];
        made->regions[made->region_count++] =
            (struct region){ old->code, "", old->is_group, .country = -1 };
    }
    slots_add (self, regions, false);
    slots_add (self, groups, true);
    made->region_order = build_numbers (made->region_count);
    qsort_r (made->region_order, made->region_count, sizeof (int), region_order,
             made->regions);
}

static void each_read (struct build *self, const char *section, bool groups,
                       void (*read) (struct build *, int)) {
    size_t mark = path_member (&self->path, section);
    for (size_t i = 0; i < self->made->region_count; i++)
        if (self->made->regions[i].is_group == groups)
            read (self, (int) i);
    path_back (&self->path, mark);
}

void build_regions (struct build *self) {
    json_t *regions = build_codes (self, "regions", TAXONOMY_CODES_MAX);
    json_t *groups = build_codes (self, "country_groups", TAXONOMY_CODES_MAX);
    if (!regions || !groups)
        return;
    if (json_object_size (regions) + json_object_size (groups)
        > TAXONOMY_CODES_MAX) {
        build_fault (self, "has more than %d regions and groups",
                     TAXONOMY_CODES_MAX);
        return;
    }
    slots_make (self, regions, groups);
    each_read (self, "regions", false, region_read);
    each_read (self, "regions", false, parts_read);
    parts_join_all (self);
    each_read (self, "country_groups", true, group_read);
}
