//! A column that stood may be without a value from now on.

use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::Deed;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "drop-not-null",
    level: Level::Note,
    topic: Topic::Compatibility,
    title: "lets a column be without a value",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::DropNotNull { table, column } = at.deed else {
        return;
    };
    if at.picture.is_old_column(table, column) {
        out.push(at.found(
            &RULE,
            Said {
                fact: format!("lets {table}.{column} be NULL"),
                consequence: "programs that run and read it do not expect that".to_owned(),
                help: "let them run a version that does, before one writes it".to_owned(),
                subject: None,
                clause: String::new(),
            },
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::Postgresql;

    // SQLite has no such statement.
    #[test]
    fn ok() {
        silent(
            "drop-not-null",
            Postgresql,
            &["CREATE TABLE u (a int NOT NULL); ALTER TABLE u ALTER a DROP NOT NULL"],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("drop-not-null", Postgresql, &["CREATE TABLE u (a int NOT NULL)", "ALTER TABLE u ALTER a DROP NOT NULL"]), @r#"
        note: lets u.a be NULL
          at    ALTER TABLE u ALTER a DROP NOT NULL
          then  programs that run and read it do not expect that
          help  let them run a version that does, before one writes it
        "#);
    }
}
