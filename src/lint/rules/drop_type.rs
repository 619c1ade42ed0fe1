//! `DROP TYPE` and `DROP DOMAIN`.

use super::accept;
use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{Deed, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "drop-type",
    level: Level::Warning,
    topic: Topic::DataLoss,
    title: "drops a type",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::Drop {
        kind: kind @ (ObjectKind::Type | ObjectKind::Domain),
        name,
        cascade,
        ..
    } = at.deed
    else {
        return;
    };
    if !at.picture.is_old_type(name) || super::drop_label::replacement(at, name).is_some() {
        return;
    }
    if !cascade && at.picture.is_held(name) {
        return;
    }
    let word = if *kind == ObjectKind::Domain {
        "domain"
    } else {
        "type"
    };
    // With CASCADE columns go: see `cascade`.
    let consequence = if *cascade {
        "programs that name it fail"
    } else {
        "the server refuses while a column uses it; programs that name it fail"
    };
    out.push(at.found(
        &RULE,
        Said {
            fact: format!("drops {word} {name}"),
            consequence: consequence.to_owned(),
            help: accept(&RULE, "see that no program names it any more"),
            subject: None,
            clause: format!("{word} {name}"),
        },
    ));
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::Postgresql;

    #[test]
    fn ok() {
        silent(
            "drop-type",
            Postgresql,
            &["CREATE TYPE e AS ENUM ('a'); DROP TYPE e"],
        );
        // Another one took its place.
        silent(
            "drop-type",
            Postgresql,
            &[
                "CREATE TYPE e AS ENUM ('a')",
                "CREATE TYPE e_new AS ENUM ('a', 'b'); ALTER TYPE e RENAME TO e_old; ALTER TYPE e_new RENAME TO e; DROP TYPE e_old",
            ],
        );
        // Every column that used it has one with all its labels now, and more: the server refuses to drop it
        // while another uses it.
        silent(
            "drop-type",
            Postgresql,
            &[STOOD, &moved("'a', 'b', 'c'", "DROP TYPE e")],
        );
        silent(
            "drop-type",
            Postgresql,
            &[
                STOOD,
                &moved("'c', 'b', 'a'", "DROP TYPE e; ALTER TYPE e2 RENAME TO e"),
            ],
        );
    }

    const STOOD: &str =
        "CREATE TYPE e AS ENUM ('a'); ALTER TYPE e ADD VALUE 'b'; CREATE TABLE t (x e, y e)";

    fn moved(labels: &str, then: &str) -> String {
        format!(
            "CREATE TYPE e2 AS ENUM ({labels}); ALTER TABLE t ALTER COLUMN x TYPE e2 USING x::text::e2, ALTER COLUMN y TYPE e2 USING y::text::e2; {then}"
        )
    }

    #[test]
    fn it_is_told_where_a_label_a_column_or_the_script_is_another() {
        let told = |scripts: &[&str]| {
            let said = found("drop-type", Postgresql, scripts);
            assert!(
                said.starts_with("warning: drops type e\n"),
                "{scripts:?}: {said}"
            );
        };
        told(&[STOOD, &moved("'a', 'c'", "DROP TYPE e")]);
        told(&[STOOD, &moved("'a', 'b', 'c'", "DROP TYPE e CASCADE")]);
        told(&[STOOD, &moved("'a', 'b', 'c'", ""), "DROP TYPE e"]);
        // One of the two goes elsewhere.
        told(&[
            STOOD,
            "CREATE TYPE e2 AS ENUM ('a', 'b'); ALTER TABLE t ALTER x TYPE text; ALTER TABLE t ALTER y TYPE e2 USING y::text::e2; DROP TYPE e",
        ]);
        // Nobody tells what labels it had.
        told(&[
            "CREATE TABLE t (x e, y e)",
            &moved("'a', 'b'", "DROP TYPE e"),
        ]);
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("drop-type", Postgresql, &["CREATE TYPE e AS ENUM ('a'); CREATE DOMAIN d AS int", "DROP TYPE e CASCADE; DROP DOMAIN d"]), @r#"
        warning: drops type e
          at    DROP TYPE e CASCADE
          then  programs that name it fail
          help  see that no program names it any more; where that is meant, say so above the statement: -- tollgate:allow drop-type <reason>
        warning: drops domain d
          at    DROP DOMAIN d
          then  the server refuses while a column uses it; programs that name it fail
          help  see that no program names it any more; where that is meant, say so above the statement: -- tollgate:allow drop-type <reason>
        "#);
    }
}
