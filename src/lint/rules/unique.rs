//! What has to be unique from now on.

use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{ConstraintKind, Deed, Name, quoted};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "unique",
    level: Level::Warning,
    topic: Topic::MayFail,
    title: "asks for values that differ where rows may be alike",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    match at.deed {
        Deed::CreateIndex {
            table,
            unique: true,
            columns,
            ..
        } => one(at, table, columns, out),
        Deed::AddConstraint { table, constraint }
            if constraint.kind == ConstraintKind::Unique && constraint.using_index.is_none() =>
        {
            one(at, table, &constraint.columns, out);
        }
        // A constant in every row.
        Deed::AddColumn { table, column, .. } if column.unique && column.default.is_some() => {
            one(at, table, std::slice::from_ref(&column.name), out);
        }
        _ => {}
    }
}

fn one(at: &At<'_>, table: &Name, columns: &[String], out: &mut Vec<Found>) {
    let is_certain = !columns.is_empty() && at.picture.is_unique(table, columns);
    if !at.picture.is_old_table(table) || is_certain || at.is_emptied(table) {
        return;
    }
    let (names, help) = if columns.is_empty() {
        ("an expression".to_owned(), "look for them first".to_owned())
    } else {
        let names = columns.join(", ");
        let sql: Vec<String> = columns.iter().map(|name| as_sql(name)).collect();
        let sql = sql.join(", ");
        let table = match &table.schema {
            Some(schema) => format!("{}.{}", as_sql(schema), as_sql(&table.name)),
            None => as_sql(&table.name),
        };
        let help = format!(
            "look for them first: SELECT {sql}, count(*) FROM {table} GROUP BY {sql} HAVING count(*) > 1"
        );
        (names, help)
    };
    out.push(at.found(
        &RULE,
        Said {
            fact: format!("makes {names} of {table} unique"),
            consequence: "it fails where two rows are alike in it".to_owned(),
            help,
            subject: Some((table.clone(), None)),
            clause: format!("two rows of {table} that are alike in {names}"),
        },
    ));
}

/// A name to type: in quotes where it needs them.
fn as_sql(name: &str) -> String {
    let is_plain = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if is_plain {
        name.to_owned()
    } else {
        quoted(name)
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const T: &str = "CREATE TABLE t (id int PRIMARY KEY, a int, b int)";

    #[test]
    fn ok() {
        for engine in [Postgresql, Sqlite] {
            silent("unique", engine, &[T, "CREATE INDEX i ON t (a)"]);
            silent(
                "unique",
                engine,
                &["CREATE TABLE u (a int); CREATE UNIQUE INDEX i ON u (a)"],
            );
            // All NULL still; with the key in it; one index for another.
            silent(
                "unique",
                engine,
                &[T, "ALTER TABLE t ADD c int; CREATE UNIQUE INDEX i ON t (c)"],
            );
            silent("unique", engine, &[T, "CREATE UNIQUE INDEX i ON t (a, id)"]);
            silent(
                "unique",
                engine,
                &[
                    &format!("{T}; CREATE UNIQUE INDEX i ON t (a)"),
                    "DROP INDEX i; CREATE UNIQUE INDEX j ON t (a, b)",
                ],
            );
        }
        // Prisma makes the indexes of a table that it made anew a second time.
        silent(
            "unique",
            Sqlite,
            &[
                &format!("{T}; CREATE UNIQUE INDEX i ON t (a)"),
                "CREATE TABLE new_t (id int PRIMARY KEY, a int); INSERT INTO new_t (id, a) SELECT id, a FROM t; DROP TABLE t; ALTER TABLE new_t RENAME TO t; CREATE UNIQUE INDEX i ON t (a)",
            ],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("unique", Postgresql, &[T, "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a, b); ALTER TABLE t ADD CONSTRAINT k UNIQUE (b); CREATE UNIQUE INDEX j ON t (lower(a))"]), @r#"
        warning: makes a, b of t unique
          at    CREATE UNIQUE INDEX CONCURRENTLY i ON t (a, b)
          then  it fails where two rows are alike in it
          help  look for them first: SELECT a, b, count(*) FROM t GROUP BY a, b HAVING count(*) > 1
        warning: makes b of t unique
          at    ALTER TABLE t ADD CONSTRAINT k UNIQUE (b)
          then  it fails where two rows are alike in it
          help  look for them first: SELECT b, count(*) FROM t GROUP BY b HAVING count(*) > 1
        warning: makes an expression of t unique
          at    CREATE UNIQUE INDEX j ON t (lower(a))
          then  it fails where two rows are alike in it
          help  look for them first
        "#);
        // Filled in between.
        insta::assert_snapshot!(found("unique", Postgresql, &[T, "ALTER TABLE t ADD c int; UPDATE t SET c = a; CREATE UNIQUE INDEX i ON t (c)"]), @r#"
        warning: makes c of t unique
          at    CREATE UNIQUE INDEX i ON t (c)
          then  it fails where two rows are alike in it
          help  look for them first: SELECT c, count(*) FROM t GROUP BY c HAVING count(*) > 1
        "#);
        insta::assert_snapshot!(found("unique", Sqlite, &[T, "CREATE TABLE new_t (id int PRIMARY KEY, a int); INSERT INTO new_t (id, a) SELECT id, a FROM t; DROP TABLE t; ALTER TABLE new_t RENAME TO t; CREATE UNIQUE INDEX i ON t (a)"]), @r#"
        warning: makes a of t unique
          at    CREATE UNIQUE INDEX i ON t (a)
          then  it fails where two rows are alike in it
          help  look for them first: SELECT a, count(*) FROM t GROUP BY a HAVING count(*) > 1
        "#);
    }
}
