/* diff - pairs what has the same id, and compares member by member. */
#include "diff_impl.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const kind_names[DIFF_KINDS] = {
    "action-added", "action-removed", "dates", "status",    "who",
    "regions",      "priorities",     "links", "milestone", "indicator",
    "goal",         "handling",       "text",  "other",
};

const char *diff_kind_name (enum diff_kind kind) {
    return kind_names[kind];
}

struct diff_mark diff_step (struct differ *self, const char *name) {
    return (struct diff_mark){ path_member (&self->after, name),
                               path_member (&self->before, name) };
}

void diff_back (struct differ *self, struct diff_mark mark) {
    path_back (&self->after, mark.after);
    path_back (&self->before, mark.before);
}

/* Each kind keeps as many as the whole may, so that the first kinds lose
 * nothing to those behind. */
void diff_add (struct differ *self, enum diff_kind kind, bool gone,
               const char *format, ...) {
    struct diff *out = self->out;
    out->count++;
    if (self->kept_of[kind]++ >= DIFF_MAX)
        return;
    char text[ERROR_TEXT_MAX], printable[ERROR_TEXT_MAX];
    size_t size = (size_t) snprintf (text, sizeof text, "%s", self->subject);
    va_list args;
    va_start (args, format);
    vsnprintf (text + size, sizeof text - size, format, args);
    va_end (args);
    text_printable (printable, sizeof printable, text, strlen (text));
    if (out->kept == self->room) {
        self->room = self->room ? self->room * 2 : 32;
        out->at = mem_resize (out->at, self->room * sizeof *out->at);
    }
    out->at[out->kept++] = (struct diff_change){
        .kind = kind,
        .gone = gone,
        .pointer = mem_copy_text (gone ? self->before.text : self->after.text),
        .text = mem_copy_text (printable),
    };
}

static bool same_members (const json_t *a, const json_t *b) {
    json_t *object = (json_t *) (uintptr_t) a; /* iterators change nothing */
    for (void *at = json_object_iter (object); at;
         at = json_object_iter_next (object, at))
        if (!diff_same (json_object_iter_value (at),
                        json_object_getn (b, json_object_iter_key (at),
                                          json_object_iter_key_len (at))))
            return false;
    return json_object_size (a) == json_object_size (b);
}

static bool same_items (const json_t *a, const json_t *b) {
    for (size_t i = 0; i < json_array_size (a); i++)
        if (!diff_same (json_array_get (a, i), json_array_get (b, i)))
            return false;
    return json_array_size (a) == json_array_size (b);
}

/* As json_equal, but that 1.0 is 1, as on the wire. */
bool diff_same (const json_t *a, const json_t *b) {
    if (!a || !b)
        return a == b;
    if (json_is_real (a) != json_is_real (b) && json_is_number (a)
        && json_is_number (b))
        return json_number_value (a) == json_number_value (b);
    if (json_is_object (a) && json_is_object (b))
        return same_members (a, b);
    if (json_is_array (a) && json_is_array (b))
        return same_items (a, b);
    return json_equal (a, b);
}

static bool in_table (const struct diff_member *table, const char *name) {
    for (; table->name; table++)
        if (strcmp (table->name, name) == 0)
            return true;
    return false;
}

static void compare_member (struct differ *self,
                            const struct diff_member *member,
                            const json_t *before, const json_t *after) {
    if (diff_same (before, after))
        return;
    struct diff_mark mark = diff_step (self, member->name);
    member->tell (self, member, before, after);
    diff_back (self, mark);
}

/* Members of `object` that the table does not name; of the earlier one only
 * those that are gone. */
static void others (struct differ *self, const struct diff_member *table,
                    const json_t *object, const json_t *other, bool gone) {
    json_t *iterated = (json_t *) (uintptr_t) object;
    for (void *at = json_object_iter (iterated); at;
         at = json_object_iter_next (iterated, at)) {
        const char *name = json_object_iter_key (at);
        const json_t *value = json_object_iter_value (at);
        const json_t *opposite = json_object_get (other, name);
        char label[SHOWN_MAX + 12], text[SHOWN_MAX];
        if (in_table (table, name) || (gone && opposite))
            continue;
        snprintf (label, sizeof label, "member '%s'",
                  shown (text, slice_text (name)));
        struct diff_member member = { name, DIFF_OTHER, tell_value, label,
                                      NULL };
        compare_member (self, &member, gone ? value : opposite,
                        gone ? NULL : value);
    }
}

void diff_members (struct differ *self, const struct diff_member *table,
                   const json_t *before, const json_t *after) {
    for (const struct diff_member *member = table; member->name; member++)
        compare_member (self, member, json_object_get (before, member->name),
                        json_object_get (after, member->name));
    others (self, table, after, before, false);
    others (self, table, before, after, true);
}

