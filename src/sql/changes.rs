//! What the statements of a script do: to which tables, columns, constraints, indexes, types and rows.
//!
//! Plain data, the same for both engines. It is read from the text alone: what a function's body, a `DO`
//! block or a trigger does is not known, and said by [`Deed::Unknown`].

use std::fmt;
use std::ops::Range;

use super::{Analysis, postgresql, sqlite};
use crate::model::entry::Engine;

/// One thing that one statement does. A statement with several actions (`ALTER TABLE t ADD a, DROP b`), or
/// with several objects (`DROP TABLE a, b`), does several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The statement's place in [`Analysis::statements`], from 0.
    pub statement: usize,
    /// Where it stands in the script, in bytes: the action, or the whole statement where it has but one.
    pub range: Range<usize>,
    /// What it does.
    pub deed: Deed,
}

/// The name of an object, as the server reads it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The schema, where it is named.
    pub schema: Option<String>,
    /// The name. PostgreSQL: folded to small letters unless it was quoted. SQLite: as written.
    pub name: String,
}

/// A column, as `CREATE TABLE` or `ADD COLUMN` describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// Its name, as [`Name::name`].
    pub name: String,
    /// Its type as written, blanks made single; empty where none is said (SQLite).
    pub ty: String,
    /// `NOT NULL`, or part of a primary key that stands with the column.
    pub not_null: bool,
    /// The default's text as written.
    pub default: Option<String>,
    /// `GENERATED ... AS IDENTITY`, `serial` and its like: the server finds a value.
    pub is_identity: bool,
    /// `GENERATED ALWAYS AS (...)`: the server computes it.
    pub is_generated: bool,
    /// `PRIMARY KEY` stands with it.
    pub primary_key: bool,
    /// `UNIQUE` stands with it.
    pub unique: bool,
    /// The table that it `REFERENCES`.
    pub references: Option<Name>,
    /// A `CHECK` stands with it.
    pub check: bool,
    /// `COLLATE`, `STORAGE`, `COMPRESSION` or something else that is not read into the other fields.
    pub more: bool,
}

/// What kind of constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConstraintKind {
    /// `PRIMARY KEY (...)`.
    PrimaryKey,
    /// `UNIQUE (...)`.
    Unique,
    /// `FOREIGN KEY (...) REFERENCES table`.
    Foreign(Name),
    /// `CHECK (...)`.
    Check,
    /// `EXCLUDE ...`.
    Exclude,
    /// `NOT NULL column` as a constraint of the table.
    NotNull,
}

/// A constraint that is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// Its name, where it is given one.
    pub name: Option<String>,
    /// What kind.
    pub kind: ConstraintKind,
    /// The columns that it is on, in order; empty for a check.
    pub columns: Vec<String>,
    /// `NOT VALID`: rows that stand are not looked at.
    pub not_valid: bool,
    /// `USING INDEX name`: the index stands already.
    pub using_index: Option<String>,
}

