//! A change, with what a rule may ask about it.

use std::ops::Range;

use super::picture::Picture;
use super::{Finding, Rule, Script};
use crate::model::entry::Engine;
use crate::sql::Statement;
use crate::sql::changes::{Change, Deed, Name};

/// One thing that is done, what stood before it, and what its script does around it.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) engine: Engine,
    /// What stands before this change.
    pub(super) picture: &'a Picture<'a>,
    pub(super) script: Script<'a>,
    /// Its place among the script's changes.
    pub(super) place: usize,
    pub(super) range: &'a Range<usize>,
    pub(super) deed: &'a Deed,
    /// Spelled out in a block of code: it may run, or not.
    pub(super) in_block: bool,
    /// Written by a person, not generated.
    pub(super) by_hand: bool,
}

/// What a rule has to say.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// "drops column users.email"
    pub(super) fact: String,
    /// "the values of every row are gone"
    pub(super) consequence: String,
    pub(super) help: String,
    /// The table whose rows are meant, and the column.
    pub(super) subject: Option<(Name, Option<String>)>,
    /// The same in few words, for the plan: what is destroyed, or the row that it fails on.
    pub(super) clause: String,
}

/// Which rows a statement meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meets {
    Every,
    /// Its condition leaves none out, as far as its words tell.
    MaybeEvery,
    Some,
}

/// What was found, and the same in few words.
#[derive(Debug)]
pub(super) struct Found {
    /// The statement's place in the script.
    pub(super) statement: usize,
    pub(super) clause: String,
    pub(super) finding: Finding,
}

impl<'a> At<'a> {
    pub(super) fn statement(&self) -> usize {
        self.script
            .changes
            .get(self.place)
            .map_or(0, |change| change.statement)
    }

    /// The text of the whole statement.
    pub(super) fn text(&self) -> &'a str {
        statement_text(&self.script, self.statement())
    }

    /// The changes of the script before this one.
    pub(super) fn before(&self) -> &'a [Change] {
        self.script.changes.get(..self.place).unwrap_or_default()
    }

    /// The changes of the script after this one.
    pub(super) fn after(&self) -> &'a [Change] {
        self.script
            .changes
            .get(self.place + 1..)
            .unwrap_or_default()
    }

    pub(super) fn same(&self, one: &Name, other: &Name) -> bool {
        one.may_be(other, self.engine)
    }

    pub(super) fn same_text(&self, one: &str, other: &str) -> bool {
        self.picture.folded(one) == self.picture.folded(other)
    }

    /// A table's rows that this script carries over into another table before this change: the statement
    /// that does, and the table that takes them.
    pub(super) fn carried(&self, table: &Name) -> Option<(usize, &'a Name, &'a [String])> {
        // A script that carries rows does so close by; a bound keeps long scripts from a long search.
        self.before()
            .iter()
            .rev()
            .take(200)
            .find_map(|change| match &change.deed {
                Deed::Insert {
                    table: to,
                    columns,
                    from,
                    ..
                } if from.iter().any(|name| self.same(name, table)) && !self.same(to, table) => {
                    Some((change.statement, to, columns.as_slice()))
                }
                _ => None,
            })
    }

    /// Whether the table that stands under this name once the script has run is another one: made by it,
    /// and renamed to it.
    pub(super) fn is_replaced(&self, table: &Name) -> bool {
        self.after()
            .iter()
            .take(200)
            .any(|change| match &change.deed {
                Deed::CreateTable { table: made, .. } => self.same(made, table),
                Deed::Rename { name, to, .. } => {
                    self.same_text(to, &table.name) && !self.picture.is_old_table(name)
                }
                _ => false,
            })
    }

    /// Whether the script emptied this table before: nothing can fail on a row.
    pub(super) fn is_emptied(&self, table: &Name) -> bool {
        self.before()
            .iter()
            .rev()
            .take(200)
            .any(|change| match &change.deed {
                Deed::Truncate { table: emptied, .. }
                | Deed::Delete {
                    table: emptied,
                    filtered: false,
                    ..
                } => self.same(emptied, table),
                _ => false,
            })
    }

    /// Which rows a statement with such a condition meets.
    pub(super) fn meets(
        &self,
        table: &Name,
        filtered: bool,
        all_but_null: Option<&[String]>,
    ) -> Meets {
        let is_never_null = |column: &String| {
            let known = self.picture.column(table, column);
            known.is_some_and(|column| column.not_null) || self.picture.is_primary(table, column)
        };
        match all_but_null {
            _ if !filtered => Meets::Every,
            Some(columns) if columns.iter().all(is_never_null) => Meets::MaybeEvery,
            _ => Meets::Some,
        }
    }

    /// Says something.
    pub(super) fn found(&self, rule: &'static Rule, said: Said) -> Found {
        let fact = if self.in_block {
            format!("{} in a block of code, if it gets there", said.fact)
        } else {
            said.fact
        };
        Found {
            statement: self.statement(),
            clause: said.clause,
            finding: Finding {
                rule,
                migration: self.script.migration.clone(),
                range: self.range.clone(),
                fact,
                consequence: said.consequence,
                help: said.help,
                subject: said.subject,
                allowed: None,
            },
        }
    }
}

/// The text of a statement.
pub(super) fn statement_text<'a>(script: &Script<'a>, statement: usize) -> &'a str {
    let statements: &'a [Statement] = script.analysis.statements().unwrap_or_default();
    statements
        .get(statement)
        .and_then(|statement| script.text.get(statement.range.clone()))
        .unwrap_or_default()
}

/// Which statements of a script a generator wrote: Prisma writes a comment such as `-- CreateIndex` above
/// what it makes, or above a group that belongs together.
pub(super) fn generated(script: &Script<'_>) -> Vec<bool> {
    let mut end = 0;
    let mut before = false;
    let mut out = Vec::new();
    for statement in script.analysis.statements().unwrap_or_default() {
        let gap = script
            .text
            .get(end..statement.range.start)
            .unwrap_or_default();
        let is_marked = gap.lines().any(is_mark);
        // The rest of a group follows without a blank line or another comment.
        let goes_on =
            before && !gap.contains("--") && !gap.contains("/*") && gap.matches('\n').count() < 2;
        before = is_marked || goes_on;
        out.push(before);
        end = statement.range.end;
    }
    out
}

fn is_mark(line: &str) -> bool {
    let Some(word) = line.trim().strip_prefix("-- ") else {
        return false;
    };
    let verbs = ["Create", "Drop", "Alter", "Add", "Rename", "Redefine"];
    verbs.iter().any(|verb| {
        word.strip_prefix(verb).is_some_and(|what| {
            what.starts_with(|first: char| first.is_ascii_uppercase())
                && what.bytes().all(|byte| byte.is_ascii_alphabetic())
        })
    })
}
