//! A table that is made anew, with other values in a column than it had.

use super::accept;
use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{Deed, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "rebuild-changes-values",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "makes a table anew with other values in a column",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::Drop {
        kind: ObjectKind::Table,
        name,
        ..
    } = at.deed
    else {
        return;
    };
    if !at.picture.is_old_table(name) {
        return;
    }
    let Some(kept) = super::rebuild::kept(at, name) else {
        return;
    };
    for (column, what) in kept.carried.changed {
        let of = if what.is_empty() {
            String::new()
        } else {
            format!(": {what}")
        };
        out.push(at.found(
            &RULE,
            Said {
                fact: format!(
                    "drops table {name} after {} took other values for {column}{of}",
                    kept.to
                ),
                consequence: "the values that stood there are gone".to_owned(),
                help: accept(
                    &RULE,
                    "carry the column over as it is, and change it in a migration of its own",
                ),
                subject: Some((name.clone(), Some(column.clone()))),
                clause: format!("values of {name}.{column}"),
            },
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const T: &str = "CREATE TABLE t (id int, email text, phone text)";

    fn anew(query: &str) -> String {
        format!(
            "CREATE TABLE n (id int, email text, phone text, more text); INSERT INTO n (id, email, phone, more) SELECT {query} FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t"
        )
    }

    #[test]
    fn ok() {
        for engine in [Postgresql, Sqlite] {
            for query in [
                "id, email, phone, 'x'",
                "\"id\", coalesce(\"email\", '') AS \"email\", t.phone, lower(email)",
                "id, CAST(email AS text), phone, NULL",
            ] {
                silent("rebuild-changes-values", engine, &[T, &anew(query)]);
            }
            // The values stand in another column.
            silent(
                "rebuild-changes-values",
                engine,
                &[
                    T,
                    "CREATE TABLE n (id int, email text, phone text, raw text); INSERT INTO n SELECT id, lower(email), phone, email FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
                ],
            );
            silent(
                "rebuild-changes-values",
                engine,
                &[
                    T,
                    "CREATE TABLE n (id int, email text, phone text); INSERT INTO n SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
                ],
            );
            silent(
                "rebuild-changes-values",
                engine,
                &[
                    "CREATE TABLE t (id int, email text)",
                    "CREATE TABLE n (email text, id int); INSERT INTO n (id, email) SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
                ],
            );
        }
    }

    #[test]
    fn bad() {
        for engine in [Postgresql, Sqlite] {
            for query in [
                "id, 'x' AS email, phone, ''",
                "id, (SELECT max(email) FROM t), phone, ''",
                "id, phone AS email, email AS phone, ''",
                "id, email || phone, phone, ''",
            ] {
                assert_ne!(
                    found("rebuild-changes-values", engine, &[T, &anew(query)]),
                    "",
                    "{query}"
                );
            }
            // By their places, not by their names.
            assert_ne!(
                found(
                    "rebuild-changes-values",
                    engine,
                    &[
                        T,
                        "CREATE TABLE n (id int, phone text, email text); INSERT INTO n SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t"
                    ]
                ),
                ""
            );
            assert_ne!(
                found(
                    "rebuild-changes-values",
                    engine,
                    &[
                        T,
                        "CREATE TABLE n (id int, email text, phone text); INSERT INTO n SELECT * FROM t; UPDATE n SET email = ''; DROP TABLE t; ALTER TABLE n RENAME TO t"
                    ]
                ),
                ""
            );
            assert_ne!(
                found(
                    "drop-column",
                    engine,
                    &[
                        T,
                        "CREATE TABLE n (id int, email text, phone text); INSERT INTO n SELECT * FROM t; ALTER TABLE n DROP COLUMN email; DROP TABLE t; ALTER TABLE n RENAME TO t"
                    ]
                ),
                ""
            );
        }
        insta::assert_snapshot!(found("rebuild-changes-values", Sqlite, &[T, &anew("id, lower(email), phone, ''")]), @r#"
        error: drops table t after n took other values for email: lower(email)
          at    DROP TABLE t
          then  the values that stood there are gone
          help  carry the column over as it is, and change it in a migration of its own; where that is meant, say so above the statement: -- tollgate:allow rebuild-changes-values <reason>
        "#);
    }
}
