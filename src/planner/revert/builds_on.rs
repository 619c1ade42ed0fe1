//! What a later migration builds on: what an earlier one made, and it names.

use crate::model::MigrationId;
use crate::model::entry::Engine;
use crate::sql::changes::{Change, Column, ConstraintKind, Deed, Name, ObjectKind};

/// A script of the tree, read.
#[derive(Debug, Clone, Copy)]
pub struct Later<'a> {
    /// Whose.
    pub migration: &'a MigrationId,
    /// Its text.
    pub script: &'a str,
    /// What it does.
    pub changes: &'a [Change],
}

/// What a migration made, or made otherwise than it was.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Made {
    /// A table, an index, a type ...
    Object(ObjectKind, Name),
    /// A column, or something about it.
    Column(Name, String),
    /// A constraint of a table.
    Constraint(Name, String),
    /// The default of a column: what was before comes back, over whatever was set since.
    Default(Name, String),
    /// Whether a column takes NULL, likewise.
    NotNull(Name, String),
}

/// What of the first script's work the later one names, as a clause: "names users.email". `None` where it
/// builds on nothing of it, as far as the texts tell.
#[must_use]
pub fn builds_on(engine: Engine, earlier: &[Change], later: &Later<'_>) -> Option<String> {
    let made = made(earlier);
    later
        .changes
        .iter()
        .find_map(|change| uses(engine, &made, later.script, change))
}

fn made(changes: &[Change]) -> Vec<Made> {
    let mut all = Vec::new();
    for change in changes {
        match &change.deed {
            Deed::CreateTable {
                table,
                temporary: false,
                ..
            } => all.push(Made::Object(ObjectKind::Table, table.clone())),
            Deed::CreateIndex {
                index: Some(index), ..
            } => all.push(Made::Object(ObjectKind::Index, index.clone())),
            Deed::CreateType { name, .. } => all.push(Made::Object(ObjectKind::Type, name.clone())),
            // A trigger, a rule or a policy is named by nobody but its own table.
            Deed::Create {
                kind,
                name,
                on: None,
                temporary: false,
                ..
            } => all.push(Made::Object(*kind, name.clone())),
            Deed::Rename {
                kind,
                name,
                to,
                on: None,
                ..
            } => all.push(Made::Object(
                *kind,
                Name {
                    schema: name.schema.clone(),
                    name: to.clone(),
                },
            )),
            Deed::SetSchema { kind, name, to } => all.push(Made::Object(
                *kind,
                Name {
                    schema: Some(to.clone()),
                    name: name.name.clone(),
                },
            )),
            Deed::AddColumn { table, column, .. } => {
                all.push(Made::Column(table.clone(), column.name.clone()));
            }
            Deed::RenameColumn { table, to, .. } => {
                all.push(Made::Column(table.clone(), to.clone()));
            }
            Deed::SetType { table, column, .. } => {
                all.push(Made::Column(table.clone(), column.clone()));
            }
            Deed::SetDefault { table, column, .. } | Deed::DropDefault { table, column } => {
                all.push(Made::Default(table.clone(), column.clone()));
            }
            Deed::SetNotNull { table, column } | Deed::DropNotNull { table, column } => {
                all.push(Made::NotNull(table.clone(), column.clone()));
            }
            Deed::AddConstraint { table, constraint } => {
                if let Some(name) = &constraint.name {
                    all.push(Made::Constraint(table.clone(), name.clone()));
                }
            }
            Deed::RenameConstraint { table, to, .. } => {
                all.push(Made::Constraint(table.clone(), to.clone()));
            }
            _ => {}
        }
    }
    all
}

/// What a deed names.
#[derive(Default)]
struct Names<'a> {
    tables: Vec<&'a Name>,
    columns: Vec<(&'a Name, &'a str)>,
    objects: Vec<(ObjectKind, &'a Name)>,
    constraints: Vec<(&'a Name, &'a str)>,
    /// Texts in which names of types stand.
    types: Vec<&'a str>,
    /// Whether what it names stands in text that is not read.
    is_opaque: bool,
}