/// Kinds of objects that are made and dropped as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A schema.
    Schema,
    /// A table.
    Table,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// An index.
    Index,
    /// A sequence.
    Sequence,
    /// A type: an enum, a composite, a range.
    Type,
    /// A domain.
    Domain,
    /// A function.
    Function,
    /// A procedure.
    Procedure,
    /// An aggregate.
    Aggregate,
    /// A trigger; it stands on a table.
    Trigger,
    /// A rule; it stands on a table.
    Rule,
    /// A policy of row level security; it stands on a table.
    Policy,
    /// An extension.
    Extension,
    /// A foreign table.
    ForeignTable,
    /// A database.
    Database,
    /// A role.
    Role,
    /// Whatever else there is.
    Other,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// `CREATE TABLE`.
    CreateTable {
        /// Which.
        table: Name,
        /// `IF NOT EXISTS`: it may have stood already.
        if_not_exists: bool,
        /// Its columns; empty where they come from elsewhere (`AS SELECT`, `LIKE`, `PARTITION OF`, `OF`, `INHERITS`).
        columns: Vec<Column>,
        /// Its constraints.
        constraints: Vec<Constraint>,
        /// `AS SELECT`, `LIKE`, `PARTITION OF`, `OF`, `INHERITS`, or a virtual table.
        from_elsewhere: bool,
        /// `TEMP`: it goes with the session.
        temporary: bool,
    },
    /// `CREATE [UNIQUE] INDEX`.
    CreateIndex {
        /// Its name, where it is given one; it stands in the schema of its table.
        index: Option<Name>,
        /// On which table.
        table: Name,
        /// `UNIQUE`.
        unique: bool,
        /// `CONCURRENTLY`.
        concurrently: bool,
        /// `IF NOT EXISTS`: it may have stood already.
        if_not_exists: bool,
        /// The columns, where every part is one; empty otherwise.
        columns: Vec<String>,
        /// A `WHERE`, an expression, an operator class, `INCLUDE`, a method other than btree: more than
        /// the columns.
        more: bool,
    },
    /// `CREATE TYPE`.
    CreateType {
        /// Which.
        name: Name,
        /// Its labels, where it is an enum.
        labels: Option<Vec<String>>,
    },
    /// Any other `CREATE`.
    Create {
        /// What kind.
        kind: ObjectKind,
        /// Which.
        name: Name,
        /// The table that it stands on: a trigger, a rule, a policy.
        on: Option<Name>,
        /// `IF NOT EXISTS`: it may have stood already.
        if_not_exists: bool,
        /// `OR REPLACE`: another one may have stood in its place.
        or_replace: bool,
        /// `TEMP`.
        temporary: bool,
        /// The arguments' types of a function, as `DROP FUNCTION` needs them, in brackets; else empty.
        signature: String,
    },
    /// Any `DROP` of an object.
    Drop {
        /// What kind.
        kind: ObjectKind,
        /// Which.
        name: Name,
        /// The table that it stands on: a trigger, a rule, a policy.
        on: Option<Name>,
        /// `IF EXISTS`.
        if_exists: bool,
        /// `CASCADE`: whatever depends on it goes too.
        cascade: bool,
        /// `CONCURRENTLY`.
        concurrently: bool,
    },
    /// `ALTER ... RENAME TO`.
    Rename {
        /// What kind.
        kind: ObjectKind,
        /// Which, by its old name.
        name: Name,
        /// The table that it stands on: a trigger, a rule, a policy.
        on: Option<Name>,
        /// Its new name.
        to: String,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `ALTER ... SET SCHEMA`.
    SetSchema {
        /// What kind.
        kind: ObjectKind,
        /// Which.
        name: Name,
        /// Where to.
        to: String,
    },
    /// `ALTER TABLE ... ADD COLUMN`.
    AddColumn {
        /// Of which table.
        table: Name,
        /// The column.
        column: Column,
        /// `IF NOT EXISTS`: it may have stood already.
        if_not_exists: bool,
    },
    /// `ALTER TABLE ... DROP COLUMN`, or of an attribute of a composite type.
    DropColumn {
        /// Of which table.
        table: Name,
        /// Which.
        column: String,
        /// `IF EXISTS`.
        if_exists: bool,
        /// `CASCADE`: whatever depends on it goes too.
        cascade: bool,
    },
    /// `ALTER TABLE ... RENAME COLUMN`, or of a view.
    RenameColumn {
        /// Of which table.
        table: Name,
        /// Its old name.
        column: String,
        /// Its new name.
        to: String,
    },
    /// `ALTER COLUMN ... TYPE`.
    SetType {
        /// Of which table.
        table: Name,
        /// Which column.
        column: String,
        /// The new type, as written, blanks made single.
        ty: String,
        /// The text of `USING`.
        using: Option<String>,
    },
    /// `ALTER COLUMN ... SET NOT NULL`.
    SetNotNull {
        /// Of which table.
        table: Name,
        /// Which column.
        column: String,
    },
    /// `ALTER COLUMN ... DROP NOT NULL`.
    DropNotNull {
        /// Of which table.
        table: Name,
        /// Which column.
        column: String,
    },
    /// `ALTER COLUMN ... SET DEFAULT`.
    SetDefault {
        /// Of which table.
        table: Name,
        /// Which column.
        column: String,
        /// The default's text as written.
        default: String,
    },
    /// `ALTER COLUMN ... DROP DEFAULT`.
    DropDefault {
        /// Of which table.
        table: Name,
        /// Which column.
        column: String,
    },
    /// `ALTER TABLE ... ADD CONSTRAINT`.
    AddConstraint {
        /// To which table.
        table: Name,
        /// The constraint.
        constraint: Constraint,
    },
    /// `ALTER TABLE ... DROP CONSTRAINT`.
    DropConstraint {
        /// Of which table.
        table: Name,
        /// Which.
        constraint: String,
        /// `IF EXISTS`.
        if_exists: bool,
        /// `CASCADE`: foreign keys that stand on it go too.
        cascade: bool,
    },
    /// `ALTER TABLE ... RENAME CONSTRAINT`.
    RenameConstraint {
        /// Of which table.
        table: Name,
        /// Its old name.
        constraint: String,
        /// Its new name.
        to: String,
    },
    /// `ALTER TABLE ... VALIDATE CONSTRAINT`.
    ValidateConstraint {
        /// Of which table.
        table: Name,
        /// Which.
        constraint: String,
    },
    /// `ALTER TYPE ... ADD VALUE`.
    AddLabel {
        /// Of which type.
        ty: Name,
        /// The new label.
        label: String,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
    },
    /// `ALTER TYPE ... RENAME VALUE`.
    RenameLabel {
        /// Of which type.
        ty: Name,
        /// The old label.
        label: String,
        /// The new one.
        to: String,
    },
    /// Any other `ALTER TABLE`: `SET TABLESPACE`, `ENABLE ROW LEVEL SECURITY`, `ATTACH PARTITION` ...
    AlterTable {
        /// Which.
        table: Name,
        /// The action's first words in capitals, for people.
        what: String,
    },
    /// `TRUNCATE`.
    Truncate {
        /// Which table.
        table: Name,
        /// `CASCADE`: tables that refer to it are emptied too.
        cascade: bool,
    },
    /// `INSERT`.
    Insert {
        /// Into which table.
        table: Name,
        /// The columns that are named.
        columns: Vec<String>,
        /// The tables that it reads, where it is an `INSERT ... SELECT`.
        from: Vec<Name>,
        /// `ON CONFLICT DO UPDATE`, or SQLite's `OR REPLACE`: rows that stand may change or go.
        replaces: bool,
    },
    /// `UPDATE`.
    Update {
        /// Which table.
        table: Name,
        /// The columns that are set.
        columns: Vec<String>,
        /// Whether it has a condition that is not simply true: a `WHERE`, a `FROM` that joins.
        filtered: bool,
        /// Where it has one, and nothing leaves a row out but these columns' being null: as [`Deed::Delete`].
        all_but_null: Option<Vec<String>>,
    },
    /// `DELETE`.
    Delete {
        /// From which table.
        table: Name,
        /// Whether it has a condition that is not simply true: a `WHERE`, a `USING` that joins.
        filtered: bool,
        /// Where it has one which may be true of every row all the same: `id = id`, `EXISTS (SELECT 1)`,
        /// `USING` without a condition. The columns that have to be null for a row to be left out; none
        /// where nothing leaves one out.
        all_but_null: Option<Vec<String>>,
    },
    /// `DO`, `CALL`, `EXECUTE`, `SELECT function()` ...: what it does stands elsewhere. `SELECT` without
    /// a call of a function is no deed at all.
    Unknown {
        /// Its first word in capitals.
        what: String,
        /// Statements that a block of code spells out, read as if they stood alone; empty where
        /// nothing can be read. They may run, or not, or many times.
        spelled: Vec<Deed>,
    },
    /// Anything else that is read and understood: `COMMENT`, `GRANT`, `SET`, `ANALYZE`, `LOCK` ...
    Other {
        /// Its first words in capitals, for people.
        what: String,
    },
}

