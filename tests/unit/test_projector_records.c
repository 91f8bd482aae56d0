/* Rights to what the model was made of: what is taken is forgotten by asking,
 * before anything is read again. */
#include "projector_fixture.h"

#include "plans/projector_impl.h"

#include <sodium.h>

static void model_fill (struct projector *self) {
    struct model_options options = { .delegation = "EUROPOL/hq",
                                     .load = projector_load,
                                     .roster = projector_roster_at,
                                     .arg = self };
    self->model = model_new (&options);
    struct record_row row;
    struct records_cursor *cursor =
        records_about_plans (self->store, NULL, 0, &e);
    assert_non_null (cursor);
    while (records_next (cursor, &row, &e) == ERR_NONE) {
        struct model_record record = { .topic = row.message.topic };
        if (!projector_may_read (self, &row))
            continue;
        projector_origin (&row, &record.origin);
        record.document =
            projector_body (&row, &record.why, &record.absent, &e);
        if (record.document)
            record.why = NULL;
        model_add (self->model, &record);
        json_decref (record.document);
    }
    records_close (&cursor);
    model_settle (self->model);
}

static void projector_end (struct projector *self) {
    model_destroy (&self->model);
    roster_chain_destroy (&self->chain);
    roster_unref (&self->present);
    store_close (&self->store);
    store_close (&self->loader);
    free (self->judged);
}

static void test_right_taken (void **state) {
    (void) state;
    roster_put (cast.roster, 0);
    plan_put (10, cast.frontex, "core", "FRONTEX-p");
    plan_put (11, cast.frontex, "all", "FRONTEX-q");
    plan_put (12, cast.frontex, "all", "FRONTEX-p");
    plan_put (13, cast.frontex, "core", "FRONTEX-p");
    struct projector self = { .options = { .delegation = "EUROPOL/hq" } };
    self.store = store_open_reader (store_path, &e);
    self.loader = store_open_reader (store_path, &e);
    assert_true (self.store && self.loader);
    assert_false (projector_rosters (&self));
    assert_false (projector_rights_changed (&self)); /* there is no model */
    model_fill (&self);
    assert_int_equal (model_find (self.model, "FRONTEX-p")->entry_count, 3);
    assert_false (projector_rights_changed (&self));
    struct roster *next =
        next_roster ("channels[1].readers", "['delegation:FRONTEX/hq']",
                     "channels[1].writers", "['delegation:FRONTEX/hq']");
    roster_put (next, 20);
    assert_false (projector_rosters (&self));
    assert_true (projector_rights_changed (&self));
    /* The one of "all" alone is left, and is the plan. */
    const struct subject *subject = model_find (self.model, "FRONTEX-p");
    assert_int_equal (subject->entry_count, 1);
    assert_int_equal (subject->revision->origin.sequence, 12);
    assert_int_equal (model_plan_count (self.model), 2);
    assert_true (projector_rights_changed (&self)); /* until it is read anew */
    projector_end (&self);
    roster_unref (&next);
}

int main (void) {
    if (sodium_init() < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_right_taken, store_begin_test,
                                         store_end_test),
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