fn uses(engine: Engine, made: &[Made], script: &str, change: &Change) -> Option<String> {
    let names = names(&change.deed);
    let text = names
        .is_opaque
        .then(|| script.get(change.range.clone()))
        .flatten();
    let words = text.map(|text| words(engine, text)).unwrap_or_default();
    let mentions = |name: &str| words.iter().any(|word| same(engine, word, name));
    let sets_default = matches!(
        change.deed,
        Deed::SetDefault { .. } | Deed::DropDefault { .. }
    );
    let sets_null = matches!(
        change.deed,
        Deed::SetNotNull { .. } | Deed::DropNotNull { .. }
    );
    let is_of = |table: &Name, column: &str| {
        let is =
            |(of, named): &(&Name, &str)| of.may_be(table, engine) && same(engine, named, column);
        names.columns.iter().any(is)
    };
    let hit = |made: &&Made| match made {
        Made::Object(ObjectKind::Table, table) => {
            names.tables.iter().any(|name| name.may_be(table, engine)) || mentions(&table.name)
        }
        Made::Object(ObjectKind::Type | ObjectKind::Domain, ty) => {
            let of = |text: &&str| {
                self::words(engine, text)
                    .iter()
                    .any(|word| same(engine, word, &ty.name))
            };
            names.types.iter().any(of) || is_named(engine, &names, ty) || mentions(&ty.name)
        }
        Made::Object(_, object) => is_named(engine, &names, object) || mentions(&object.name),
        Made::Column(table, column) => {
            is_of(table, column) || (mentions(&table.name) && mentions(column))
        }
        Made::Constraint(table, constraint) => names
            .constraints
            .iter()
            .any(|(of, named)| of.may_be(table, engine) && same(engine, named, constraint)),
        Made::Default(table, column) => sets_default && is_of(table, column),
        Made::NotNull(table, column) => sets_null && is_of(table, column),
    };
    made.iter().find(hit).map(|made| match made {
        Made::Object(kind, name) => format!("names {} {name}", kind_in_words(*kind)),
        Made::Column(table, column) => format!("names {table}.{column}"),
        Made::Constraint(table, constraint) => format!("names {constraint} of {table}"),
        Made::Default(table, column) => format!("sets the default of {table}.{column} anew"),
        Made::NotNull(table, column) => format!("sets anew whether {table}.{column} takes NULL"),
    })
}

fn is_named(engine: Engine, names: &Names<'_>, object: &Name) -> bool {
    let mut objects = names.objects.iter();
    objects.any(|(_, name)| name.may_be(object, engine))
}

fn same(engine: Engine, one: &str, other: &str) -> bool {
    match engine {
        Engine::Postgresql => one == other,
        Engine::Sqlite => one.eq_ignore_ascii_case(other),
    }
}

const fn kind_in_words(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Schema => "schema",
        ObjectKind::Table => "table",
        ObjectKind::View => "view",
        ObjectKind::MaterializedView => "materialized view",
        ObjectKind::Index => "index",
        ObjectKind::Sequence => "sequence",
        ObjectKind::Type => "type",
        ObjectKind::Domain => "domain",
        ObjectKind::Function => "function",
        ObjectKind::Procedure => "procedure",
        ObjectKind::Aggregate => "aggregate",
        ObjectKind::Trigger => "trigger",
        ObjectKind::Rule => "rule",
        ObjectKind::Policy => "policy",
        ObjectKind::Extension => "extension",
        ObjectKind::ForeignTable => "foreign table",
        ObjectKind::Database => "database",
        ObjectKind::Role => "role",
        ObjectKind::Other => "what it made,",
    }
}

