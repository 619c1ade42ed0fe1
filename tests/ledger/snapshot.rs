//! The snapshot: whatever it stands for, the state is what the entries add up to; and what is wrong with it
//! is never believed.

use std::path::Path;

use proptest::prelude::*;
use rusqlite::{Connection, params};
use tempfile::tempdir;
use tollgate::digest::ChainHash;
use tollgate::ledger::view::{Life, View};
use tollgate::ledger::{Agreement, Ledger, LedgerErrorKind, Loaded, Pack, read_state, verify};
use tollgate::model::{Entry, Policy};

use crate::support::{append, at, by, intent, open, outcome, random, read};
use crate::union::{bodies, chains, draw};

fn merge(ledger: &mut Ledger, entries: impl IntoIterator<Item = Entry>) {
    let entries: Vec<Entry> = entries.into_iter().collect();
    let pack = Pack::of(bodies(&entries)).unwrap();
    ledger.merge(&pack, &random).unwrap();
}

fn quick(path: &Path) -> Loaded {
    read_state(path, &Policy::default()).unwrap()
}

fn agreement(path: &Path) -> Agreement {
    verify(path, &Policy::default()).unwrap().1
}

/// Everything that can be asked of a state. What a snapshot holds and nobody asks for is not read, so two
/// states are not compared as they are.
fn assert_same(one: &View, other: &View) {
    let names =
        |view: &View| -> Vec<_> { view.environments().map(|(name, _)| name.clone()).collect() };
    assert_eq!(names(one), names(other));
    assert_eq!(one.chain(), other.chain());
    assert_eq!(one.chained(), other.chained());
    assert_eq!(one.reverts(), other.reverts());
    for name in names(one) {
        let (here, there) = (one.get(&name).unwrap(), other.get(&name).unwrap());
        assert_eq!(here.target, there.target, "{name}");
        assert_eq!(here.evidence, there.evidence, "{name}");
        let (life, other_life): (&Life, &Life) = (here, there);
        assert_eq!(life, other_life, "{name}");
        assert_eq!(one.waivers(&name), other.waivers(&name), "{name}");
        assert_eq!(one.debts(&name), other.debts(&name), "{name}");
        assert_eq!(here.approved_plans(), there.approved_plans(), "{name}");
        assert_eq!(here.known_policy(), there.known_policy(), "{name}");
        let backups = |here: &tollgate::ledger::view::EnvironmentView| {
            here.all_backups().cloned().collect::<Vec<_>>()
        };
        assert_eq!(backups(here), backups(there), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// The lives and attempts that the later entries speak of are read when they do.
    #[test]
    fn a_snapshot_and_what_comes_after_it_add_up_to_what_all_entries_do(
        draws in prop::collection::vec(draw(), 1..60),
        newest in 0..60u64,
        further in 0..60u64,
    ) {
        let folder = tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let mut ledger = open(&path);
        let chains = chains(&draws);
        // Where one writer goes on from an entry of another that is among the newest, its own may stand elsewhere
        // when that comes: then the snapshot is left alone, and all entries are folded.
        let may_move = chains.len() > 1;
        merge(&mut ledger, chains.into_values().flatten());
        let all = read(&path).unwrap();
        let total = all.entries.len() as u64;
        ledger.snapshot(newest).unwrap();
        assert_same(ledger.view(), &all.view);
        let told = agreement(&path);
        let covers = total.saturating_sub(newest);
        let is_left = |told| may_move && told == Agreement::Unused;
        let expected = if covers == 0 { Agreement::None } else { Agreement::Same(covers) };
        prop_assert!(told == expected || is_left(told), "{told:?}, expected {expected:?}");
        if covers > 0 && further < newest {
            ledger.further_snapshot(further).unwrap();
            assert_same(ledger.view(), &all.view);
            let told = agreement(&path);
            let expected = Agreement::Same(total.saturating_sub(further));
            prop_assert!(told == expected || is_left(told), "{told:?}, expected {expected:?}");
        }
        drop(ledger);
        let quick = quick(&path);
        assert_same(&quick.view, &all.view);
        prop_assert_eq!(quick.heads, all.heads);
    }

    /// What arrives late may belong before what the snapshot stands for.
    #[test]
    fn what_arrives_late_counts_where_it_belongs(
        draws in prop::collection::vec(draw(), 1..60),
        late in 0..4u8,
        upto in any::<prop::sample::Index>(),
        newest in 0..20u64,
    ) {
        let folder = tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let mut ledger = open(&path);
        let mut chains = chains(&draws);
        let mut rest = chains.remove(&late).unwrap_or_default();
        let early = rest.drain(..upto.index(rest.len() + 1)).collect::<Vec<_>>();
        merge(&mut ledger, chains.into_values().flatten().chain(early));
        ledger.snapshot(newest).unwrap();
        merge(&mut ledger, rest);
        let all = read(&path).unwrap();
        assert_same(ledger.view(), &all.view);
        prop_assert_ne!(agreement(&path), Agreement::Differs);
        drop(ledger);
        assert_same(&quick(&path).view, &all.view);
    }
}

/// A ledger with a snapshot of all but the newest two of its entries: an attempt, its end, and what says
/// nothing new.
fn ledger(path: &Path) -> Ledger {
    let mut ledger = open(path);
    for n in 1..=3 {
        ledger.append(at(n), &by(), intent(n)).unwrap();
        ledger.append(at(n), &by(), outcome(n)).unwrap();
    }
    append(&mut ledger, 4);
    ledger.snapshot(2).unwrap();
    ledger
}

fn sql(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(sql).unwrap();
}

#[test]
fn what_is_appended_after_it_is_checked_against_what_it_holds() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(ledger(&path));
    let mut ledger = open(&path);
    // Its attempts ended before the snapshot, and are in none of the entries that were folded.
    let again = ledger.append(at(20), &by(), outcome(1)).unwrap_err();
    assert!(again.to_string().contains("which is not open"), "{again}");
    let again = ledger.append(at(20), &by(), intent(2)).unwrap_err();
    assert!(again.to_string().contains("a second time"), "{again}");
    ledger.append(at(20), &by(), intent(9)).unwrap();
    ledger.append(at(21), &by(), outcome(9)).unwrap();
    assert_same(ledger.view(), &read(&path).unwrap().view);
}

#[test]
fn one_is_made_when_a_ledger_to_which_much_was_added_is_closed() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut ledger = open(&path);
    merge(&mut ledger, crate::union::line(1000));
    drop(ledger);
    assert_eq!(
        agreement(&path),
        Agreement::None,
        "it would not be worth it"
    );
    let mut ledger = open(&path);
    merge(&mut ledger, crate::union::line(2000));
    drop(ledger);
    assert_eq!(agreement(&path), Agreement::Same(2000 - 512));
    let mut ledger = open(&path);
    merge(&mut ledger, crate::union::line(3000));
    drop(ledger);
    assert_eq!(agreement(&path), Agreement::Same(2000 - 512), "not yet");
    let mut ledger = open(&path);
    merge(&mut ledger, crate::union::line(3100));
    drop(ledger);
    assert_eq!(agreement(&path), Agreement::Same(3100 - 512));
}

