use std::time::Duration;

use super::*;
use crate::digest::{ChainHash, Checksum, Sha256};
use crate::model::entry::{BackedUp, ReceiptRef, VerifiedBackup};
use crate::model::{Actor, DataMode, IncarnationId};

const NOW: i64 = 1_762_251_120_000;
const HOUR: RequiredBackup = RequiredBackup {
    max_age: Duration::from_secs(3_600),
    verified: false,
};
const VERIFIED: RequiredBackup = RequiredBackup {
    verified: true,
    ..HOUR
};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(NOW + millis)
}

fn hash(seq: u64) -> ChainHash {
    ChainHash::from_bytes([u8::try_from(seq).unwrap(); 32])
}

/// A target with so many receipts, each of a change.
fn here(receipts: u64) -> Life {
    let mut life = Life::default();
    life.receipts = (1..=receipts).map(|seq| (seq, hash(seq))).collect();
    life
}

fn backup(millis: i64, receipt: Option<u64>, what: BackupKind) -> Backup {
    Backup {
        entry: BackedUp {
            environment: "prod".parse().unwrap(),
            target: IncarnationId::from_bytes([1; 16]),
            receipt: receipt.map(|seq| ReceiptRef {
                seq,
                hash: hash(seq),
            }),
            taken: at(millis),
            what,
        },
        by: Actor("alice".to_owned()),
        at: at(millis),
    }
}

fn file(name: &str, verified: bool) -> BackupKind {
    BackupKind::File {
        file: name.to_owned(),
        size: 1,
        blake3: Checksum::of(b"x"),
        sha256: Sha256::of(b"x"),
        made_by: "pg_dump 15.18".to_owned(),
        verified: verified.then(|| VerifiedBackup {
            at: at(0),
            data: DataMode::Full,
            tables: 1,
            rows: 1,
        }),
        bad: None,
    }
}

fn attested() -> BackupKind {
    BackupKind::Attested {
        place: "there".to_owned(),
    }
}

fn found(backup: &Backup, receipts: u64, required: RequiredBackup) -> Vec<String> {
    wrong(backup, &here(receipts), required, at(0))
}

#[test]
fn a_fresh_one_of_the_present_state_counts() {
    let none: [&str; 0] = [];
    assert_eq!(found(&backup(0, Some(2), file("a", false)), 2, HOUR), none);
    assert_eq!(
        found(&backup(-3_600_000, Some(2), attested()), 2, HOUR),
        none
    );
    assert_eq!(
        found(&backup(0, Some(2), file("a", true)), 2, VERIFIED),
        none
    );
    assert_eq!(found(&backup(0, None, file("a", false)), 0, HOUR), none);
}

#[test]
fn each_thing_that_is_wrong_is_named() {
    for (backup, required, said) in [
        (
            backup(-3_600_001, Some(2), file("a", false)),
            HOUR,
            "too old: 1 h",
        ),
        (
            backup(-3_661_000, Some(2), attested()),
            HOUR,
            "too old: 1 h 1 min",
        ),
        (
            backup(1, Some(2), file("a", false)),
            HOUR,
            "it is of the future: a clock was set back, now it is 2025-11-04 10:12 UTC",
        ),
        (
            backup(0, Some(1), file("a", false)),
            HOUR,
            "taken before the last change, receipt 2",
        ),
        (
            backup(0, None, attested()),
            HOUR,
            "taken before the last change, receipt 2",
        ),
        (
            backup(0, Some(3), file("a", false)),
            HOUR,
            "receipt 3 of it is none of this target's",
        ),
        (
            backup(0, Some(2), file("a", false)),
            VERIFIED,
            "nobody restored it, so nobody knows whether it can be",
        ),
        (
            backup(0, Some(2), attested()),
            VERIFIED,
            "attested, not seen: it never counts as verified",
        ),
    ] {
        assert_eq!(found(&backup, 2, required), [said]);
    }
    let all = found(&backup(-7_200_000, Some(1), file("a", false)), 2, VERIFIED);
    assert_eq!(all.len(), 3, "{all:?}");
}

/// Of one file the newest word counts: one that was verified and is no more, too.
#[test]
fn the_newest_comes_first_and_each_file_once() {
    let mut life = here(2);
    life.backups = vec![
        backup(-3, Some(2), file("a", false)),
        backup(-2, Some(2), file("b", true)),
        backup(-1, Some(2), attested()),
        backup(-3, Some(2), file("a", true)),
        backup(-2, Some(2), file("b", false)),
    ];
    let names: Vec<bool> = candidates(&life)
        .iter()
        .map(|one| wrong(one, &life, VERIFIED, at(0)).is_empty())
        .collect();
    assert_eq!(names, [false, false, true], "attested, b, a");
}

#[test]
fn lengths_of_time_read_well() {
    let shown = [
        0,
        999,
        61_000,
        3_600_000,
        3_601_000,
        90_061_000,
        86_400_000 * 3,
    ]
    .map(length);
    assert_eq!(
        shown,
        [
            "0 s",
            "0 s",
            "1 min 1 s",
            "1 h",
            "1 h 1 s",
            "1 d 1 h",
            "3 d"
        ]
    );
}

/// What a later look found is the state of a file, until another look finds it good.
#[test]
fn one_that_was_found_bad_counts_for_nothing() {
    let bad = |name: &str| {
        let mut what = file(name, true);
        if let BackupKind::File { bad, .. } = &mut what {
            *bad = Some("it was cut short".to_owned());
        }
        backup(0, Some(2), what)
    };
    assert_eq!(
        found(&bad("a"), 2, VERIFIED),
        ["it was looked at, and is not good: it was cut short"]
    );
    let mut life = here(2);
    life.backups = vec![backup(0, Some(2), file("a", true)), bad("a")];
    let told = candidates(&life);
    assert_eq!(told.len(), 1);
    assert!(!wrong(told[0], &life, HOUR, at(0)).is_empty());
    life.backups.push(backup(0, Some(2), file("a", false)));
    assert!(wrong(candidates(&life)[0], &life, HOUR, at(0)).is_empty());
}
