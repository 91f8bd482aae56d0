/* config - the octets of a file are judged first, line by line, by rules that
 * leave zconfig nothing to guess; zconfig then parses them; its tree is laid
 * out flat, by path, so that a name given twice shows and a name that nobody
 * asked for can be told. */
#include "base/config.h"

#include <assert.h>
#include <czmq.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/disk.h"

#define FILE_MAX ((size_t) 65536)
#define LINE_MAX_OCTETS 1000 /* zconfig cuts a line at 1,024 */
#define NAME_MAX_OCTETS 64   /* of one level */
#define DEPTH_MAX 8
#define NAMES_MAX 512 /* zconfig's and our own search are quadratic */
#define PATH_ROOM (DEPTH_MAX * (NAME_MAX_OCTETS + 1))

struct item {
    char *name;        /* whole path, owned */
    const char *value; /* the tree's */
    bool section;      /* only there to find doubles */
    bool asked;
};

struct kept {
    struct kept *next;
    char text[];
};

struct config {
    char *path;    /* as the caller named it */
    size_t folder; /* octets of path up to its last slash, that included */
    zconfig_t *tree;
    struct item items[NAMES_MAX];
    size_t count;
    struct kept *kept;    /* text made for the caller */
    struct error failure; /* the first one */
    bool missing;         /* it says that a name is missing */
};

/* What the lines before tell about the next one. */
struct place {
    size_t names;
    size_t level; /* of the last name */
    bool section; /* the last name had no value */
    bool any;
};

static enum err text_check (struct slice text, struct error *e) {
    if (text.size > FILE_MAX)
        return error_set (e, ERR_LIMIT, "has %zu octets; at most %zu",
                          text.size, FILE_MAX);
    size_t line = 1;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '\n')
            line++;
        else if (c < ' ' || c == 0x7f)
            return error_set (e, ERR_CONFIG,
                              "line %zu: control character 0x%02x; indent with"
                              " spaces, end lines with a newline alone",
                              line, (unsigned) c);
    }
    json_t *utf8 = json_stringn ((const char *) text.data, text.size);
    if (text.size && !utf8)
        return error_set (e, ERR_CONFIG, "is not UTF-8");
    json_decref (utf8);
    return 0;
}

static const char *skip_spaces (const char *at) {
    return at + strspn (at, " ");
}

/* Nothing, or a comment that a space sets apart. */
static bool ends (const char *at) {
    const char *next = skip_spaces (at);
    return *next == '\0' || (*next == '#' && next > at);
}

static enum err value_check (const char *at, struct error *e) {
    if (*at == '"' || *at == '\'') {
        const char *close = strchr (at + 1, *at);
        if (!close)
            return error_set (e, ERR_CONFIG, "no closing %c: %s", *at, at);
        if (!ends (close + 1))
            return error_set (e, ERR_CONFIG, "text after the value: %s",
                              close + 1);
        return 0;
    }
    size_t size = strcspn (at, " #\"'");
    if (size == 0)
        return error_set (e, ERR_CONFIG,
                          "no value; write \"\" for an empty one");
    if (!ends (at + size))
        return error_set (e, ERR_CONFIG,
                          "put quotes around a value with a space, a quote or"
                          " '#': %s",
                          at);
    return 0;
}

static enum err name_check (const char *name, size_t size, struct error *e) {
    if (size == 0)
        return error_set (e, ERR_CONFIG,
                          "a name has letters a-z, digits, '_', '-', '.' and"
                          " '/': %s",
                          name);
    if (size > NAME_MAX_OCTETS)
        return error_set (e, ERR_LIMIT, "a name of %zu octets; at most %d",
                          size, NAME_MAX_OCTETS);
    if (name[0] == '/' || name[size - 1] == '/' || memmem (name, size, "//", 2))
        return error_set (e, ERR_CONFIG,
                          "a '/' stands between two parts of a name: %.*s",
                          (int) size, name);
    return 0;
}

static enum err level_check (struct place *place, size_t level,
                             struct error *e) {
    size_t most = place->any ? place->level + 1 : 0;
    if (level > most || level >= DEPTH_MAX)
        return error_set (e, ERR_CONFIG,
                          "indented by %zu spaces; at most %zu here", 4 * level,
                          4 * (most < DEPTH_MAX ? most : DEPTH_MAX - 1));
    if (place->any && level > place->level && !place->section)
        return error_set (e, ERR_CONFIG,
                          "indented below a name that has a value");
    if (place->any && level <= place->level && place->section)
        return error_set (e, ERR_CONFIG,
                          "the name above has no value and nothing below it");
    return 0;
}

