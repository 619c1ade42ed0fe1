//! `CASCADE`: what goes too is nowhere in the text.

use super::accept;
use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{Deed, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "cascade",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "takes along what depends on it, which the script does not name",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let (what, consequence, subject) = match at.deed {
        Deed::Truncate {
            table,
            cascade: true,
        } if at.picture.is_old_table(table) || at.picture.is_referred_to(table) => (
            format!("empties with {table} every table that refers to it"),
            "their rows are gone too, and those of the tables that refer to them",
            Some((table.clone(), None)),
        ),
        Deed::DropColumn {
            table,
            column,
            cascade: true,
            ..
        } if at.picture.is_old_column(table, column) => (
            format!("drops with {table}.{column} whatever depends on it"),
            "views, foreign keys and generated columns go too",
            None,
        ),
        Deed::Drop {
            kind,
            name,
            cascade: true,
            ..
        } => {
            let (word, is_old, consequence) = match kind {
                ObjectKind::Table => (
                    "table",
                    at.picture.is_old_table(name) || at.picture.is_retyped(),
                    "views, and the foreign keys of other tables, go too",
                ),
                ObjectKind::Type => (
                    "type",
                    at.picture.is_old_type(name) || at.picture.is_retyped(),
                    "columns of that type go too, with their values",
                ),
                ObjectKind::Domain => (
                    "domain",
                    at.picture.is_old_type(name) || at.picture.is_retyped(),
                    "columns of that domain go too, with their values",
                ),
                ObjectKind::Extension => (
                    "extension",
                    at.picture.is_old_other(*kind, name) || at.picture.is_retyped(),
                    "columns of its types go too, with their values",
                ),
                ObjectKind::Function => (
                    "function",
                    at.picture.is_old_other(*kind, name),
                    "triggers, defaults and generated columns that call it go too",
                ),
                ObjectKind::Sequence => (
                    "sequence",
                    at.picture.is_old_other(*kind, name),
                    "defaults that take a value from it go too",
                ),
                ObjectKind::View | ObjectKind::MaterializedView => (
                    "view",
                    at.picture.is_old_other(*kind, name),
                    "views that read it go too",
                ),
                // A collation, a server, an access method, an operator class ...
                ObjectKind::Other | ObjectKind::Aggregate | ObjectKind::Procedure => (
                    "object",
                    at.picture.is_old_other(*kind, name),
                    "columns, tables, indexes or views that stand on it go too",
                ),
                // What `drop-schema` says already, and what holds nothing.
                _ => return,
            };
            if !is_old {
                return;
            }
            (
                format!("drops with {word} {name} whatever depends on it"),
                consequence,
                None,
            )
        }
        _ => return,
    };
    out.push(
        at.found(
            &RULE,
            Said {
                clause: what
                    .replacen("drops with ", "what depends on ", 1)
                    .replacen(" whatever depends on it", "", 1)
                    .replacen("empties with ", "rows of every table that refers to ", 1)
                    .replacen(" every table that refers to it", "", 1),
                fact: what,
                consequence: consequence.to_owned(),
                help: accept(&RULE, "leave CASCADE out, and name what has to go"),
                subject,
            },
        ),
    );
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const T: &str = "CREATE TABLE t (id int, a int); CREATE TYPE e AS ENUM ('a')";

    #[test]
    fn ok() {
        silent(
            "cascade",
            Postgresql,
            &[
                T,
                "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES t (id) ON DELETE CASCADE; DROP TYPE e; DROP TABLE t RESTRICT",
            ],
        );
        silent(
            "cascade",
            Postgresql,
            &["CREATE TYPE e AS ENUM ('a'); DROP TYPE e CASCADE"],
        );
        silent(
            "cascade",
            Sqlite,
            &["CREATE TABLE t (id int)", "DROP TABLE t"],
        );
    }

    /// What the plan made may be what old tables hang on by now.
    #[test]
    fn what_is_new_takes_along_what_is_old() {
        for (stands, script) in [
            (
                "CREATE TABLE t (id int, a int)",
                "CREATE TABLE p (id int PRIMARY KEY); ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p; TRUNCATE p CASCADE",
            ),
            (
                "CREATE TABLE t (id int, a int)",
                "CREATE TABLE q (id int PRIMARY KEY); CREATE TABLE p (id int PRIMARY KEY REFERENCES q); ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p; TRUNCATE q CASCADE",
            ),
            (
                "CREATE TABLE t (id int, a text)",
                "CREATE DOMAIN d AS text; ALTER TABLE t ALTER COLUMN a TYPE d; DROP DOMAIN d CASCADE",
            ),
            (
                "CREATE TABLE t (id int, a text)",
                "CREATE TYPE e AS ENUM ('a'); ALTER TABLE t ALTER COLUMN a TYPE e USING a::e; DROP TYPE e CASCADE",
            ),
            (
                "CREATE TABLE t (id int, a text)",
                "CREATE EXTENSION citext; ALTER TABLE t ALTER COLUMN a TYPE citext; DROP EXTENSION citext CASCADE",
            ),
            (
                "CREATE TABLE t (id int, a text)",
                "CREATE TABLE p (id int, a text); ALTER TABLE t INHERIT p; DROP TABLE p CASCADE",
            ),
        ] {
            assert_ne!(
                found("cascade", Postgresql, &[stands, script]),
                "",
                "{script}"
            );
        }
        silent(
            "cascade",
            Postgresql,
            &[
                "CREATE TABLE t (id int)",
                "CREATE TABLE p (id int PRIMARY KEY); TRUNCATE p CASCADE; CREATE TYPE e AS ENUM ('a'); DROP TYPE e CASCADE",
            ],
        );
    }

    #[test]
    fn what_columns_stand_on() {
        for statement in [
            "DROP COLLATION c CASCADE",
            "DROP SERVER s CASCADE",
            "DROP ACCESS METHOD m CASCADE",
            "DROP OPERATOR CLASS o USING btree CASCADE",
        ] {
            let text = found("cascade", Postgresql, &[T, statement]);
            assert!(!text.is_empty(), "{statement}");
        }
        silent(
            "cascade",
            Postgresql,
            &[T, "DROP COLLATION c; DROP TRIGGER g ON t CASCADE"],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("cascade", Postgresql, &[T, "DROP TYPE e CASCADE; ALTER TABLE t DROP a CASCADE; TRUNCATE t CASCADE; DROP TABLE t CASCADE; DROP EXTENSION citext CASCADE"]), @r#"
        error: drops with type e whatever depends on it
          at    DROP TYPE e CASCADE
          then  columns of that type go too, with their values
          help  leave CASCADE out, and name what has to go; where that is meant, say so above the statement: -- tollgate:allow cascade <reason>
        error: drops with t.a whatever depends on it
          at    ALTER TABLE t DROP a CASCADE
          then  views, foreign keys and generated columns go too
          help  leave CASCADE out, and name what has to go; where that is meant, say so above the statement: -- tollgate:allow cascade <reason>
        error: empties with t every table that refers to it
          at    TRUNCATE t CASCADE
          then  their rows are gone too, and those of the tables that refer to them
          help  leave CASCADE out, and name what has to go; where that is meant, say so above the statement: -- tollgate:allow cascade <reason>
        error: drops with table t whatever depends on it
          at    DROP TABLE t CASCADE
          then  views, and the foreign keys of other tables, go too
          help  leave CASCADE out, and name what has to go; where that is meant, say so above the statement: -- tollgate:allow cascade <reason>
        error: drops with extension citext whatever depends on it
          at    DROP EXTENSION citext CASCADE
          then  columns of its types go too, with their values
          help  leave CASCADE out, and name what has to go; where that is meant, say so above the statement: -- tollgate:allow cascade <reason>
        "#);
    }
}