fn names(deed: &Deed) -> Names<'_> {
    let mut names = Names::default();
    fn column<'a>(names: &mut Names<'a>, column: &'a Column) {
        names.types.push(&column.ty);
        names.tables.extend(&column.references);
    }
    match deed {
        Deed::CreateTable {
            table,
            columns,
            constraints,
            from_elsewhere,
            ..
        } => {
            names.tables.push(table);
            columns.iter().for_each(|it| column(&mut names, it));
            for constraint in constraints {
                if let ConstraintKind::Foreign(there) = &constraint.kind {
                    names.tables.push(there);
                }
            }
            names.is_opaque = *from_elsewhere;
        }
        Deed::CreateIndex {
            table,
            columns,
            more,
            ..
        } => {
            names.tables.push(table);
            names
                .columns
                .extend(columns.iter().map(|it| (table, &**it)));
            names.is_opaque = *more;
        }
        Deed::CreateType { name, .. } => names.objects.push((ObjectKind::Type, name)),
        Deed::Create { kind, name, on, .. } => {
            names.objects.push((*kind, name));
            names.tables.extend(on);
            names.is_opaque = true;
        }
        Deed::Drop { kind, name, on, .. } | Deed::Rename { kind, name, on, .. } => {
            match kind {
                ObjectKind::Table => names.tables.push(name),
                _ if on.is_some() => {}
                _ => names.objects.push((*kind, name)),
            }
            names.tables.extend(on);
        }
        Deed::SetSchema { kind, name, .. } => match kind {
            ObjectKind::Table => names.tables.push(name),
            _ => names.objects.push((*kind, name)),
        },
        Deed::AddColumn {
            table, column: it, ..
        } => {
            names.tables.push(table);
            column(&mut names, it);
            names.columns.push((table, &it.name));
        }
        Deed::DropColumn { table, column, .. }
        | Deed::RenameColumn { table, column, .. }
        | Deed::SetNotNull { table, column }
        | Deed::DropNotNull { table, column }
        | Deed::SetDefault { table, column, .. }
        | Deed::DropDefault { table, column } => {
            names.tables.push(table);
            names.columns.push((table, column));
        }
        Deed::SetType {
            table, column, ty, ..
        } => {
            names.tables.push(table);
            names.columns.push((table, column));
            names.types.push(ty);
        }
        Deed::AddConstraint { table, constraint } => {
            names.tables.push(table);
            let columns = constraint.columns.iter();
            names.columns.extend(columns.map(|it| (table, &**it)));
            if let ConstraintKind::Foreign(there) = &constraint.kind {
                names.tables.push(there);
            }
            names.is_opaque = matches!(
                constraint.kind,
                ConstraintKind::Check | ConstraintKind::Exclude
            );
        }
        Deed::DropConstraint {
            table, constraint, ..
        }
        | Deed::RenameConstraint {
            table, constraint, ..
        }
        | Deed::ValidateConstraint { table, constraint } => {
            names.tables.push(table);
            names.constraints.push((table, constraint));
        }
        Deed::AddLabel { ty, .. } | Deed::RenameLabel { ty, .. } => {
            names.objects.push((ObjectKind::Type, ty));
        }
        Deed::AlterTable { table, .. } => {
            names.tables.push(table);
            names.is_opaque = true;
        }
        Deed::Truncate { table, .. } => names.tables.push(table),
        Deed::Insert {
            table,
            columns,
            from,
            ..
        } => {
            names.tables.push(table);
            names.tables.extend(from);
            names
                .columns
                .extend(columns.iter().map(|it| (table, &**it)));
            names.is_opaque = !from.is_empty();
        }
        Deed::Update { table, columns, .. } => {
            names.tables.push(table);
            names
                .columns
                .extend(columns.iter().map(|it| (table, &**it)));
            names.is_opaque = true;
        }
        Deed::Delete { table, .. } => {
            names.tables.push(table);
            names.is_opaque = true;
        }
        Deed::Unknown { .. } => names.is_opaque = true,
        // A comment or a grant goes with what it is on.
        Deed::Other { .. } => {}
    }
    names
}

/// The identifiers of a text, as the engine reads them; comments and texts in quotes are left out, and what
/// stands between dollars is not.
fn words(engine: Engine, text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end = match c {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            '\'' => closing(rest, '\''),
            '"' | '`' => {
                let end = closing(rest, c);
                let inner = rest.get(1..end.saturating_sub(1)).unwrap_or_default();
                out.push(inner.replace(&format!("{c}{c}"), &c.to_string()));
                end
            }
            c if c.is_alphabetic() || c == '_' => {
                let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
                let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
                let word = rest.get(..end).unwrap_or_default();
                out.push(match engine {
                    Engine::Postgresql => word.to_lowercase(),
                    Engine::Sqlite => word.to_owned(),
                });
                end
            }
            c => c.len_utf8(),
        };
        rest = rest.get(end..).unwrap_or_default();
    }
    out
}

