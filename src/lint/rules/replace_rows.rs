//! SQLite's `INSERT OR REPLACE`: a row that is in the way is deleted.

use super::accept;
use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::model::entry::Engine;
use crate::sql::changes::Deed;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "insert-or-replace",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "deletes rows that are in the way of new ones",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let (Deed::Insert { table, .. } | Deed::Update { table, .. }) = at.deed else {
        return;
    };
    // `ON CONFLICT DO UPDATE` keeps the row.
    let text = at.text().to_ascii_lowercase();
    let mut head = text
        .split_whitespace()
        .take_while(|word| *word != "into" && *word != "set");
    let replaces = head.any(|word| word.contains("replace"));
    if at.engine != Engine::Sqlite || !at.picture.is_old_table(table) {
        return;
    }
    // `UNIQUE ON CONFLICT REPLACE` says it for every statement.
    let yields = at.picture.table(table).and_then(|known| known.yields);
    if !replaces && yields.is_none_or(|how| how.ends_with("IGNORE")) {
        return;
    }
    out.push(at.found(
        &RULE,
        Said {
            fact: format!("replaces rows of {table}"),
            consequence: "a row with the same value in any unique column is deleted first, past triggers, and its other columns with it".to_owned(),
            help: accept(&RULE, "use ON CONFLICT (...) DO UPDATE SET ..., which keeps them"),
            subject: Some((table.clone(), None)),
            clause: format!("rows of {table} that new ones replace"),
        },
    ));
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const T: &str = "CREATE TABLE t (id int PRIMARY KEY, a int)";

    #[test]
    fn ok() {
        silent(
            "insert-or-replace",
            Sqlite,
            &[
                T,
                "INSERT INTO t VALUES (1, 2); INSERT OR IGNORE INTO t VALUES (1, 2)",
            ],
        );
        silent(
            "insert-or-replace",
            Sqlite,
            &[
                T,
                "INSERT INTO t VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET a = 1",
            ],
        );
        silent(
            "insert-or-replace",
            Postgresql,
            &[
                T,
                "INSERT INTO t VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET a = 1",
            ],
        );
    }

    #[test]
    fn however_it_is_said() {
        for statement in [
            "UPDATE OR REPLACE t SET id = 1 WHERE a = 2",
            "INSERT OR REPLACE INTO t SELECT 1, 'on conflict'",
            "WITH c AS (SELECT 1, 2) INSERT OR REPLACE INTO t SELECT * FROM c",
        ] {
            let text = found("insert-or-replace", Sqlite, &[T, statement]);
            assert!(!text.is_empty(), "{statement}");
        }
        silent(
            "insert-or-replace",
            Sqlite,
            &[T, "UPDATE t SET a = replace(a, 'x', 'y') WHERE id = 1"],
        );
    }

    #[test]
    fn said_elsewhere() {
        let yields = "CREATE TABLE t (id int PRIMARY KEY ON CONFLICT REPLACE, a int)";
        for (stands, script) in [
            (yields, "INSERT INTO t VALUES (1, 2)"),
            (T, "UPDATE OR REPLACE t SET id = 1 WHERE id = 2"),
        ] {
            assert_ne!(
                found("insert-or-replace", Sqlite, &[stands, script]),
                "",
                "{script}"
            );
        }
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("insert-or-replace", Sqlite, &[T, "INSERT OR REPLACE INTO t VALUES (1, 2); REPLACE INTO t VALUES (1, 3)"]), @r#"
        error: replaces rows of t
          at    INSERT OR REPLACE INTO t VALUES (1, 2)
          then  a row with the same value in any unique column is deleted first, past triggers, and its other columns with it
          help  use ON CONFLICT (...) DO UPDATE SET ..., which keeps them; where that is meant, say so above the statement: -- tollgate:allow insert-or-replace <reason>
        error: replaces rows of t
          at    REPLACE INTO t VALUES (1, 3)
          then  a row with the same value in any unique column is deleted first, past triggers, and its other columns with it
          help  use ON CONFLICT (...) DO UPDATE SET ..., which keeps them; where that is meant, say so above the statement: -- tollgate:allow insert-or-replace <reason>
        "#);
    }
}
