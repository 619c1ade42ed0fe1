//! Migrations that stopped half-way: what stands of them for certain, and whether the script on disk
//! may be continued after it.

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

/// What stands of a migration for certain, where some of it does. Under the lock the target's journal
/// alone tells: it went back with the target, where that was put back to an earlier point, and it
/// knows what other ledgers did. Offline the ledger tells what it knew last.
pub(crate) fn half(
    inputs: &Inputs<'_>,
    here: &EnvironmentView,
    migration: &MigrationId,
) -> Option<Half> {
    if let Some(live) = inputs.live {
        let mut journals = live.journals.iter();
        let journal = journals.find(|journal| journal.migration == *migration)?;
        return match told(inputs, here, journal) {
            Told::Half(half) => Some(half),
            Told::Nothing | Told::Uncertain | Told::Failed => None,
        };
    }
    let standing = here.standing.get(migration)?;
    Some(Half {
        progress: standing.progress,
        script: standing.script,
    })
}

/// What the newest attempt of a migration in the target's journal tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing of it stands.
    Nothing,
    /// The first statements stand, and nothing else of it.
    Half(Half),
    /// Only a person can tell what stands.
    Uncertain,
    /// It failed, this ledger knows why, and a person has to put that right.
    Failed,
}

/// Reads the newest attempt of a migration that is not applied.
pub(crate) fn told(inputs: &Inputs<'_>, here: &EnvironmentView, journal: &Journal) -> Told {
    let certain = |done: u64| match done {
        0 => Told::Nothing,
        _ => Told::Half(Half {
            progress: Progress {
                done,
                ..journal.progress
            },
            script: journal.script,
        }),
    };
    if journal.elsewhere && journal.standing() != Some(0) {
        return Told::Uncertain;
    }
    if let Some(word) = &journal.word {
        return match word.verdict {
            Verdict::ContinueAt => certain(word.done),
            _ => Told::Nothing,
        };
    }
    if here.partial.contains_key(&journal.attempt) {
        return Told::Failed;
    }
    // What this ledger settled as cut off, it may go on with; after a failure a person is asked.
    let cut_off = here
        .standing
        .get(&journal.migration)
        .is_some_and(|standing| standing.attempt == journal.attempt && standing.reason.is_none());
    match journal.last {
        Last::Done => certain(journal.progress.done),
        Last::Undone if cut_off || journal.progress.done == 0 => certain(journal.progress.done),
        Last::Begun if begun_may_run_again(inputs, journal) => certain(journal.progress.done),
        Last::Finished => Told::Nothing,
        Last::Begun | Last::Undone | Last::Failed => Told::Uncertain,
    }
}

/// Whether the statement in flight is one that leaves the same however often it runs.
fn begun_may_run_again(inputs: &Inputs<'_>, journal: &Journal) -> bool {
    let mut files = inputs.files.iter();
    let file =
        files.find(|file| *file.migration == journal.migration && file.checksum == journal.script);
    file.is_some_and(|file| {
        let analysis = sql::analyse(inputs.engine, file.script);
        let statements = analysis.statements().unwrap_or_default();
        let place = usize::try_from(journal.progress.done).unwrap_or(usize::MAX);
        statements.len() as u64 == journal.progress.of
            && statements
                .get(place)
                .is_some_and(|statement| statement.may_run_again(file.script))
    })
}

/// Why a script cannot be continued after what stands of it; `None` where it can.
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
        if cut >= statements.len() && sql::ends_open(engine, file.script, statements) {
            return Some(Obstacle::Other(
                "the script leaves a transaction of its own open".to_owned(),
            ));
        }
        let lost = sql::session_of(engine, file.script, statements, cut).err()?;
        let range = statements[lost].range.clone();
        let line = sql::position(file.script, range.start).line;
        Some(Obstacle::Other(format!(
            "statement {} (line {line}) {}: {}",
            lost + 1,
            if lost < cut {
                "left in its session what may be missed in another one"
            } else {
                "asks for what its session remembered"
            },
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

/// Whether these very bytes can be continued after their first statements.
pub(crate) fn goes_on(engine: Engine, file: &FileFacts<'_>, progress: Progress) -> bool {
    let half = Half {
        progress,
        script: file.checksum,
    };
    let analysis = sql::analyse(engine, file.script);
    progress.done > 0 && obstacle(engine, file, &analysis, &half).is_none()
}

/// Why a script cannot be continued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The bytes on disk are others than those that were begun.
    Edited,
    /// Something else, as a line to show.
    Other(String),
}

/// The beginning of a statement, on one line, without its literals and comments: they may hold a secret.
pub(crate) fn first_line(statement: &str) -> String {
    const SHOWN: usize = 72;
    let mut flat = String::new();
    for (class, part) in sql::tokens(statement) {
        flat.push_str(match class {
            sql::Class::Text => "'...'",
            sql::Class::Comment => " ",
            _ => part,
        });
    }
    let flat = flat.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= SHOWN {
        return flat;
    }
    let cut: String = flat.chars().take(SHOWN).collect();
    format!("{cut} ...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_literal_is_shown_wherever_quotes_stand() {
        for (statement, expected) in [
            (
                "-- it's\nALTER ROLE a PASSWORD 'geheim'",
                "ALTER ROLE a PASSWORD '...'",
            ),
            (
                "ALTER ROLE a\n  PASSWORD $q$it's geheim$q$",
                "ALTER ROLE a PASSWORD '...'",
            ),
            ("SELECT E'it\\'s geheim', 'b'", "SELECT E'...', '...'"),
        ] {
            assert_eq!(first_line(statement), expected);
        }
    }
}