/// Where a text in quotes ends, from its first quote on; a quote is doubled inside.
fn closing(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c == quote {
            if characters.peek().is_some_and(|(_, next)| *next == quote) {
                characters.next();
            } else {
                return at + c.len_utf8();
            }
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{analyse, changes::changes};

    fn told(earlier: &str, later: &str) -> Option<String> {
        told_by(Engine::Sqlite, earlier, later)
    }

    fn told_by(engine: Engine, earlier: &str, later: &str) -> Option<String> {
        let read = |script: &str| changes(engine, script, &analyse(engine, script));
        let id = MigrationId::new("2_b");
        let changes = read(later);
        builds_on(
            engine,
            &read(earlier),
            &Later {
                migration: &id,
                script: later,
                changes: &changes,
            },
        )
    }

    /// What comes back would come over what was set since.
    #[test]
    fn what_a_later_one_sets_anew_is_not_set_back() {
        let default = "ALTER TABLE t ALTER a SET DEFAULT 1;";
        let not_null = "ALTER TABLE t ALTER a SET NOT NULL;";
        for (earlier, later, told_of) in [
            (
                default,
                "ALTER TABLE public.t ALTER a DROP DEFAULT;",
                Some("sets the default of t.a anew"),
            ),
            (
                not_null,
                "ALTER TABLE t ALTER a DROP NOT NULL;",
                Some("sets anew whether t.a takes NULL"),
            ),
            (default, not_null, None),
            (not_null, "CREATE INDEX i ON t (a);", None),
            (not_null, "ALTER TABLE t ALTER b SET NOT NULL;", None),
        ] {
            let told = told_by(Engine::Postgresql, earlier, later);
            assert_eq!(told.as_deref(), told_of, "{earlier} {later}");
        }
    }

    #[test]
    fn what_a_later_one_names_it_builds_on() {
        let users = "CREATE TABLE users (id INTEGER PRIMARY KEY);";
        let email = "ALTER TABLE users ADD COLUMN email TEXT;";
        for (earlier, later, told_of) in [
            (users, email, Some("names table users")),
            (
                users,
                "CREATE TABLE a (b REFERENCES Users (id));",
                Some("names table users"),
            ),
            (
                users,
                "CREATE VIEW v AS SELECT * FROM users;",
                Some("names table users"),
            ),
            (
                users,
                "CREATE VIEW v AS SELECT 'users' FROM a; -- users",
                None,
            ),
            (users, "CREATE TABLE a (users TEXT);", None),
            (
                email,
                "CREATE INDEX i ON users (email);",
                Some("names users.email"),
            ),
            (email, "CREATE INDEX i ON users (name);", None),
            (email, "CREATE INDEX i ON others (email);", None),
            (email, "ALTER TABLE users ADD COLUMN phone TEXT;", None),
            (
                email,
                "UPDATE users SET name = email;",
                Some("names users.email"),
            ),
            (
                email,
                "INSERT INTO users (id, email) VALUES (1, 'x');",
                Some("names users.email"),
            ),
            (email, "INSERT INTO users (id) VALUES (1);", None),
            (
                "CREATE INDEX i ON users (name);",
                "DROP INDEX i;",
                Some("names index i"),
            ),
            (
                "CREATE INDEX i ON users (name);",
                "ALTER TABLE users ADD COLUMN a;",
                None,
            ),
        ] {
            assert_eq!(
                told(earlier, later).as_deref(),
                told_of,
                "{earlier} {later}"
            );
        }
    }

    #[test]
    fn words_are_read_as_the_engine_reads_them() {
        assert_eq!(
            words(
                Engine::Postgresql,
                "Users \"Users\" 'no' -- no\n $$ yes $$ /* no */ \"a\"\"b\" é1"
            ),
            ["users", "Users", "yes", "a\"b", "é1"]
        );
        assert_eq!(words(Engine::Sqlite, "`a` 'open"), ["a"]);
    }
}
