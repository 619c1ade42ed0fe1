//! The schema's fingerprint: what stands there, and what is kept of it.

use tollgate::digest::{ChainHash, RECEIPT_CONTEXT};
use tollgate::model::entry::ReceiptRef;
use tollgate::model::schema::{SchemaChange, diff};
use tollgate::model::{Schema, SchemaObject};
use tollgate::targets::{Earlier, Target};

use crate::support::{Bench, apply, incarnation, lock, ready, sound};

/// What a database may have before anybody makes anything.
const AT_FIRST: [&str; 2] = ["schema", "extension"];

fn newest(target: &mut dyn Target) -> ReceiptRef {
    let survey = sound(target);
    let last = survey.receipts.last().unwrap();
    ReceiptRef {
        seq: last.seq,
        hash: last.hash.parse().unwrap(),
    }
}

fn named<'a>(schema: &'a Schema, kind: &str, name: &str) -> Option<&'a SchemaObject> {
    let is_it = |object: &&SchemaObject| {
        object.kind == kind && object.name.trim_start_matches("public.") == name
    };
    schema.objects().iter().find(is_it)
}

pub(crate) fn an_empty_target_has_an_empty_schema<B: Bench>(bench: &B) {
    let mut target = bench.open();
    let before = target.schema().unwrap();
    let is_made = |object: &&SchemaObject| !AT_FIRST.contains(&&*object.kind);
    assert_eq!(before.objects().iter().find(is_made), None);
    assert_eq!(target.kept_schema().unwrap(), None);
    // tollgate's own tables are no part of it.
    drop(target);
    let mut target = ready(bench);
    assert_eq!(diff(&before, &target.schema().unwrap()), []);
    assert_eq!(target.kept_schema().unwrap(), None);
}

pub(crate) fn looking_twice_finds_the_same<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let script = "CREATE TABLE one (id INTEGER PRIMARY KEY, a INTEGER DEFAULT 1); CREATE INDEX i ON one (a); CREATE VIEW v AS SELECT id FROM one";
    apply(target.as_mut(), "1_one", script).unwrap();
    let schema = target.schema().unwrap();
    assert_eq!(target.schema().unwrap().digest(), schema.digest());
    for (kind, name) in [("table", "one"), ("index", "i"), ("view", "v")] {
        assert!(named(&schema, kind, name).is_some(), "{schema:#?}");
    }
    assert_eq!(Schema::from_text(&schema.to_text()).as_ref(), Ok(&schema));
    // Data is no part of it, and another contact sees the same.
    bench.run("INSERT INTO one (id) VALUES (1)").unwrap();
    drop(target);
    assert_eq!(diff(&schema, &bench.open().schema().unwrap()), []);
}

pub(crate) fn what_changes_is_seen<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let mut schema = || target.schema().unwrap();
    let empty = schema();
    let mut changes = |before: &Schema| {
        let after = schema();
        let found = diff(before, &after);
        assert_eq!(found.is_empty(), before.digest() == after.digest());
        (after, found)
    };
    bench.run("CREATE VIEW v AS SELECT 1 AS a").unwrap();
    let (first, found) = changes(&empty);
    let is_added = |kind: &str| {
        let mut of_kind = found.iter().filter(|one| one.kind == kind);
        of_kind.all(|one| one.change == SchemaChange::Added)
    };
    assert!(named(&first, "view", "v").is_some() && is_added("view"));
    bench
        .run("DROP VIEW v; CREATE VIEW v AS SELECT 2 AS a")
        .unwrap();
    let (second, found) = changes(&first);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(matches!(found[0].change, SchemaChange::Changed { .. }));
    let lines = found[0].lines();
    assert!(lines.before[0].contains("SELECT 1 AS a"), "{lines:?}");
    assert!(lines.after[0].contains("SELECT 2 AS a"), "{lines:?}");
    bench.run("DROP VIEW v").unwrap();
    let (third, found) = changes(&second);
    assert!(found.iter().all(|one| one.change == SchemaChange::Removed));
    assert_eq!(third, empty);
}

/// Prisma keeps its own record; that it stands there, and how, is no part of the schema.
pub(crate) fn prismas_table_is_no_part_of_it<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let empty = target.schema().unwrap();
    target.keep_history(&[]).unwrap();
    assert!(bench.has_table("_prisma_migrations"));
    bench
        .run("CREATE INDEX theirs ON _prisma_migrations (checksum)")
        .unwrap();
    assert_eq!(diff(&empty, &target.schema().unwrap()), []);
}

pub(crate) fn what_is_kept_is_found_again<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    apply(
        target.as_mut(),
        "1_one",
        "CREATE TABLE one (a INTEGER DEFAULT '1')",
    )
    .unwrap();
    let (first, schema) = (newest(target.as_mut()), target.schema().unwrap());
    target.keep_schema(first, &schema).unwrap();
    // Also by another contact that holds no lock.
    let kept = bench.open().kept_schema().unwrap().unwrap();
    assert_eq!((kept.receipt, kept.digest), (first, schema.digest()));
    assert_eq!(kept.text, schema.to_text());
    assert_eq!(kept.read(), Ok(Some(schema.clone())));
    // The table that it stands in is tollgate's own.
    assert_eq!(diff(&schema, &target.schema().unwrap()), []);
    assert_eq!(target.inventory().unwrap().count("table"), 1);
    assert_eq!(bench.open().survey().unwrap().receipts.len(), 1);
    let mut altered = kept;
    altered.text.push('x');
    assert_eq!(altered.read(), Ok(None));
}

