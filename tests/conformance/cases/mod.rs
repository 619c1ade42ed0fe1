//! The cases, by what they are about.

pub(crate) mod guards;
pub(crate) mod halves;
pub(crate) mod history;
pub(crate) mod hygiene;
pub(crate) mod lock;
pub(crate) mod rows;
pub(crate) mod runs;
pub(crate) mod schema;
pub(crate) mod survey;
pub(crate) mod undone;

/// Lists every case once: a test per case and bench.
macro_rules! all {
    ($bench:ty) => {
        crate::cases::tests!($bench, runs: [
            a_success_leaves_its_receipt,
            a_failure_in_the_middle_leaves_nothing,
            an_empty_script_is_a_success,
            a_script_that_cannot_be_wrapped_is_journalled,
            a_journalled_script_that_fails_says_what_stands,
            a_transaction_of_the_scripts_own_stands_or_falls_whole,
            an_unread_script_is_atomic_where_it_can_be,
            an_unread_script_that_ends_the_transaction_is_never_atomic,
            a_syntax_error_has_its_exact_place,
            a_runtime_error_points_at_its_statement,
        ]);
        crate::cases::tests!($bench, halves: [
            what_stands_is_not_sent_again,
            where_all_of_it_stands_only_the_receipt_is_written,
            a_second_failure_counts_from_what_stands,
            a_receipt_may_be_written_without_running_anything,
            a_persons_word_stands_in_the_journal,
            the_journal_leaves_no_trace_in_the_session,
            a_journal_from_before_the_binding_is_known,
        ]);
        crate::cases::tests!($bench, history: [
            there_is_no_history_until_it_is_kept,
            a_row_is_written_with_its_receipt,
            a_journalled_and_an_unread_script_leave_rows_too,
            a_row_that_was_begun_is_brought_to_its_end,
            without_its_row_nothing_stands,
            a_failure_is_rolled_back_by_what_follows,
            a_late_failure_counts_as_rolled_back,
            a_persons_word_stands_on_both_sides,
            receipts_of_a_history_are_written_in_one_go,
        ]);
        crate::cases::tests!($bench, undone: [
            what_is_undone_has_a_receipt_that_says_so,
            a_reversal_that_fails_undoes_nothing,
            a_reversal_that_may_stop_half_way_is_not_sent,
            prismas_rows_of_it_are_rolled_back,
        ]);
        crate::cases::tests!($bench, survey: [
            an_empty_target_has_nothing,
            a_foreign_table_is_seen,
            the_identity_is_kept,
            an_emptied_target_archives_its_receipts,
            binding_again_keeps_the_receipts,
            emptying_leaves_only_the_archive,
            an_emptied_target_names_the_lives_before,
        ]);
        crate::cases::tests!($bench, rows: [
            tables_are_counted_by_their_exact_names,
            what_is_no_table_has_no_number,
            counting_leaves_nothing_in_the_session,
        ]);
        crate::cases::tests!($bench, schema: [
            an_empty_target_has_an_empty_schema,
            looking_twice_finds_the_same,
            what_changes_is_seen,
            prismas_table_is_no_part_of_it,
            what_is_kept_is_found_again,
            what_is_kept_takes_the_place_of_the_one_before,
            a_target_that_was_emptied_keeps_nothing,
            a_missing_table_is_made,
            only_who_holds_the_lock_keeps,
        ]);
        crate::cases::tests!($bench, hygiene: [
            settings_do_not_leak,
            temporary_tables_do_not_leak,
            an_open_transaction_fails_and_leaves_nothing,
            savepoints_inside_are_harmless,
            own_commit_and_rollback_do_not_leak,
        ]);
        crate::cases::tests!($bench, guards: [
            receipts_cannot_be_edited,
            receipts_cannot_be_deleted,
            receipts_cannot_be_forked,
            a_receipt_out_of_place_is_refused,
            our_tables_cannot_be_dropped_on_the_way,
        ]);
        crate::cases::tests!($bench, lock: [
            two_runners_on_an_empty_target_run_it_once,
            a_wait_that_is_over_names_the_holder,
            an_interrupted_wait_ends,
            a_dropped_target_gives_the_lock_back,
        ]);
    };
}
pub(crate) use all;

/// A test per case of one room.
macro_rules! tests {
    ($bench:ty, $room:ident: [$($case:ident),* $(,)?]) => {
        $(
            #[test]
            fn $case() {
                crate::cases::$room::$case(&<$bench as crate::Bench>::new());
            }
        )*
    };
}
pub(crate) use tests;
