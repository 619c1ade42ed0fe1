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
