/* A plan's table: whatever is taken is a plan, and is the same after another
 * round; what is refused says why. The first octet says how dates are read. */
#include "plans/csv.h"
#include "plans/plan.h"
#include "plans/plan_csv.h"

#include <jansson.h>
#include <stdlib.h>

#define HEAD                                                                   \
    "{\"plan\": \"ABC-one\", \"entity\": \"ABC\", \"lang\": \"en\","           \
    "\"title\": \"One\", \"cycle\": {\"from\": \"2026\", \"to\": \"2027\"},"   \
    "\"handling\": \"TLP:GREEN\", \"priorities\": [\"cybercrime\"],"           \
    "\"regions\": [\"150\"], \"goals\": [{\"id\": \"G1\", \"title\": \"G\"}]}"
/* Names that most inputs would not get right. */
#define NAMES                                                                  \
    "id,title,title.fr,kind,status,from,to,lead,priorities,regions,partners,"  \
    "needs,milestones\n"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void must (bool true_always) {
    if (!true_always)
        abort();
}

static void write_again (const json_t *document, const json_t *head,
                         const struct taxonomy *taxonomy) {
    struct buf csv = { 0 };
    struct faults faults = { 0 };
    json_t *left_out;
    plan_csv_write (&document, 1, &csv, &left_out);
    must (json_array_size (json_array_get (left_out, 0)) == 0);
    json_t *again =
        plan_csv_read (buf_slice (&csv), head, PLAN_CSV_ASK, taxonomy, &faults);
    must (again && json_equal (again, document));
    json_decref (again);
    json_decref (left_out);
    buf_free (&csv);
}

static void try_table (struct slice text, enum plan_csv_dates dates) {
    struct taxonomy *taxonomy = taxonomy_base();
    struct faults faults = { 0 };
    json_t *head = json_loads (HEAD, 0, NULL);
    json_t *document = plan_csv_read (text, head, dates, taxonomy, &faults);
    must ((document == NULL) == (faults.count > 0));
    if (document) {
        struct plan *plan = plan_read (document, taxonomy, &faults);
        must (plan != NULL);
        plan_free (&plan);
        write_again (document, head, taxonomy);
    }
    faults_clear (&faults);
    json_decref (document);
    json_decref (head);
    taxonomy_unref (&taxonomy);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    enum plan_csv_dates dates = (enum plan_csv_dates) (data[0] % 3);
    struct buf text = { 0 };
    try_table (slice_of (data + 1, size - 1), dates);
    buf_add_text (&text, NAMES);
    buf_add (&text, data + 1, size - 1);
    try_table (buf_slice (&text), dates);
    buf_free (&text);
    return 0;
}
