//! A foreign key on rows that stand.

use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{ConstraintKind, Deed};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "foreign-key",
    level: Level::Note,
    topic: Topic::MayFail,
    title: "asks that rows which stand refer to rows that exist",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::AddConstraint { table, constraint } = at.deed else {
        return;
    };
    let ConstraintKind::Foreign(to) = &constraint.kind else {
        return;
    };
    let is_certain = constraint.not_valid
        || at.picture.refers_already(table, &constraint.columns, to)
        || at.is_emptied(table);
    if !at.picture.is_old_table(table) || is_certain {
        return;
    }
    let names = constraint.columns.join(", ");
    out.push(at.found(
        &RULE,
        Said {
            fact: format!("makes {names} of {table} refer to {to}"),
            consequence: "it fails where a row refers to one that does not exist".to_owned(),
            help: "look for such rows first; add it NOT VALID, and VALIDATE CONSTRAINT in a later migration".to_owned(),
            subject: Some((table.clone(), None)),
            clause: format!("a row of {table} whose {names} is not in {to}"),
        },
    ));
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::Postgresql;

    const T: &str = "CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE t (id int, a int)";

    // SQLite adds none to a table that stands.
    #[test]
    fn ok() {
        silent(
            "foreign-key",
            Postgresql,
            &[
                T,
                "ALTER TABLE t ADD b int; ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES u (id)",
            ],
        );
        silent(
            "foreign-key",
            Postgresql,
            &[
                T,
                "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id) NOT VALID",
            ],
        );
        silent(
            "foreign-key",
            Postgresql,
            &[
                &format!("{T}; ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES u (id)"),
                "ALTER TABLE t DROP CONSTRAINT k; ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES u (id) ON DELETE CASCADE",
            ],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("foreign-key", Postgresql, &[T, "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES u (id)"]), @r#"
        note: makes a of t refer to u
          at    ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES u (id)
          then  it fails where a row refers to one that does not exist
          help  look for such rows first; add it NOT VALID, and VALIDATE CONSTRAINT in a later migration
        "#);
    }
}
