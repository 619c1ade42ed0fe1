//! SQLite deletes the rows of a table before it drops it: what refers to them goes along.

use super::accept;
use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::model::entry::Engine;
use crate::sql::StatementKind;
use crate::sql::changes::{Deed, ObjectKind};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "drop-parent",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "drops a table while others refer to it and foreign keys are on",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::Drop {
        kind: ObjectKind::Table,
        name,
        ..
    } = at.deed
    else {
        return;
    };
    // A new one takes old rows along as well.
    if at.engine != Engine::Sqlite || has_keys_off(at) {
        return;
    }
    let children = at.picture.referrers(name);
    let Some(first) = children.first() else {
        return;
    };
    let all = match children.len() {
        1 => (*first).to_owned(),
        more => format!("{first} and {} more", more - 1),
    };
    out.push(at.found(
        &RULE,
        Said {
            fact: format!("drops table {name}, to which {all} refers, while foreign keys are on"),
            consequence: "its rows are deleted first, and with them, or emptied, what refers to them by ON DELETE CASCADE or SET NULL, even where another table takes the name".to_owned(),
            help: accept(
                &RULE,
                "write PRAGMA foreign_keys = OFF; before it, and PRAGMA foreign_keys = ON; after",
            ),
            subject: None,
            clause: format!("rows of {all} that refer to {name}"),
        },
    ));
}

/// Whether the script asks for foreign keys to be off before this statement: they are then off from its
/// beginning.
fn has_keys_off(at: &At<'_>) -> bool {
    let statements = at.script.analysis.statements().unwrap_or_default();
    let before = statements.iter().take(at.statement());
    before
        .filter_map(|statement| match statement.kind {
            StatementKind::ForeignKeys(on) => Some(!on),
            _ => None,
        })
        .next_back()
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    const BEFORE: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, n INT); \
        CREATE TABLE letters (id INTEGER PRIMARY KEY, of INT REFERENCES users (id) ON DELETE CASCADE)";
    const REBUILD: &str = "CREATE TABLE nu (id INTEGER PRIMARY KEY, n INT); \
        INSERT INTO nu SELECT id, n FROM users; DROP TABLE users; ALTER TABLE nu RENAME TO users";

    #[test]
    fn ok() {
        let off = format!("PRAGMA foreign_keys=OFF; {REBUILD}; PRAGMA foreign_keys=ON");
        silent("drop-parent", Sqlite, &[BEFORE, &off]);
        silent("drop-parent", Sqlite, &[BEFORE, "DROP TABLE letters"]);
        silent(
            "drop-parent",
            Sqlite,
            &["CREATE TABLE users (id INTEGER, n INT)", REBUILD],
        );
        // The server refuses, or is told CASCADE.
        silent("drop-parent", Postgresql, &[BEFORE, "DROP TABLE users"]);
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("drop-parent", Sqlite, &[BEFORE, REBUILD]), @r#"
        error: drops table users, to which letters refers, while foreign keys are on
          at    DROP TABLE users
          then  its rows are deleted first, and with them, or emptied, what refers to them by ON DELETE CASCADE or SET NULL, even where another table takes the name
          help  write PRAGMA foreign_keys = OFF; before it, and PRAGMA foreign_keys = ON; after; where that is meant, say so above the statement: -- tollgate:allow drop-parent <reason>
        "#);
    }
}
