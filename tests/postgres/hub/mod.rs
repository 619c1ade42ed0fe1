//! A team's hub: what it takes, what it gives back, and what it tells of itself.

mod connecting;
mod guards;
mod many;

use std::time::Duration;

use tollgate::digest::ChainHash;
use tollgate::ledger::chain::{Row, Walk};
use tollgate::model::entry::{Opened, Refused};
use tollgate::model::{Actor, Entry, Fact, Origin, Provenance, Timestamp, WriterId};
use tollgate::targets::hub::{Hub, HubChain, HubRow, digest};
use tollgate::targets::{TargetError, TargetErrorKind};

use crate::support::{Database, settings};

/// No test waits that long for a server that is there.
const PATIENCE: Duration = Duration::from_secs(60);

fn open(url: &str) -> Hub {
    Hub::open(&settings(url), PATIENCE).unwrap()
}

/// A hub in a database of its own, made by the superuser.
fn prepared() -> (Database, Hub) {
    let database = Database::new();
    let mut hub = open(&database.url());
    hub.prepare().unwrap();
    (database, hub)
}

fn writer(number: u8) -> WriterId {
    WriterId::from_bytes([number; 16])
}

/// An entry of `writer`. Entries with another `said` are others.
fn entry(writer: WriterId, number: u64, prev: Option<ChainHash>, said: &str) -> HubRow {
    let fact = match prev {
        None => Fact::Opened(Opened { after: None }),
        Some(_) => Fact::Refused(Refused {
            verb: said.to_owned(),
            environment: "dev".parse().unwrap(),
            plan: ChainHash::from_bytes([6; 32]),
            gates: Vec::new(),
        }),
    };
    let entry = Entry {
        writer,
        number,
        prev,
        at: Timestamp::from_unix_millis(1_760_000_000_000),
        by: Provenance {
            actor: Actor("Zoë O'Hara \\ \"z\" 雪 {body}\0".to_owned()),
            origin: Origin::Person { host: None },
            git: None,
            tool: "tollgate 0.1.0".to_owned(),
        }
        .into(),
        fact,
    };
    let body = entry.to_body().unwrap();
    HubRow {
        writer,
        number,
        hash: Entry::hash_of(body.as_bytes()).hex(),
        body,
    }
}

/// The first `length` entries of a writer.
fn chain(writer: WriterId, length: u64) -> Vec<HubRow> {
    let mut rows = Vec::new();
    let mut prev = None;
    for number in 1..=length {
        let row = entry(writer, number, prev, "apply");
        prev = Some(row.hash.parse().unwrap());
        rows.push(row);
    }
    rows
}

/// Another entry in the place of the last one of these.
fn other_last(rows: &[HubRow]) -> HubRow {
    let [.., before, last] = rows else {
        panic!("a chain of two")
    };
    let prev = Some(before.hash.parse().unwrap());
    entry(last.writer, last.number, prev, "promote")
}

fn read(hub: &mut Hub, writer: WriterId, above: u64) -> Vec<HubRow> {
    hub.read(writer, above)
        .collect::<Result<_, TargetError>>()
        .unwrap()
}

fn bodies(rows: &[HubRow]) -> impl Iterator<Item = &str> {
    rows.iter().map(|row| row.body.as_str())
}

/// What the summary says of a writer of whom the hub holds exactly these.
fn summed(rows: &[HubRow]) -> HubChain {
    HubChain {
        writer: rows[0].writer,
        entries: rows.len() as u64,
        lowest: rows[0].number,
        highest: rows[rows.len() - 1].number,
        digest: digest(bodies(rows)),
    }
}

/// Walks rows as a ledger does that takes them in.
fn walk(rows: &[HubRow]) {
    let mut walk = Walk::default();
    for row in rows {
        let stored = Row {
            writer: row.writer.as_bytes().to_vec(),
            number: i64::try_from(row.number).unwrap(),
            hash: row.hash.parse::<ChainHash>().unwrap().as_bytes().to_vec(),
            body: row.body.clone(),
        };
        walk.step(&stored).unwrap();
    }
}

#[test]
fn what_was_added_comes_back() {
    let (database, mut hub) = prepared();
    assert_eq!(hub.summary().unwrap(), []);
    assert_eq!(read(&mut hub, writer(1), 0), []);
    assert_eq!(hub.add(&[]).unwrap(), 0);
    let (one, two) = (chain(writer(1), 30), chain(writer(2), 3));
    // In any order: two first, the rest of it backwards.
    let mut mixed = two.clone();
    mixed.extend(one.iter().rev().cloned());
    assert_eq!(hub.add(&mixed).unwrap(), 33);
    assert_eq!(read(&mut hub, writer(1), 0), one);
    assert_eq!(read(&mut hub, writer(1), 28), one[28..]);
    assert_eq!(read(&mut hub, writer(1), 30), []);
    assert_eq!(read(&mut hub, writer(1), u64::MAX), []);
    walk(&one);
    assert_eq!(hub.summary().unwrap(), [summed(&one), summed(&two)]);
    // Who brought them, for people.
    let from = "SELECT count(*) FROM tollgate_hub.entry WHERE received_from = 'tollgate_test'
                AND received_at > now() - interval '1 hour'";
    assert_eq!(database.ask(from), "33");
}

