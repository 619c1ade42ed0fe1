//! Tables that are made anew: another takes the rows, the old one goes, the new one takes its name.

use super::accept;
use crate::lint::at::{At, Found, Said, statement_text};
use crate::lint::picture::Carried;
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{Change, Deed, Name, ObjectKind};

/// Some rows may stay behind.
pub(in crate::lint) static FILTERED: Rule = Rule {
    code: "rebuild-leaves-rows",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "makes a table anew with some of its rows",
};

/// What another table keeps of one that goes.
pub(super) struct Kept<'a> {
    /// The table that took the rows.
    pub(super) to: &'a Name,
    /// The columns that are named as the ones that take the values; all of them where none is.
    pub(super) columns: &'a [String],
    /// The query that read the old table.
    pub(super) query: &'a str,
    /// What it has of it when that one goes.
    pub(super) carried: Carried,
}

/// What another table that stays took of this one.
pub(super) fn kept<'a>(at: &At<'a>, table: &Name) -> Option<Kept<'a>> {
    let (statement, to, columns) = at.carried(table)?;
    if at.picture.table(to).is_some_and(|to| to.is_temporary) || !takes_place(at, to, table) {
        return None;
    }
    let carried = at.picture.carried(table, to)?;
    let text = statement_text(&at.script, statement);
    let begin = text.to_ascii_lowercase().find("select");
    let query = text.get(begin.unwrap_or(0)..).unwrap_or_default();
    Some(Kept {
        to,
        columns,
        query,
        carried,
    })
}

/// Whether a table has the name of one that goes, in the end: it is renamed to it, or that one was put aside
/// before. Another table that took rows is another table.
fn takes_place(at: &At<'_>, to: &Name, gone: &Name) -> bool {
    let renames = |change: &Change, from: &Name, name: &Name| match &change.deed {
        Deed::Rename { name: old, to, .. } => at.same(old, from) && at.same_text(to, &name.name),
        _ => false,
    };
    at.after()
        .iter()
        .take(200)
        .any(|change| renames(change, to, gone))
        || at
            .before()
            .iter()
            .rev()
            .take(200)
            .any(|change| renames(change, to, gone))
}

pub(super) fn check_filtered(at: &At<'_>, out: &mut Vec<Found>) {
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
    let Some(kept) = kept(at, name) else { return };
    let Some(word) = kept.carried.leaves else {
        return;
    };
    out.push(at.found(
        &FILTERED,
        Said {
            fact: format!(
                "drops table {name} after {} took some of its rows: {word}",
                kept.to
            ),
            consequence: "the rows that it did not take, or has no more, are gone".to_owned(),
            help: accept(&FILTERED, "count what is left out first"),
            subject: Some((name.clone(), None)),
            clause: format!("rows of {name} that its rebuild leaves out"),
        },
    ));
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const T: &str = "CREATE TABLE t (id int, age int)";

    #[test]
    fn ok() {
        for engine in [Postgresql, Sqlite] {
            silent(
                "rebuild-leaves-rows",
                engine,
                &[
                    T,
                    "CREATE TABLE n (id int); INSERT INTO n (id) SELECT id FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
                ],
            );
            silent(
                "rebuild-leaves-rows",
                engine,
                &[
                    T,
                    "CREATE TABLE n (id int); INSERT INTO n (id) SELECT id FROM t WHERE age > 1",
                ],
            );
        }
    }

    /// What is done to the copy before the old table goes is done to the only rows that are left.
    #[test]
    fn a_copy_that_is_damaged() {
        let told = |engine, script: &str| {
            assert_ne!(
                found("rebuild-leaves-rows", engine, &[T, script]),
                "",
                "{script}"
            );
        };
        for engine in [Postgresql, Sqlite] {
            for damage in ["DELETE FROM n", "DELETE FROM n WHERE true"] {
                let script = format!(
                    "CREATE TABLE n (id int, age int); INSERT INTO n SELECT id, age FROM t; {damage}; DROP TABLE t; ALTER TABLE n RENAME TO t"
                );
                told(engine, &script);
            }
            told(
                engine,
                "CREATE TABLE n (id int, age int); INSERT INTO n SELECT id, age FROM t WHERE true ON CONFLICT DO NOTHING; DROP TABLE t; ALTER TABLE n RENAME TO t",
            );
            // While the old one stands nothing is lost.
            for script in [
                "CREATE TABLE n (id int, age int); INSERT INTO n SELECT id, age FROM t; DELETE FROM n; DROP TABLE n",
                "CREATE TABLE n (id int, age int); INSERT INTO n SELECT id, age FROM t; UPDATE n SET age = 1",
            ] {
                let look = crate::lint::testing::look_at(engine, &[T, script]);
                let losses = look
                    .findings
                    .iter()
                    .filter(|it| it.rule.topic == crate::lint::Topic::DataLoss);
                assert_eq!(losses.count(), 0, "{script}");
            }
        }
        told(
            Postgresql,
            "CREATE TABLE n (id int, age int); INSERT INTO n SELECT * FROM t; TRUNCATE n; DROP TABLE t; ALTER TABLE n RENAME TO t",
        );
        told(
            Sqlite,
            "CREATE TABLE n (id int UNIQUE, age int); INSERT OR IGNORE INTO n SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
        );
        told(
            Sqlite,
            "CREATE TABLE n (id int UNIQUE ON CONFLICT IGNORE, age int); INSERT INTO n SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
        );
        told(
            Sqlite,
            "CREATE TABLE n (id int UNIQUE, age int); INSERT INTO n SELECT * FROM t; INSERT OR REPLACE INTO n SELECT id, 1 FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
        );
    }

    #[test]
    fn bad() {
        let script = "CREATE TABLE n (id int); INSERT INTO n (id) SELECT id FROM t WHERE age > 1; DROP TABLE t; ALTER TABLE n RENAME TO t";
        insta::assert_snapshot!(found("rebuild-leaves-rows", Sqlite, &[T, script]), @r#"
        error: drops table t after n took some of its rows: WHERE
          at    DROP TABLE t
          then  the rows that it did not take, or has no more, are gone
          help  count what is left out first; where that is meant, say so above the statement: -- tollgate:allow rebuild-leaves-rows <reason>
        "#);
        insta::assert_snapshot!(found("rebuild-leaves-rows", Postgresql, &[T, script]), @r#"
        error: drops table t after n took some of its rows: WHERE
          at    DROP TABLE t
          then  the rows that it did not take, or has no more, are gone
          help  count what is left out first; where that is meant, say so above the statement: -- tollgate:allow rebuild-leaves-rows <reason>
        "#);
    }
}
