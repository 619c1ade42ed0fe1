//! Reading SQL text: statements, transaction control, what cannot be wrapped, errors.
//!
//! Pure. A script runs as the bytes on disk whatever this module makes of it; the analysis only
//! decides how it may be sent.

pub mod carry;
pub mod changes;
mod comments;
mod condition;
mod definitions;
mod limits;
mod position;
mod postgresql;
mod session;
mod shape;
mod shown;
mod sqlite;

use std::ops::Range;

use crate::model::ReceiptKind;
use crate::model::entry::Engine;

pub use comments::{Comment, comments};
pub use definitions::only_defines;
pub use limits::PARSER_THREAD;
pub use position::{Position, Positions, char_position_to_offset, line_range, line_text, position};
pub use postgresql::words::{IndexWork, Word, index_work, statements as words};
pub use session::session_of;
pub use shape::{Shape, chains, ends_open, open_before, shape, unit_end};
pub use shown::{
    Class, Hidden, for_review, passwords, said_without_passwords, shown, tokens, without_passwords,
};

/// Reads a script: its statements, and what matters about each when it is sent.
///
/// Never panics, whatever the script. The parsers run on a thread of their own, named
/// [`PARSER_THREAD`], because they may need more stack than the caller has.
///
/// For PostgreSQL the statements are what the server would make of the script: sending them one by
/// one means the same as far as reading goes. What differs is that the server runs a script sent
/// whole in one implicit transaction.
#[must_use]
pub fn analyse(engine: Engine, script: &str) -> Analysis {
    if script.len() > MAX_ANALYSED {
        return Analysis::NotAnalysed(NotAnalysed::TooLarge {
            bytes: script.len(),
        });
    }
    match engine {
        Engine::Postgresql => postgresql::analyse(script),
        Engine::Sqlite => sqlite::analyse(script),
    }
}

/// [`analyse`] for many scripts, in their order: a thread for each would cost more than most scripts.
#[must_use]
pub fn analyse_all(engine: Engine, scripts: &[&str]) -> Vec<Analysis> {
    read_all(scripts, |script| analyse(engine, script))
}

/// Reads many things, in their order, on a few threads that have enough stack for the parsers.
fn read_all<T: Sync, R: Send>(things: &[T], read: impl Fn(&T) -> R + Sync) -> Vec<R> {
    // Whoever reads on such a thread already has the stack, and wants no others.
    if std::thread::current().name() == Some(PARSER_THREAD) {
        return things.iter().map(read).collect();
    }
    let threads = std::thread::available_parallelism()
        .map_or(1, std::num::NonZero::get)
        .min(8);
    let share = things.len().div_ceil(threads).max(1);
    let one_by_one = |things: &[T]| -> Vec<R> { things.iter().map(&read).collect() };
    let one_by_one = &one_by_one;
    std::thread::scope(|scope| {
        let shares: Vec<_> = things
            .chunks(share)
            .map(|chunk| {
                (
                    chunk,
                    limits::parser_thread().spawn_scoped(scope, move || one_by_one(chunk)),
                )
            })
            .collect();
        // A share without a thread of its own, or whose thread ended badly, is read one by one.
        let read = shares.into_iter().flat_map(|(chunk, thread)| {
            thread
                .ok()
                .and_then(|thread| thread.join().ok())
                .unwrap_or_else(|| one_by_one(chunk))
        });
        read.collect()
    })
}

/// Whether a script for PostgreSQL may be queued behind another whose outcome is not known yet: it
/// was analysed, and nothing in it controls a transaction or its characteristics, cannot stand in
/// one, or copies from or to the client.
#[must_use]
pub fn pipelinable(analysis: &Analysis) -> bool {
    analysis.statements().is_some_and(|statements| {
        statements
            .iter()
            .all(|statement| statement.kind == StatementKind::Ordinary)
    })
}

/// Where the first backslash stands that a plain string of a script for PostgreSQL holds, in bytes. A server on
/// which it is an escape reads such a script in another way than this module does.
#[must_use]
pub fn plain_backslash(script: &str) -> Option<usize> {
    script
        .contains('\\')
        .then(|| postgresql::backslash(script))?
}

