//! Migrations that stopped half-way: what stands of them for certain, and whether the script on disk
//! may be gone on with after it.

use super::{FileFacts, Inputs};
use crate::digest::Checksum;
use crate::ledger::view::EnvironmentView;
use crate::model::MigrationId;
use crate::model::entry::{Engine, Progress, Verdict};
use crate::sql::{self, Analysis, Statement};
use crate::targets::{Journal, Last};

/// What stands of a migration, and nothing else of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Half {
    /// How many statements stand, of how many.
    pub(crate) progress: Progress,
    /// BLAKE3 of the script of which they are the first.
    pub(crate) script: Checksum,
}

/// What stands of a migration for certain, where some of it does. The target's journal goes first: an
/// attempt of another ledger that this one knows nothing of came after all that it knows.
pub(crate) fn half(
    inputs: &Inputs<'_>,
    here: &EnvironmentView,
    migration: &MigrationId,
) -> Option<Half> {
    if let Some(journal) = foreign(inputs, here).find(|journal| journal.migration == *migration) {
        return certain(journal);
    }
    let standing = here.standing.get(migration)?;
    Some(Half {
        progress: standing.progress,
        script: standing.script,
    })
}

/// The journals that the contact found of attempts that this ledger knows nothing of.
pub(crate) fn foreign<'a>(
    inputs: &Inputs<'a>,
    here: &'a EnvironmentView,
) -> impl Iterator<Item = &'a Journal> {
    let live = inputs.live.map_or(&[][..], |live| live.journals.as_slice());
    live.iter()
        .filter(|journal| !here.attempts.contains(&journal.attempt))
}

/// What another ledger's journal leaves certain without a person: that it was cut off between two
/// statements, or that a person said so already.
pub(crate) fn certain(journal: &Journal) -> Option<Half> {
    let done = match (&journal.word, journal.last) {
        (Some(word), _) if word.verdict == Verdict::ContinueAt => word.done,
        (None, Last::Done) => journal.progress.done,
        _ => return None,
    };
    (done > 0).then_some(Half {
        progress: Progress {
            done,
            ..journal.progress
        },
        script: journal.script,
    })
}

/// Why a script cannot be gone on with after what stands of it; `None` where it can.
pub(crate) fn obstacle(
    engine: Engine,
    file: &FileFacts<'_>,
    analysis: &Analysis,
    half: &Half,
) -> Option<Obstacle> {
    if file.checksum != half.script {
        return Some(Obstacle::Edited);
    }
    let Progress { done, of } = half.progress;
    let read = |statements: &[Statement]| {
        let cut = usize::try_from(done).unwrap_or(usize::MAX);
        if statements.len() as u64 != of {
            return Some(Obstacle::Other(format!(
                "this version reads {} statements in it, and {of} were begun",
                statements.len()
            )));
        }
        if sql::open_before(engine, file.script, statements)
            .get(cut)
            .is_some_and(|open| *open)
        {
            return Some(Obstacle::Other(format!(
                "statement {} stands inside a transaction of the script's own",
                done + 1
            )));
        }
        let lost = sql::session_of(engine, file.script, statements, cut).err()?;
        let range = statements[lost].range.clone();
        let line = sql::position(file.script, range.start).line;
        Some(Obstacle::Other(format!(
            "statement {} (line {line}) left something in its session that is gone with it: {}",
            lost + 1,
            first_line(&file.script[range])
        )))
    };
    match analysis.statements() {
        Some(statements) => read(statements),
        None => Some(Obstacle::Other(
            "the script was not analysed, so it cannot be cut".to_owned(),
        )),
    }
}

/// Whether these very bytes can be gone on with after their first statements.
pub(crate) fn goes_on(engine: Engine, file: &FileFacts<'_>, progress: Progress) -> bool {
    let half = Half {
        progress,
        script: file.checksum,
    };
    let analysis = sql::analyse(engine, file.script);
    progress.done > 0 && obstacle(engine, file, &analysis, &half).is_none()
}

/// Why a script cannot be gone on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The bytes on disk are others than those that were begun.
    Edited,
    /// Something else, as a line to show.
    Other(String),
}

/// The beginning of a statement, on one line.
pub(crate) fn first_line(statement: &str) -> String {
    const SHOWN: usize = 72;
    let flat = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= SHOWN {
        return flat;
    }
    let cut: String = flat.chars().take(SHOWN).collect();
    format!("{cut} ...")
}
