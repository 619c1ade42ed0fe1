//! `UPDATE` of every row.

use super::accept;
use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::Deed;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "update-without-where",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "writes over a column in every row",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::Update {
        table,
        columns,
        filtered,
    } = at.deed
    else {
        return;
    };
    if (*filtered && !at.means_all()) || !at.picture.is_old_table(table) {
        return;
    }
    // What the plan itself added has no values that could be lost.
    let old: Vec<String> = (columns.iter())
        .filter(|column| at.picture.is_old_column(table, column))
        .map(|column| format!("{table}.{column}"))
        .collect();
    if old.is_empty() && !columns.is_empty() {
        return;
    }
    let names = if old.is_empty() {
        table.to_string()
    } else {
        old.join(", ")
    };
    let alone = (columns.len() == 1)
        .then(|| columns.first().cloned())
        .flatten();
    out.push(at.found(
        &RULE,
        Said {
            fact: format!("writes {names} in every row"),
            consequence: "the values that stood there are gone".to_owned(),
            help: accept(&RULE, "say with WHERE which rows are meant"),
            subject: Some((table.clone(), alone)),
            clause: format!("values of {names}"),
        },
    ));
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const T: &str = "CREATE TABLE t (id int, a int)";

    #[test]
    fn ok() {
        for engine in [Postgresql, Sqlite] {
            silent(
                "update-without-where",
                engine,
                &[T, "UPDATE t SET a = 1 WHERE a IS NULL"],
            );
            silent(
                "update-without-where",
                engine,
                &[T, "ALTER TABLE t ADD b int; UPDATE t SET b = a"],
            );
            silent(
                "update-without-where",
                engine,
                &[T, "UPDATE t SET a = u.a FROM u WHERE u.id = t.id"],
            );
        }
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("update-without-where", Postgresql, &[T, "ALTER TABLE t ADD b int; UPDATE t SET a = 1, b = 2; DO $$ BEGIN UPDATE t SET a = 1; END $$"]), @r#"
        error: writes t.a in every row
          at    UPDATE t SET a = 1, b = 2
          then  the values that stood there are gone
          help  say with WHERE which rows are meant; where that is meant, say so above the statement: -- tollgate:allow update-without-where <reason>
        error: writes t.a in every row in a block of code, if it gets there
          at    DO $$ BEGIN UPDATE t SET a = 1; END $$
          then  the values that stood there are gone
          help  say with WHERE which rows are meant; where that is meant, say so above the statement: -- tollgate:allow update-without-where <reason>
        "#);
        insta::assert_snapshot!(found("update-without-where", Sqlite, &[T, "UPDATE t SET a = 1 WHERE true"]), @r#"
        error: writes t.a in every row
          at    UPDATE t SET a = 1 WHERE true
          then  the values that stood there are gone
          help  say with WHERE which rows are meant; where that is meant, say so above the statement: -- tollgate:allow update-without-where <reason>
        "#);
    }
}