impl Deed {
    /// Whether rows, values or what holds them may be gone after it, or it is computed while it runs.
    #[must_use]
    pub fn may_destroy(&self) -> bool {
        match self {
            Self::Drop { kind, cascade, .. } => {
                *cascade
                    || matches!(
                        kind,
                        ObjectKind::Table
                            | ObjectKind::Schema
                            | ObjectKind::Type
                            | ObjectKind::Domain
                            | ObjectKind::Sequence
                            | ObjectKind::Extension
                            | ObjectKind::Database
                    )
            }
            Self::DropColumn { .. } | Self::Truncate { .. } | Self::SetType { .. } => true,
            Self::Update {
                filtered,
                all_but_null,
                ..
            }
            | Self::Delete {
                filtered,
                all_but_null,
                ..
            } => !filtered || all_but_null.is_some(),
            Self::Unknown { what, spelled } => {
                what == "EXECUTE" || spelled.iter().any(Self::may_destroy)
            }
            Self::Other { what } => what == "DROP OWNED",
            _ => false,
        }
    }
}

impl Name {
    /// A name without a schema.
    #[must_use]
    pub fn plain(name: impl Into<String>) -> Self {
        Self {
            schema: None,
            name: name.into(),
        }
    }

    /// Whether both may mean the same object: where one has no schema, any will do.
    #[must_use]
    pub fn may_be(&self, other: &Self, engine: Engine) -> bool {
        let same = |a: &str, b: &str| match engine {
            Engine::Postgresql => a == b,
            Engine::Sqlite => a.eq_ignore_ascii_case(b),
        };
        same(&self.name, &other.name)
            && match (&self.schema, &other.schema) {
                (Some(a), Some(b)) => same(a, b),
                _ => true,
            }
    }

    /// As SQL, every part in quotes.
    #[must_use]
    pub fn sql(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quoted(schema), quoted(&self.name)),
            None => quoted(&self.name),
        }
    }
}

/// For people: without quotes where none are needed.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// A name in double quotes, as both engines read it.
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What the statements of a script do, in order; nothing of a script that was not analysed.
///
/// Never panics, whatever the script. Runs on a thread of its own, as [`super::analyse`] does.
#[must_use]
pub fn changes(engine: Engine, script: &str, analysis: &Analysis) -> Vec<Change> {
    let Some(statements) = analysis.statements() else {
        return Vec::new();
    };
    match engine {
        Engine::Postgresql => postgresql::changes(script, statements),
        Engine::Sqlite => sqlite::changes(script, statements),
    }
}

/// [`changes`] for many scripts, in their order.
#[must_use]
pub fn changes_all(engine: Engine, scripts: &[(&str, &Analysis)]) -> Vec<Vec<Change>> {
    super::read_all(scripts, |(script, analysis)| {
        changes(engine, script, analysis)
    })
}
