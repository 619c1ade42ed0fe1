//! Running one migration: what stands afterwards, and what was said.

use tollgate::model::ReceiptKind;
use tollgate::model::entry::Progress;

use crate::support::{
    Bench, analysed, apply, apply_as, apply_blind, failed, ready, recorded, sound,
};

pub(crate) fn a_success_leaves_its_receipt<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let script = "CREATE TABLE one (id INTEGER);\nINSERT INTO one VALUES (1);\n";
    let (outcome, told) = apply_as(target.as_mut(), "1_one", script, &analysed(script));
    let applied = outcome.unwrap();
    assert_eq!(applied.kind, ReceiptKind::Atomic);
    assert_eq!(applied.receipt.seq, 1);
    assert_eq!(sound(target.as_mut()).receipts, [applied.receipt]);
    assert_eq!(told.last(), Some(&Progress { done: 2, of: 2 }));
    apply(target.as_mut(), "2_two", "INSERT INTO one VALUES (2);").unwrap();
    assert_eq!(recorded(target.as_mut()), ["1_one", "2_two"]);
    assert_eq!(bench.ask("SELECT sum(id) FROM one"), 3);
}

pub(crate) fn a_failure_in_the_middle_leaves_nothing<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let script = "CREATE TABLE one (id INTEGER);\nINSERT INTO missing VALUES (1);\nCREATE TABLE two (id INTEGER);";
    let (error, left) = failed(apply(target.as_mut(), "1_bad", script));
    assert_eq!(left, None);
    assert!(error.message.contains("missing"), "{error:?}");
    assert!(error.code.is_some());
    assert!(!bench.has_table("one") && !bench.has_table("two"));
    assert!(recorded(target.as_mut()).is_empty());
    apply(target.as_mut(), "1_good", "CREATE TABLE one (id INTEGER)").unwrap();
    assert_eq!(recorded(target.as_mut()), ["1_good"]);
}

pub(crate) fn an_empty_script_is_a_success<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    apply(target.as_mut(), "1_empty", "").unwrap();
    let comment = "-- nothing to do\n/* at all */\n";
    let none = tollgate::sql::Analysis::Analysed(Vec::new());
    let (outcome, _) = apply_as(target.as_mut(), "2_comment", comment, &none);
    assert_eq!(outcome.unwrap().kind, ReceiptKind::Atomic);
    assert_eq!(recorded(target.as_mut()), ["1_empty", "2_comment"]);
}

pub(crate) fn a_script_that_cannot_be_wrapped_is_journalled<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let script = format!(
        "CREATE TABLE one (id INTEGER);\n{};\nINSERT INTO one VALUES (1);",
        B::DIALECT.not_wrappable
    );
    let (outcome, told) = apply_as(target.as_mut(), "1_one", &script, &analysed(&script));
    assert_eq!(outcome.unwrap().kind, ReceiptKind::Journalled);
    assert_eq!(told.last(), Some(&Progress { done: 3, of: 3 }));
    let survey = sound(target.as_mut());
    assert_eq!(survey.receipts.len(), 1);
    assert_eq!(survey.journals.len(), 1);
    assert_eq!(survey.journals[0].progress, Progress { done: 3, of: 3 });
    assert!(!survey.journals[0].in_flight());
    assert_eq!(bench.ask("SELECT count(*) FROM one"), 1);
}

pub(crate) fn a_journalled_script_that_fails_says_what_stands<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let script = format!(
        "CREATE TABLE one (id INTEGER);\n{};\nINSERT INTO missing VALUES (1);\nCREATE TABLE two (id INTEGER);",
        B::DIALECT.not_wrappable
    );
    let (error, left) = failed(apply(target.as_mut(), "1_bad", &script));
    assert_eq!(left, Some(Progress { done: 2, of: 4 }));
    assert!(error.message.contains("missing"), "{error:?}");
    assert!(bench.has_table("one") && !bench.has_table("two"));
    let survey = sound(target.as_mut());
    assert!(survey.receipts.is_empty());
    assert_eq!(survey.journals[0].progress, Progress { done: 2, of: 4 });
    assert!(!survey.journals[0].in_flight());
    apply(target.as_mut(), "2_good", "CREATE TABLE two (id INTEGER)").unwrap();
}