/* Parts with ids: goals, actions, milestones, indicators. */

struct part_kind {
    const char *one; /* "action" */
    enum diff_kind added, removed;
    void (*compare) (struct differ *self, const json_t *before,
                     const json_t *after);
};

static struct slice id_of (const json_t *part) {
    return string_slice (json_object_get (part, "id"));
}

/* Id to number. *odd: some part has no id, or one that was there. */
static json_t *index_of (const json_t *list, bool *odd) {
    json_t *index = json_object();
    *odd = list && !json_is_array (list);
    for (size_t i = 0; i < json_array_size (list); i++) {
        struct slice id = id_of (json_array_get (list, i));
        const char *key = (const char *) id.data;
        if (id.size == 0 || json_object_getn (index, key, id.size))
            *odd = true;
        else
            json_object_setn_new_nocheck (index, key, id.size,
                                          json_integer ((json_int_t) i));
    }
    return index;
}

static const json_t *indexed (const json_t *list, const json_t *index,
                              struct slice id, size_t *number) {
    const json_t *found = NULL;
    if (id.size > 0)
        found = json_object_getn (index, (const char *) id.data, id.size);
    *number = found ? (size_t) json_integer_value (found) : 0;
    return found ? json_array_get (list, *number) : NULL;
}

/* "action A4 'Mobile 6'" and `end`. */
static void name_part (struct differ *self, const struct part_kind *kind,
                       const json_t *part, const char *end, char *out,
                       size_t room) {
    char id[SHOWN_MAX], title[SHOWN_MAX];
    snprintf (out, room, "%s %s '%s'%s", kind->one, shown (id, id_of (part)),
              diff_title (self, title, json_object_get (part, "title")), end);
}

static void compare_part (struct differ *self, const struct part_kind *kind,
                          const json_t *before, const json_t *after) {
    size_t size = strlen (self->subject);
    if (diff_same (before, after))
        return;
    name_part (self, kind, after, ": ", self->subject + size,
               sizeof self->subject - size);
    kind->compare (self, before, after);
    self->subject[size] = '\0';
}

/* Parts of `list`: those in the other list compared, unless they are gone. */
static void each_part (struct differ *self, const struct part_kind *kind,
                       const json_t *list, const json_t *other,
                       const json_t *index, bool gone) {
    for (size_t i = 0; i < json_array_size (list); i++) {
        const json_t *part = json_array_get (list, i);
        size_t number;
        const json_t *found = indexed (other, index, id_of (part), &number);
        char name[2 * SHOWN_MAX + 32];
        if (id_of (part).size == 0 || (gone && found))
            continue;
        struct diff_mark mark = { path_index (&self->after, gone ? number : i),
                                  path_index (&self->before,
                                              gone ? i : number) };
        name_part (self, kind, part, "", name, sizeof name);
        if (gone)
            diff_add (self, kind->removed, true, "%s removed", name);
        else if (!found)
            diff_add (self, kind->added, false, "%s added", name);
        else
            compare_part (self, kind, found, part);
        diff_back (self, mark);
    }
}

static void compare_parts (struct differ *self, const struct part_kind *kind,
                           const json_t *before, const json_t *after) {
    bool odd_before, odd_after;
    json_t *old = index_of (before, &odd_before);
    json_t *new = index_of (after, &odd_after);
    each_part (self, kind, after, before, old, false);
    each_part (self, kind, before, after, new, true);
    if (odd_before || odd_after)
        diff_add (self, DIFF_OTHER, false,
                  "%ss changed, some without an id of their own", kind->one);
    json_decref (old);
    json_decref (new);
}

static void compare_milestone (struct differ *self, const json_t *before,
                               const json_t *after) {
    static const struct diff_member table[] = {
        { "id", DIFF_OTHER, tell_value, "id", NULL },
        { "due", DIFF_MILESTONE, tell_date, "due", NULL },
        { "done", DIFF_MILESTONE, tell_done, "done", NULL },
        { "title", DIFF_TEXT, tell_text, "title", NULL },
        { 0 },
    };
    diff_members (self, table, before, after);
}

static void compare_indicator (struct differ *self, const json_t *before,
                               const json_t *after) {
    static const struct diff_member table[] = {
        { "id", DIFF_OTHER, tell_value, "id", NULL },
        { "targets", DIFF_INDICATOR, tell_points, "target", "targets" },
        { "baseline", DIFF_INDICATOR, tell_point, "baseline", NULL },
        { "better", DIFF_INDICATOR, tell_value, "better", NULL },
        { "unit", DIFF_INDICATOR, tell_value, "unit", NULL },
        { "title", DIFF_TEXT, tell_text, "title", NULL },
        { "source", DIFF_TEXT, tell_text, "source", NULL },
        { 0 },
    };
    diff_members (self, table, before, after);
}