/* One line without its newline. */
static enum err line_check (const char *line, struct place *place,
                            struct error *e) {
    if (strlen (line) > LINE_MAX_OCTETS)
        return error_set (e, ERR_LIMIT, "%zu octets; at most %d", strlen (line),
                          LINE_MAX_OCTETS);
    const char *name = skip_spaces (line);
    size_t indent = (size_t) (name - line);
    if (*name == '\0')
        return 0;
    if (indent % 4 != 0)
        return error_set (e, ERR_CONFIG,
                          "indented by %zu spaces; must be a multiple of 4",
                          indent);
    if (*name == '#')
        return 0;
    size_t size = strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789_-./");
    const char *rest = skip_spaces (name + size);
    bool section = ends (name + size);
    enum err err = level_check (place, indent / 4, e);
    if (!err)
        err = name_check (name, size, e);
    if (!err && !section && *rest != '=')
        err = error_set (e, ERR_CONFIG, "neither a name nor name = value: %s",
                         name);
    if (!err && !section)
        err = value_check (skip_spaces (rest + 1), e);
    if (!err && ++place->names > NAMES_MAX)
        err = error_set (e, ERR_LIMIT, "more than %d names", NAMES_MAX);
    *place = (struct place){ place->names, indent / 4, section, true };
    return err;
}

/* `text` is checked and ends with NUL; it comes back as it was. */
static enum err lines_check (char *text, struct error *e) {
    struct place place = { 0 };
    size_t number = 1;
    for (char *line = text; line; number++) {
        char *end = strchr (line, '\n');
        if (end)
            *end = '\0';
        enum err err = line_check (line, &place, e);
        if (err)
            return error_at (e, "line %zu", number);
        if (end)
            *end = '\n';
        line = end ? end + 1 : NULL;
    }
    if (place.section)
        return error_set (e, ERR_CONFIG,
                          "the last name has no value and nothing below it");
    return 0;
}

static struct item *find (struct config *self, const char *name) {
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->items[i].name, name) == 0)
            return &self->items[i];
    return NULL;
}

/* Names below `node`, whose own path (with a slash) stands in `path`. */
static enum err tree_walk (struct config *self, zconfig_t *node, char *path,
                           struct error *e) {
    size_t size = strlen (path);
    for (zconfig_t *at = zconfig_child (node); at; at = zconfig_next (at)) {
        snprintf (path + size, PATH_ROOM - size, "%s", zconfig_name (at));
        if (find (self, path))
            return error_set (e, ERR_CONFIG, "\"%s\" is given twice", path);
        assert (self->count < NAMES_MAX);
        bool section = zconfig_child (at) != NULL;
        self->items[self->count++] = (struct item){
            .name = mem_copy_text (path),
            .value = zconfig_value (at),
            .section = section,
        };
        if (section) {
            strcat (path, "/"); /* a level is NAME_MAX_OCTETS and a slash */
            enum err err = tree_walk (self, at, path, e);
            if (err)
                return err;
        }
    }
    return 0;
}

static enum err parse (struct config *self, struct slice text,
                       struct error *e) {
    enum err err = text_check (text, e);
    if (err)
        return err;
    char *copy = mem_alloc (text.size + 1);
    if (text.size)
        memcpy (copy, text.data, text.size);
    err = lines_check (copy, e);
    if (!err) {
        self->tree = zconfig_str_load (copy);
        char path[PATH_ROOM + 1] = "";
        err = self->tree ? tree_walk (self, self->tree, path, e)
                         : error_set (e, ERR_CONFIG, "is not ZPL");
    }
    free (copy);
    return err;
}

struct config *config_read (struct slice text, const char *path,
                            struct error *e) {
    struct config *self = mem_alloc (sizeof *self);
    self->path = mem_copy_text (path);
    const char *slash = strrchr (path, '/');
    self->folder = slash ? (size_t) (slash - path) + 1 : 0;
    if (parse (self, text, e)) {
        error_at (e, "%s", path);
        config_destroy (&self);
    }
    return self;
}

struct config *config_load (const char *path, struct error *e) {
    /* A link is followed: containers and packages place files with them. */
    char *real = realpath (path, NULL);
    if (!real) {
        error_sys (e, errno, "%s", path);
        return NULL;
    }
    struct buf text = { 0 };
    struct config *self = NULL;
    if (disk_read_file (real, FILE_MAX, &text, e) == 0)
        self = config_read (buf_slice (&text), path, e);
    buf_free (&text);
    free (real);
    return self;
}

