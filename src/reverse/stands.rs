//! What stands while a script runs, as far as its text tells: what it made itself, and what it mentions.

use crate::model::entry::Engine;
use crate::sql::changes::{Name, ObjectKind};

/// What shares names with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// Tables, views, indexes and sequences.
    Relation,
    /// Types and domains.
    Type,
    Schema,
    /// Functions, procedures and aggregates, with the types of their arguments in the name.
    Routine,
    /// Columns of a table.
    Column,
    /// Constraints of a table.
    Constraint,
    /// Triggers, rules and policies of a table, each kind for itself.
    OnTable(ObjectKind),
}

impl Space {
    /// Of what can be told by its name; `None` for what stands outside, or is not known well enough.
    pub(super) const fn of(kind: ObjectKind) -> Option<Self> {
        Some(match kind {
            ObjectKind::Table
            | ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::Index
            | ObjectKind::Sequence
            | ObjectKind::ForeignTable => Self::Relation,
            ObjectKind::Type | ObjectKind::Domain => Self::Type,
            ObjectKind::Schema => Self::Schema,
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate => Self::Routine,
            ObjectKind::Trigger | ObjectKind::Rule | ObjectKind::Policy => Self::OnTable(kind),
            ObjectKind::Extension | ObjectKind::Database | ObjectKind::Role | ObjectKind::Other => {
                return None;
            }
        })
    }
}

/// Whether the script made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// It stood before, or may have.
    Before,
    /// The script made it, for certain.
    Here,
    /// The same, and it goes with the session.
    ForSession,
}

/// Something that stands, or stood.
#[derive(Debug, Clone)]
pub(super) struct Thing {
    pub(super) space: Space,
    pub(super) kind: ObjectKind,
    /// Its name at the moment.
    pub(super) name: Name,
    /// The table that it is of.
    pub(super) on: Option<usize>,
    pub(super) made: Made,
    /// Whether it was dropped again.
    pub(super) gone: bool,
}

/// Things by their places, in the order in which they were made or first mentioned.
#[derive(Debug)]
pub(super) struct Stands {
    pub(super) engine: Engine,
    pub(super) things: Vec<Thing>,
}

impl Stands {
    pub(super) fn same(&self, one: &str, other: &str) -> bool {
        match self.engine {
            Engine::Postgresql => one == other,
            Engine::Sqlite => one.eq_ignore_ascii_case(other),
        }
    }

    fn same_name(&self, one: &Name, other: &Name) -> bool {
        self.same(&one.name, &other.name)
            && match (&one.schema, &other.schema) {
                (Some(one), Some(other)) => self.same(one, other),
                (None, None) => true,
                // They may be one, and may be two.
                _ => false,
            }
    }

    /// The one that has exactly this name now.
    pub(super) fn find(&self, space: Space, name: &Name, on: Option<usize>) -> Option<usize> {
        self.things.iter().rposition(|thing| {
            !thing.gone
                && thing.space == space
                && self.same_name(&thing.name, name)
                && (on.is_none() || thing.on == on)
        })
    }

    /// The same, where the script made it.
    pub(super) fn find_made(&self, space: Space, name: &Name, on: Option<usize>) -> Option<usize> {
        self.find(space, name, on).filter(|&id| self.is_made(id))
    }

    pub(super) fn add(
        &mut self,
        space: Space,
        kind: ObjectKind,
        name: Name,
        on: Option<usize>,
        made: Made,
    ) -> usize {
        self.things.push(Thing {
            space,
            kind,
            name,
            on,
            made,
            gone: false,
        });
        self.things.len() - 1
    }

    /// A table, a view or the like that is mentioned.
    pub(super) fn relation(&mut self, name: &Name) -> usize {
        self.find(Space::Relation, name, None).unwrap_or_else(|| {
            self.add(
                Space::Relation,
                ObjectKind::Table,
                name.clone(),
                None,
                Made::Before,
            )
        })
    }

    /// A column that the script added to this table.
    pub(super) fn column(&self, table: usize, column: &str) -> Option<usize> {
        self.find_made(Space::Column, &Name::plain(column), Some(table))
    }

    /// What the script made and the column goes with: its table, or itself.
    pub(super) fn around(&self, table: usize, column: &str) -> Option<usize> {
        if self.is_made(table) {
            Some(table)
        } else {
            self.column(table, column)
        }
    }

    pub(super) fn is_made(&self, id: usize) -> bool {
        (self.things.get(id)).is_some_and(|thing| thing.made != Made::Before)
    }

    pub(super) fn is_for_session(&self, id: usize) -> bool {
        (self.things.get(id)).is_some_and(|thing| thing.made == Made::ForSession)
    }

    /// Whether the script made, after this, something that this may have come to depend on: a type, a
    /// function, a sequence. It cannot be dropped before what depends on it.
    pub(super) fn may_depend_on_later(&self, id: usize) -> bool {
        let later = self.things.get(id + 1..).unwrap_or_default();
        self.engine == Engine::Postgresql
            && later.iter().any(|thing| {
                thing.made == Made::Here
                    && (matches!(thing.space, Space::Type | Space::Routine)
                        || thing.kind == ObjectKind::Sequence)
            })
    }

    /// Whether it took the name of one that stood before, as a table does that is rebuilt: what stands in it
    /// is not its own.
    pub(super) fn stands_for_another(&self, id: usize) -> bool {
        self.things.get(id).is_some_and(|thing| {
            thing.space == Space::Relation
                && self.things.iter().any(|other| {
                    other.space == Space::Relation
                        && other.made == Made::Before
                        && self.same_name(&other.name, &thing.name)
                })
        })
    }

    /// Whether the script made a trigger or a rule on it: rows that come and go may do anything then.
    pub(super) fn has_trigger(&self, table: usize) -> bool {
        self.things.iter().any(|thing| {
            thing.on == Some(table)
                && matches!(
                    thing.space,
                    Space::OnTable(ObjectKind::Trigger | ObjectKind::Rule)
                )
        })
    }
}
