//! When what the plan made counts as old all the same: it holds rows that stood, or may not be what it seems.

use std::collections::BTreeSet;

use super::Picture;
use super::names::Key as Place;
use super::path::SESSION;
use crate::sql::carry::parents;
use crate::sql::changes::{ConstraintKind, Deed, Name, ObjectKind};

/// Tables that are looked through before anything counts as reached.
const MOST_REACHED: usize = 200;

/// The bytes that are read of one script again, for what its statements do besides. One statement with many
/// parts is read once for each.
pub(super) const MOST_READ: usize = 128 * 1024 * 1024;

impl Picture<'_> {
    /// Whether a statement is read once more. Where that becomes too much, nothing of the plan is certain.
    pub(super) fn reads(&mut self, text: &str) -> bool {
        if self.to_read == 0 {
            return false;
        }
        self.to_read = self.to_read.saturating_sub(text.len());
        if self.to_read == 0 {
            self.doubt_all();
        }
        self.to_read > 0
    }

    /// What a change makes doubtful.
    pub(super) fn doubt(&mut self, deed: &Deed, text: &str) {
        match deed {
            // A temporary table is gone, and no longer hides one of its name.
            Deed::Other { what } if what == "DISCARD ALL" || what.starts_with("DISCARD TEMP") => {
                self.tables.remove_schema(SESSION);
            }
            Deed::Other { what } if what.starts_with("COMMIT") || what.starts_with("END") => {
                for table in self.tables.all_mut() {
                    if table.is_temporary && table.yields.is_some() {
                        table.doubt();
                    }
                }
            }
            Deed::Other { what } if what.starts_with("ROLLBACK") || what.starts_with("ABORT") => {
                self.doubt_all();
            }
            // What is emptied or dropped with it from here on stood before, perhaps.
            Deed::AlterTable { table, what } if what.starts_with("ATTACH") => {
                let place = self.table_key(table);
                self.doubt_table(place);
            }
            Deed::AlterTable { table, what }
                if what.starts_with("INHERIT") && self.is_old_table(table) =>
            {
                for parent in parents(text) {
                    let place = self.table_key(&parent);
                    self.doubt_table(place);
                }
            }
            Deed::SetType { table, column, .. } if self.is_old_column(table, column) => {
                self.retyped = true;
            }
            Deed::SetSchema { to, .. } => {
                let key = self.other_key(ObjectKind::Schema, &Name::plain(to.clone()));
                if let Some(made) = self.others.get_mut(&key) {
                    made.certain = false;
                }
            }
            _ => {}
        }
    }

    /// What was made since the transaction or the savepoint began is not there, what was renamed has its
    /// old name, and rows that were carried over are not.
    fn doubt_all(&mut self) {
        self.heirs.clear();
        for table in self.tables.all_mut() {
            table.doubt();
            table.copies.clear();
        }
        for ty in self.types.all_mut() {
            ty.made.certain = false;
        }
        for index in self.indexes.all_mut() {
            index.made.certain = false;
        }
        for made in self.others.values_mut() {
            made.certain = false;
        }
    }

    /// A table has rows that stood, and so has each that it is a part of.
    fn doubt_table(&mut self, place: Place) {
        let mut seen = BTreeSet::new();
        let mut open = vec![place];
        while let Some(place) = open.pop() {
            // Each is looked at once, so that a circle ends.
            if !seen.insert(place.clone()) {
                continue;
            }
            if let Some(table) = self.tables.get_mut(&place) {
                table.doubt();
                open.extend(table.parents.iter().cloned());
            }
        }
    }

    /// Whether a table that stood before the plan refers to this one, or to one that refers to it.
    pub(in crate::lint) fn is_referred_to(&self, name: &Name) -> bool {
        let mut open = vec![name.clone()];
        let mut seen = BTreeSet::new();
        while let Some(next) = open.pop() {
            if seen.len() > MOST_REACHED {
                return true;
            }
            if !seen.insert(next.clone()) {
                continue;
            }
            for (other, table) in self.tables.all() {
                let refers = table.keys.values().any(|key| {
                    matches!(&key.kind, ConstraintKind::Foreign(to) if to.may_be(&next, self.engine))
                });
                if !refers || other == self.folded(&next.name) {
                    continue;
                }
                if !self.is_new(table.made) {
                    return true;
                }
                open.push(Name::plain(other));
            }
        }
        false
    }

    /// Whether a column that stood was given another type in the plan: what made that type may take it along.
    pub(in crate::lint) const fn is_retyped(&self) -> bool {
        self.retyped
    }
}

impl super::Table {
    fn doubt(&mut self) {
        self.made.certain = false;
        for column in self.columns.values_mut() {
            column.made.certain = false;
        }
    }
}
