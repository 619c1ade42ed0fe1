//! A change of a table's shape that writes every row anew, while everybody waits.

use crate::lint::at::{At, Found, Said};
use crate::lint::effects;
use crate::lint::{Level, Rule, Topic, Work};
use crate::model::entry::Engine;
use crate::sql::changes::Deed;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "table-rewrite",
    level: Level::Warning,
    topic: Topic::Locks,
    title: "writes a whole table anew while nobody can read it",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let what = match at.deed {
        Deed::AddColumn { table, column, .. } => format!(
            "adds {table}.{} with a value of its own in each row",
            column.name
        ),
        Deed::SetType {
            table, column, ty, ..
        } => format!("changes {table}.{column} to {ty}"),
        Deed::AlterTable { table, what } => format!("{what} of {table}"),
        Deed::Other { what } => what.clone(),
        _ => return,
    };
    let part = effects::part(at);
    if at.engine != Engine::Postgresql || part.work != Work::Rewrite {
        return;
    }
    out.push(at.found(
        &RULE,
        Said {
            fact: what,
            consequence: "PostgreSQL writes the whole table anew under ACCESS EXCLUSIVE: every query on it waits".to_owned(),
            help: "where the table is large, add a column, fill it in steps, and swap".to_owned(),
            subject: part.table.map(|table| (table, None)),
            clause: String::new(),
        },
    ));
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const T: &str = "CREATE TABLE t (id int, s varchar(5))";

    #[test]
    fn ok() {
        silent(
            "table-rewrite",
            Postgresql,
            &[
                T,
                "ALTER TABLE t ADD a timestamptz NOT NULL DEFAULT now(), ADD b jsonb DEFAULT '{}', ALTER s TYPE text",
            ],
        );
        silent(
            "table-rewrite",
            Postgresql,
            &["CREATE TABLE u (id int); ALTER TABLE u ALTER id TYPE bigint"],
        );
        silent(
            "table-rewrite",
            Sqlite,
            &[T, "ALTER TABLE t ADD a int DEFAULT 1"],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("table-rewrite", Postgresql, &[T, "ALTER TABLE t ADD a uuid DEFAULT gen_random_uuid(), ADD b serial, ALTER id TYPE bigint, SET UNLOGGED"]), @r#"
        warning: adds t.a with a value of its own in each row, adds t.b with a value of its own in each row, changes t.id to bigint and SET UNLOGGED of t
          at    ADD a uuid DEFAULT gen_random_uuid(), ADD b serial, ALTER id TYPE bigint, SET UNLOGGED
          then  PostgreSQL writes the whole table anew under ACCESS EXCLUSIVE: every query on it waits
          help  where the table is large, add a column, fill it in steps, and swap
        "#);
    }
}
