//! Rows of a table that stood are written: worth knowing, and no loss by itself.

use crate::lint::at::{At, Found, Meets, Said};
use crate::lint::{Level, Rule, Topic};
use crate::model::entry::Engine;
use crate::sql::changes::Deed;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "writes-rows",
    level: Level::Note,
    topic: Topic::Script,
    title: "writes rows of a table that stood",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let (fact, table) = match at.deed {
        Deed::Insert {
            table, replaces, ..
        } => {
            let also = if *replaces && at.engine == Engine::Postgresql {
                ", or changes those that stand"
            } else {
                ""
            };
            (format!("adds rows to {table}{also}"), table)
        }
        Deed::Update {
            table,
            filtered,
            all_but_null,
            ..
        } => {
            let which = match at.meets(table, *filtered, all_but_null.as_deref()) {
                Meets::Every => "every row",
                Meets::MaybeEvery => "rows",
                Meets::Some => "some rows",
            };
            (format!("changes {which} of {table}"), table)
        }
        Deed::Delete {
            table,
            filtered,
            all_but_null,
        } if at.meets(table, *filtered, all_but_null.as_deref()) == Meets::Some => {
            (format!("deletes some rows of {table}"), table)
        }
        _ => return,
    };
    if !at.picture.is_old_table(table) {
        return;
    }
    out.push(at.found(
        &RULE,
        Said {
            fact,
            consequence: "a reversal does not bring the old values back".to_owned(),
            help: "see on a copy which rows it meets".to_owned(),
            subject: Some((table.clone(), None)),
            clause: String::new(),
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
                "writes-rows",
                engine,
                &["CREATE TABLE t (id int); INSERT INTO t VALUES (1); UPDATE t SET id = 2"],
            );
        }
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("writes-rows", Postgresql, &[T, "INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 1; UPDATE t SET id = 2 WHERE id = 1; DELETE FROM t WHERE id = 1"]), @r#"
        note: adds rows to t, or changes those that stand
          at    INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 1
          then  a reversal does not bring the old values back
          help  see on a copy which rows it meets
        note: changes some rows of t
          at    UPDATE t SET id = 2 WHERE id = 1
          then  a reversal does not bring the old values back
          help  see on a copy which rows it meets
        note: deletes some rows of t
          at    DELETE FROM t WHERE id = 1
          then  a reversal does not bring the old values back
          help  see on a copy which rows it meets
        "#);
        insta::assert_snapshot!(found("writes-rows", Sqlite, &[T, "INSERT INTO t VALUES (1)"]), @r#"
        note: adds rows to t
          at    INSERT INTO t VALUES (1)
          then  a reversal does not bring the old values back
          help  see on a copy which rows it meets
        "#);
    }
}
