//! The primary key of a table that stood.

use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{ConstraintKind, Deed, Name, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "primary-key",
    level: Level::Warning,
    topic: Topic::MayFail,
    title: "changes the primary key of a table",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    match at.deed {
        Deed::AddConstraint { table, constraint }
            if constraint.kind == ConstraintKind::PrimaryKey && at.picture.is_old_table(table) =>
        {
            // An index that stands may be on any columns.
            let index = (constraint.using_index.as_ref())
                .and_then(|index| at.picture.key(table, index))
                .map(|key| key.columns.clone());
            let columns = index.unwrap_or_else(|| constraint.columns.clone());
            // The rows differ in it already, and each has a value.
            let is_certain = !columns.is_empty()
                && at.picture.is_unique(table, &columns)
                && columns.iter().all(|column| {
                    (at.picture.column(table, column)).is_some_and(|known| known.not_null)
                });
            if !is_certain && !at.is_emptied(table) {
                out.push(at.found(&RULE, said(table, &columns)));
            }
        }
        Deed::DropConstraint {
            table, constraint, ..
        } if at.picture.is_old_table(table) => {
            let is_key = match at.picture.key(table, constraint) {
                Some(key) => key.kind == ConstraintKind::PrimaryKey,
                // As the server names it.
                None => constraint.to_ascii_lowercase().ends_with("_pkey"),
            };
            let adds_one = at
                .after()
                .iter()
                .take(200)
                .any(|change| match &change.deed {
                    Deed::AddConstraint {
                        table: to,
                        constraint,
                    } => at.same(to, table) && constraint.kind == ConstraintKind::PrimaryKey,
                    _ => false,
                });
            if is_key && !adds_one {
                out.push(at.found(
                    &RULE,
                    Said {
                        fact: format!("drops the primary key of {table}"),
                        consequence: "rows may be alike from now on, and what replicates or updates by the key stops".to_owned(),
                        help: "give the table another key in the same migration".to_owned(),
                        subject: None,
                        clause: String::new(),
                    },
                ));
            }
        }
        // The table is made anew with another key.
        Deed::Drop {
            kind: ObjectKind::Table,
            name,
            ..
        } if at.picture.is_old_table(name) => {
            let Some(kept) = super::rebuild::kept(at, name) else {
                return;
            };
            let key = |table: &Name| {
                let keys = at.picture.table(table)?.keys.values();
                let mut keys = keys.filter(|key| key.kind == ConstraintKind::PrimaryKey);
                keys.next().map(|key| key.columns.clone())
            };
            let (old, new) = (key(name), key(kept.to));
            if let Some(new) = new
                && at.picture.table(name).is_some()
                && old.as_ref() != Some(&new)
                && !at.picture.is_unique(name, &new)
            {
                out.push(at.found(&RULE, said(name, &new)));
            }
        }
        _ => {}
    }
}

fn said(table: &Name, columns: &[String]) -> Said {
    let names = columns.join(", ");
    Said {
        fact: format!("gives {table} the primary key ({names})"),
        consequence: "it fails where two rows are alike in it, or one has no value".to_owned(),
        help: "look for such rows first".to_owned(),
        subject: Some((table.clone(), None)),
        clause: format!("two rows of {table} that are alike in {names}, or one without a value"),
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const T: &str = "CREATE TABLE t (id int, a int, CONSTRAINT t_pkey PRIMARY KEY (id))";

    #[test]
    fn ok() {
        // What is unique stays so with another column beside it.
        silent(
            "primary-key",
            Postgresql,
            &[
                "CREATE TABLE t (id int NOT NULL, a int NOT NULL, CONSTRAINT k PRIMARY KEY (id))",
                "ALTER TABLE t DROP CONSTRAINT k, ADD PRIMARY KEY (id, a)",
            ],
        );
        silent(
            "primary-key",
            Postgresql,
            &["CREATE TABLE u (a int); ALTER TABLE u ADD PRIMARY KEY (a)"],
        );
        silent(
            "primary-key",
            Postgresql,
            &[
                T,
                "ALTER TABLE t DROP CONSTRAINT t_fkey; ALTER TABLE t RENAME CONSTRAINT t_pkey TO k",
            ],
        );
        silent(
            "primary-key",
            Sqlite,
            &[
                T,
                "CREATE TABLE n (id int PRIMARY KEY, a int); INSERT INTO n SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
            ],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("primary-key", Postgresql, &[T, "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD CONSTRAINT t_pkey PRIMARY KEY (a)"]), @r#"
        warning: gives t the primary key (a)
          at    ADD CONSTRAINT t_pkey PRIMARY KEY (a)
          then  it fails where two rows are alike in it, or one has no value
          help  look for such rows first
        "#);
        insta::assert_snapshot!(found("primary-key", Postgresql, &[T, "ALTER TABLE t DROP CONSTRAINT t_pkey"]), @r#"
        warning: drops the primary key of t
          at    ALTER TABLE t DROP CONSTRAINT t_pkey
          then  rows may be alike from now on, and what replicates or updates by the key stops
          help  give the table another key in the same migration
        "#);
        insta::assert_snapshot!(found("primary-key", Sqlite, &[T, "CREATE TABLE n (id int, a int PRIMARY KEY); INSERT INTO n SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t"]), @r#"
        warning: gives t the primary key (a)
          at    DROP TABLE t
          then  it fails where two rows are alike in it, or one has no value
          help  look for such rows first
        "#);
    }
}