/// What reading a script found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Analysis {
    /// Every byte was understood: these are the statements, in order, comments and blanks between
    /// them left out. An empty or comment-only script has none.
    Analysed(Vec<Statement>),
    /// The statement list is not trusted; the bytes go alone.
    NotAnalysed(NotAnalysed),
}

/// Why a script was not analysed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAnalysed {
    /// Longer than [`MAX_ANALYSED`].
    TooLarge {
        /// Its length in bytes.
        bytes: usize,
    },
    /// Something nests deeper than the parser can take: brackets, but a long chain of operators too.
    TooDeep {
        /// The offset in bytes of the token that was too much.
        offset: usize,
    },
    /// The parser found an error, or gave up. The target may still understand it.
    ParseError {
        /// The offset in bytes.
        offset: usize,
        /// What the parser said.
        message: String,
    },
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Where its text stands in the script, in bytes, its semicolon not included.
    pub range: Range<usize>,
    /// What matters about it here.
    pub kind: StatementKind,
}

/// What matters about a statement when it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    /// May stand in a transaction, and leaves it open.
    Ordinary,
    /// BEGIN, COMMIT, ROLLBACK, PREPARE TRANSACTION and the like, named as written in capitals.
    TransactionControl(&'static str),
    /// SAVEPOINT, RELEASE, ROLLBACK TO, named in capitals. They need a transaction and leave it
    /// open, so a script without a BEGIN of its own is atomic with them. It is never pipelined:
    /// behind a failure, ROLLBACK TO a savepoint of another script would bring an aborted
    /// transaction back to life.
    Savepoint(&'static str),
    /// SET TRANSACTION, SET SESSION CHARACTERISTICS, or a SET of `transaction_*`: only legal first.
    SetTransaction,
    /// COPY ... FROM STDIN: there is no stdin; the server would drop the connection.
    CopyFromStdin,
    /// COPY ... TO STDOUT: the driver reports an error although the server goes on.
    CopyToStdout,
    /// Cannot run inside a transaction, or does nothing there: `CREATE INDEX CONCURRENTLY`,
    /// `VACUUM`, `PRAGMA journal_mode` ...; the name is for people.
    NotWrappable(&'static str),
    /// SQLite: `PRAGMA foreign_keys = OFF` or `ON`, which does nothing inside a transaction and so
    /// has to be done around it.
    ForeignKeys(bool),
}

/// A script longer than this, in bytes, is not parsed: 4 MiB.
pub const MAX_ANALYSED: usize = 4 * 1024 * 1024;

impl Statement {
    /// Whether it cannot stand in a transaction, and changes nothing that a second run of it would not
    /// leave the same: after a crash it need not be known whether it had run.
    #[must_use]
    pub fn may_run_again(&self, script: &str) -> bool {
        let text = script.get(self.range.clone()).unwrap_or_default();
        // VACUUM INTO makes a file, and will not make it twice.
        let makes_a_file = text.to_ascii_uppercase().contains("INTO");
        !makes_a_file
            && matches!(
                self.kind,
                StatementKind::NotWrappable(
                    "VACUUM"
                        | "REINDEX DATABASE"
                        | "REINDEX SYSTEM"
                        | "REINDEX SCHEMA"
                        | "CLUSTER"
                        | "DISCARD ALL"
                        | "ATTACH"
                        | "DETACH"
                        | "PRAGMA journal_mode"
                        | "PRAGMA synchronous"
                        | "PRAGMA temp_store"
                        | "PRAGMA wal_checkpoint"
                )
            )
    }
}

impl Analysis {
    /// How a script may be sent, and so what its receipt will be: journalled where a statement
    /// controls the transaction itself or cannot stand in one, atomic otherwise. A script that was
    /// not analysed is tried as atomic.
    #[must_use]
    pub fn receipt_kind(&self) -> ReceiptKind {
        let wrappable = |statement: &Statement| {
            !matches!(
                statement.kind,
                StatementKind::TransactionControl(_) | StatementKind::NotWrappable(_)
            )
        };
        match self {
            Self::Analysed(statements) if !statements.iter().all(wrappable) => {
                ReceiptKind::Journalled
            }
            _ => ReceiptKind::Atomic,
        }
    }

    /// The statements, where they are trusted.
    #[must_use]
    pub fn statements(&self) -> Option<&[Statement]> {
        match self {
            Self::Analysed(statements) => Some(statements),
            Self::NotAnalysed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
