//! A migration that is undone: its reversal and the receipt that says so are one transaction.

use tollgate::digest::{Checksum, Sha256};
use tollgate::model::receipt::verify_chain;
use tollgate::model::{AttemptId, DownBytes, Receipt, ReceiptKind};
use tollgate::sql::Analysis;
use tollgate::targets::history::NewRow;
use tollgate::targets::{Applied, ApplyError, Attempt, Target};

use crate::Bench;
use crate::support::{analysed, apply, failed, not_analysed, ready, receipt, sound};

const ONE: &str = "CREATE TABLE one (id INTEGER)";

/// Undoes `1_one` by a script, as an attempt with that number.
fn undo(
    target: &mut dyn Target,
    n: u8,
    script: &str,
    analysis: &Analysis,
) -> Result<Applied, ApplyError> {
    let survey = target.survey().unwrap();
    let receipt = Receipt {
        kind: ReceiptKind::Undone,
        attempt: AttemptId::from_bytes([n; 16]),
        undone: Some(DownBytes {
            blake3: Checksum::of(script.as_bytes()),
            sha256: Sha256::of(script.as_bytes()),
        }),
        ..receipt(&survey, "1_one", ONE, &analysed(ONE))
    };
    let row = NewRow::beside(&receipt).filter(|_| survey.history.is_some());
    let attempt = Attempt {
        script,
        analysis,
        done: 0,
        receipt: &receipt,
        row: row.as_ref(),
    };
    target.apply(&attempt, &mut |_| {})
}

pub(crate) fn what_is_undone_has_a_receipt_that_says_so<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    apply(target.as_mut(), "1_one", ONE).unwrap();
    let down = "DROP TABLE one";
    let applied = undo(target.as_mut(), 1, down, &analysed(down)).unwrap();
    assert_eq!(applied.kind, ReceiptKind::Undone);
    assert!(!bench.has_table("one"));
    let survey = sound(target.as_mut());
    let chain = verify_chain(&survey.receipts).unwrap();
    assert_eq!(chain.len(), 2);
    assert_eq!(chain[1].1.kind, ReceiptKind::Undone);
    // What is gone was undone, and nobody emptied the target.
    assert_eq!(survey.gone, None);
    // It may be applied again, and undone again.
    let again = receipt(&survey, "1_one", ONE, &analysed(ONE));
    let attempt = Attempt {
        script: ONE,
        analysis: &analysed(ONE),
        done: 0,
        receipt: &Receipt {
            attempt: AttemptId::from_bytes([2; 16]),
            ..again
        },
        row: None,
    };
    target.apply(&attempt, &mut |_| {}).unwrap();
    undo(target.as_mut(), 3, down, &analysed(down)).unwrap();
    assert_eq!(sound(target.as_mut()).receipts.len(), 4);
}

pub(crate) fn a_reversal_that_fails_undoes_nothing<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    apply(target.as_mut(), "1_one", ONE).unwrap();
    let down = "DROP TABLE one; DROP TABLE nobody";
    let (_, left) = failed(undo(target.as_mut(), 1, down, &analysed(down)));
    assert_eq!(left, None);
    assert!(bench.has_table("one"));
    assert_eq!(sound(target.as_mut()).receipts.len(), 1);
    // The target is as usable as before.
    let down = "DROP TABLE one";
    undo(target.as_mut(), 2, down, &analysed(down)).unwrap();
    assert!(!bench.has_table("one"));
}

pub(crate) fn a_reversal_that_may_stop_half_way_is_not_sent<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    apply(target.as_mut(), "1_one", ONE).unwrap();
    let own = "BEGIN; DROP TABLE one; COMMIT";
    let unwrappable = format!("DROP TABLE one; {}", B::DIALECT.not_wrappable);
    let scripts = [
        (own, analysed(own)),
        (&unwrappable, analysed(&unwrappable)),
        ("DROP TABLE one", not_analysed("DROP TABLE one")),
    ];
    for (n, (script, analysis)) in (1..).zip(&scripts) {
        let (error, left) = failed(undo(target.as_mut(), n, script, analysis));
        assert!(error.message.contains("one transaction"), "{error:?}");
        assert_eq!(left, None);
        assert!(bench.has_table("one"), "{script}");
    }
    assert_eq!(sound(target.as_mut()).receipts.len(), 1);
}

pub(crate) fn prismas_rows_of_it_are_rolled_back<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    target.keep_history(&[]).unwrap();
    for (name, script) in [("1_one", ONE), ("2_two", "CREATE TABLE two (id INTEGER)")] {
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
        target.apply(&attempt, &mut |_| {}).unwrap();
    }
    let down = "DROP TABLE one";
    undo(target.as_mut(), 1, down, &analysed(down)).unwrap();
    let rows = target.survey().unwrap().history.unwrap().rows;
    let states: Vec<(&str, bool)> = rows
        .iter()
        .map(|row| (row.migration.as_str(), row.is_applied()))
        .collect();
    assert_eq!(states, [("1_one", false), ("2_two", true)]);
    assert!(rows[0].rolled_back.is_some());
}