void config_destroy (struct config **self_p) {
    struct config *self = *self_p;
    if (!self)
        return;
    int saved_errno = errno;
    for (size_t i = 0; i < self->count; i++)
        free (self->items[i].name);
    while (self->kept) {
        struct kept *next = self->kept->next;
        free (self->kept);
        self->kept = next;
    }
    zconfig_destroy (&self->tree);
    free (self->path);
    free (self);
    *self_p = NULL;
    errno = saved_errno;
}

/* The value as it stands in the file, or NULL. */
static const char *ask (struct config *self, const char *name) {
    struct item *item = find (self, name);
    if (!item || item->section)
        return NULL;
    item->asked = true;
    return item->value;
}

/* Only the first failure is kept: later ones may follow from it. */
static void fail (struct config *self, const char *name, const char *value,
                  const char *rule) {
    if (self->failure.code)
        return;
    if (value)
        error_set (&self->failure, ERR_CONFIG, "%s: \"%s\" %s, not \"%s\"",
                   self->path, name, rule, value);
    else
        error_set (&self->failure, ERR_CONFIG, "%s: \"%s\" %s", self->path,
                   name, rule);
}

const char *config_text (struct config *self, const char *name,
                         const char *fallback) {
    const char *value = ask (self, name);
    if (value && (*value || fallback))
        return value;
    if (!fallback) {
        self->missing = self->missing || (!self->failure.code && !value);
        fail (self, name, NULL, value ? "must not be empty" : "is missing");
    }
    return fallback;
}

const char *config_path (struct config *self, const char *name,
                         const char *fallback) {
    const char *value = config_text (self, name, fallback);
    if (!value || !*value || *value == '/' || self->folder == 0)
        return value;
    size_t size = strlen (value) + 1;
    struct kept *kept = mem_alloc (sizeof *kept + self->folder + size);
    memcpy (kept->text, self->path, self->folder);
    memcpy (kept->text + self->folder, value, size);
    kept->next = self->kept;
    self->kept = kept;
    return kept->text;
}

/* One spelling: no plus sign, no leading zeros, no "-0". */
static bool int_parse (const char *text, int64_t *value) {
    const char *digits = text + (*text == '-');
    size_t size = strspn (digits, "0123456789");
    if (size == 0 || digits[size]
        || (*digits == '0' && (size > 1 || *text == '-')))
        return false;
    errno = 0;
    *value = strtoll (text, NULL, 10);
    return errno == 0;
}

int64_t config_int (struct config *self, const char *name, int64_t fallback,
                    int64_t min, int64_t max) {
    assert (min <= max);
    const char *text = ask (self, name);
    if (!text)
        return fallback;
    int64_t value;
    if (int_parse (text, &value) && value >= min && value <= max)
        return value;
    char rule[96];
    snprintf (rule, sizeof rule,
              "must be a whole number from %" PRId64 " to %" PRId64, min, max);
    fail (self, name, text, rule);
    return fallback;
}

bool config_bool (struct config *self, const char *name, bool fallback) {
    const char *text = ask (self, name);
    if (!text)
        return fallback;
    if (strcmp (text, "yes") == 0 || strcmp (text, "true") == 0)
        return true;
    if (strcmp (text, "no") == 0 || strcmp (text, "false") == 0)
        return false;
    fail (self, name, text, "must be yes or no");
    return fallback;
}

const char *config_below (const struct config *self, const char *section,
                          size_t n) {
    size_t size = strlen (section);
    for (size_t i = 0; i < self->count; i++) {
        const char *name = self->items[i].name;
        if (strncmp (name, section, size) == 0 && name[size] == '/'
            && !strchr (name + size + 1, '/') && n-- == 0)
            return name + size + 1;
    }
    return NULL;
}

enum err config_finish (struct config *self, struct error *e) {
    /* One that is misspelled is the reason why another one is missing. */
    for (size_t i = 0; i < self->count; i++) {
        const struct item *item = &self->items[i];
        if (item->section || item->asked
            || (self->failure.code && !self->missing))
            continue;
        error_set (&self->failure, ERR_CONFIG,
                   "%s: unknown name \"%s\", given as \"%s\"", self->path,
                   item->name, item->value);
        break;
    }
    if (self->failure.code && e)
        *e = self->failure;
    return self->failure.code;
}