#[test]
fn what_is_damaged_or_of_another_version_is_not_read() {
    for damage in [
        "UPDATE snapshot SET body = zeroblob(length(body))",
        "UPDATE snapshot SET body = substr(body, 1, length(body) - 1)",
        "UPDATE snapshot SET digest = zeroblob(32)",
        "UPDATE snapshot SET body = zeroblob(length(body)) WHERE part <> 'state'",
        "DELETE FROM snapshot WHERE part <> 'state'",
    ] {
        let folder = tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        drop(ledger(&path));
        let before = quick(&path).view;
        sql(&path, damage);
        assert_eq!(agreement(&path), Agreement::Unused, "{damage}");
        assert_same(&quick(&path).view, &before);
        assert_same(open(&path).view(), &before);
    }
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(ledger(&path));
    let before = quick(&path).view;
    sql(
        &path,
        "UPDATE snapshot SET version = 'tollgate 0.0.0 fold 1'",
    );
    assert_eq!(agreement(&path), Agreement::None);
    assert_same(&quick(&path).view, &before);
    let mut remade = open(&path);
    remade.further_snapshot(2).unwrap();
    assert_same(remade.view(), &before);
    drop(remade);
    assert_eq!(agreement(&path), Agreement::Same(9));
    sql(&path, "DROP TABLE snapshot; DROP TABLE snapshot_attempt");
    assert_same(&quick(&path).view, &before);
}

#[test]
fn what_tells_something_else_than_the_entries_is_found_by_verify_and_made_anew() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(ledger(&path));
    let connection = Connection::open(&path).unwrap();
    let (part, body): (String, Vec<u8>) = connection
        .query_row(
            "SELECT part, body FROM snapshot WHERE part = 'state'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    // Somebody else applied it all, and the digest fits.
    let place = body.windows(3).position(|bytes| bytes == b"ada").unwrap();
    let mut other = body.clone();
    other[place..place + 3].copy_from_slice(b"eve");
    let hashed = [part.as_bytes(), &[0], &other].concat();
    let digest = ChainHash::of("tollgate 2026 ledger snapshot v1", &hashed);
    connection
        .execute(
            "UPDATE snapshot SET body = ?1, digest = ?2 WHERE part = 'state'",
            params![other, digest.as_bytes()],
        )
        .unwrap();
    drop(connection);
    assert_eq!(agreement(&path), Agreement::Differs);
    let mut ledger = open(&path);
    ledger.snapshot(2).unwrap();
    assert_same(ledger.view(), &read(&path).unwrap().view);
    drop(ledger);
    assert_eq!(agreement(&path), Agreement::Same(9));
}

/// An old entry was folded long ago: that it is altered now changes nothing, and `verify` tells. The newest
/// ones are verified each time, and so is the one that the snapshot names.
#[test]
fn an_altered_entry_is_told_by_verify_and_by_whoever_folds_it() {
    for (number, is_read) in [(2, true), (8, true), (9, false), (10, false), (11, false)] {
        let folder = tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        drop(ledger(&path));
        let before = quick(&path).view;
        let alter = format!(
            "DROP TRIGGER entry_is_append_only_update; \
             UPDATE entry SET body = replace(body, 'lovelace', 'babbages') WHERE number = {number}"
        );
        sql(&path, &alter);
        let unsound = |error: tollgate::ledger::LedgerError| match error.kind {
            LedgerErrorKind::Unsound(unsound) => unsound.number,
            other => panic!("{other:?}"),
        };
        let verified = verify(&path, &Policy::default());
        assert_eq!(verified.map(|_| ()).map_err(unsound), Err(number));
        match read_state(&path, &Policy::default()) {
            Ok(loaded) if is_read => assert_same(&loaded.view, &before),
            Ok(_) => panic!("entry {number} was not verified"),
            Err(error) if !is_read => assert_eq!(unsound(error), number),
            Err(error) => panic!("entry {number}: {error}"),
        }
    }
}
