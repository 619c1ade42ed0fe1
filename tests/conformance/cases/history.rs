//! Prisma's table: read as it stands, and kept in the same transaction as the receipts.

use tollgate::digest::Sha256;
use tollgate::model::entry::Verdict;
use tollgate::model::{AttemptId, MigrationId, Origin, Receipt, ReceiptKind, Timestamp};
use tollgate::targets::history::{NewRow, Row};
use tollgate::targets::{Applied, ApplyError, Attempt, Target, Word};

use crate::Bench;
use crate::support::{analysed, failed, not_analysed, ready, receipt, sound};

const ONE: &str = "CREATE TABLE one (id INTEGER)";

fn rows(target: &mut dyn Target) -> Vec<Row> {
    let history = target.survey().unwrap().history;
    history.map_or_else(Vec::new, |history| history.rows)
}

fn attempt(n: u8) -> AttemptId {
    AttemptId::from_bytes([n; 16])
}

fn failure(n: u8, migration: &str) -> NewRow {
    NewRow::failed(
        attempt(n),
        &MigrationId::new(migration),
        Sha256::of(ONE.as_bytes()),
        Timestamp::from_unix_millis(1_762_251_120_000 + i64::from(n)),
        "nothing of it stands\n'quoted' \\ \"é\" $$",
    )
}

/// Applies a script with the row that goes beside its receipt.
fn apply(target: &mut dyn Target, name: &str, script: &str) -> Result<Applied, ApplyError> {
    let analysis = analysed(script);
    let receipt = receipt(&target.survey().unwrap(), name, script, &analysis);
    let row = NewRow::beside(&receipt);
    let attempt = Attempt {
        script,
        analysis: &analysis,
        done: 0,
        receipt: &receipt,
        row: row.as_ref(),
    };
    target.apply(&attempt, &mut |_| {})
}

pub(crate) fn there_is_no_history_until_it_is_kept<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    assert_eq!(target.survey().unwrap().history, None);
    target.keep_history(&[]).unwrap();
    let survey = target.survey().unwrap();
    let history = survey.history.unwrap();
    assert_eq!((history.rows.len(), history.locked), (0, None));
    assert!(
        !survey.is_filled,
        "Prisma's own table is none of the application's"
    );
    // Again does nothing.
    target.keep_history(&[]).unwrap();
    bench.run(ONE).unwrap();
    assert!(target.survey().unwrap().is_filled);
}

pub(crate) fn a_row_is_written_with_its_receipt<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    target.keep_history(&[]).unwrap();
    apply(target.as_mut(), "1_one é'", ONE).unwrap();
    let rows = rows(target.as_mut());
    let [row] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    assert_eq!(row.migration.as_str(), "1_one é'");
    assert_eq!(row.checksum, Sha256::of(ONE.as_bytes()).to_string());
    assert!(row.is_applied() && row.finished >= Some(row.started));
    assert_eq!(
        (row.steps, row.logs.as_deref(), row.id.len()),
        (1, None, 36)
    );
}

/// However a script is sent.
pub(crate) fn a_journalled_and_an_unread_script_leave_rows_too<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    target.keep_history(&[]).unwrap();
    let script = format!("{ONE}; {}", B::DIALECT.not_wrappable);
    let applied = apply(target.as_mut(), "1_one", &script).unwrap();
    assert_eq!(applied.kind, ReceiptKind::Journalled);
    let script = "CREATE TABLE two (id INTEGER)";
    let analysis = not_analysed(script);
    let receipt = receipt(&target.survey().unwrap(), "2_two", script, &analysis);
    let row = NewRow::beside(&receipt);
    let attempt = Attempt {
        script,
        analysis: &analysis,
        done: 0,
        receipt: &receipt,
        row: row.as_ref(),
    };
    target.apply(&attempt, &mut |_| {}).unwrap();
    let rows = rows(target.as_mut());
    assert!(
        rows.iter().all(Row::is_applied) && rows.len() == 2,
        "{rows:?}"
    );
}

/// Neither the work nor the receipt nor the row, where the row cannot be written.
pub(crate) fn without_its_row_nothing_stands<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    target.keep_history(&[]).unwrap();
    let script = format!("{ONE}; DROP TABLE _prisma_migrations");
    failed(apply(target.as_mut(), "1_one", &script));
    assert!(!bench.has_table("one") && bench.has_table("_prisma_migrations"));
    assert!(sound(target.as_mut()).receipts.is_empty());
}

/// A row that was written when the attempt began is the one that tells how it ended.
pub(crate) fn a_row_that_was_begun_is_brought_to_its_end<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let script = format!("{ONE}; {}", B::DIALECT.not_wrappable);
    let analysis = analysed(&script);
    target.keep_history(&[]).unwrap();
    let receipt = receipt(&target.survey().unwrap(), "1_one", &script, &analysis);
    let open = NewRow::begun(&receipt).unwrap();
    target.keep_history(&[open]).unwrap();
    let begun = rows(target.as_mut());
    assert!(begun[0].is_failed() && begun[0].is_tollgates_failure() && !begun[0].left_nothing());
    let row = NewRow::beside(&receipt);
    let whole = Attempt {
        script: &script,
        analysis: &analysis,
        done: 0,
        receipt: &receipt,
        row: row.as_ref(),
    };
    target.apply(&whole, &mut |_| {}).unwrap();
    let ended = rows(target.as_mut());
    let [row] = ended.as_slice() else {
        panic!("{ended:?}");
    };
    assert!(row.is_applied() && row.id == begun[0].id && row.logs.is_none());
    // And so does a failure: what is known of it by now is what stands there.
    target.keep_history(&[failure(3, "2_two")]).unwrap();
    let known = NewRow::failed(
        attempt(3),
        &MigrationId::new("2_two"),
        Sha256::of(ONE.as_bytes()),
        Timestamp::from_unix_millis(0),
        "1 of 2 statements stand",
    );
    target.keep_history(&[known]).unwrap();
    let rows = rows(target.as_mut());
    let failed: Vec<&Row> = rows.iter().filter(|row| row.is_failed()).collect();
    assert_eq!(failed.len(), 1);
    assert!(!failed[0].left_nothing());
}

