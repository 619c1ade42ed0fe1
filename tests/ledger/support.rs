//! Ledgers to test with.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use tollgate::digest::{ChainHash, Checksum, Sha256};
use tollgate::ledger::chain::{Row, Walk};
use tollgate::ledger::{Ledger, LedgerError, Loaded, Opening};
use tollgate::model::entry::TargetIdentity;
use tollgate::model::entry::{Bound, Ending, Engine, Head, Intent, Outcome, ReceiptRef, Refused};
use tollgate::model::{
    Actor, AttemptId, EnvironmentName, Fact, IncarnationId, MigrationId, Origin, Policy,
    Provenance, ReceiptKind, Timestamp,
};

/// 16 bytes that were never drawn before in this process, nor by another one.
pub(crate) fn random() -> [u8; 16] {
    static DRAWN: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&DRAWN.fetch_add(1, Ordering::SeqCst).to_be_bytes());
    bytes[8..12].copy_from_slice(&std::process::id().to_be_bytes());
    bytes
}

pub(crate) fn open_as(machine: &str, path: &Path, wait: Duration) -> Result<Ledger, LedgerError> {
    let opening = Opening {
        machine,
        wait,
        give_up: &|| false,
        waiting: &mut |_| {},
        random: &random,
        policy: &Policy::default(),
    };
    Ledger::open(path, opening)
}

/// Opens a ledger that nobody holds. It waits all the same: a process that another test just begins
/// has this one's locks until it is another program.
pub(crate) fn open(path: &Path) -> Ledger {
    open_as("here", path, Duration::from_secs(60)).unwrap()
}

/// Reads a ledger whose environments are ordinary ones.
pub(crate) fn read(path: &Path) -> Result<Loaded, LedgerError> {
    tollgate::ledger::read(path, &Policy::default())
}

pub(crate) fn by() -> Provenance {
    Provenance {
        actor: Actor("ada".to_owned()),
        origin: Origin::Person {
            host: Some("lovelace".to_owned()),
        },
        git: None,
        tool: "tollgate 0.1.0".to_owned(),
    }
}

pub(crate) fn at(n: u64) -> Timestamp {
    Timestamp::from_unix_millis(1_760_000_000_000 + i64::try_from(n).unwrap())
}

fn dev() -> EnvironmentName {
    "dev".parse().unwrap()
}

fn incarnation() -> IncarnationId {
    IncarnationId::from_bytes([1; 16])
}

/// Any fact that may follow any other.
pub(crate) fn refused() -> Fact {
    let plan = ChainHash::from_bytes([6; 32]);
    Fact::Refused(Refused {
        verb: "apply".to_owned(),
        environment: dev(),
        plan,
        gates: Vec::new(),
    })
}

pub(crate) fn intent(n: u64) -> Fact {
    let script = n.to_be_bytes();
    Fact::Intent(Intent {
        attempt: AttemptId::from_bytes([u8::try_from(n).unwrap(); 16]),
        environment: dev(),
        target: incarnation(),
        migration: MigrationId::new(format!("2025{n:010}_m")),
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
    })
}

pub(crate) fn outcome(n: u64) -> Fact {
    let hash = ChainHash::from_bytes([u8::try_from(n).unwrap(); 32]);
    Fact::Outcome(Outcome {
        attempt: AttemptId::from_bytes([u8::try_from(n).unwrap(); 16]),
        environment: dev(),
        migration: MigrationId::new(format!("2025{n:010}_m")),
        outcome: Ending::Succeeded,
        receipt: Some(ReceiptRef { seq: n, hash }),
        kind: Some(ReceiptKind::Atomic),
        settled: false,
        progress: None,
        error: None,
        how: None,
        recorded_at: None,
    })
}

fn bound() -> Fact {
    let target = TargetIdentity {
        incarnation: incarnation(),
        engine: Engine::Sqlite,
        system: None,
        database: None,
        name: "dev.db".to_owned(),
    };
    Fact::Bound(Bound {
        environment: dev(),
        target,
        reason: None,
        replaces: None,
        lost: Vec::new(),
    })
}

/// Appends `n` entries that say nothing new.
pub(crate) fn append(ledger: &mut Ledger, n: u64) -> Head {
    let mut last = None;
    for n in 0..n {
        last = Some(ledger.append(at(n), &by(), refused()).unwrap());
    }
    last.unwrap()
}

/// A ledger of exactly 100 entries: opened, bound, then intents and outcomes in turn.
pub(crate) fn hundred(folder: &Path) -> PathBuf {
    let path = folder.join("ledger.db");
    let mut ledger = open(&path);
    ledger.append(at(0), &by(), bound()).unwrap();
    for n in 1..=49 {
        ledger.append(at(n), &by(), intent(n)).unwrap();
        ledger.append(at(n), &by(), outcome(n)).unwrap();
    }
    path
}

/// The rows as they stand in the file.
pub(crate) fn rows(path: &Path) -> Vec<Row> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("SELECT writer, number, hash, body FROM entry ORDER BY position")
        .unwrap();
    let rows = statement.query_map([], |row| {
        let (writer, number) = (row.get(0)?, row.get(1)?);
        Ok(Row {
            writer,
            number,
            hash: row.get(2)?,
            body: row.get(3)?,
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// The number of the first row that does not hold, and why; or the heads of the chains.
pub(crate) fn walk(rows: &[Row]) -> Result<Vec<Head>, (i64, String)> {
    let mut walk = Walk::default();
    for row in rows {
        walk.step(row)
            .map_err(|unsound| (unsound.number, unsound.what))?;
    }
    Ok(walk.heads().copied().collect())
}

/// Opens the file past the guards, as someone who means it can.
pub(crate) fn unguarded(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    let guards: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(guards.len() >= 6, "{guards:?}");
    for guard in guards {
        connection
            .execute_batch(&format!("DROP TRIGGER {guard}"))
            .unwrap();
    }
    connection
}
