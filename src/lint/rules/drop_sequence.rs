//! `DROP SEQUENCE`.

use super::accept;
use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::{Deed, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "drop-sequence",
    level: Level::Warning,
    topic: Topic::DataLoss,
    title: "drops a sequence with its last value",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::Drop {
        kind: kind @ ObjectKind::Sequence,
        name,
        ..
    } = at.deed
    else {
        return;
    };
    if at.picture.is_old_other(*kind, name) {
        out.push(at.found(
            &RULE,
            Said {
                fact: format!("drops sequence {name}"),
                consequence: "how far it had counted is gone: one of the same name would give numbers a second time".to_owned(),
                help: accept(&RULE, "see that nothing takes numbers from it"),
                subject: None,
                clause: format!("sequence {name}"),
            },
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::Postgresql;

    #[test]
    fn ok() {
        silent(
            "drop-sequence",
            Postgresql,
            &["CREATE SEQUENCE s; DROP SEQUENCE s"],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("drop-sequence", Postgresql, &["CREATE SEQUENCE s", "DROP SEQUENCE s"]), @r#"
        warning: drops sequence s
          at    DROP SEQUENCE s
          then  how far it had counted is gone: one of the same name would give numbers a second time
          help  see that nothing takes numbers from it; where that is meant, say so above the statement: -- tollgate:allow drop-sequence <reason>
        "#);
    }
}