pub(crate) fn what_is_kept_takes_the_place_of_the_one_before<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    apply(target.as_mut(), "1_one", "CREATE TABLE one (a INTEGER)").unwrap();
    let first = newest(target.as_mut());
    let before = target.schema().unwrap();
    target.keep_schema(first, &before).unwrap();
    apply(target.as_mut(), "2_two", "CREATE TABLE two (a INTEGER)").unwrap();
    let (second, after) = (newest(target.as_mut()), target.schema().unwrap());
    // The same twice, too.
    for _ in 0..2 {
        target.keep_schema(second, &after).unwrap();
        let kept = target.kept_schema().unwrap().unwrap();
        assert_eq!((kept.receipt, kept.text), (second, after.to_text()));
    }
    // The digest of the one before stays, and its text does not.
    let rows = B::DIALECT.receipts.replace("receipt", "fingerprint");
    let digest = before.digest();
    let old = format!("SELECT count(*) FROM {rows} WHERE body IS NULL AND digest = '{digest}'");
    assert_eq!(bench.ask(&old), 1);
    assert_eq!(bench.ask(&format!("SELECT count(*) FROM {rows}")), 2);
    // What was read in another way cannot be compared.
    let read = |way: &str| format!("UPDATE {rows} SET reading = {way} WHERE body IS NOT NULL");
    bench.run(&read("reading || 'x'")).unwrap();
    assert_eq!(target.kept_schema().unwrap(), None);
    // A row of a receipt that stands no more goes.
    target.keep_schema(first, &before).unwrap();
    assert_eq!(target.kept_schema().unwrap().unwrap().receipt, first);
    assert_eq!(bench.ask(&format!("SELECT count(*) FROM {rows}")), 1);
}

pub(crate) fn a_target_that_was_emptied_keeps_nothing<B: Bench>(bench: &B) {
    let dev = "dev".parse().unwrap();
    let mut target = ready(bench);
    let empty = target.schema().unwrap();
    for life in [2, 4] {
        apply(target.as_mut(), "1_one", "CREATE TABLE one (a INTEGER)").unwrap();
        let schema = target.schema().unwrap();
        let newest = newest(target.as_mut());
        target.keep_schema(newest, &schema).unwrap();
        // A binding that keeps the receipts keeps what stands beside them.
        target
            .initialise(&dev, incarnation(life), Earlier::Keep)
            .unwrap();
        assert!(target.kept_schema().unwrap().is_some());
        if life == 2 {
            target.empty(&dev, incarnation(3)).unwrap();
            assert_eq!(diff(&empty, &target.schema().unwrap()), []);
        } else {
            target
                .initialise(&dev, incarnation(5), Earlier::Archive)
                .unwrap();
        }
        assert_eq!(target.kept_schema().unwrap(), None);
    }
}

/// A target that was entered before there was such a table.
pub(crate) fn a_missing_table_is_made<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    let rows = B::DIALECT.receipts.replace("receipt", "fingerprint");
    let drop_it = format!("DROP TABLE IF EXISTS {rows}");
    apply(
        target.as_mut(),
        "1_one",
        &format!("CREATE TABLE one (a INTEGER); {drop_it}"),
    )
    .unwrap();
    assert_eq!(target.kept_schema().unwrap(), None);
    let (newest, schema) = (newest(target.as_mut()), target.schema().unwrap());
    target.keep_schema(newest, &schema).unwrap();
    assert!(target.kept_schema().unwrap().is_some());
    // Emptying does not need it either.
    bench.run(&drop_it).unwrap();
    target
        .empty(&"dev".parse().unwrap(), incarnation(2))
        .unwrap();
    assert_eq!(target.kept_schema().unwrap(), None);
}

pub(crate) fn only_who_holds_the_lock_keeps<B: Bench>(bench: &B) {
    let mut target = ready(bench);
    apply(target.as_mut(), "1_one", "CREATE TABLE one (a INTEGER)").unwrap();
    let receipt = ReceiptRef {
        seq: 1,
        hash: ChainHash::of(RECEIPT_CONTEXT, b"x"),
    };
    drop(target);
    let mut target = bench.open();
    assert!(target.keep_schema(receipt, &Schema::default()).is_err());
    assert_eq!(target.kept_schema().unwrap(), None);
    lock(target.as_mut());
    target.keep_schema(receipt, &Schema::default()).unwrap();
    let kept = target.kept_schema().unwrap().unwrap();
    assert_eq!((kept.receipt, &*kept.text), (receipt, ""));
    assert_eq!(kept.read(), Ok(Some(Schema::default())));
}
