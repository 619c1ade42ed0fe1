//! `DROP SCHEMA`, `DROP DATABASE`, `DROP OWNED`: everything in it at once.

use super::accept;
use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{Deed, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "drop-schema",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "drops a schema, a database, or all that a role owns",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let (what, consequence) = match at.deed {
        Deed::Drop {
            kind: kind @ (ObjectKind::Schema | ObjectKind::Database),
            name,
            cascade,
            ..
        } if at.picture.is_old_other(*kind, name) || at.picture.holds_old_table(&name.name) => {
            match kind {
                ObjectKind::Database => (format!("database {name}"), "everything in it is gone"),
                _ if *cascade => (
                    format!("schema {name}"),
                    "every table in it is gone with its rows",
                ),
                _ => (
                    format!("schema {name}"),
                    "without CASCADE the server refuses while anything stands in it",
                ),
            }
        }
        Deed::Other { what } if what == "DROP OWNED" && !at.picture.found_nothing() => (
            "all that a role owns".to_owned(),
            "every table of that role is gone with its rows, and the script does not say which they are",
        ),
        _ => return,
    };
    out.push(at.found(
        &RULE,
        Said {
            fact: format!("drops {what}"),
            consequence: consequence.to_owned(),
            help: accept(&RULE, "drop by name what is no longer needed"),
            subject: None,
            clause: what,
        },
    ));
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    #[test]
    fn ok() {
        silent(
            "drop-schema",
            Postgresql,
            &["CREATE SCHEMA s; DROP SCHEMA s CASCADE"],
        );
        silent(
            "drop-schema",
            Postgresql,
            &["CREATE SCHEMA s; CREATE TABLE s.t (id int); DROP SCHEMA s CASCADE"],
        );
        // SQLite has none; the nearest thing is DETACH, which leaves the file.
        silent(
            "drop-schema",
            Sqlite,
            &["ATTACH 'other.db' AS o", "DETACH o"],
        );
    }

    #[test]
    fn a_new_schema_may_hold_what_stood_before() {
        insta::assert_snapshot!(found("drop-schema", Postgresql, &["CREATE TABLE t (id int)", "CREATE SCHEMA s; ALTER TABLE t SET SCHEMA s; DROP SCHEMA s CASCADE"]), @r#"
        error: drops schema s
          at    DROP SCHEMA s CASCADE
          then  every table in it is gone with its rows
          help  drop by name what is no longer needed; where that is meant, say so above the statement: -- tollgate:allow drop-schema <reason>
        "#);
    }

    #[test]
    fn bad() {
        let s = "CREATE SCHEMA s CREATE TABLE t (id int)";
        insta::assert_snapshot!(found("drop-schema", Postgresql, &[s, "DROP SCHEMA s CASCADE; DROP SCHEMA other; DROP DATABASE d; DROP OWNED BY joe"]), @r#"
        error: drops schema s
          at    DROP SCHEMA s CASCADE
          then  every table in it is gone with its rows
          help  drop by name what is no longer needed; where that is meant, say so above the statement: -- tollgate:allow drop-schema <reason>
        error: drops schema other
          at    DROP SCHEMA other
          then  without CASCADE the server refuses while anything stands in it
          help  drop by name what is no longer needed; where that is meant, say so above the statement: -- tollgate:allow drop-schema <reason>
        error: drops database d
          at    DROP DATABASE d
          then  everything in it is gone
          help  drop by name what is no longer needed; where that is meant, say so above the statement: -- tollgate:allow drop-schema <reason>
        error: drops all that a role owns
          at    DROP OWNED BY joe
          then  every table of that role is gone with its rows, and the script does not say which they are
          help  drop by name what is no longer needed; where that is meant, say so above the statement: -- tollgate:allow drop-schema <reason>
        "#);
    }
}
