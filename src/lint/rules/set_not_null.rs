//! A column that becomes required while rows stand.

use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::model::entry::Engine;
use crate::sql::changes::{ConstraintKind, Deed, Name, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "set-not-null",
    level: Level::Warning,
    topic: Topic::MayFail,
    title: "makes a column required in which a row may have no value",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    match at.deed {
        Deed::SetNotNull { table, column } => one(at, table, column, out),
        Deed::AddConstraint { table, constraint }
            if constraint.kind == ConstraintKind::NotNull && !constraint.not_valid =>
        {
            for column in &constraint.columns {
                one(at, table, column, out);
            }
        }
        Deed::Drop {
            kind: ObjectKind::Table,
            name,
            ..
        } if at.engine == Engine::Sqlite && at.picture.is_old_table(name) => {
            let Some(kept) = super::rebuild::kept(at, name) else {
                return;
            };
            let (Some(old), Some(new)) = (at.picture.table(name), at.picture.table(kept.to)) else {
                return;
            };
            let query = kept.query.to_ascii_lowercase();
            let has_value =
                query.contains("coalesce") || query.contains("ifnull") || query.contains("case ");
            for (column, was) in &old.columns {
                let tightened =
                    new.columns.get(column).is_some_and(|is| is.not_null) && !was.not_null;
                if tightened && !has_value && !at.picture.is_filled(was) {
                    out.push(at.found(&RULE, said(name, column)));
                }
            }
        }
        _ => {}
    }
}

fn one(at: &At<'_>, table: &Name, column: &str, out: &mut Vec<Found>) {
    if !at.picture.is_old_table(table) || at.is_emptied(table) {
        return;
    }
    // Filled before, by an UPDATE that looks for NULL, or of every row: somebody has thought of it.
    let is_safe = at.picture.column(table, column).is_some_and(|known| {
        let has_default = known
            .default
            .as_deref()
            .is_some_and(|value| !value.eq_ignore_ascii_case("null"));
        known.not_null
            || at.picture.is_filled(known)
            || known.is_served
            || (has_default && at.picture.is_new(known.made))
    });
    if !is_safe {
        out.push(at.found(&RULE, said(table, column)));
    }
}

fn said(table: &Name, column: &str) -> Said {
    Said {
        fact: format!("makes {table}.{column} required"),
        consequence: "it fails where a row has no value in it".to_owned(),
        help: "fill it first: UPDATE ... WHERE the column IS NULL".to_owned(),
        subject: Some((table.clone(), Some(column.to_owned()))),
        clause: format!("a row whose {table}.{column} is NULL"),
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const T: &str = "CREATE TABLE t (id int, a int)";

    #[test]
    fn ok() {
        silent(
            "set-not-null",
            Postgresql,
            &[
                T,
                "UPDATE t SET a = 0 WHERE a IS NULL; ALTER TABLE t ALTER a SET NOT NULL",
            ],
        );
        silent(
            "set-not-null",
            Postgresql,
            &[
                T,
                "ALTER TABLE t ADD b int DEFAULT 1; ALTER TABLE t ALTER b SET NOT NULL",
            ],
        );
        silent(
            "set-not-null",
            Postgresql,
            &["CREATE TABLE u (a int); ALTER TABLE u ALTER a SET NOT NULL"],
        );
        silent(
            "set-not-null",
            Postgresql,
            &[
                "CREATE TABLE u (a int NOT NULL)",
                "ALTER TABLE u ALTER a SET NOT NULL",
            ],
        );
        silent(
            "set-not-null",
            Sqlite,
            &[
                T,
                "CREATE TABLE n (id int, a int NOT NULL); INSERT INTO n SELECT id, coalesce(a, 0) FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
            ],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("set-not-null", Postgresql, &[T, "ALTER TABLE t ALTER a SET NOT NULL"]), @r#"
        warning: makes t.a required
          at    ALTER TABLE t ALTER a SET NOT NULL
          then  it fails where a row has no value in it
          help  fill it first: UPDATE ... WHERE the column IS NULL
        "#);
        insta::assert_snapshot!(found("set-not-null", Postgresql, &[T, "ALTER TABLE t ADD b int; UPDATE t SET b = 1 WHERE a > 1; ALTER TABLE t ALTER b SET NOT NULL"]), @r#"
        warning: makes t.b required
          at    ALTER TABLE t ALTER b SET NOT NULL
          then  it fails where a row has no value in it
          help  fill it first: UPDATE ... WHERE the column IS NULL
        "#);
        insta::assert_snapshot!(found("set-not-null", Sqlite, &[T, "CREATE TABLE n (id int, a int NOT NULL); INSERT INTO n SELECT id, a FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t"]), @r#"
        warning: makes t.a required
          at    DROP TABLE t
          then  it fails where a row has no value in it
          help  fill it first: UPDATE ... WHERE the column IS NULL
        "#);
    }
}
