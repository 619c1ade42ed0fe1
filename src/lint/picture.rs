//! What stands: the tables with their columns and constraints, the indexes, types and other objects that
//! the scripts made, and which of them made each. Folded from one change after another.
//!
//! Only what the text says. What a script made before it was written down, or by hand in the database, is
//! not in it: what is not known is taken to have stood, unless the target is known to be empty.

mod alter;
mod build;
mod copies;
mod doubt;
mod fold;
mod names;
mod path;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::MigrationId;
use crate::model::entry::Engine;
use crate::sql::changes::{ConstraintKind, Name, ObjectKind};
pub(super) use copies::Carried;
use copies::Copy;
use names::{Key as Place, Names};
use path::Path;

/// The constraints of a table that are kept, so that no script makes the search for one long.
const MOST_KEYS: usize = 1_000;

/// Types that a script may rename before their columns are no longer looked for.
const MOST_RENAMED: usize = 50;

/// Tables that a script may rename before what refers to them is no longer looked for.
const MOST_MOVED: usize = 500;

/// Who made something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Made {
    /// The script's number, in the order in which they run.
    pub(super) script: usize,
    /// Written by a person, not generated.
    pub(super) by_hand: bool,
    /// Whether it is certain that the script made it: `IF NOT EXISTS` may have found it.
    pub(super) certain: bool,
}

/// A column that stands.
#[derive(Debug, Clone)]
pub(super) struct Col {
    /// A number of its own: those that came later have greater ones.
    id: usize,
    /// As it was written, where the picture folds it.
    pub(super) name: String,
    pub(super) ty: String,
    pub(super) not_null: bool,
    pub(super) default: Option<String>,
    /// The server finds a value: identity, serial, generated.
    pub(super) is_served: bool,
    pub(super) made: Made,
    /// The script that last wrote values into it, where there were none at least.
    pub(super) filled_by: Option<usize>,
}

/// A constraint that stands; a unique index counts as one.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) kind: ConstraintKind,
    pub(super) columns: Vec<String>,
    pub(super) made: Made,
    /// Dropped by this script: the rows still satisfy it.
    pub(super) dropped_by: Option<usize>,
}

/// A table that stands, or a view.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// A number of its own, whatever it is called.
    id: usize,
    /// Who made it, or the table whose rows it took over.
    pub(super) made: Made,
    /// Who made this one.
    pub(super) born: Made,
    pub(super) is_temporary: bool,
    pub(super) columns: BTreeMap<String, Col>,
    /// Whether all of its columns are known.
    pub(super) is_complete: bool,
    /// By name; those without one under a name that none can have.
    pub(super) keys: BTreeMap<String, Key>,
    /// The tables that it is a part of, or has its columns from.
    parents: Vec<Place>,
    /// The words by which it lets rows go: SQLite's constraints those that are in the way, a temporary table
    /// of PostgreSQL all of them.
    pub(super) yields: Option<&'static str>,
    /// Whose rows it took.
    copies: Vec<Copy>,
}

/// An index that stands.
#[derive(Debug, Clone)]
pub(super) struct Idx {
    pub(super) table: Name,
    pub(super) made: Made,
}

/// A type that stands.
#[derive(Debug, Clone)]
pub(super) struct Ty {
    pub(super) labels: Option<Vec<String>>,
    pub(super) made: Made,
    /// The script that gave columns of this type another one, and whether each of those has all its labels.
    pub(super) moved: Option<(usize, bool)>,
}

/// What stands, as far as the scripts tell.
#[derive(Debug)]
pub(super) struct Picture<'a> {
    pub(super) engine: Engine,
    /// The scripts that were folded, in order.
    scripts: Vec<&'a MigrationId>,
    /// The number of the first script of the plan that is looked at.
    plan: usize,
    /// Whether nothing stood that no script made.
    is_empty: bool,
    tables: Names<Table>,
    indexes: Names<Idx>,
    types: Names<Ty>,
    others: BTreeMap<(ObjectKind, Place), Made>,
    /// The tables that took rows, by the numbers of those that they took them from.
    heirs: BTreeMap<usize, Vec<Place>>,
    /// A column that stood was given another type in the plan.
    retyped: bool,
    /// Which schema is meant where none is named.
    path: Path,
    /// How many types this script renamed.
    renamed_types: usize,
    /// How many tables this script renamed.
    renamed_tables: usize,
    /// How many bytes of this script are read again.
    to_read: usize,
    /// How often this script carried rows over.
    copies: usize,
    /// A number for what has no name, and for what has one that may change.
    nameless: usize,
}

