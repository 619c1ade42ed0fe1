//! Emptying a target: what would go, what would stay, and how it is seen that somebody else did it.

use super::TargetErrorKind;
use crate::model::entry::TargetIdentity;

/// What shows, for certain, that what the newest receipts made is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// PostgreSQL: the schema that the newest migration left as the application's is there no more.
    Schema {
        /// Its name, where its oid tells: the one that every database begins with.
        name: Option<&'static str>,
        /// The schema that takes its place now: where a table would be made.
        now: Option<String>,
        /// Whether that one has tables: a backup was put back, or another tool was at work.
        filled: bool,
    },
    /// SQLite: no table of the application is left, and so many stood when the newest receipt was
    /// written.
    Tables {
        /// How many.
        were: u64,
    },
}

impl Gone {
    /// Whether something took the place of what is gone, so that only a person knows what it is.
    #[must_use]
    pub const fn is_filled(&self) -> bool {
        matches!(self, Self::Schema { filled: true, .. })
    }
}

/// What stands in a target besides tollgate's own, by what emptying it would do to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// What goes, by schema and kind.
    pub goes: Vec<Part>,
    /// What stays: others own it, or it reaches beyond this database.
    pub stays: Vec<Part>,
    /// The largest of the tables that go, with their rows: an estimate on PostgreSQL. None where
    /// nothing was counted.
    pub largest: Vec<(String, u64)>,
}

/// Objects of one kind in one schema, with one owner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The schema; `None` where the kind lives in none, and on SQLite.
    pub schema: Option<String>,
    /// `table`, `view`, `function` ...: the singular.
    pub kind: String,
    /// The owner; `None` on SQLite.
    pub owner: Option<String>,
    /// How many.
    pub count: u64,
}

impl Inventory {
    /// Whether nothing would go.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.goes.is_empty()
    }

    /// How many objects of a kind go.
    #[must_use]
    pub fn count(&self, kind: &str) -> u64 {
        let of_kind = self.goes.iter().filter(|part| part.kind == kind);
        of_kind.map(|part| part.count).sum()
    }
}

/// A target that was emptied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emptied {
    /// What it is known by from here on.
    pub identity: TargetIdentity,
    /// What went.
    pub inventory: Inventory,
}

/// Adds one to the part that is like this one.
pub(super) fn add(
    parts: &mut Vec<Part>,
    schema: Option<&str>,
    kind: &str,
    owner: Option<&str>,
    number: u64,
) {
    let like = |part: &&mut Part| {
        part.schema.as_deref() == schema && part.kind == kind && part.owner.as_deref() == owner
    };
    if let Some(part) = parts.iter_mut().find(like) {
        part.count += number;
        return;
    }
    parts.push(Part {
        schema: schema.map(str::to_owned),
        kind: kind.to_owned(),
        owner: owner.map(str::to_owned),
        count: number,
    });
}

/// The kind of an error that emptying ran into, in words that say what became of the target.
pub(super) fn after(kind: TargetErrorKind) -> &'static str {
    if kind == TargetErrorKind::Unreachable {
        "whether the target was emptied is told by the next contact"
    } else {
        "the target is as it was"
    }
}
