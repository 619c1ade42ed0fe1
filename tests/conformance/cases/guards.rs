//! Receipts that stand are not changed, and none is put where it does not belong.

use tollgate::targets::Attempt;

use crate::support::{Bench, analysed, apply, failed, ready, receipt, recorded, sound};

pub(crate) fn receipts_cannot_be_edited<B: Bench>(bench: &B) {
    let mut target = two(bench);
    let receipts = B::DIALECT.receipts;
    for change in [
        "body = 'x'",
        "hash = migration",
        "seq = 9",
        "kind = 'journalled'",
    ] {
        let sql = format!("UPDATE {receipts} SET {change} WHERE seq = 1");
        assert!(bench.run(&sql).is_err(), "{sql}");
    }
    assert_eq!(recorded(target.as_mut()), ["1_one", "2_two"]);
}

pub(crate) fn receipts_cannot_be_deleted<B: Bench>(bench: &B) {
    let mut target = two(bench);
    let receipts = B::DIALECT.receipts;
    for sql in [
        format!("DELETE FROM {receipts}"),
        format!("DELETE FROM {receipts} WHERE seq = 2"),
    ] {
        assert!(bench.run(&sql).is_err(), "{sql}");
    }
    assert_eq!(recorded(target.as_mut()), ["1_one", "2_two"]);
}

pub(crate) fn receipts_cannot_be_forked<B: Bench>(bench: &B) {
    let mut target = two(bench);
    let receipts = B::DIALECT.receipts;
    let hash = "0".repeat(64);
    for (seq, prev) in [
        ("1", "NULL"),
        ("3", "1"),
        ("3", "NULL"),
        ("4", "3"),
        ("2", "1"),
    ] {
        let sql = format!(
            "INSERT INTO {receipts} (seq, prev, hash, migration, attempt, kind, body)
             VALUES ({seq}, {prev}, '{hash}', 'm', '{}', 'atomic', '{{}}')",
            "0".repeat(32)
        );
        assert!(bench.run(&sql).is_err(), "{sql}");
    }
    assert_eq!(recorded(target.as_mut()), ["1_one", "2_two"]);
}

/// A runner whose view of the chain is old leaves neither a receipt nor the migration.
pub(crate) fn a_receipt_out_of_place_is_refused<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let old = sound(target.as_mut());
    apply(target.as_mut(), "1_one", "CREATE TABLE one (id INTEGER)").unwrap();
    let script = "CREATE TABLE two (id INTEGER)";
    let analysis = analysed(script);
    let receipt = receipt(&old, "2_two", script, &analysis);
    let attempt = Attempt {
        script,
        analysis: &analysis,
        done: 0,
        receipt: &receipt,
        row: None,
    };
    let (_, left) = failed(target.apply(&attempt, &mut |_| {}));
    assert_eq!(left, None);
    assert!(!bench.has_table("two"));
    assert_eq!(recorded(target.as_mut()), ["1_one"]);
}

/// A target that lost one of tollgate's own tables counts as one that was never entered: a script that
/// takes one away is not applied, and takes nothing.
pub(crate) fn our_tables_cannot_be_dropped_on_the_way<B: Bench>(bench: &B) {
    let mut target = two(bench);
    for table in ["identity", "journal", "receipt"] {
        let ours = B::DIALECT.receipts.replace("receipt", table);
        let script = format!("CREATE TABLE three (id INTEGER); DROP TABLE {ours}");
        let (_, left) = failed(apply(target.as_mut(), "3_three", &script));
        assert_eq!(left, None, "{table}");
        assert!(!bench.has_table("three"), "{table}");
    }
    assert_eq!(recorded(target.as_mut()), ["1_one", "2_two"]);
}

fn two<B: Bench>(bench: &B) -> Box<dyn tollgate::targets::Target> {
    let mut target = ready(bench);
    apply(target.as_mut(), "1_one", "CREATE TABLE one (id INTEGER)").unwrap();
    apply(target.as_mut(), "2_two", "CREATE TABLE two (id INTEGER)").unwrap();
    target
}
