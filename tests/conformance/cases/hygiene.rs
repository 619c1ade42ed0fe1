//! Nothing that a migration leaves behind in its session reaches the next one.

use tollgate::model::ReceiptKind;

use crate::support::{Bench, apply, apply_blind, failed, ready, recorded};

pub(crate) fn settings_do_not_leak<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    apply(target.as_mut(), "1_sets", B::DIALECT.leaks).unwrap();
    apply(target.as_mut(), "2_probe", B::DIALECT.leak_probe).unwrap();
    assert_eq!(recorded(target.as_mut()), ["1_sets", "2_probe"]);
}

pub(crate) fn temporary_tables_do_not_leak<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    apply(target.as_mut(), "1_one", "CREATE TABLE one (id INTEGER)").unwrap();
    apply(
        target.as_mut(),
        "2_temp",
        "CREATE TEMPORARY TABLE one (other INTEGER)",
    )
    .unwrap();
    apply(target.as_mut(), "3_uses", "INSERT INTO one (id) VALUES (1)").unwrap();
    assert_eq!(bench.ask("SELECT count(*) FROM one"), 1);
    assert_eq!(recorded(target.as_mut()), ["1_one", "2_temp", "3_uses"]);
}

pub(crate) fn an_open_transaction_fails_and_leaves_nothing<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let script = "CREATE TABLE one (id INTEGER); BEGIN; CREATE TABLE two (id INTEGER);";
    let (error, left) = failed(apply(target.as_mut(), "1_open", script));
    assert_eq!(left.map(|left| left.done), Some(1));
    assert!(error.message.contains("transaction"), "{}", error.message);
    assert!(bench.has_table("one") && !bench.has_table("two"));

    let script = "COMMIT; BEGIN; CREATE TABLE two (id INTEGER);";
    failed(apply_blind(target.as_mut(), "2_open", script));
    assert!(!bench.has_table("two"));
    apply(target.as_mut(), "3_next", "CREATE TABLE two (id INTEGER)").unwrap();
    assert_eq!(recorded(target.as_mut()), ["3_next"]);
}

pub(crate) fn savepoints_inside_are_harmless<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let script = "SAVEPOINT a; CREATE TABLE one (id INTEGER); RELEASE SAVEPOINT a;\n\
                  SAVEPOINT b; CREATE TABLE two (id INTEGER); ROLLBACK TO SAVEPOINT b; RELEASE SAVEPOINT b;";
    let applied = apply_blind(target.as_mut(), "1_one", script).unwrap();
    assert_eq!(applied.kind, ReceiptKind::Atomic);
    assert!(bench.has_table("one") && !bench.has_table("two"));
    apply(target.as_mut(), "2_next", "CREATE TABLE two (id INTEGER)").unwrap();
    assert_eq!(recorded(target.as_mut()), ["1_one", "2_next"]);
}

pub(crate) fn own_commit_and_rollback_do_not_leak<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    apply(target.as_mut(), "1_one", "CREATE TABLE one (id INTEGER)").unwrap();
    for (number, end) in ["COMMIT", "ROLLBACK"].into_iter().enumerate() {
        let script = format!("INSERT INTO one VALUES (1); {end};");
        let applied = apply_blind(target.as_mut(), &format!("2_{end}"), &script).unwrap();
        assert_eq!(applied.kind, ReceiptKind::Journalled);
        let script = format!("CREATE TABLE after_{number} (id INTEGER)");
        let applied = apply(target.as_mut(), &format!("3_after_{end}"), &script).unwrap();
        assert_eq!(applied.kind, ReceiptKind::Atomic);
    }
    assert_eq!(bench.ask("SELECT count(*) FROM one"), 1);
    assert_eq!(recorded(target.as_mut()).len(), 5);
}
