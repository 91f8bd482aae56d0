/* resources - what answers each path of the API (api/openapi.json). Each ends
 * with a reply; router.c has the table. */
#ifndef PARLEY_API_RESOURCES_H
#define PARLEY_API_RESOURCES_H

struct request;

void status_get (struct request *); /* res_status.c */
void roster_get (struct request *); /* res_roster.c */
void roster_note_get (struct request *);
void audience_get (struct request *);
void messages_post (struct request *);      /* res_messages.c */
void contributions_post (struct request *); /* res_contributions.c */
void outbox_get_all (struct request *);     /* res_outbox.c */
void outbox_get_one (struct request *);
void outbox_promise_get (struct request *);
void outbox_delete (struct request *);
void refusals_get (struct request *);
void records_get (struct request *); /* res_records.c */
void record_get (struct request *);
void events_get (struct request *);      /* events.c */
void bundle_meta_get (struct request *); /* res_bundle.c */
void bundle_blocks_get (struct request *);
void bundle_leaves_get (struct request *); /* res_bundle_tree.c */
void bundle_checkpoints_get (struct request *);
void bundle_claims_get (struct request *);
void bundle_promises_get (struct request *);
void bundle_refusals_get (struct request *);
void receipt_get (struct request *);    /* res_receipt.c */
void checkpoint_get (struct request *); /* res_checkpoint.c */
void leaves_get (struct request *);
void notice_evidence_get (struct request *); /* res_ledger.c */
void import_get (struct request *);          /* res_import.c */
void import_post (struct request *);
void plans_get (struct request *); /* res_plans.c */
void plan_get (struct request *);
void plan_history_get (struct request *);
void plan_document_get (struct request *);
void plan_diff_get (struct request *);
void plan_reports_get (struct request *);
void plan_check_post (struct request *); /* res_plan_check.c */
void plan_convert_post (struct request *);
void plan_export_get (struct request *); /* res_plan_files.c */
void drafts_get_all (struct request *);  /* res_drafts.c */
void drafts_post (struct request *);
void draft_get (struct request *);
void draft_put (struct request *);
void draft_delete (struct request *);
void draft_release (struct request *);
void draft_return (struct request *);
void tokens_get (struct request *); /* res_tokens.c */
void tokens_post (struct request *);
void token_delete (struct request *);
void acts_get (struct request *);     /* res_acts.c */
void search_get (struct request *);   /* res_search.c */
void taxonomy_get (struct request *); /* res_taxonomy.c */
void taxonomy_history_get (struct request *);
void quarantine_get (struct request *);
void cycle_get (struct request *);    /* res_cycle.c */
void overlaps_get (struct request *); /* res_overlaps.c */
void gaps_get (struct request *);     /* res_gaps.c */
void files_get (struct request *);    /* res_files.c */
void file_get (struct request *);
void file_delete (struct request *);
void file_release (struct request *);
void files_post (struct request *);       /* upload.c */
void file_content_get (struct request *); /* res_file_content.c */
void threads_get (struct request *);      /* res_threads.c */
void thread_get (struct request *);
void threads_post (struct request *); /* thread_write.c */
void thread_messages_post (struct request *);
void inbox_get (struct request *); /* res_inbox.c */
void inbox_read_post (struct request *);
void thread_note_get (struct request *); /* res_thread_files.c */
void thread_text_get (struct request *);
void thread_export_get (struct request *);
void thread_calendar_get (struct request *);
void calendar_get (struct request *);
void watches_get_all (struct request *); /* res_watches.c */
void watches_post (struct request *);
void watch_delete (struct request *);
void watch_test_post (struct request *);
void openapi_get (struct request *);        /* res_openapi.c */
void notice_acknowledge (struct request *); /* res_ledger.c */
void link_retry_post (struct request *);
void witness_resume (struct request *);

#endif