pub(crate) fn a_transaction_of_the_scripts_own_stands_or_falls_whole<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let good = "BEGIN;\nCREATE TABLE one (id INTEGER);\nCOMMIT;\nINSERT INTO one VALUES (1);";
    let applied = apply(target.as_mut(), "1_good", good).unwrap();
    assert_eq!(applied.kind, ReceiptKind::Journalled);

    let bad = "INSERT INTO one VALUES (2);\nBEGIN;\nINSERT INTO one VALUES (3);\n\
               INSERT INTO missing VALUES (4);\nCOMMIT;";
    let (_, left) = failed(apply(target.as_mut(), "2_bad", bad));
    assert_eq!(left, Some(Progress { done: 1, of: 5 }));
    assert_eq!(bench.ask("SELECT sum(id) FROM one"), 3);
    let survey = sound(target.as_mut());
    assert_eq!(survey.receipts.len(), 1);
    assert_eq!(survey.journals[1].progress, Progress { done: 1, of: 5 });
    assert!(!survey.journals[1].in_flight());
}

pub(crate) fn an_unread_script_is_atomic_where_it_can_be<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let applied = apply_blind(target.as_mut(), "1_one", "CREATE TABLE one (id INTEGER);").unwrap();
    assert_eq!(applied.kind, ReceiptKind::Atomic);
    let bad = "CREATE TABLE two (id INTEGER); INSERT INTO missing VALUES (1);";
    let (_, left) = failed(apply_blind(target.as_mut(), "2_bad", bad));
    assert_eq!(left, None);
    assert!(!bench.has_table("two"));
    assert_eq!(recorded(target.as_mut()), ["1_one"]);
}

pub(crate) fn an_unread_script_that_ends_the_transaction_is_never_atomic<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let script = "CREATE TABLE one (id INTEGER); COMMIT; CREATE TABLE two (id INTEGER);";
    let applied = apply_blind(target.as_mut(), "1_one", script).unwrap();
    assert_eq!(applied.kind, ReceiptKind::Journalled);
    assert!(bench.has_table("one") && bench.has_table("two"));
    assert_eq!(recorded(target.as_mut()), ["1_one"]);

    let script = "CREATE TABLE three (id INTEGER); COMMIT; INSERT INTO missing VALUES (1);";
    let (_, left) = failed(apply_blind(target.as_mut(), "2_bad", script));
    assert!(left.is_some(), "the first half stands");
    assert!(bench.has_table("three"));
    assert_eq!(recorded(target.as_mut()), ["1_one"]);
}

pub(crate) fn a_syntax_error_has_its_exact_place<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let (statement, word) = B::DIALECT.syntax_error;
    let script = format!("-- é\nCREATE TABLE one (id INTEGER);\n\n{statement};\n");
    // As it is in real life: what the parser of the target cannot read, ours could not either.
    let (error, _) = failed(apply_blind(target.as_mut(), "1_bad", &script));
    let at = error.at.expect("a place");
    assert_eq!(at.start, script.find(word).unwrap(), "{}", error.message);
    assert!(at.end <= script.find(word).unwrap() + word.len());
}

pub(crate) fn a_runtime_error_points_at_its_statement<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let guilty = "INSERT INTO one VALUES (1)";
    let script = format!("CREATE TABLE one (id INTEGER PRIMARY KEY);\n{guilty};\n\n{guilty} ;\n");
    let (error, _) = failed(apply(target.as_mut(), "1_bad", &script));
    let start = script.rfind(guilty).unwrap();
    assert_eq!(
        error.at,
        Some(start..start + guilty.len()),
        "{}",
        error.message
    );
}
