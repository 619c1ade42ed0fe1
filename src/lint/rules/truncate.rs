//! `TRUNCATE` of a table that stood.

use super::accept;
use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::Deed;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "truncate",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "empties a table",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::Truncate { table, .. } = at.deed else {
        return;
    };
    if at.picture.is_old_table(table) {
        out.push(at.found(
            &RULE,
            Said {
                fact: format!("empties table {table}"),
                consequence: "every row of it is gone".to_owned(),
                help: accept(&RULE, "delete only what is no longer needed"),
                subject: Some((table.clone(), None)),
                clause: format!("rows of {table}"),
            },
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::Postgresql;

    const T: &str = "CREATE TABLE t (id int)";

    // SQLite has no TRUNCATE: see `delete-without-where`.
    #[test]
    fn ok() {
        silent(
            "truncate",
            Postgresql,
            &["CREATE TABLE t (id int); TRUNCATE t"],
        );
        silent(
            "truncate",
            Postgresql,
            &[T, "DO $$ BEGIN RAISE NOTICE 'TRUNCATE t'; END $$"],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("truncate", Postgresql, &[T, "TRUNCATE t, other RESTART IDENTITY"]), @r#"
        error: empties table t
          at    t
          then  every row of it is gone
          help  delete only what is no longer needed; where that is meant, say so above the statement: -- tollgate:allow truncate <reason>
        error: empties table other
          at    other
          then  every row of it is gone
          help  delete only what is no longer needed; where that is meant, say so above the statement: -- tollgate:allow truncate <reason>
        "#);
        insta::assert_snapshot!(found("truncate", Postgresql, &[T, "DO $$ BEGIN EXECUTE 'TRUNCATE t'; END $$"]), @r#"
        error: empties table t in a block of code, if it gets there
          at    DO $$ BEGIN EXECUTE 'TRUNCATE t'; END $$
          then  every row of it is gone
          help  delete only what is no longer needed; where that is meant, say so above the statement: -- tollgate:allow truncate <reason>
        "#);
    }
}