impl<'a> Picture<'a> {
    pub(super) fn new(engine: Engine) -> Self {
        Self {
            engine,
            scripts: Vec::new(),
            plan: 0,
            is_empty: false,
            tables: Names::new(),
            indexes: Names::new(),
            types: Names::new(),
            others: BTreeMap::new(),
            heirs: BTreeMap::new(),
            retyped: false,
            path: Path::new(engine),
            renamed_types: 0,
            renamed_tables: 0,
            to_read: 0,
            copies: 0,
            nameless: 0,
        }
    }

    /// From here on scripts belong to a new plan, and all before it stands.
    pub(super) fn begin_plan(&mut self, target_is_empty: bool) {
        self.plan = self.scripts.len();
        self.is_empty = target_is_empty && self.scripts.is_empty();
        self.heirs.clear();
        self.retyped = false;
    }

    /// Whether the plan found nothing: what it does can harm nobody.
    pub(super) const fn found_nothing(&self) -> bool {
        self.is_empty
    }

    /// Whether the plan itself made it.
    pub(super) const fn is_new(&self, made: Made) -> bool {
        self.is_empty || (made.certain && made.script >= self.plan)
    }

    /// The migration that made it.
    pub(super) fn maker(&self, made: Made) -> Option<&'a MigrationId> {
        self.scripts.get(made.script).copied()
    }

    /// Whether an earlier script made it by hand, and not the one that is read now.
    pub(super) fn is_handmade(&self, made: Made) -> bool {
        made.by_hand && made.script + 1 < self.scripts.len()
    }

    /// A table; where none is certainly meant, one of the name, for what is worth knowing of it.
    pub(super) fn table(&self, name: &Name) -> Option<&Table> {
        self.tables.like(&self.table_key(name))
    }

    pub(super) fn column(&self, table: &Name, column: &str) -> Option<&Col> {
        self.table(table)?.columns.get(&self.folded(column))
    }

    pub(super) fn index(&self, name: &Name) -> Option<&Idx> {
        self.indexes.like(&self.place(name))
    }

    pub(super) fn ty(&self, name: &Name) -> Option<&Ty> {
        self.types.like(&self.place(name))
    }

    /// Whether this script gave every column of a type that it named another one with all its labels.
    pub(super) fn is_held(&self, name: &Name) -> bool {
        let last = self.scripts.len().saturating_sub(1);
        let ty = self.types.get(&self.place(name));
        ty.is_some_and(|ty| ty.moved == Some((last, true)))
    }

    pub(super) fn other(&self, kind: ObjectKind, name: &Name) -> Option<Made> {
        self.others.get(&self.other_key(kind, name)).copied()
    }

    /// Where another object is kept: some kinds stand in no schema.
    fn other_key(&self, kind: ObjectKind, name: &Name) -> (ObjectKind, Place) {
        let mut place = self.place(name);
        if matches!(
            kind,
            ObjectKind::Schema
                | ObjectKind::Database
                | ObjectKind::Extension
                | ObjectKind::Role
                | ObjectKind::Trigger
                | ObjectKind::Rule
                | ObjectKind::Policy
                | ObjectKind::Other
        ) {
            place.schema.clear();
        }
        (kind, place)
    }

    pub(super) fn key(&self, table: &Name, constraint: &str) -> Option<&Key> {
        self.table(table)?.keys.get(&self.folded(constraint))
    }

    /// Whether the plan wrote values into a column before, where there were none at least.
    pub(super) fn is_filled(&self, column: &Col) -> bool {
        column.filled_by.is_some_and(|script| script >= self.plan)
    }

    /// Whether a table stood before the plan. One that nobody knows did, unless the target was empty; so did
    /// one of which it is not certain that it is the one the plan made.
    pub(super) fn is_old_table(&self, name: &Name) -> bool {
        match self.tables.get(&self.table_key(name)) {
            Some(table) => !self.is_new(table.made),
            None => !self.is_empty,
        }
    }

    /// Whether a table that stood before the plan is in this schema now: it may have been moved there.
    pub(super) fn holds_old_table(&self, schema: &str) -> bool {
        let schema = self.folded(schema);
        let mut tables = self.tables.of_schema(&schema);
        tables.any(|table| !self.is_new(table.made))
    }

    /// The tables that stood before the plan and refer to this one, by name, in the order of their names.
    pub(super) fn referrers(&self, name: &Name) -> Vec<&str> {
        let is_other = |other: &str| other != self.folded(&name.name);
        let refers = |table: &Table| {
            table.keys.values().any(
                |key| matches!(&key.kind, ConstraintKind::Foreign(to) if to.may_be(name, self.engine)),
            )
        };
        self.tables
            .all()
            .filter(|(other, table)| is_other(other) && !self.is_new(table.made) && refers(table))
            .map(|(other, _)| other)
            .collect()
    }

    /// Whether a column stood before the plan.
    pub(super) fn is_old_column(&self, table: &Name, column: &str) -> bool {
        let known = self.tables.get(&self.table_key(table));
        self.is_old_table(table)
            && known
                .and_then(|known| known.columns.get(&self.folded(column)))
                .is_none_or(|column| !self.is_new(column.made))
    }

    /// Whether a type stood before the plan.
    pub(super) fn is_old_type(&self, name: &Name) -> bool {
        match self.types.get(&self.place(name)) {
            Some(ty) => !self.is_new(ty.made),
            None => !self.is_empty,
        }
    }

    /// Whether another object stood before the plan.
    pub(super) fn is_old_other(&self, kind: ObjectKind, name: &Name) -> bool {
        match self.other(kind, name) {
            Some(made) => !self.is_new(made),
            None => !self.is_empty,
        }
    }

    /// Whether the rows that stand cannot break it when these columns have to be unique.
    pub(super) fn is_unique(&self, table: &Name, columns: &[String]) -> bool {
        let Some(known) = self.table(table) else {
            return false;
        };
        let columns: BTreeSet<String> = columns.iter().map(|name| self.folded(name)).collect();
        // All NULL, and NULLs differ; or a value of its own for each.
        let is_apart = columns
            .iter()
            .filter_map(|name| known.columns.get(name))
            .any(|column| {
                let value = column.default.as_deref().unwrap_or_default();
                let own = column.is_served
                    || value.contains("gen_random_uuid")
                    || value.contains("uuid_generate");
                let empty = !column.not_null && value.is_empty() && !self.is_filled(column);
                self.is_new(column.made) && (own || empty)
            });
        let last = self.scripts.len();
        is_apart
            || known.keys.values().any(|key| {
                matches!(
                    key.kind,
                    ConstraintKind::PrimaryKey | ConstraintKind::Unique
                ) && key.dropped_by.is_none_or(|script| script + 1 == last)
                    && !key.columns.is_empty()
                    && key.columns.iter().all(|column| columns.contains(column))
            })
    }

    /// Whether a column is part of the primary key.
    pub(super) fn is_primary(&self, table: &Name, column: &str) -> bool {
        let column = self.folded(column);
        self.table(table).is_some_and(|table| {
            let mut keys = table.keys.values();
            keys.any(|key| key.kind == ConstraintKind::PrimaryKey && key.columns.contains(&column))
        })
    }

    /// Whether the rows that stand cannot break a reference from these columns.
    pub(super) fn refers_already(&self, table: &Name, columns: &[String], to: &Name) -> bool {
        let Some(known) = self.table(table) else {
            return false;
        };
        let folded: Vec<String> = columns.iter().map(|name| self.folded(name)).collect();
        let is_null = folded
            .iter()
            .filter_map(|name| known.columns.get(name))
            .any(|column| {
                self.is_new(column.made)
                    && !self.is_filled(column)
                    && column
                        .default
                        .as_deref()
                        .is_none_or(|value| value.eq_ignore_ascii_case("null"))
            });
        let same = known.keys.values().any(|key| {
            matches!(&key.kind, ConstraintKind::Foreign(other) if other.may_be(to, self.engine))
                && key.columns == folded
        });
        is_null || same
    }

    /// A name as it is kept here.
    pub(super) fn folded(&self, name: &str) -> String {
        names::folded(self.engine, name)
    }
}

/// The name of a type of the user's own, as its text says it.
pub(in crate::lint) fn type_name(text: &str) -> Name {
    let text = text.trim_end_matches("[]").trim();
    let part = |text: &str| match text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
    {
        Some(inner) => inner.replace("\"\"", "\""),
        None => text.to_ascii_lowercase(),
    };
    match text.rsplit_once('.') {
        Some((schema, name)) => Name {
            schema: Some(part(schema)),
            name: part(name),
        },
        None => Name::plain(part(text)),
    }
}
