//! Writing to what the database keeps of itself.

use super::accept;
use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::model::entry::Engine;
use crate::sql::changes::{Deed, Name};

pub(in crate::lint) static RULE: Rule = Rule {
    code: "catalog-write",
    level: Level::Error,
    topic: Topic::DataLoss,
    title: "writes to what the database keeps of itself",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let fact = match at.deed {
        Deed::Other { what } if at.engine == Engine::Sqlite && allows_it(what, at.text()) => {
            "switches PRAGMA writable_schema on".to_owned()
        }
        Deed::Insert { table, .. } | Deed::Update { table, .. } | Deed::Delete { table, .. }
            if is_catalog(at, table) =>
        {
            format!("writes to {table}, in which the database keeps what it holds")
        }
        _ => return,
    };
    out.push(at.found(
        &RULE,
        Said {
            fact,
            consequence: "tables and columns can be lost this way past every check, and what becomes of their rows is not looked at here".to_owned(),
            help: accept(&RULE, "use ALTER, or make the table anew"),
            subject: None,
            clause: "whatever the catalog no longer names".to_owned(),
        },
    ));
}

fn allows_it(what: &str, text: &str) -> bool {
    if !what.eq_ignore_ascii_case("PRAGMA writable_schema") {
        return false;
    }
    let Some((_, value)) = text.split_once(['=', '(']) else {
        return false;
    };
    let value = value.trim_matches(|char: char| !char.is_ascii_alphanumeric());
    !["off", "no", "false", "0", "reset"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
}

fn is_catalog(at: &At<'_>, table: &Name) -> bool {
    let name = table.name.to_ascii_lowercase();
    match at.engine {
        Engine::Sqlite => [
            "sqlite_master",
            "sqlite_schema",
            "sqlite_temp_master",
            "sqlite_temp_schema",
        ]
        .contains(&name.as_str()),
        Engine::Postgresql => {
            let is_there = table
                .schema
                .as_deref()
                .is_none_or(|schema| schema == "pg_catalog");
            // A table that scripts made may be called so; setting a parameter is no loss.
            is_there
                && name.starts_with("pg_")
                && name != "pg_settings"
                && at.picture.table(table).is_none()
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    #[test]
    fn ok() {
        silent(
            "catalog-write",
            Sqlite,
            &[
                "SELECT 1",
                "PRAGMA writable_schema; PRAGMA writable_schema = OFF; PRAGMA writable_schema(0); SELECT * FROM sqlite_schema; DELETE FROM sqlite_sequence WHERE name = 't'",
            ],
        );
        silent(
            "catalog-write",
            Postgresql,
            &[
                "CREATE TABLE pg_mine (id int)",
                "SELECT 1 FROM pg_class; INSERT INTO pg_mine VALUES (1)",
            ],
        );
    }

    #[test]
    fn bad() {
        insta::assert_snapshot!(found("catalog-write", Sqlite, &["SELECT 1", "PRAGMA writable_schema = ON; PRAGMA writable_schema(1); UPDATE sqlite_master SET sql = replace(sql, 'a', 'b') WHERE name = 't'"]), @r#"
        error: switches PRAGMA writable_schema on
          at    PRAGMA writable_schema = ON
          then  tables and columns can be lost this way past every check, and what becomes of their rows is not looked at here
          help  use ALTER, or make the table anew; where that is meant, say so above the statement: -- tollgate:allow catalog-write <reason>
        error: switches PRAGMA writable_schema on
          at    PRAGMA writable_schema(1)
          then  tables and columns can be lost this way past every check, and what becomes of their rows is not looked at here
          help  use ALTER, or make the table anew; where that is meant, say so above the statement: -- tollgate:allow catalog-write <reason>
        error: writes to sqlite_master, in which the database keeps what it holds
          at    UPDATE sqlite_master SET sql = replace(sql, 'a', 'b') WHERE name = 't'
          then  tables and columns can be lost this way past every check, and what becomes of their rows is not looked at here
          help  use ALTER, or make the table anew; where that is meant, say so above the statement: -- tollgate:allow catalog-write <reason>
        "#);
        insta::assert_snapshot!(found("catalog-write", Postgresql, &["SELECT 1", "DELETE FROM pg_enum WHERE enumlabel = 'a'; UPDATE pg_catalog.pg_attribute SET attisdropped = true WHERE attname = 'a'"]), @r#"
        error: writes to pg_enum, in which the database keeps what it holds
          at    DELETE FROM pg_enum WHERE enumlabel = 'a'
          then  tables and columns can be lost this way past every check, and what becomes of their rows is not looked at here
          help  use ALTER, or make the table anew; where that is meant, say so above the statement: -- tollgate:allow catalog-write <reason>
        error: writes to pg_catalog.pg_attribute, in which the database keeps what it holds
          at    UPDATE pg_catalog.pg_attribute SET attisdropped = true WHERE attname = 'a'
          then  tables and columns can be lost this way past every check, and what becomes of their rows is not looked at here
          help  use ALTER, or make the table anew; where that is meant, say so above the statement: -- tollgate:allow catalog-write <reason>
        "#);
    }
}
