//! A table that stood gets another name, or another schema.

use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{Deed, Name, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "rename-table",
    level: Level::Warning,
    topic: Topic::Compatibility,
    title: "gives a table another name",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let (kind, name, to) = match at.deed {
        Deed::Rename {
            kind: kind @ (ObjectKind::Table | ObjectKind::View),
            name,
            to,
            ..
        } => (*kind, name, to.clone()),
        Deed::SetSchema {
            kind: kind @ (ObjectKind::Table | ObjectKind::View),
            name,
            to,
        } => (*kind, name, format!("{to}.{}", name.name)),
        _ => return,
    };
    let is_old = match kind {
        ObjectKind::View => at.picture.is_old_other(kind, name),
        // One that the plan made and that took the rows of an old one has a name that nobody knows.
        _ => {
            let born = at.picture.table(name).map(|table| table.born);
            at.picture.is_old_table(name) && !born.is_some_and(|born| at.picture.is_new(born))
        }
    };
    if !is_old || at.is_put_aside(name, &to) {
        return;
    }
    out.push(
        at.found(
            &RULE,
            Said {
                fact: format!("renames {name} to {to}"),
                consequence: "programs that run still ask for the old name, and fail".to_owned(),
                help:
                    "leave a view with the old name until they are gone, or stop them for the while"
                        .to_owned(),
                subject: None,
                clause: String::new(),
            },
        ),
    );
}

impl At<'_> {
    /// Whether a table is only put aside: what has its name at the end of the script is another one, and it
    /// goes.
    fn is_put_aside(&self, name: &Name, to: &str) -> bool {
        self.is_replaced(name)
            && self
                .after()
                .iter()
                .take(200)
                .any(|change| match &change.deed {
                    Deed::Drop { name, .. } => self.same_text(&name.name, to),
                    _ => false,
                })
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
                "rename-table",
                engine,
                &["CREATE TABLE u (id int); ALTER TABLE u RENAME TO v"],
            );
            silent(
                "rename-table",
                engine,
                &[
                    T,
                    "CREATE TABLE n (id int); INSERT INTO n SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
                ],
            );
            silent(
                "rename-table",
                engine,
                &[
                    T,
                    "ALTER TABLE t RENAME TO o; CREATE TABLE t (id int); INSERT INTO t SELECT * FROM o; DROP TABLE o",
                ],
            );
        }
        silent(
            "rename-table",
            Postgresql,
            &[T, "ALTER INDEX i RENAME TO j"],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("rename-table", Postgresql, &[T, "ALTER TABLE t RENAME TO u; ALTER TABLE u SET SCHEMA s"]), @r#"
        warning: renames t to u
          at    ALTER TABLE t RENAME TO u
          then  programs that run still ask for the old name, and fail
          help  leave a view with the old name until they are gone, or stop them for the while
        warning: renames u to s.u
          at    ALTER TABLE u SET SCHEMA s
          then  programs that run still ask for the old name, and fail
          help  leave a view with the old name until they are gone, or stop them for the while
        "#);
        insta::assert_snapshot!(found("rename-table", Sqlite, &[T, "ALTER TABLE t RENAME TO u"]), @r#"
        warning: renames t to u
          at    ALTER TABLE t RENAME TO u
          then  programs that run still ask for the old name, and fail
          help  leave a view with the old name until they are gone, or stop them for the while
        "#);
    }
}
