//! What each statement comes to: what it touches, which lock it takes, and whether it reads or writes the
//! whole of a table.
//!
//! The locks are those of PostgreSQL 15's documentation ("Explicit Locking", and the page of each
//! statement); SQLite has one lock for the whole file.

mod postgresql;
mod volatile;

use super::at::{At, Found, statement_text};
use super::{Effect, Script, Topic, Work};
use crate::model::entry::Engine;
use crate::sql::changes::{Deed, Name, ObjectKind};

/// What one change comes to.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// The table whose rows it is about.
    pub(super) table: Option<Name>,
    pub(super) lock: Option<&'static str>,
    pub(super) work: Work,
}

/// The locks of PostgreSQL, the weakest first.
const STRENGTH: [&str; 7] = [
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
];

/// What a change does to what stood before the plan.
pub(super) fn part(at: &At<'_>) -> Part {
    if at.picture.found_nothing() {
        return Part::default();
    }
    match at.engine {
        Engine::Postgresql => postgresql::part(at),
        Engine::Sqlite => sqlite(at),
    }
}

/// SQLite: whoever writes keeps every other writer out until the end of the transaction.
fn sqlite(at: &At<'_>) -> Part {
    let table = table_of(at.deed).filter(|table| at.picture.is_old_table(table));
    let Some(table) = table else {
        return Part::default();
    };
    let work = match at.deed {
        Deed::CreateIndex { .. } => Work::Scan,
        // SQLite looks whether rows satisfy what the column asks.
        Deed::AddColumn { column, .. } if column.check || column.is_generated => Work::Scan,
        Deed::DropColumn { .. }
        | Deed::Update {
            filtered: false, ..
        }
        | Deed::Delete {
            filtered: false, ..
        } => Work::Rewrite,
        _ => Work::None,
    };
    Part {
        table: Some(table.clone()),
        lock: Some("RESERVED"),
        work,
    }
}

/// An effect for each statement of a script, still empty.
pub(super) fn of_statements(script: &Script<'_>) -> Vec<Effect> {
    let statements = script.analysis.statements().unwrap_or_default();
    (statements.iter().enumerate())
        .map(|(place, statement)| Effect {
            statement: place,
            range: statement.range.clone(),
            touches: Vec::new(),
            destroys: Vec::new(),
            may_fail: Vec::new(),
            lock: None,
            work: Work::None,
        })
        .collect()
}

/// Adds what a change of the statement comes to, and what the rules found about it.
pub(super) fn add(effect: &mut Effect, at: &At<'_>, found: &[Found]) {
    touch(effect, at.deed);
    let mut of_deed = |at: &At<'_>| {
        let part = part(at);
        effect.work = effect.work.max(part.work);
        effect.lock = stronger(effect.lock, part.lock);
    };
    of_deed(at);
    if let Deed::Unknown { spelled, .. } = at.deed {
        for deed in spelled {
            of_deed(&At { deed, ..*at });
        }
    }
    for found in found {
        let list = match found.finding.rule.topic {
            // A type or a view: nothing that rows need is lost, and it is gone.
            Topic::DataLoss | Topic::Compatibility => &mut effect.destroys,
            Topic::MayFail => &mut effect.may_fail,
            _ => continue,
        };
        if !found.clause.is_empty() && !list.contains(&found.clause) {
            list.push(found.clause.clone());
        }
    }
    debug_assert!(!statement_text(&at.script, effect.statement).is_empty());
}

fn stronger(one: Option<&'static str>, other: Option<&'static str>) -> Option<&'static str> {
    let rank = |lock: Option<&str>| {
        lock.map_or(0, |lock| {
            STRENGTH
                .iter()
                .position(|known| *known == lock)
                .unwrap_or(0)
                + 1
        })
    };
    if rank(other) > rank(one) { other } else { one }
}

/// The most objects that are listed for a statement.
const MOST_TOUCHED: usize = 20;

fn touch(effect: &mut Effect, deed: &Deed) {
    let mut one = |name: &Name| {
        if effect.touches.len() < MOST_TOUCHED && !effect.touches.contains(name) {
            effect.touches.push(name.clone());
        }
    };
    if let Some(table) = table_of(deed) {
        one(table);
    }
    match deed {
        Deed::CreateType { name, .. }
        | Deed::AddLabel { ty: name, .. }
        | Deed::RenameLabel { ty: name, .. }
        | Deed::Create { name, .. }
        | Deed::Rename { name, .. }
        | Deed::SetSchema { name, .. } => one(name),
        Deed::Drop { name, on, .. } => {
            one(name);
            on.iter().for_each(one);
        }
        Deed::Insert { from, .. } => from.iter().for_each(one),
        Deed::Unknown { spelled, .. } => {
            for deed in spelled {
                table_of(deed).into_iter().for_each(&mut one);
            }
        }
        _ => {}
    }
}

/// The table that a change is about.
pub(super) const fn table_of(deed: &Deed) -> Option<&Name> {
    match deed {
        Deed::CreateTable { table, .. }
        | Deed::CreateIndex { table, .. }
        | Deed::AddColumn { table, .. }
        | Deed::DropColumn { table, .. }
        | Deed::RenameColumn { table, .. }
        | Deed::SetType { table, .. }
        | Deed::SetNotNull { table, .. }
        | Deed::DropNotNull { table, .. }
        | Deed::SetDefault { table, .. }
        | Deed::DropDefault { table, .. }
        | Deed::AddConstraint { table, .. }
        | Deed::DropConstraint { table, .. }
        | Deed::RenameConstraint { table, .. }
        | Deed::ValidateConstraint { table, .. }
        | Deed::AlterTable { table, .. }
        | Deed::Truncate { table, .. }
        | Deed::Insert { table, .. }
        | Deed::Update { table, .. }
        | Deed::Delete { table, .. }
        | Deed::Drop {
            kind: ObjectKind::Table,
            name: table,
            ..
        }
        | Deed::Rename {
            kind: ObjectKind::Table,
            name: table,
            ..
        }
        | Deed::SetSchema {
            kind: ObjectKind::Table,
            name: table,
            ..
        } => Some(table),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