#[test]
fn adding_again_changes_nothing() {
    let (_database, mut hub) = prepared();
    let rows = chain(writer(1), 5);
    assert_eq!(hub.add(&rows[..3]).unwrap(), 3);
    assert_eq!(hub.add(&rows[..3]).unwrap(), 0);
    // Some are there, one comes twice.
    let mut more = rows.clone();
    more.push(rows[4].clone());
    assert_eq!(hub.add(&more).unwrap(), 2);
    assert_eq!(hub.add(&rows[3..]).unwrap(), 0);
    assert_eq!(read(&mut hub, writer(1), 0), rows);
}

/// A copied ledger, or a forged entry: it shows only where neither is lost.
#[test]
fn two_entries_with_one_number_are_both_kept() {
    let (_database, mut hub) = prepared();
    let rows = chain(writer(1), 4);
    let other = other_last(&rows);
    hub.add(&rows).unwrap();
    assert_eq!(hub.add(std::slice::from_ref(&other)).unwrap(), 1);
    let mut all = rows;
    all.push(other);
    all.sort_by(|a, b| (a.number, &a.hash).cmp(&(b.number, &b.hash)));
    assert_eq!(read(&mut hub, writer(1), 0), all);
    assert_eq!(read(&mut hub, writer(1), 3), all[3..]);
    assert_eq!(hub.summary().unwrap(), [summed(&all)]);
}

#[test]
fn a_hole_is_refused_whole() {
    let (_database, mut hub) = prepared();
    let rows = chain(writer(1), 6);
    hub.add(&rows[..2]).unwrap();
    // Number 3 is missing, and an entry of somebody else comes with it.
    let mut holed = chain(writer(2), 2);
    holed.extend(rows[3..].iter().cloned());
    let error = hub.add(&holed).unwrap_err();
    assert_eq!(error.kind, TargetErrorKind::Other);
    assert!(
        error
            .fact
            .contains("took nothing: an entry does not follow one that is there"),
        "{error}"
    );
    assert_eq!(error.remedy.as_deref(), Some("tollgate verify"));
    // The same contact goes on.
    assert_eq!(hub.summary().unwrap(), [summed(&rows[..2])]);
    assert_eq!(hub.add(&rows).unwrap(), 4);
}

#[test]
fn an_entry_without_its_hash_is_not_sent() {
    let (_database, mut hub) = prepared();
    let mut rows = chain(writer(1), 2);
    rows[1].hash = rows[0].hash.clone();
    let error = hub.add(&rows).unwrap_err();
    assert!(
        error.fact.contains("entry 2 of writer 01010101")
            && error.fact.contains("does not have the hash beside it"),
        "{error}"
    );
    assert_eq!(hub.summary().unwrap(), []);
}

#[test]
fn a_database_that_is_no_hub_says_so() {
    let database = Database::new();
    let mut hub = open(&database.url());
    assert!(!hub.is_prepared().unwrap());
    for error in [
        hub.summary().unwrap_err(),
        hub.add(&chain(writer(1), 1)).unwrap_err(),
        hub.read(writer(1), 0).next().unwrap().unwrap_err(),
    ] {
        assert_eq!(error.kind, TargetErrorKind::Configuration);
        assert!(error.fact.contains("is no hub yet"), "{error}");
    }
    hub.prepare().unwrap();
    assert!(hub.is_prepared().unwrap());
}

#[test]
fn another_version_is_told_apart() {
    let (database, _hub) = prepared();
    for (comment, said) in [
        (
            "tollgate hub, version 2: something else",
            "is of version 2, and this tollgate knows version 1",
        ),
        ("tollgate hub, version 10", "is of version 10"),
        ("notes", "does not say which version"),
        ("", "does not say which version"),
    ] {
        let comment = format!("COMMENT ON TABLE tollgate_hub.entry IS '{comment}'");
        database.run(&comment).unwrap();
        let mut hub = open(&database.url());
        for error in [
            hub.is_prepared().map(drop),
            hub.prepare(),
            hub.summary().map(drop),
            hub.add(&chain(writer(1), 1)).map(drop),
        ] {
            let error = error.unwrap_err();
            assert_eq!(error.kind, TargetErrorKind::Configuration);
            assert!(error.fact.contains(said), "{error}");
        }
    }
    assert_eq!(database.ask("SELECT count(*) FROM tollgate_hub.entry"), "0");
}

#[test]
fn everything_is_commented() {
    let (database, _hub) = prepared();
    let columns =
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'tollgate_hub.entry'::regclass
                   AND attnum > 0 AND col_description(attrelid, attnum) IS NULL";
    assert_eq!(database.ask(columns), "0");
}