pub(crate) fn a_failure_is_rolled_back_by_what_follows<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    target.keep_history(&[failure(1, "1_one")]).unwrap();
    let first = rows(target.as_mut());
    assert!(first[0].is_failed() && first[0].is_tollgates_failure());
    assert!(
        first[0]
            .logs
            .as_ref()
            .unwrap()
            .ends_with("'quoted' \\ \"é\" $$")
    );
    // A second one takes its place; another migration's is left alone.
    let more = [failure(2, "1_one"), failure(3, "2_two")];
    target.keep_history(&more).unwrap();
    let open: Vec<bool> = rows(target.as_mut()).iter().map(Row::is_failed).collect();
    assert_eq!(open, [false, true, true]);
    // Written once, however often it is said.
    target.keep_history(&more).unwrap();
    assert_eq!(rows(target.as_mut()).len(), 3);
    apply(target.as_mut(), "1_one", ONE).unwrap();
    let open: Vec<bool> = rows(target.as_mut()).iter().map(Row::is_failed).collect();
    assert_eq!(open.iter().filter(|open| **open).count(), 1, "{open:?}");
}

/// A failure that is told late must not stop anybody: another tool made the migration succeed since.
pub(crate) fn a_late_failure_counts_as_rolled_back<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    target.keep_history(&[]).unwrap();
    apply(target.as_mut(), "1_one", ONE).unwrap();
    target.keep_history(&[failure(1, "1_one")]).unwrap();
    assert!(rows(target.as_mut()).iter().all(|row| !row.is_failed()));
}

pub(crate) fn a_persons_word_stands_on_both_sides<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    target
        .keep_history(&[failure(1, "1_one"), failure(2, "2_two")])
        .unwrap();
    let word = |verdict| Word {
        verdict,
        done: 0,
        of: 1,
        reason: "looked".to_owned(),
    };
    let one = MigrationId::new("1_one");
    target
        .resolve(attempt(1), &one, &word(Verdict::NotApplied))
        .unwrap();
    let open: Vec<bool> = rows(target.as_mut()).iter().map(Row::is_failed).collect();
    assert_eq!(open, [false, true]);
    // Applied: the failure is rolled back, and a row of no steps says so, as Prisma's resolve does.
    let survey = target.survey().unwrap();
    let said = Receipt {
        kind: ReceiptKind::Resolved,
        attempt: attempt(2),
        ..receipt(&survey, "2_two", ONE, &analysed(ONE))
    };
    let row = NewRow::beside(&said);
    target
        .close(&said, Some(&word(Verdict::Applied)), 1, row.as_ref())
        .unwrap();
    let rows = rows(target.as_mut());
    let applied: Vec<&Row> = rows.iter().filter(|row| row.is_applied()).collect();
    assert!(rows.iter().all(|row| !row.is_failed()));
    assert_eq!(applied.len(), 1);
    assert_eq!(
        (applied[0].steps, applied[0].logs.as_deref()),
        (0, Some(""))
    );
}

pub(crate) fn receipts_of_a_history_are_written_in_one_go<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let first = Receipt {
        kind: ReceiptKind::Prisma,
        origin: Origin::Prisma {
            row: "a row".to_owned(),
            checksum: Sha256::of(ONE.as_bytes()).to_string(),
            started: Timestamp::from_unix_millis(0),
            steps: 1,
        },
        ..receipt(&target.survey().unwrap(), "1_one", ONE, &analysed(ONE))
    };
    let hash = Receipt::hash_of(&first.to_body().unwrap());
    let second = Receipt {
        seq: 2,
        prev: Some(hash),
        kind: ReceiptKind::Baselined,
        attempt: attempt(9),
        migration: MigrationId::new("2_gone"),
        blake3: None,
        sha256: None,
        ..first.clone()
    };
    let stored = target.take_in(&[first.clone(), second.clone()]).unwrap();
    assert_eq!(sound(target.as_mut()).receipts, stored);
    // One that does not follow takes those before it along: all of them or none.
    let third = Receipt {
        seq: 3,
        prev: Some(Receipt::hash_of(&second.to_body().unwrap())),
        attempt: attempt(10),
        ..second.clone()
    };
    let astray = Receipt {
        attempt: attempt(11),
        ..second
    };
    drop(target.take_in(&[third, astray]).unwrap_err());
    let mut target = {
        drop(target);
        let mut target = bench.open();
        crate::support::lock(target.as_mut());
        target
    };
    assert_eq!(sound(target.as_mut()).receipts, stored);
}