static void tell_milestones (struct differ *self,
                             const struct diff_member *member,
                             const json_t *before, const json_t *after) {
    static const struct part_kind kind = { "milestone", DIFF_MILESTONE,
                                           DIFF_MILESTONE, compare_milestone };
    (void) member;
    compare_parts (self, &kind, before, after);
}

static void tell_indicators (struct differ *self,
                             const struct diff_member *member,
                             const json_t *before, const json_t *after) {
    static const struct part_kind kind = { "indicator", DIFF_INDICATOR,
                                           DIFF_INDICATOR, compare_indicator };
    (void) member;
    compare_parts (self, &kind, before, after);
}

static void compare_goal (struct differ *self, const json_t *before,
                          const json_t *after) {
    static const struct diff_member table[] = {
        { "id", DIFF_OTHER, tell_value, "id", NULL },
        { "parent", DIFF_GOAL, tell_value, "goal above it", NULL },
        { "priorities", DIFF_PRIORITIES, tell_priorities, "priority",
          "priorities" },
        { "regions", DIFF_REGIONS, tell_regions, "region", "regions" },
        { "indicators", DIFF_INDICATOR, tell_indicators, "", NULL },
        { "title", DIFF_TEXT, tell_text, "title", NULL },
        { 0 },
    };
    diff_members (self, table, before, after);
}

/* Told by tell_span. */
static void tell_nothing (struct differ *self, const struct diff_member *member,
                          const json_t *before, const json_t *after) {
    (void) self, (void) member, (void) before, (void) after;
}

static void compare_action (struct differ *self, const json_t *before,
                            const json_t *after) {
    static const struct diff_member table[] = {
        { "id", DIFF_OTHER, tell_value, "id", NULL },
        { "from", DIFF_DATES, tell_nothing, "", NULL },
        { "to", DIFF_DATES, tell_nothing, "", NULL },
        { "status", DIFF_STATUS, tell_value, "status", NULL },
        { "lead", DIFF_WHO, tell_value, "lead", NULL },
        { "co_leads", DIFF_WHO, tell_set, "co-lead", "co-leads" },
        { "partners", DIFF_WHO, tell_set, "partner", "partners" },
        { "others", DIFF_WHO, tell_set, "body outside the dialogue",
          "bodies outside the dialogue" },
        { "open_to", DIFF_WHO, tell_set, "sought partner", "sought partners" },
        { "regions", DIFF_REGIONS, tell_regions, "region", "regions" },
        { "priorities", DIFF_PRIORITIES, tell_priorities, "priority",
          "priorities" },
        { "same_as", DIFF_LINKS, tell_set, "link to the same action as",
          "links to the same actions as" },
        { "depends_on", DIFF_LINKS, tell_set, "dependency on",
          "dependencies on" },
        { "goals", DIFF_LINKS, tell_set, "goal", "goals" },
        { "milestones", DIFF_MILESTONE, tell_milestones, "", NULL },
        { "indicators", DIFF_INDICATOR, tell_indicators, "", NULL },
        { "kind", DIFF_STATUS, tell_value, "kind", NULL },
        { "needs", DIFF_TEXT, tell_set, "need", "needs" },
        { "title", DIFF_TEXT, tell_text, "title", NULL },
        { "description", DIFF_TEXT, tell_text, "description", NULL },
        { "note", DIFF_TEXT, tell_text, "note", NULL },
        { 0 },
    };
    tell_span (self, before, after);
    diff_members (self, table, before, after);
}

static void tell_goals (struct differ *self, const struct diff_member *member,
                        const json_t *before, const json_t *after) {
    static const struct part_kind kind = { "goal", DIFF_GOAL, DIFF_GOAL,
                                           compare_goal };
    (void) member;
    compare_parts (self, &kind, before, after);
}

static void tell_actions (struct differ *self, const struct diff_member *member,
                          const json_t *before, const json_t *after) {
    static const struct part_kind kind = { "action", DIFF_ACTION_ADDED,
                                           DIFF_ACTION_REMOVED,
                                           compare_action };
    (void) member;
    compare_parts (self, &kind, before, after);
}

static void tell_cycle (struct differ *self, const struct diff_member *member,
                        const json_t *before, const json_t *after) {
    static const struct diff_member table[] = {
        { "from", DIFF_DATES, tell_date, "begins", NULL },
        { "to", DIFF_DATES, tell_date, "ends", NULL },
        { "next_review", DIFF_DATES, tell_date, "next review", NULL },
        { "phases", DIFF_DATES, tell_set, "phase", "phases" },
        { 0 },
    };
    if (!json_is_object (before) || !json_is_object (after)) {
        tell_value (self, member, before, after);
        return;
    }
    snprintf (self->subject, sizeof self->subject, "cycle: ");
    diff_members (self, table, before, after);
    self->subject[0] = '\0';
}

