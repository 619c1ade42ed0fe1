//! Whoever means to deceive: each way to cheat that docs/THREATS.md names, and what comes of it. Where
//! nothing shows it, a test says that too, so that nobody believes otherwise.

mod config;
mod ledger;
mod page;
mod targets;

use rusqlite::params;
use tollgate::digest::{ChainHash, Checksum};
use tollgate::model::{Entry, Receipt};

use crate::project::{Project, Shot};

const CREATE: (&str, &str) = (
    "20251027072808_create_health_check",
    "CREATE TABLE health_checks (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n",
);
const EMAIL: (&str, &str) = (
    "20251103170000_add_email",
    "ALTER TABLE health_checks ADD COLUMN email TEXT;\n",
);

/// Everything in dev, and nothing else yet: test is what somebody would like to leave out.
fn in_dev() -> Project {
    let project = Project::with(&[CREATE, EMAIL]);
    must(&project, &["promote", "prod", "--to", CREATE.0], 0);
    must(&project, &["apply", "dev"], 0);
    project
}

fn must(project: &Project, arguments: &[&str], exit: u8) -> Shot {
    let shot = project.run(arguments);
    assert_eq!(shot.exit, exit, "{arguments:?}: {shot}");
    shot
}

/// Whether the column really stands in prod.
fn stands_in_prod(project: &Project) -> bool {
    let prod = project.database("prod");
    let column = prod.prepare("SELECT email FROM health_checks");
    column.is_ok()
}

fn open_ledger(project: &Project) -> rusqlite::Connection {
    let ledger = rusqlite::Connection::open(project.path().join("state/ledger.db")).unwrap();
    ledger
        .execute_batch(
            "DROP TRIGGER IF EXISTS entry_is_append_only_update;
             DROP TRIGGER IF EXISTS entry_is_append_only_delete;
             DROP TRIGGER IF EXISTS entry_is_append_only_replace;",
        )
        .unwrap();
    ledger
}

/// The entries as a forger reads them.
fn entries(project: &Project) -> Vec<Entry> {
    let ledger = open_ledger(project);
    let mut rows = ledger
        .prepare("SELECT body FROM entry ORDER BY position")
        .unwrap();
    let bodies = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
    bodies
        .map(|body| Entry::from_body(&body.unwrap()).unwrap())
        .collect()
}

/// Writes the ledger anew with the entries of one writer as they are given, every number and every hash as
/// it has to be, and the file beside it with them.
fn rewrite(project: &Project, mut entries: Vec<Entry>) {
    let ledger = open_ledger(project);
    ledger.execute_batch("DELETE FROM entry").unwrap();
    let mut prev: Option<ChainHash> = None;
    for (number, entry) in (1i64..).zip(&mut entries) {
        entry.number = number.unsigned_abs();
        entry.prev = prev;
        let body = entry.to_body().unwrap();
        let hash = Entry::hash_of(body.as_bytes());
        let writer: [u8; 16] = hex(&entry.writer.to_string()).try_into().unwrap();
        ledger
            .execute(
                "INSERT INTO entry (writer, number, hash, body) VALUES (?, ?, ?, ?)",
                params![writer, number, hash.as_bytes(), body],
            )
            .unwrap();
        prev = Some(hash);
    }
    // The file that remembers the newest entry: whoever can write the one can write the other.
    let said = format!(
        "tollgate ledger head v1\nwriter {}\nnumber {:020}\nhash   {}\n",
        entries.last().unwrap().writer,
        entries.len(),
        prev.unwrap()
    );
    let check = Checksum::of(said.as_bytes());
    let head = project.path().join("state/ledger.db.head");
    std::fs::write(head, format!("{said}check  {check}\n")).unwrap();
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

fn without_guards(project: &Project, environment: &str) -> rusqlite::Connection {
    let target = project.database(environment);
    let names: Vec<String> = {
        let mut triggers = target
            .prepare(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'tollgate%'",
            )
            .unwrap();
        let names = triggers.query_map([], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    };
    for name in names {
        target
            .execute_batch(&format!("DROP TRIGGER {name}"))
            .unwrap();
    }
    target
}

fn receipts(target: &rusqlite::Connection) -> Vec<Receipt> {
    let mut rows = target
        .prepare("SELECT body FROM tollgate_receipt ORDER BY seq")
        .unwrap();
    let bodies = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
    bodies
        .map(|body| serde_json::from_str(&body.unwrap()).unwrap())
        .collect()
}

/// Puts these receipts in the place of those that a target has, each with the hash that it has to have.
fn put_receipts(target: &rusqlite::Connection, receipts: &mut [Receipt]) {
    target
        .execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM tollgate_receipt")
        .unwrap();
    let mut prev: Option<ChainHash> = None;
    for (seq, receipt) in (1i64..).zip(receipts) {
        receipt.seq = seq.unsigned_abs();
        receipt.prev = prev;
        let stored = receipt.stored().unwrap();
        target
            .execute(
                "INSERT INTO tollgate_receipt (seq, prev, hash, migration, attempt, kind, body)
                 VALUES (?, nullif(?, 0), ?, ?, ?, json_extract(?6, '$.kind'), ?6)",
                params![
                    seq,
                    seq - 1,
                    stored.hash,
                    receipt.migration.to_string(),
                    receipt.attempt.to_string(),
                    stored.body
                ],
            )
            .unwrap();
        prev = Some(Receipt::hash_of(&stored.body));
    }
}
