//! A column that is added to a table that stood, required and without a value for its rows.

use crate::lint::at::{At, Found, Said};
use crate::lint::picture::Table;
use crate::lint::{Level, Rule, Topic};
use crate::model::entry::Engine;
use crate::sql::changes::{ConstraintKind, Deed, Name, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "required-column",
    level: Level::Warning,
    topic: Topic::MayFail,
    title: "adds a required column without a value for the rows that stand",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    match at.deed {
        Deed::AddColumn { table, column, .. } => {
            let has_value = column.is_identity
                || column.is_generated
                || column
                    .default
                    .as_deref()
                    .is_some_and(|value| !value.trim().eq_ignore_ascii_case("null"));
            if column.not_null
                && !has_value
                && at.picture.is_old_table(table)
                && !at.is_emptied(table)
            {
                out.push(at.found(&RULE, said(at, table, &column.name)));
            }
        }
        // The table is made anew, and the query that fills it says nothing of the column.
        Deed::Drop {
            kind: ObjectKind::Table,
            name,
            ..
        } if at.picture.is_old_table(name) => {
            let Some(kept) = super::rebuild::kept(at, name) else {
                return;
            };
            let Some(new) = at.picture.table(kept.to) else {
                return;
            };
            for (column, is) in &new.columns {
                let is_filled = kept.columns.is_empty()
                    || kept.columns.iter().any(|name| at.same_text(name, column));
                if is.not_null
                    && !is_filled
                    && is.default.is_none()
                    && !is.is_served
                    && !is_rowid(new, column)
                {
                    out.push(at.found(&RULE, said(at, name, column)));
                }
            }
        }
        _ => {}
    }
}

/// `INTEGER PRIMARY KEY`, which SQLite counts up by itself.
fn is_rowid(table: &Table, column: &str) -> bool {
    let is_integer =
        (table.columns.get(column)).is_some_and(|column| column.ty.eq_ignore_ascii_case("integer"));
    is_integer
        && table
            .keys
            .values()
            .any(|key| key.kind == ConstraintKind::PrimaryKey && key.columns.iter().eq([column]))
}

fn said(at: &At<'_>, table: &Name, column: &str) -> Said {
    let consequence = match (at.engine, at.deed) {
        (Engine::Sqlite, Deed::AddColumn { .. }) => {
            "SQLite refuses it, whether the table has rows or not"
        }
        _ => "it fails where the table has a row",
    };
    Said {
        fact: format!("adds {table}.{column}, required and without a default"),
        consequence: consequence.to_owned(),
        help: "add it without NOT NULL, fill it, then SET NOT NULL; or give it a default"
            .to_owned(),
        subject: Some((table.clone(), None)),
        clause: format!("any row of {table}: {column} would have no value"),
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const T: &str = "CREATE TABLE t (id int)";

    #[test]
    fn ok() {
        for engine in [Postgresql, Sqlite] {
            silent(
                "required-column",
                engine,
                &[
                    T,
                    "ALTER TABLE t ADD a int; ALTER TABLE t ADD b int NOT NULL DEFAULT 0",
                ],
            );
            silent(
                "required-column",
                engine,
                &["CREATE TABLE u (id int); ALTER TABLE u ADD a int NOT NULL"],
            );
            silent(
                "required-column",
                engine,
                &[T, "DELETE FROM t; ALTER TABLE t ADD a int NOT NULL"],
            );
        }
        silent(
            "required-column",
            Postgresql,
            &[
                T,
                "ALTER TABLE t ADD a serial NOT NULL, ADD b int NOT NULL GENERATED ALWAYS AS IDENTITY",
            ],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("required-column", Postgresql, &[T, "ALTER TABLE t ADD a int NOT NULL, ADD b int PRIMARY KEY, ADD c text NOT NULL DEFAULT NULL"]), @r#"
        warning: adds t.a, t.b and t.c, required and without a default
          at    ADD a int NOT NULL, ADD b int PRIMARY KEY, ADD c text NOT NULL DEFAULT NULL
          then  it fails where the table has a row
          help  add it without NOT NULL, fill it, then SET NOT NULL; or give it a default
        "#);
        insta::assert_snapshot!(found("required-column", Sqlite, &[T, "ALTER TABLE t ADD COLUMN a int NOT NULL"]), @r#"
        warning: adds t.a, required and without a default
          at    ALTER TABLE t ADD COLUMN a int NOT NULL
          then  SQLite refuses it, whether the table has rows or not
          help  add it without NOT NULL, fill it, then SET NOT NULL; or give it a default
        "#);
        insta::assert_snapshot!(found("required-column", Sqlite, &[T, "CREATE TABLE n (id int, a text NOT NULL, b text NOT NULL DEFAULT ''); INSERT INTO n (id) SELECT id FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t"]), @r#"
        warning: adds t.a, required and without a default
          at    DROP TABLE t
          then  it fails where the table has a row
          help  add it without NOT NULL, fill it, then SET NOT NULL; or give it a default
        "#);
    }
}
