//! What a target tells of itself.

use tollgate::targets::Earlier;

use crate::support::{Bench, apply, incarnation, lock, ready, recorded, sound};

pub(crate) fn an_empty_target_has_nothing<B: Bench>(bench: &B) {
    let mut target = bench.open();
    assert_eq!(target.engine(), B::ENGINE);
    let survey = target.survey().unwrap();
    assert_eq!(survey.observed.engine, B::ENGINE);
    assert_eq!(survey.recorded, None);
    assert!(survey.receipts.is_empty() && survey.journals.is_empty());
    assert!(!survey.has_other_tables);
}

pub(crate) fn a_foreign_table_is_seen<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    assert!(!sound(target.as_mut()).has_other_tables);
    bench.run("CREATE TABLE theirs (id INTEGER)").unwrap();
    assert!(sound(target.as_mut()).has_other_tables);
    assert!(bench.open().survey().unwrap().has_other_tables);
}

pub(crate) fn the_identity_is_kept<B: Bench>(bench: &B) {
    let mut target = bench.open();
    lock(target.as_mut());
    let identity = target
        .initialise(&"dev".parse().unwrap(), incarnation(1), Earlier::Keep)
        .unwrap();
    assert_eq!(identity.incarnation, incarnation(1));
    drop(target);
    let survey = bench.open().survey().unwrap();
    let recorded = survey.recorded.unwrap();
    assert_eq!(recorded.incarnation, incarnation(1));
    assert_eq!(recorded.environment.as_str(), "dev");
    assert_eq!(recorded.system, identity.system);
    assert_eq!(recorded.database, identity.database);
    assert_eq!(survey.observed.name, identity.name);
}

pub(crate) fn an_emptied_target_archives_its_receipts<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    apply(target.as_mut(), "1_one", "CREATE TABLE one (id INTEGER)").unwrap();
    apply(target.as_mut(), "2_two", "CREATE TABLE two (id INTEGER)").unwrap();
    target
        .initialise(&"test".parse().unwrap(), incarnation(2), Earlier::Archive)
        .unwrap();
    let survey = sound(target.as_mut());
    assert!(survey.receipts.is_empty());
    assert_eq!(survey.recorded.unwrap().incarnation, incarnation(2));
    let archived = format!("SELECT count(*) FROM {}", B::DIALECT.archive);
    assert_eq!(bench.ask(&archived), 2);
    // The new life has a chain of its own, and its guards.
    apply(
        target.as_mut(),
        "3_three",
        "CREATE TABLE three (id INTEGER)",
    )
    .unwrap();
    assert_eq!(recorded(target.as_mut()), ["3_three"]);
    drop(target);
    assert!(
        bench
            .run(&format!("DELETE FROM {}", B::DIALECT.receipts))
            .is_err()
    );
    assert!(
        bench
            .run(&format!("DELETE FROM {}", B::DIALECT.archive))
            .is_err()
    );
}

pub(crate) fn binding_again_keeps_the_receipts<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    apply(target.as_mut(), "1_one", "CREATE TABLE one (id INTEGER)").unwrap();
    target
        .initialise(&"test".parse().unwrap(), incarnation(2), Earlier::Keep)
        .unwrap();
    // The chain goes on under the new life.
    apply(target.as_mut(), "2_two", "CREATE TABLE two (id INTEGER)").unwrap();
    assert_eq!(recorded(target.as_mut()), ["1_one", "2_two"]);
    assert_eq!(
        sound(target.as_mut())
            .recorded
            .unwrap()
            .environment
            .as_str(),
        "test"
    );
}

pub(crate) fn emptying_leaves_only_the_archive<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    apply(
        target.as_mut(),
        "1_one",
        "CREATE TABLE one (id INTEGER PRIMARY KEY); CREATE TABLE two (id INTEGER REFERENCES one (id)); CREATE VIEW joined AS SELECT one.id FROM one, two",
    )
    .unwrap();
    let shown = target.inventory().unwrap();
    assert_eq!((shown.count("table"), shown.count("view")), (2, 1));
    let emptied = target
        .empty(&"dev".parse().unwrap(), incarnation(2))
        .unwrap();
    assert_eq!(emptied.inventory, shown);
    assert!(target.inventory().unwrap().is_empty());
    let survey = sound(target.as_mut());
    assert!(!survey.has_other_tables && survey.receipts.is_empty() && survey.journals.is_empty());
    assert_eq!(survey.gone, None);
    let archived = format!("SELECT count(*) FROM {}", B::DIALECT.archive);
    assert_eq!(bench.ask(&archived), 1);
    // Nothing stands in the way of the same script.
    apply(target.as_mut(), "1_one", "CREATE TABLE one (id INTEGER)").unwrap();
    assert_eq!(recorded(target.as_mut()), ["1_one"]);
}

pub(crate) fn an_emptied_target_names_the_lives_before<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let dev = "dev".parse().unwrap();
    let follows = |target: &mut dyn tollgate::targets::Target| {
        target.survey().unwrap().recorded.unwrap().follows
    };
    assert_eq!(follows(target.as_mut()), []);
    target.empty(&dev, incarnation(2)).unwrap();
    target
        .initialise(&dev, incarnation(3), Earlier::Archive)
        .unwrap();
    assert_eq!(follows(target.as_mut()), [incarnation(2), incarnation(1)]);
    // What is kept is not what was emptied: a ledger that knows an earlier life has to be told.
    target
        .initialise(&dev, incarnation(4), Earlier::Keep)
        .unwrap();
    assert_eq!(follows(target.as_mut()), []);
    target.empty(&dev, incarnation(5)).unwrap();
    assert_eq!(follows(target.as_mut()), [incarnation(4)]);
}
