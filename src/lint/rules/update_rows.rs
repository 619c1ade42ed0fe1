//! `UPDATE` of every row.

use super::accept;
use crate::lint::at::{At, Found, Meets, Said};
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
        all_but_null,
    } = at.deed
    else {
        return;
    };
    let meets = at.meets(table, *filtered, all_but_null.as_deref());
    if meets == Meets::Some || !at.picture.is_old_table(table) {
        return;
    }
    let (may, condition) = may_be(meets);
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
            fact: if may {
                format!("may write {names} in every row")
            } else {
                format!("writes {names} in every row")
            },
            consequence: format!("{condition}the values that stood there are gone"),
            help: accept(&RULE, "say with WHERE which rows are meant"),
            subject: Some((table.clone(), alone)),
            clause: format!("values of {names}"),
        },
    ));
}

/// Whether that is not certain, and why it is told all the same.
pub(super) const fn may_be(meets: Meets) -> (bool, &'static str) {
    match meets {
        Meets::MaybeEvery => (true, "no condition tells one row from another; "),
        _ => (false, ""),
    }
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
    fn rows_of_another_table_are_no_condition() {
        let t = "CREATE TABLE t (id int PRIMARY KEY, a int)";
        for engine in [Postgresql, Sqlite] {
            for statement in [
                "UPDATE t SET a = u.a FROM u",
                "UPDATE t SET a = u.a FROM u WHERE u.id = 1",
                "UPDATE t AS x SET a = y.a FROM t AS y WHERE x.id = y.id",
            ] {
                let text = found("update-without-where", engine, &[t, statement]);
                assert!(!text.is_empty(), "{engine:?} {statement}");
            }
        }
        for statement in [
            "INSERT INTO t SELECT id, 0 FROM t ON CONFLICT (id) DO UPDATE SET a = excluded.a",
            "MERGE INTO t USING u ON true WHEN MATCHED THEN UPDATE SET a = u.a",
            "MERGE INTO t USING u ON t.id = u.id WHEN NOT MATCHED BY SOURCE THEN UPDATE SET a = 0",
        ] {
            let text = found("update-without-where", Postgresql, &[t, statement]);
            assert!(!text.is_empty(), "{statement}");
        }
        // A condition after it leaves out what would not change anyway, most often.
        for statement in [
            "INSERT INTO t (id, a) SELECT id, 0 FROM t WHERE true ON CONFLICT (id) DO UPDATE SET a = excluded.a",
            "INSERT INTO t (id, a) SELECT id, 0 FROM t WHERE true ON CONFLICT (id) DO UPDATE SET a = excluded.a WHERE t.a IS NOT excluded.a",
            "INSERT INTO t (id, a) SELECT x.id, 0 FROM u JOIN t AS x ON x.id = u.id WHERE true ON CONFLICT (id) DO NOTHING ON CONFLICT DO UPDATE SET a = 0",
        ] {
            let text = found("update-without-where", Sqlite, &[t, statement]);
            assert!(
                text.starts_with("error: may write t.a in every row\n"),
                "{statement}: {text}"
            );
        }
        // A seed: it names its rows. And rows of another table, or none that are written over.
        for engine in [Postgresql, Sqlite] {
            for statement in [
                "INSERT INTO t VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET a = excluded.a",
                "INSERT INTO t (id, a) SELECT id, a FROM u WHERE true ON CONFLICT (id) DO UPDATE SET a = excluded.a",
                "INSERT INTO t (id, a) SELECT id, 0 FROM t WHERE true ON CONFLICT (id) DO NOTHING",
            ] {
                silent("update-without-where", engine, &[t, statement]);
            }
        }
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("update-without-where", Postgresql, &[T, "UPDATE t SET a = u.a FROM u"]), @r#"
        error: may write t.a in every row
          at    UPDATE t SET a = u.a FROM u
          then  no condition tells one row from another; the values that stood there are gone
          help  say with WHERE which rows are meant; where that is meant, say so above the statement: -- tollgate:allow update-without-where <reason>
        "#);
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
