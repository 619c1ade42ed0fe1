//! What a snapshot tells of targets that are gone: opening a ledger does not read it, and is right all the same.

use std::path::Path;

use proptest::prelude::*;
use rusqlite::Connection;
use tempfile::tempdir;
use tollgate::digest::{ChainHash, Checksum, Sha256};
use tollgate::ledger::{Agreement, Ledger, Pack, read_state, verify};
use tollgate::model::entry::{
    Bound, Ending, Engine, Failure, Intent, Outcome, ReceiptRef, TargetIdentity,
};
use tollgate::model::policy::Environment;
use tollgate::model::{
    AttemptId, Entry, EnvironmentName, Fact, IncarnationId, Kind, MigrationId, Policy, ReceiptKind,
    Timestamp, WriterId,
};

use crate::support::{at, by, open, random};
use crate::union::bodies;

const KINDS: [Kind; 3] = [Kind::Ordinary, Kind::Personal, Kind::Ephemeral];

fn ci() -> EnvironmentName {
    "ci".parse().unwrap()
}

fn policy(kind: Kind) -> Policy {
    let environment = Environment {
        name: ci(),
        kind,
        outside: false,
        require: Default::default(),
    };
    Policy {
        environments: vec![environment],
    }
}

fn target(n: u16) -> IncarnationId {
    let mut id = [0xc1; 16];
    id[..2].copy_from_slice(&n.to_be_bytes());
    IncarnationId::from_bytes(id)
}

fn bound(n: u16, replaces: Option<u16>) -> Fact {
    Fact::Bound(Bound {
        environment: ci(),
        target: TargetIdentity {
            incarnation: target(n),
            engine: Engine::Sqlite,
            system: None,
            database: None,
            name: format!("ci{n}.db"),
        },
        reason: None,
        replaces: replaces.map(target),
        lost: Vec::new(),
    })
}

fn own(ledger: &mut Ledger, facts: Vec<(Timestamp, Fact)>) {
    ledger.append_all(&by(), facts, &[]).unwrap();
}

/// Takes in what another writer said.
fn foreign(ledger: &mut Ledger, writer: u8, facts: Vec<(Timestamp, Fact)>) {
    let mut chain: Vec<Entry> = Vec::new();
    for (at, fact) in facts {
        let prev = chain.last();
        chain.push(Entry {
            writer: WriterId::from_bytes([writer; 16]),
            number: chain.len() as u64 + 1,
            prev: prev.map(|entry| Entry::hash_of(entry.to_body().unwrap().as_bytes())),
            at,
            by: by().into(),
            fact,
        });
    }
    let pack = Pack::of(bodies(&chain)).unwrap();
    ledger.merge(&pack, &random).unwrap();
}

/// The present target, as it is read from the snapshot and as all entries say, for each kind of environment.
fn assert_decided(path: &Path) -> [Option<IncarnationId>; 3] {
    KINDS.map(|kind| {
        let policy = policy(kind);
        let present = |loaded: &tollgate::ledger::Loaded| {
            let here = loaded.view.get(&ci()).unwrap();
            here.target.as_ref().map(|target| target.incarnation)
        };
        let quick = read_state(path, &policy).unwrap();
        let all = tollgate::ledger::read(path, &policy).unwrap();
        assert_eq!(present(&quick), present(&all), "{kind:?}");
        let (here, there) = (quick.view.get(&ci()), all.view.get(&ci()));
        for n in 0..400 {
            let has_had = here.unwrap().has_had(target(n));
            assert_eq!(has_had, there.unwrap().has_had(target(n)), "{n}");
        }
        present(&all)
    })
}

fn agreement(path: &Path, kind: Kind) -> Agreement {
    verify(path, &policy(kind)).unwrap().1
}

fn parts(path: &Path, like: &str) -> i64 {
    let connection = Connection::open(path).unwrap();
    let sql = "SELECT count(*) FROM snapshot WHERE part LIKE ?1";
    connection.query_row(sql, [like], |row| row.get(0)).unwrap()
}

/// Of a hundred targets those that are at hand were all replaced, by a pair that replaced each other: the one that
/// counts is among the older ones.
fn older_one_counts(path: &Path) {
    let mut ledger = open(path);
    let met = (1..=100).map(|n| (at(u64::from(n)), bound(n, None)));
    let replaced = (37..=100).map(|n| (at(200 + u64::from(n)), bound(300, Some(n))));
    let circle = [
        (at(400), bound(300, Some(301))),
        (at(401), bound(301, Some(300))),
    ];
    own(&mut ledger, met.chain(replaced).chain(circle).collect());
    ledger.snapshot(0).unwrap();
}

