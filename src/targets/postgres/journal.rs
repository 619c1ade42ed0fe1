//! Rows of `tollgate.journal`.

use tokio_postgres::{Error, SimpleQueryRow};

use super::lock::HOLDS;
use super::runtime::{Answer, Session};
use super::survey::{cell, number, parse, unreadable};
use super::template::{fill, or_null, text};
use crate::digest::Checksum;
use crate::model::entry::{Progress, Verdict};
use crate::model::{AttemptId, MigrationId};
use crate::targets::{Attempt, Journal, Last, TargetError, Word};

const JOURNAL: &str = include_str!("sql/journal.sql");
const LOCKED: &str = include_str!("sql/locked.sql");
const BLOCK: &str = include_str!("sql/block.sql");
const STEP: &str = include_str!("sql/step.sql");

/// One row about a statement.
pub(super) struct Note<'a> {
    /// The statement's place, from 1; 0 for `started`.
    pub(super) step: u64,
    /// `started`, `begun`, `done`, `undone`, `failed` or `finished`.
    pub(super) what: &'static str,
    /// Its exact bytes; for `started` the whole script.
    pub(super) statement: &'a str,
}

/// The rows that start an attempt: it goes on after what an earlier one left standing.
pub(super) fn started<'a>(attempt: &Attempt<'a>) -> Vec<Note<'a>> {
    let started = Note {
        step: 0,
        what: "started",
        statement: attempt.script,
    };
    let stands = (attempt.done > 0).then_some(Note {
        step: attempt.done,
        what: "done",
        statement: "",
    });
    [started].into_iter().chain(stands).collect()
}

/// The INSERT for some rows, to be sent inside a transaction.
pub(super) fn insert(attempt: &Attempt<'_>, of: u64, notes: &[Note<'_>]) -> String {
    let row = |note: &Note<'_>| {
        let checksum = Checksum::of(note.statement.as_bytes());
        format!(
            "{}, {of}, '{}', '{checksum}', NULL, NULL",
            note.step, note.what
        )
    };
    let rows: Vec<String> = notes.iter().map(row).collect();
    rows_of(attempt.receipt.attempt, &attempt.receipt.migration, &rows)
}

/// The INSERT for a person's word.
pub(super) fn insert_word(attempt: AttemptId, migration: &MigrationId, word: &Word) -> String {
    let row = format!(
        "{}, {}, 'resolved', NULL, '{}', {}",
        word.done,
        word.of,
        word.verdict.as_str(),
        or_null(Some(&word.reason))
    );
    rows_of(attempt, migration, &[row])
}

/// The INSERT for the row that goes with a receipt.
pub(super) fn insert_finished(attempt: AttemptId, migration: &MigrationId, of: u64) -> String {
    let row = format!("{of}, {of}, 'finished', NULL, NULL, NULL");
    rows_of(attempt, migration, &[row])
}

fn rows_of(attempt: AttemptId, migration: &MigrationId, rows: &[String]) -> String {
    let migration = text(migration.as_str());
    // Only the holder of the run's lock writes here, so nobody counts beside us.
    let newest = "(SELECT COALESCE(pg_catalog.max(j.id), 0) FROM tollgate.journal AS j)";
    let rows: Vec<String> = (1..)
        .zip(rows)
        .map(|(place, row)| {
            let id = format!("{newest} OPERATOR(pg_catalog.+) {place}");
            format!("({id}, '{attempt}', {migration}, {row})")
        })
        .collect();
    format!(
        "INSERT INTO tollgate.journal (id, attempt, migration, step, of, what, checksum, verdict, reason) VALUES {};",
        rows.join(", ")
    )
}

/// Writes rows, committed before this returns. Outside a transaction only, and only while the run's
/// lock is held.
pub(super) fn write(session: &Session, attempt: AttemptId, insert: &str) -> Result<(), Error> {
    crate::failpoint::hit("postgres.journal.before");
    let written = session.query(&filled(JOURNAL, attempt, insert));
    crate::failpoint::hit("postgres.journal.after");
    written.map(drop)
}

/// Runs an ordinary statement together with the row that says that it is done. The answers are those
/// of BEGIN, of the statement, and of the row with its COMMIT. The first is waited for: where it is refused,
/// because somebody cancels just then, what is sent behind it would run outside of any transaction, and
/// could stand without its row. Nothing is.
pub(super) fn run_with(
    session: &Session,
    attempt: AttemptId,
    statement: &str,
    insert: &str,
) -> [Answer; 3] {
    let opened = session.run("BEGIN");
    if opened.error.is_some() {
        return [opened, Answer::nothing(), Answer::nothing()];
    }
    let [ran, closed] = session.pipeline([statement, &filled(STEP, attempt, insert)]);
    [opened, ran, closed]
}

/// Adds a row in the script's own transaction, which is about to be committed.
pub(super) fn run_within(session: &Session, attempt: AttemptId, insert: &str) -> Answer {
    session.run(&filled(BLOCK, attempt, insert))
}

fn filled(template: &str, attempt: AttemptId, insert: &str) -> String {
    let attempt = attempt.to_string();
    let locked = fill(LOCKED, &[("holds", HOLDS), ("attempt", &attempt)]);
    fill(template, &[("locked", &locked), ("journal", insert)])
}

/// Reads a row of `journals.sql`.
pub(super) fn read(row: &SimpleQueryRow) -> Result<Journal, TargetError> {
    let progress = Progress {
        done: number(row, "done")?,
        of: number(row, "of")?,
    };
    Ok(Journal {
        attempt: parse(row, "attempt")?,
        migration: MigrationId::new(cell(row, "migration")?),
        script: parse(row, "script")?,
        last: match cell(row, "last")? {
            "started" | "done" => Last::Done,
            "begun" => Last::Begun,
            "undone" => Last::Undone,
            "failed" => Last::Failed,
            "finished" => Last::Finished,
            _ => return Err(unreadable("last")),
        },
        word: match row.get("verdict") {
            None => None,
            Some(said) => Some(Word {
                verdict: [Verdict::NotApplied, Verdict::Applied, Verdict::ContinueAt]
                    .into_iter()
                    .find(|verdict| verdict.as_str() == said)
                    .ok_or_else(|| unreadable("verdict"))?,
                done: number(row, "standing")?,
                of: progress.of,
                reason: cell(row, "reason")?.to_owned(),
            }),
        },
        progress,
        elsewhere: cell(row, "elsewhere")? == "t",
    })
}
