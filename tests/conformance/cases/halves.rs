//! Scripts that are continued, and what is said of an attempt without running anything.

use tollgate::digest::Checksum;
use tollgate::model::ReceiptKind;
use tollgate::model::entry::{Progress, Verdict};
use tollgate::targets::{Last, Word};

use crate::Bench;
use crate::support::{analysed, apply, apply_from, failed, ready, receipt, sound};

/// Three statements, of which the second cannot stand in a transaction.
fn script<B: Bench>() -> String {
    format!(
        "CREATE TABLE one (id INTEGER);\n{};\nINSERT INTO one VALUES (3);",
        B::DIALECT.not_wrappable
    )
}

pub(crate) fn what_stands_is_not_sent_again<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let script = script::<B>();
    // As an earlier attempt would have left it.
    apply(target.as_mut(), "0_one", "CREATE TABLE one (id INTEGER)").unwrap();
    let applied = apply_from(target.as_mut(), "1_one", &script, 2).unwrap();
    assert_eq!(applied.kind, ReceiptKind::Journalled);
    assert_eq!(bench.ask("SELECT count(*) FROM one"), 1);
    let journal = &sound(target.as_mut()).journals[0];
    assert_eq!(journal.progress, Progress { done: 3, of: 3 });
    assert_eq!(journal.last, Last::Finished);
    assert_eq!(journal.script, Checksum::of(script.as_bytes()));
}

pub(crate) fn where_all_of_it_stands_only_the_receipt_is_written<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let applied = apply_from(target.as_mut(), "1_one", &script::<B>(), 3).unwrap();
    assert_eq!(applied.kind, ReceiptKind::Journalled);
    assert!(!bench.has_table("one"));
    assert_eq!(sound(target.as_mut()).receipts.len(), 1);
}

/// A failure on the way says what stands, with what stood before.
pub(crate) fn a_second_failure_counts_from_what_stands<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let script = format!(
        "CREATE TABLE one (id INTEGER);\n{};\nINSERT INTO missing VALUES (3);",
        B::DIALECT.not_wrappable
    );
    apply(target.as_mut(), "0_one", "CREATE TABLE one (id INTEGER)").unwrap();
    let (_, left) = failed(apply_from(target.as_mut(), "1_one", &script, 1));
    assert_eq!(left, Some(Progress { done: 2, of: 3 }));
    let journal = &sound(target.as_mut()).journals[0];
    assert_eq!((journal.progress.done, journal.last), (2, Last::Undone));
    assert_eq!(journal.standing(), Some(2));
}

pub(crate) fn a_receipt_may_be_written_without_running_anything<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let script = "CREATE TABLE one (id INTEGER)";
    let survey = target.survey().unwrap();
    let receipt = receipt(&survey, "1_one", script, &analysed(script));
    let stored = target.close(&receipt, None, 1, None).unwrap();
    let survey = sound(target.as_mut());
    assert_eq!(survey.receipts, [stored]);
    assert!(!bench.has_table("one"));
    // The same attempt cannot have two, whatever the second try is answered.
    drop(target.close(&receipt, None, 1, None));
    let mut target = {
        drop(target);
        ready_again(bench)
    };
    assert_eq!(sound(target.as_mut()).receipts.len(), 1);
    apply(target.as_mut(), "2_two", "CREATE TABLE two (id INTEGER)").unwrap();
}

pub(crate) fn a_persons_word_stands_in_the_journal<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let script = format!(
        "CREATE TABLE one (id INTEGER);\n{};\nINSERT INTO missing VALUES (3);",
        B::DIALECT.not_wrappable
    );
    failed(apply(target.as_mut(), "1_one", &script));
    let journal = sound(target.as_mut()).journals[0].clone();
    assert_eq!(journal.word, None);
    let mut say = |verdict, done, reason: &str| {
        let word = Word {
            verdict,
            done,
            of: 3,
            reason: reason.to_owned(),
        };
        target
            .resolve(journal.attempt, &journal.migration, &word)
            .unwrap();
        let survey = sound(target.as_mut());
        assert_eq!(survey.journals.len(), 1);
        assert_eq!(survey.journals[0].word, Some(word));
        survey.journals[0].standing()
    };
    assert_eq!(
        say(Verdict::ContinueAt, 1, "dropped it's \"index\""),
        Some(1)
    );
    // The newest word counts.
    assert_eq!(say(Verdict::NotApplied, 0, "undid all; é"), Some(0));
}

/// The target as a new contact finds it: locked, without binding it anew.
fn ready_again<B: Bench>(bench: &B) -> Box<dyn tollgate::targets::Target> {
    let mut target = bench.open();
    crate::support::lock(target.as_mut());
    target
}

/// What the session remembers of the script's own statements is not changed by rows of ours.
pub(crate) fn the_journal_leaves_no_trace_in_the_session<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let script = format!(
        "{};\n{};\n{};",
        B::DIALECT.remembered.0,
        B::DIALECT.remembered.1,
        B::DIALECT.not_wrappable
    );
    apply(target.as_mut(), "0_tables", B::DIALECT.remembering).unwrap();
    let outcome = apply(target.as_mut(), "1_one", &script);
    assert_eq!(outcome.unwrap().kind, ReceiptKind::Journalled);
    assert_eq!(bench.ask("SELECT seen FROM child"), 501);
}

/// What a copy brought along was begun in another target.
pub(crate) fn a_journal_from_before_the_binding_is_known<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let script = format!(
        "CREATE TABLE one (id INTEGER);\n{};\nINSERT INTO missing VALUES (3);",
        B::DIALECT.not_wrappable
    );
    failed(apply(target.as_mut(), "1_one", &script));
    assert!(!sound(target.as_mut()).journals[0].elsewhere);
    // The clocks count milliseconds.
    std::thread::sleep(std::time::Duration::from_millis(5));
    target
        .initialise(
            &"test".parse().unwrap(),
            crate::support::incarnation(2),
            tollgate::targets::Earlier::Keep,
        )
        .unwrap();
    assert!(sound(target.as_mut()).journals[0].elsewhere);
}
