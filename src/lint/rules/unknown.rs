//! Code that does what no text here says.

use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::Deed;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "not-readable",
    level: Level::Note,
    topic: Topic::Script,
    title: "runs code that cannot be read here",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::Unknown { what, spelled } = at.deed else {
        return;
    };
    let is_known = !spelled.is_empty()
        && !spelled
            .iter()
            .any(|deed| matches!(deed, Deed::Unknown { .. }));
    if is_known || at.picture.found_nothing() || at.in_block {
        return;
    }
    out.push(at.found(
        &RULE,
        Said {
            fact: format!("runs {what}, which calls what is defined elsewhere or computed"),
            consequence: "what it does to rows and tables is not looked at here".to_owned(),
            help: "rehearse it on a copy".to_owned(),
            subject: None,
            clause: String::new(),
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
            "not-readable",
            Postgresql,
            &[
                "SELECT 1",
                "SELECT count(*) FROM t; DO $$ BEGIN CREATE TYPE e AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN null; END $$",
            ],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("not-readable", Postgresql, &["SELECT 1", "SELECT work(); CALL p(); DO $$ BEGIN EXECUTE sql; END $$"]), @r#"
        note: runs SELECT, which calls what is defined elsewhere or computed
          at    SELECT work()
          then  what it does to rows and tables is not looked at here
          help  rehearse it on a copy
        note: runs CALL, which calls what is defined elsewhere or computed
          at    CALL p()
          then  what it does to rows and tables is not looked at here
          help  rehearse it on a copy
        note: runs DO, which calls what is defined elsewhere or computed
          at    DO $$ BEGIN EXECUTE sql; END $$
          then  what it does to rows and tables is not looked at here
          help  rehearse it on a copy
        "#);
    }
}
