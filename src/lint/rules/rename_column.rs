//! A column that stood gets another name.

use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::Deed;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "rename-column",
    level: Level::Warning,
    topic: Topic::Compatibility,
    title: "gives a column another name",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::RenameColumn { table, column, to } = at.deed else {
        return;
    };
    if at.picture.is_old_column(table, column) {
        out.push(at.found(
            &RULE,
            Said {
                fact: format!("renames {table}.{column} to {to}"),
                consequence: "programs that run still ask for the old name, and fail".to_owned(),
                help: "add a column, write both, and drop the old one once they are gone; or stop them for the while".to_owned(),
                subject: None,
                clause: String::new(),
            },
        ));
    }
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
                "rename-column",
                engine,
                &[
                    T,
                    "ALTER TABLE t ADD a int; ALTER TABLE t RENAME COLUMN a TO b",
                ],
            );
        }
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("rename-column", Postgresql, &[T, "ALTER TABLE t RENAME id TO \"ID\""]), @r#"
        warning: renames t.id to ID
          at    ALTER TABLE t RENAME id TO "ID"
          then  programs that run still ask for the old name, and fail
          help  add a column, write both, and drop the old one once they are gone; or stop them for the while
        "#);
        insta::assert_snapshot!(found("rename-column", Sqlite, &[T, "ALTER TABLE t RENAME COLUMN id TO key"]), @r#"
        warning: renames t.id to key
          at    ALTER TABLE t RENAME COLUMN id TO key
          then  programs that run still ask for the old name, and fail
          help  add a column, write both, and drop the old one once they are gone; or stop them for the while
        "#);
    }
}
