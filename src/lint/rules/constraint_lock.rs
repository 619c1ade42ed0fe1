//! A constraint on a table that stood, for which every row is read while others wait.

use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic, Work, effects};
use crate::model::entry::Engine;
use crate::sql::changes::{ConstraintKind, Deed};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "constraint-lock",
    level: Level::Note,
    topic: Topic::Locks,
    title: "reads every row for a constraint while others wait",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let (table, what, help) = match at.deed {
        Deed::AddConstraint { table, constraint } => (
            table,
            match constraint.kind {
                ConstraintKind::PrimaryKey => "adds a primary key to",
                ConstraintKind::Unique => "adds a unique constraint to",
                ConstraintKind::Foreign(_) => "adds a foreign key to",
                ConstraintKind::Check => "adds a check to",
                _ => "adds a constraint to",
            },
            match constraint.kind {
                ConstraintKind::Unique | ConstraintKind::PrimaryKey => {
                    "CREATE UNIQUE INDEX CONCURRENTLY first, then ADD CONSTRAINT ... USING INDEX"
                }
                ConstraintKind::Exclude => "there is no way around it: choose a quiet hour",
                _ => "add it NOT VALID, and VALIDATE CONSTRAINT in a later migration",
            },
        ),
        Deed::SetNotNull { table, .. } => (
            table,
            "makes a column required in",
            "add CHECK (... IS NOT NULL) NOT VALID, validate it in a later migration, then SET NOT NULL reads nothing",
        ),
        _ => return,
    };
    let part = effects::part(at);
    if at.engine != Engine::Postgresql || part.work != Work::Scan {
        return;
    }
    let lock = part.lock.unwrap_or_default();
    out.push(at.found(
        &RULE,
        Said {
            fact: format!("{what} {table}"),
            consequence: format!("every row is read under {lock}: others wait that long"),
            help: format!("where the table is large: {help}"),
            subject: Some((table.clone(), None)),
            clause: String::new(),
        },
    ));
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::Postgresql;

    const T: &str = "CREATE TABLE t (id int, a int); CREATE TABLE u (id int PRIMARY KEY)";

    // SQLite adds no constraints to a table that stands.
    #[test]
    fn ok() {
        silent(
            "constraint-lock",
            Postgresql,
            &[
                T,
                "ALTER TABLE t ADD CHECK (a > 0) NOT VALID; ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id) NOT VALID",
            ],
        );
        silent(
            "constraint-lock",
            Postgresql,
            &[
                T,
                "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a); ALTER TABLE t ADD CONSTRAINT k UNIQUE USING INDEX i",
            ],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("constraint-lock", Postgresql, &[T, "ALTER TABLE t ADD CHECK (a > 0), ADD FOREIGN KEY (a) REFERENCES u (id), ADD UNIQUE (a), ALTER a SET NOT NULL"]), @r#"
        note: adds a check to t
          at    ADD CHECK (a > 0)
          then  every row is read under ACCESS EXCLUSIVE: others wait that long
          help  where the table is large: add it NOT VALID, and VALIDATE CONSTRAINT in a later migration
        note: adds a foreign key to t
          at    ADD FOREIGN KEY (a) REFERENCES u (id)
          then  every row is read under SHARE ROW EXCLUSIVE: others wait that long
          help  where the table is large: add it NOT VALID, and VALIDATE CONSTRAINT in a later migration
        note: adds a unique constraint to t
          at    ADD UNIQUE (a)
          then  every row is read under ACCESS EXCLUSIVE: others wait that long
          help  where the table is large: CREATE UNIQUE INDEX CONCURRENTLY first, then ADD CONSTRAINT ... USING INDEX
        note: makes a column required in t
          at    ALTER a SET NOT NULL
          then  every row is read under ACCESS EXCLUSIVE: others wait that long
          help  where the table is large: add CHECK (... IS NOT NULL) NOT VALID, validate it in a later migration, then SET NOT NULL reads nothing
        "#);
    }
}