#[test]
fn older_bindings_are_read_where_they_decide() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    older_one_counts(&path);
    assert!(parts(&path, "bindings %") > 0);
    assert_eq!(assert_decided(&path), [Some(target(36)); 3]);
    for kind in KINDS {
        assert_eq!(agreement(&path, kind), Agreement::Same(167));
    }
    // What is written after it is weighed with them.
    let mut ledger = open(&path);
    assert_eq!(
        ledger
            .view()
            .get(&ci())
            .unwrap()
            .target
            .as_ref()
            .unwrap()
            .incarnation,
        target(36)
    );
    own(&mut ledger, vec![(at(500), bound(300, Some(36)))]);
    let present = ledger.view().get(&ci()).unwrap().target.clone();
    assert_eq!(present.unwrap().incarnation, target(35));
    // Nothing is lost of them when it is made to stand for more.
    own(
        &mut ledger,
        (101..=250).map(|n| (at(600), bound(n, None))).collect(),
    );
    let before = parts(&path, "bindings %");
    ledger.further_snapshot(0).unwrap();
    drop(ledger);
    assert!(parts(&path, "bindings %") > before);
    assert_eq!(assert_decided(&path), [Some(target(250)); 3]);
    assert_eq!(
        agreement(&path, Kind::Ordinary),
        Agreement::Same(167 + 1 + 150)
    );
}

#[test]
fn what_others_met_later_is_not_taken_for_ones_own() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut ledger = open(&path);
    own(&mut ledger, vec![(at(1), bound(1, None))]);
    let facts = (2..=200).map(|n| (at(u64::from(n)), bound(n, None)));
    foreign(&mut ledger, 7, facts.collect());
    ledger.snapshot(3).unwrap();
    drop(ledger);
    let (everyones, mine) = (Some(target(200)), Some(target(1)));
    assert_eq!(assert_decided(&path), [everyones, mine, mine]);
    assert_eq!(agreement(&path, Kind::Personal), Agreement::Same(198));
}

#[test]
fn older_bindings_that_were_altered_are_told_by_verify_and_made_anew() {
    for damage in [
        "UPDATE snapshot SET body = zeroblob(length(body)) WHERE part LIKE 'bindings %'",
        "UPDATE snapshot SET digest = zeroblob(32) WHERE part LIKE 'bindings %'",
        "DELETE FROM snapshot WHERE part LIKE 'bindings %'",
        "UPDATE snapshot SET version = 'tollgate 0.0.0 fold 1' WHERE part LIKE 'bindings %'",
    ] {
        let folder = tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        older_one_counts(&path);
        Connection::open(&path)
            .unwrap()
            .execute_batch(damage)
            .unwrap();
        assert_eq!(
            agreement(&path, Kind::Ordinary),
            Agreement::Unused,
            "{damage}"
        );
        assert_eq!(assert_decided(&path), [Some(target(36)); 3], "{damage}");
        let mut ledger = open(&path);
        let present = ledger.view().get(&ci()).unwrap().target.clone();
        assert_eq!(present.unwrap().incarnation, target(36), "{damage}");
        ledger.snapshot(0).unwrap();
        drop(ledger);
        assert_eq!(
            agreement(&path, Kind::Ordinary),
            Agreement::Same(167),
            "{damage}"
        );
    }
}

/// What a life says is in a row of its own, with a digest that the state names: another one with a digest that fits
/// its own bytes is not read.
#[test]
fn the_life_of_another_target_in_its_place_is_not_read() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut ledger = open(&path);
    foreign(&mut ledger, 7, runs(1..=3, 2));
    ledger.snapshot(0).unwrap();
    drop(ledger);
    assert_eq!(agreement(&path, Kind::Ephemeral), Agreement::Same(15));
    let connection = Connection::open(&path).unwrap();
    let name = format!("life ci {}", target(1));
    let other = format!("life ci {}", target(2));
    let body: Vec<u8> = connection
        .query_row(
            "SELECT body FROM snapshot WHERE part = ?1",
            [&other],
            |row| row.get(0),
        )
        .unwrap();
    let hashed = [name.as_bytes(), &[0], &body].concat();
    let digest = ChainHash::of("tollgate 2026 ledger snapshot v1", &hashed);
    let sql = "UPDATE snapshot SET body = ?1, digest = ?2 WHERE part = ?3";
    connection
        .execute(sql, rusqlite::params![body, digest.as_bytes(), name])
        .unwrap();
    drop(connection);
    assert_eq!(agreement(&path, Kind::Ephemeral), Agreement::Unused);
}

#[test]
fn attempts_that_are_told_in_another_life_or_not_at_all_are_found_by_verify() {
    for damage in [
        "UPDATE snapshot_attempt SET life = zeroblob(16) \
         WHERE attempt = (SELECT min(attempt) FROM snapshot_attempt)",
        "DELETE FROM snapshot_attempt \
         WHERE attempt = (SELECT min(attempt) FROM snapshot_attempt)",
        "INSERT INTO snapshot_attempt VALUES ('ci', zeroblob(16), zeroblob(16))",
    ] {
        let folder = tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let mut ledger = open(&path);
        foreign(&mut ledger, 7, runs(1..=3, 2));
        ledger.snapshot(0).unwrap();
        drop(ledger);
        Connection::open(&path)
            .unwrap()
            .execute_batch(damage)
            .unwrap();
        assert_eq!(
            agreement(&path, Kind::Ephemeral),
            Agreement::Differs,
            "{damage}"
        );
        let mut ledger = open(&path);
        ledger.rebuild_snapshot().unwrap();
        ledger.snapshot(0).unwrap();
        drop(ledger);
        assert_eq!(
            agreement(&path, Kind::Ephemeral),
            Agreement::Same(15),
            "{damage}"
        );
    }
}

