//! `DELETE` of every row.

use super::accept;
use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::Deed;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "delete-without-where",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "deletes every row of a table",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::Delete { table, filtered } = at.deed else {
        return;
    };
    if (*filtered && !at.means_all()) || !at.picture.is_old_table(table) {
        return;
    }
    out.push(at.found(
        &RULE,
        Said {
            fact: format!("deletes every row of {table}"),
            consequence:
                "they are gone, and what refers to them with ON DELETE CASCADE too".to_owned(),
            help: accept(&RULE, "say with WHERE which rows are meant"),
            subject: Some((table.clone(), None)),
            clause: format!("rows of {table}"),
        },
    ));
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
                "delete-without-where",
                engine,
                &[T, "DELETE FROM t WHERE id = 1"],
            );
            silent(
                "delete-without-where",
                engine,
                &["CREATE TABLE t (id int); DELETE FROM t"],
            );
        }
        silent(
            "delete-without-where",
            Postgresql,
            &[T, "DELETE FROM t USING u WHERE t.id = u.id"],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("delete-without-where", Postgresql, &[T, "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone; DELETE FROM t WHERE TRUE"]), @r#"
        error: deletes every row of t
          at    DELETE FROM t RETURNING *
          then  they are gone, and what refers to them with ON DELETE CASCADE too
          help  say with WHERE which rows are meant; where that is meant, say so above the statement: -- tollgate:allow delete-without-where <reason>
        error: deletes every row of t
          at    DELETE FROM t WHERE TRUE
          then  they are gone, and what refers to them with ON DELETE CASCADE too
          help  say with WHERE which rows are meant; where that is meant, say so above the statement: -- tollgate:allow delete-without-where <reason>
        "#);
        insta::assert_snapshot!(found("delete-without-where", Sqlite, &[T, "DELETE FROM t; DELETE FROM t WHERE 1 = 1"]), @r#"
        error: deletes every row of t
          at    DELETE FROM t
          then  they are gone, and what refers to them with ON DELETE CASCADE too
          help  say with WHERE which rows are meant; where that is meant, say so above the statement: -- tollgate:allow delete-without-where <reason>
        error: deletes every row of t
          at    DELETE FROM t WHERE 1 = 1
          then  they are gone, and what refers to them with ON DELETE CASCADE too
          help  say with WHERE which rows are meant; where that is meant, say so above the statement: -- tollgate:allow delete-without-where <reason>
        "#);
    }
}
