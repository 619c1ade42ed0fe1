//! An index on a table that stood, made or dropped while others wait.

use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::model::entry::Engine;
use crate::sql::changes::{Deed, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "index-lock",
    level: Level::Note,
    topic: Topic::Locks,
    title: "makes or drops an index while others wait",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    if at.engine != Engine::Postgresql {
        return;
    }
    let (fact, consequence, subject) = match at.deed {
        Deed::CreateIndex {
            index,
            table,
            concurrently: false,
            ..
        } if at.picture.is_old_table(table) => {
            let name = index
                .as_ref()
                .map_or(String::new(), |name| format!(" {name}"));
            (
                format!("makes index{name} on {table}"),
                "writes to the table wait until it is built (SHARE)",
                Some((table.clone(), None)),
            )
        }
        Deed::Drop {
            kind: ObjectKind::Index,
            name,
            concurrently: false,
            ..
        } => {
            let is_old = match at.picture.index(name) {
                Some(index) => {
                    !at.picture.is_new(index.made) && at.picture.is_old_table(&index.table)
                }
                None => !at.picture.found_nothing(),
            };
            if !is_old {
                return;
            }
            (
                format!("drops index {name}"),
                "it waits for every query on the table, and those that come wait for it (ACCESS EXCLUSIVE)",
                None,
            )
        }
        _ => return,
    };
    out.push(
        at.found(
            &RULE,
            Said {
                fact,
                consequence: consequence.to_owned(),
                help: "where the table is large or busy: CONCURRENTLY, in a migration of its own"
                    .to_owned(),
                subject,
                clause: String::new(),
            },
        ),
    );
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const T: &str = "CREATE TABLE t (id int); CREATE INDEX i ON t (id)";

    #[test]
    fn ok() {
        silent(
            "index-lock",
            Postgresql,
            &[
                T,
                "CREATE INDEX CONCURRENTLY j ON t (id); DROP INDEX CONCURRENTLY i",
            ],
        );
        silent(
            "index-lock",
            Postgresql,
            &["CREATE TABLE u (id int); CREATE INDEX j ON u (id); DROP INDEX j"],
        );
        silent(
            "index-lock",
            Sqlite,
            &[T, "DROP INDEX i; CREATE INDEX i ON t (id)"],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("index-lock", Postgresql, &[T, "CREATE UNIQUE INDEX j ON t (id); DROP INDEX i"]), @r#"
        note: makes index j on t
          at    CREATE UNIQUE INDEX j ON t (id)
          then  writes to the table wait until it is built (SHARE)
          help  where the table is large or busy: CONCURRENTLY, in a migration of its own
        note: drops index i
          at    DROP INDEX i
          then  it waits for every query on the table, and those that come wait for it (ACCESS EXCLUSIVE)
          help  where the table is large or busy: CONCURRENTLY, in a migration of its own
        "#);
    }
}