/// Databases of CI, each with so many attempts at the same three migrations: one that succeeded, and others that
/// failed.
fn runs(databases: std::ops::RangeInclusive<u16>, attempts: u16) -> Vec<(Timestamp, Fact)> {
    let mut facts = Vec::new();
    for database in databases {
        facts.push((at(u64::from(database)), bound(database, None)));
        for attempt in 0..attempts {
            let mut id = [0xa7; 16];
            id[..2].copy_from_slice(&database.to_be_bytes());
            id[2..4].copy_from_slice(&attempt.to_be_bytes());
            let script = attempt.to_be_bytes();
            let migration = MigrationId::new(format!("2025{:010}_m", attempt % 3));
            let receipt = (attempt == 0).then(|| ReceiptRef {
                seq: 1,
                hash: ChainHash::of("tollgate 2026 receipt v1", &id),
            });
            let intent = Intent {
                attempt: AttemptId::from_bytes(id),
                environment: ci(),
                target: target(database),
                migration: migration.clone(),
                blake3: Checksum::of(&script),
                sha256: Sha256::of(&script),
                receipt: ReceiptKind::Atomic,
                plan: ChainHash::from_bytes([6; 32]),
                from: None,
                preview: false,
                down: None,
                waivers: Vec::new(),
                release: None,
                policy: None,
                behind: None,
                debt: None,
            };
            facts.push((at(u64::from(database)), Fact::Intent(intent)));
            let outcome = Outcome {
                attempt: AttemptId::from_bytes(id),
                environment: ci(),
                migration,
                outcome: match receipt {
                    Some(_) => Ending::Succeeded,
                    None => Ending::Failed,
                },
                receipt,
                kind: receipt.map(|_| ReceiptKind::Atomic),
                settled: false,
                progress: None,
                error: receipt.is_none().then(|| Failure {
                    message: "no such table: a".to_owned(),
                    code: None,
                    line: None,
                }),
                how: None,
                recorded_at: None,
            };
            facts.push((at(u64::from(database)), Fact::Outcome(outcome)));
        }
    }
    facts
}

/// Each database of CI that is gone adds its name and a digest to what is read, and its attempts add nothing.
#[test]
fn what_is_read_grows_by_little_more_than_the_name_of_a_target_that_is_gone() {
    let state = |databases: u16, attempts: u16| -> i64 {
        let folder = tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let mut ledger = open(&path);
        foreign(&mut ledger, 7, runs(1..=databases, attempts));
        ledger.snapshot(0).unwrap();
        drop(ledger);
        assert_ne!(agreement(&path, Kind::Ephemeral), Agreement::Unused);
        let connection = Connection::open(&path).unwrap();
        let sql = "SELECT length(body) FROM snapshot WHERE part = 'state'";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let (few, many) = (state(100, 1), state(164, 1));
    let each = (many - few) / 64;
    assert!((48..=52).contains(&each), "{few}, {many}: {each}");
    // Numbers of entries take a byte more as they grow.
    let (few, many) = (state(20, 6), state(20, 30));
    assert!(many - few < 64, "480 attempts more: {few}, {many}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whoever met it, whatever took its place, and however many there were.
    #[test]
    fn the_present_target_is_the_one_that_all_bindings_say(
        draws in prop::collection::vec((0..6u8, 0..120u16, prop::option::weighted(0.4, 0..120u16)), 100..300),
        newest in 0..60u64,
    ) {
        let folder = tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let mut ledger = open(&path);
        let said = |who: fn(u8) -> bool| -> Vec<(Timestamp, Fact)> {
            let of = |(place, (writer, target, replaces)): (usize, &(u8, u16, Option<u16>))| {
                let replaces = replaces.filter(|replaces| replaces != target);
                who(*writer).then(|| (at(place as u64), bound(*target, replaces)))
            };
            draws.iter().enumerate().filter_map(of).collect()
        };
        let mine = said(|writer| writer == 0);
        if !mine.is_empty() {
            own(&mut ledger, mine);
        }
        foreign(&mut ledger, 7, said(|writer| writer == 1));
        foreign(&mut ledger, 8, said(|writer| writer > 1));
        ledger.snapshot(newest).unwrap();
        drop(ledger);
        assert_decided(&path);
        for kind in KINDS {
            prop_assert_ne!(agreement(&path, kind), Agreement::Differs);
        }
    }
}
