//! Rows of `tollgate_journal`; what they say is told in `schema.sql`.

use std::path::Path;

use rusqlite::{Connection, params};

use super::errors;
use super::store::{parsed, signed, unsigned};
use crate::digest::Checksum;
use crate::model::entry::{Progress, Verdict};
use crate::model::{AttemptId, MigrationId, Receipt};
use crate::targets::{Journal, Last, TargetError, TargetErrorKind, Word};

/// What a row says.
#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    Started,
    Begun,
    Done,
    Undone,
    Failed,
    Finished,
}

impl What {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Undone => "undone",
            Self::Failed => "failed",
            Self::Finished => "finished",
        }
    }
}

/// Adds a row: in the transaction that is open, or on its own. `progress.done` is the statement's
/// place; `text` its exact bytes, or for [`What::Started`] those of the script.
pub(super) fn add(
    connection: &Connection,
    receipt: &Receipt,
    what: What,
    progress: Progress,
    text: Option<&str>,
) -> rusqlite::Result<()> {
    crate::failpoint::hit("sqlite.journal.before");
    connection.execute(
        "INSERT INTO main.tollgate_journal (id, attempt, migration, what, step, \"of\", checksum) \
         SELECT ifnull(max(id), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6 FROM main.tollgate_journal",
        params![
            receipt.attempt.to_string(),
            receipt.migration.as_str(),
            what.as_str(),
            signed(progress.done),
            signed(progress.of),
            text.map(|text| Checksum::of(text.as_bytes()).to_string())
        ],
    )?;
    crate::failpoint::hit("sqlite.journal.after");
    Ok(())
}

/// Starts an attempt that goes on after the first `done` statements. Inside a transaction.
pub(super) fn start(
    connection: &Connection,
    receipt: &Receipt,
    script: &str,
    stands: Progress,
) -> rusqlite::Result<()> {
    let none = Progress { done: 0, ..stands };
    add(connection, receipt, What::Started, none, Some(script))?;
    if stands.done > 0 {
        add(connection, receipt, What::Done, stands, None)?;
    }
    Ok(())
}

/// Adds a person's word: in the transaction that is open, or on its own.
pub(super) fn add_word(
    connection: &Connection,
    attempt: AttemptId,
    migration: &MigrationId,
    word: &Word,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO main.tollgate_journal (id, attempt, migration, what, step, \"of\", verdict, reason) \
         SELECT ifnull(max(id), 0) + 1, ?1, ?2, 'resolved', ?3, ?4, ?5, ?6 FROM main.tollgate_journal",
        params![
            attempt.to_string(),
            migration.as_str(),
            signed(word.done),
            signed(word.of),
            word.verdict.as_str(),
            word.reason
        ],
    )?;
    Ok(())
}

/// Every attempt's journal, in the order in which they were started.
pub(super) fn read(path: &Path, connection: &Connection) -> Result<Vec<Journal>, TargetError> {
    let told = |error| errors::target(path, &error);
    let mut statement = connection
        .prepare(include_str!("journals.sql"))
        .map_err(told)?;
    let mut rows = statement.query([]).map_err(told)?;
    let mut out = Vec::new();
    while let Some(row) = rows.next().map_err(told)? {
        let text = |column: usize| row.get::<_, String>(column).map_err(told);
        let progress = Progress {
            done: unsigned(row.get(4).map_err(told)?),
            of: unsigned(row.get(3).map_err(told)?),
        };
        let word = match row.get::<_, Option<String>>(6).map_err(told)? {
            None => None,
            Some(said) => Some(Word {
                verdict: verdict(path, &said)?,
                done: unsigned(row.get(7).map_err(told)?),
                of: progress.of,
                reason: text(8)?,
            }),
        };
        out.push(Journal {
            attempt: parsed(path, TABLE, &text(0)?)?,
            migration: MigrationId::new(text(1)?),
            script: parsed(path, TABLE, &text(2)?)?,
            last: last(path, &text(5)?)?,
            progress,
            word,
            elsewhere: row.get(9).map_err(told)?,
        });
    }
    Ok(out)
}

const TABLE: &str = "tollgate_journal";

fn last(path: &Path, said: &str) -> Result<Last, TargetError> {
    Ok(match said {
        "started" | "done" => Last::Done,
        "begun" => Last::Begun,
        "undone" => Last::Undone,
        "failed" => Last::Failed,
        "finished" => Last::Finished,
        other => return Err(altered(path, other)),
    })
}

fn verdict(path: &Path, said: &str) -> Result<Verdict, TargetError> {
    [Verdict::NotApplied, Verdict::Applied, Verdict::ContinueAt]
        .into_iter()
        .find(|verdict| verdict.as_str() == said)
        .ok_or_else(|| altered(path, said))
}

fn altered(path: &Path, said: &str) -> TargetError {
    TargetError {
        kind: TargetErrorKind::Other,
        fact: format!(
            "{}: the table {TABLE} was altered: it says {said:?}",
            path.display()
        ),
        remedy: None,
    }
}