static void tell_terms (struct differ *self, const struct diff_member *member,
                        const json_t *before, const json_t *after) {
    static const struct diff_member none[] = { { 0 } };
    (void) member;
    snprintf (self->subject, sizeof self->subject, "own terms: ");
    diff_members (self, none, before, after);
    self->subject[0] = '\0';
}

static const struct diff_member plan_table[] = {
    { "actions", DIFF_ACTION_ADDED, tell_actions, "", NULL },
    { "goals", DIFF_GOAL, tell_goals, "", NULL },
    { "cycle", DIFF_DATES, tell_cycle, "cycle", NULL },
    { "regions", DIFF_REGIONS, tell_regions, "region", "regions" },
    { "priorities", DIFF_PRIORITIES, tell_priorities, "priority",
      "priorities" },
    { "part_of", DIFF_LINKS, tell_value, "plan that it is part of", NULL },
    { "handling", DIFF_HANDLING, tell_value, "handling", NULL },
    { "caveats", DIFF_HANDLING, tell_set, "caveat", "caveats" },
    { "level", DIFF_HANDLING, tell_value, "level", NULL },
    { "adopted", DIFF_HANDLING, tell_value, "adoption", NULL },
    { "contacts", DIFF_HANDLING, tell_set, "contact", "contacts" },
    { "sources", DIFF_HANDLING, tell_set, "source", "sources" },
    { "title", DIFF_TEXT, tell_text, "title", NULL },
    { "summary", DIFF_TEXT, tell_text, "summary", NULL },
    { "own_terms", DIFF_TEXT, tell_terms, "own term", NULL },
    { "lang", DIFF_TEXT, tell_value, "language", NULL },
    { "plan", DIFF_OTHER, tell_value, "plan", NULL },
    { "entity", DIFF_OTHER, tell_value, "entity", NULL },
    { "format", DIFF_OTHER, tell_value, "format", NULL },
    { 0 },
};

/* By kind, then what is gone behind; else in the order in which it was found,
 * which qsort would not keep. */
struct ordered {
    struct diff_change change;
    size_t number;
};

static int change_order (const void *left, const void *right) {
    const struct ordered *a = left, *b = right;
    if (a->change.kind != b->change.kind)
        return a->change.kind < b->change.kind ? -1 : 1;
    if (a->change.gone != b->change.gone)
        return a->change.gone ? 1 : -1;
    return (a->number > b->number) - (a->number < b->number);
}

static void drop (struct diff_change *change) {
    free (change->pointer);
    free (change->text);
}

static void sort (struct diff *self) {
    struct ordered *all = mem_alloc ((self->kept + 1) * sizeof *all);
    for (size_t i = 0; i < self->kept; i++)
        all[i] = (struct ordered){ self->at[i], i };
    qsort (all, self->kept, sizeof *all, change_order);
    for (size_t i = 0; i < self->kept; i++) {
        self->at[i] = all[i].change;
        if (i >= DIFF_MAX)
            drop (&self->at[i]);
    }
    if (self->kept > DIFF_MAX)
        self->kept = DIFF_MAX;
    free (all);
}

void diff_make (const json_t *before, const json_t *after,
                const struct taxonomy *taxonomy, struct diff *out) {
    const char *lang = json_string_value (json_object_get (after, "lang"));
    struct differ differ = { .taxonomy = taxonomy,
                             .lang = lang ? lang : "",
                             .out = out };
    static const struct diff_member whole = { "", DIFF_OTHER, tell_value,
                                              "document", NULL };
    *out = (struct diff){ 0 };
    if (json_is_object (before) && json_is_object (after))
        diff_members (&differ, plan_table, before, after);
    else if (!diff_same (before, after))
        tell_value (&differ, &whole, before, after);
    sort (out);
}

void diff_free (struct diff *self) {
    for (size_t i = 0; i < self->kept; i++)
        drop (&self->at[i]);
    free (self->at);
    *self = (struct diff){ 0 };
}

json_t *diff_json (const struct diff *self) {
    json_t *list = json_array();
    for (size_t i = 0; i < self->kept; i++) {
        const struct diff_change *change = &self->at[i];
        json_array_append_new (list,
                               json_pack ("{ss ss sb ss}", "kind",
                                          diff_kind_name (change->kind),
                                          "pointer", change->pointer, "gone",
                                          change->gone, "text", change->text));
    }
    return json_pack ("{sI so}", "count", (json_int_t) self->count, "changes",
                      list);
}
