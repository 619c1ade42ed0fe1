//! `DROP COLUMN` of a column that stood, and a column that a rebuild of its table leaves out.

use super::accept;
use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{Deed, Name, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "drop-column",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "drops a column with its values",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    match at.deed {
        Deed::DropColumn { table, column, .. } if at.picture.is_old_column(table, column) => {
            let comes_again = at
                .after()
                .iter()
                .take(200)
                .any(|change| match &change.deed {
                    Deed::AddColumn {
                        table: to,
                        column: new,
                        ..
                    } => at.same(to, table) && at.same_text(&new.name, column),
                    _ => false,
                });
            let again = if comes_again { " and adds it anew" } else { "" };
            let fact = format!("drops column {table}.{column}{again}");
            out.push(at.found(&RULE, said(fact, table, column)));
        }
        Deed::Drop {
            kind: ObjectKind::Table,
            name,
            ..
        } if at.picture.is_old_table(name) => {
            let Some(kept) = super::rebuild::kept(at, name) else {
                return;
            };
            for column in kept.carried.left_out {
                let fact = format!("leaves out column {name}.{column}, as it makes the table anew");
                out.push(at.found(&RULE, said(fact, name, &column)));
            }
        }
        _ => {}
    }
}

fn said(fact: String, table: &Name, column: &str) -> Said {
    Said {
        fact,
        consequence: "its values are gone, in every row".to_owned(),
        help: accept(&RULE, "carry the values over first"),
        subject: Some((table.clone(), Some(column.to_owned()))),
        clause: format!("column {table}.{column}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const T: &str = "CREATE TABLE t (id int PRIMARY KEY, \"Name\" text, age int)";

    #[test]
    fn ok() {
        for engine in [Postgresql, Sqlite] {
            silent(
                "drop-column",
                engine,
                &[
                    T,
                    "ALTER TABLE t ADD COLUMN x int; ALTER TABLE t DROP COLUMN x",
                ],
            );
            silent(
                "drop-column",
                engine,
                &["CREATE TABLE u (x int); ALTER TABLE u DROP COLUMN x"],
            );
            silent(
                "drop-column",
                engine,
                &[T, "ALTER TABLE t RENAME COLUMN age TO years"],
            );
            silent(
                "drop-column",
                engine,
                &[
                    T,
                    "CREATE TABLE new_t (id int, \"Name\" text, years int); INSERT INTO new_t SELECT * FROM t; DROP TABLE t; ALTER TABLE new_t RENAME TO t",
                ],
            );
            // Under another name, and nothing is left out.
            silent(
                "drop-column",
                engine,
                &[
                    T,
                    "CREATE TABLE new_t (id int, \"Name\" text, years int); INSERT INTO new_t (id, \"Name\", years) SELECT id, \"Name\", age FROM t; DROP TABLE t; ALTER TABLE new_t RENAME TO t",
                ],
            );
        }
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("drop-column", Postgresql, &[T, "ALTER TABLE t DROP COLUMN age, DROP \"Name\""]), @r#"
        error: drops column t.age and t.Name
          at    DROP COLUMN age, DROP "Name"
          then  its values are gone, in every row
          help  carry the values over first; where that is meant, say so above the statement: -- tollgate:allow drop-column <reason>
        "#);
        insta::assert_snapshot!(found("drop-column", Postgresql, &[T, "ALTER TABLE t DROP COLUMN age, ADD COLUMN age text"]), @r#"
        error: drops column t.age and adds it anew
          at    DROP COLUMN age
          then  its values are gone, in every row
          help  carry the values over first; where that is meant, say so above the statement: -- tollgate:allow drop-column <reason>
        "#);
        // The server takes away first, whatever comes first in the text.
        insta::assert_snapshot!(found("drop-column", Postgresql, &[T, "ALTER TABLE t ADD COLUMN age text, DROP COLUMN age"]), @r#"
        error: drops column t.age and adds it anew
          at    DROP COLUMN age
          then  its values are gone, in every row
          help  carry the values over first; where that is meant, say so above the statement: -- tollgate:allow drop-column <reason>
        "#);
        // The new name of an old column, and a column of a table that was renamed.
        insta::assert_snapshot!(found("drop-column", Postgresql, &[T, "ALTER TABLE t RENAME age TO years; ALTER TABLE t RENAME TO u; ALTER TABLE u DROP years"]), @r#"
        error: drops column u.years
          at    ALTER TABLE u DROP years
          then  its values are gone, in every row
          help  carry the values over first; where that is meant, say so above the statement: -- tollgate:allow drop-column <reason>
        "#);
        insta::assert_snapshot!(found("drop-column", Sqlite, &[T, "ALTER TABLE t DROP COLUMN AGE"]), @r#"
        error: drops column t.AGE
          at    ALTER TABLE t DROP COLUMN AGE
          then  its values are gone, in every row
          help  carry the values over first; where that is meant, say so above the statement: -- tollgate:allow drop-column <reason>
        "#);
        insta::assert_snapshot!(found("drop-column", Sqlite, &[T, "PRAGMA foreign_keys=OFF;\nCREATE TABLE \"new_t\" (\"id\" INTEGER NOT NULL PRIMARY KEY, \"Name\" TEXT);\nINSERT INTO \"new_t\" (\"id\", \"Name\") SELECT \"id\", \"Name\" FROM \"t\";\nDROP TABLE \"t\";\nALTER TABLE \"new_t\" RENAME TO \"t\";"]), @r#"
        error: leaves out column t.age, as it makes the table anew
          at    DROP TABLE "t"
          then  its values are gone, in every row
          help  carry the values over first; where that is meant, say so above the statement: -- tollgate:allow drop-column <reason>
        "#);
        // The same by hand, the old table put aside first.
        insta::assert_snapshot!(found("drop-column", Sqlite, &[T, "ALTER TABLE t RENAME TO old; CREATE TABLE t (id int, age int); INSERT INTO t SELECT id, age FROM old; DROP TABLE old"]), @r#"
        error: leaves out column old.Name, as it makes the table anew
          at    DROP TABLE old
          then  its values are gone, in every row
          help  carry the values over first; where that is meant, say so above the statement: -- tollgate:allow drop-column <reason>
        "#);
        insta::assert_snapshot!(found("drop-column", Postgresql, &[T, "DO $$ BEGIN IF true THEN ALTER TABLE t DROP COLUMN IF EXISTS age; END IF; END $$"]), @r#"
        error: drops column t.age in a block of code, if it gets there
          at    DO $$ BEGIN IF true THEN ALTER TABLE t DROP COLUMN IF EXISTS age; END IF; END $$
          then  its values are gone, in every row
          help  carry the values over first; where that is meant, say so above the statement: -- tollgate:allow drop-column <reason>
        "#);
    }
}
