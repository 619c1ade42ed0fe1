//! unknown: no attempt's end is unknown.

use super::{Finding, Gate, World, shell};
use crate::ledger::view::Attempted;
use crate::model::entry::Progress;
use crate::model::{MigrationId, ReceiptKind};
use crate::planner::half::{certain, first_line, foreign};
use crate::sql;
use crate::targets::{Journal, Last};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let ours = world.here.open.iter().map(|(attempt, attempted)| {
        let journal = world.inputs.live.and_then(|live| {
            let mut journals = live.journals.iter();
            journals.find(|journal| journal.attempt == *attempt)
        });
        match journal {
            Some(journal) => cut_off(world, journal, &begun(attempted)),
            None => offline(world, attempted),
        }
    });
    let foreign = foreign(world.inputs, world.here)
        .filter(|journal| certain(journal).is_none())
        .map(|journal| {
            let finding = cut_off(world, journal, "begun under another ledger");
            match journal.last {
                Last::Begun => finding,
                _ => Finding {
                    fact: "it failed half-way under another ledger".to_owned(),
                    ..finding
                },
            }
        });
    ours.chain(foreign).collect()
}

fn begun(attempted: &Attempted) -> String {
    format!("begun {} by {}", attempted.at.minute(), attempted.by)
}

/// Without a contact nobody knows. Under the lock the receipts and the journal tell.
fn offline(world: &World<'_>, attempted: &Attempted) -> Finding {
    let how = match attempted.intent.receipt {
        ReceiptKind::Journalled => "journalled: it may have stopped anywhere",
        _ => "atomic: all of it or nothing",
    };
    Finding {
        gate: Gate::Unknown,
        migration: Some(attempted.intent.migration.clone()),
        fact: "an attempt was begun and its end is not known".to_owned(),
        found: vec![format!("{} ({how})", begun(attempted))],
        required: REQUIRED.to_owned(),
        remedy: format!("tollgate apply {} --dry-run", world.inputs.environment),
    }
}

const REQUIRED: &str = "the end of every attempt, from the target's receipts or from a person";

/// What the target's journal shows of an attempt that stopped where only a person can tell what it
/// left: what is certain, what was in flight, what the catalog shows, and one command.
fn cut_off(world: &World<'_>, journal: &Journal, begun: &str) -> Finding {
    let Progress { done, of } = journal.progress;
    let (environment, name) = (world.inputs.environment, shell(journal.migration.as_str()));
    let mut found = vec![
        begun.to_owned(),
        format!("certain: {done} of {of} statements ended and stand"),
    ];
    let statement = statement(world, &journal.migration, journal, done);
    let shown = statement
        .as_ref()
        .map_or_else(String::new, |text| format!(": {}", first_line(text)));
    let how = match journal.last {
        Last::Begun => "in flight",
        Last::Failed => "failed, and may have left something",
        Last::Done | Last::Undone | Last::Finished => "failed, and left nothing",
    };
    let whole = statement.is_none() && of == 1;
    found.push(if whole {
        format!("{how}: the script, sent whole because it was not analysed")
    } else {
        format!("{how}: statement {}{shown}", done + 1)
    });
    let invalid: Vec<&String> = world.inputs.live.map_or_else(Vec::new, |live| {
        let named = |index: &&String| {
            statement
                .as_ref()
                .is_some_and(|text| names(text, index) || is_concurrent(text))
        };
        live.invalid_indexes.iter().filter(named).collect()
    });
    for index in &invalid {
        found.push(format!(
            "the catalog: {index} is INVALID; first DROP INDEX CONCURRENTLY {index};"
        ));
    }
    if invalid.is_empty() && statement.as_ref().is_some_and(|text| is_concurrent(text)) {
        found.push("the catalog: no index is INVALID".to_owned());
    }
    let remedy = if done == 0 && !whole && statement.is_some() && invalid.is_empty() {
        format!(
            "tollgate resolve {environment} {name} --not-applied --reason '<what you found>'   # or --continue-at 2, where statement 1 stands"
        )
    } else if whole || statement.is_none() || done == 0 {
        format!(
            "tollgate resolve {environment} {name} --not-applied --reason '<what you found and undid>'   # or --applied, where all of it stands"
        )
    } else if invalid.is_empty() {
        format!(
            "tollgate resolve {environment} {name} --continue-at {} --reason '<what you found>'   # {} where statement {} stands",
            done + 1,
            done + 2,
            done + 1
        )
    } else {
        format!(
            "tollgate resolve {environment} {name} --continue-at {} --reason '<dropped the INVALID index>'",
            done + 1
        )
    };
    Finding {
        gate: Gate::Unknown,
        migration: Some(journal.migration.clone()),
        fact: match journal.last {
            Last::Begun => "it was cut off while a statement was in flight",
            _ => "it failed half-way, and how it ended was not recorded",
        }
        .to_owned(),
        found,
        required: "a person's word for what stands".to_owned(),
        remedy,
    }
}

/// The text of the statement after those that stand, where the script on disk is the one that was
/// begun.
fn statement(
    world: &World<'_>,
    migration: &MigrationId,
    journal: &Journal,
    done: u64,
) -> Option<String> {
    let file = world
        .file(migration)
        .filter(|file| file.checksum == journal.script)?;
    let analysis = sql::analyse(world.inputs.engine, file.script);
    let statements = analysis.statements()?;
    if statements.len() as u64 != journal.progress.of {
        return None;
    }
    let next = statements.get(usize::try_from(done).ok()?)?;
    file.script.get(next.range.clone()).map(str::to_owned)
}

fn is_concurrent(statement: &str) -> bool {
    statement.to_uppercase().contains("CONCURRENTLY")
}

/// Whether a statement speaks of an index, given as `schema.name` with quotes where needed.
fn names(statement: &str, index: &str) -> bool {
    let bare = index.rsplit('.').next().unwrap_or(index);
    statement
        .to_lowercase()
        .contains(&bare.trim_matches('"').to_lowercase())
}
