//! The two scripts of a rollback: a header of comments, and below it the exact bytes of the other migration's
//! scripts, in the other order.

use crate::model::MigrationId;
use crate::model::reverting::{REVERTS, VERBATIM};

/// What a rollback is made of.
#[derive(Debug, Clone, Copy)]
pub struct Rollback<'a> {
    /// Its own id.
    pub id: &'a MigrationId,
    /// The migration that it reverses.
    pub reverts: &'a MigrationId,
    /// Why.
    pub reason: &'a str,
    /// The emergency that it is written in, in words.
    pub incident: Option<&'a str>,
    /// What runs forward.
    pub body: Body<'a>,
    /// Whether rows, values or what holds them may be gone after it.
    pub destroys: bool,
    /// What does not come back when it is reversed itself, as a label names it.
    pub loses: &'a [String],
    /// The bytes that ran, which reverse it.
    pub up: &'a str,
}

/// What runs forward.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// The exact bytes of the `down.sql`.
    Prepared(&'a str),
    /// Written from the script's text.
    Written(&'a str),
}

impl Rollback<'_> {
    /// Its `migration.sql`.
    #[must_use]
    pub fn migration_sql(&self) -> String {
        let Self { id, reverts, .. } = self;
        let reason = crate::model::one_line(self.reason);
        let incident = self
            .incident
            .map_or_else(String::new, |incident| format!(", incident {incident}"));
        let mut out =
            format!("-- {id}\n-- Reverses {reverts}{incident}: {reason}\n-- {REVERTS} {reverts}\n");
        if self.destroys {
            // The blank line says that it is meant for the whole script.
            out.push_str(&format!("-- tollgate:allow data-loss {reason}\n\n"));
        }
        match self.body {
            Body::Prepared(down) => {
                out.push_str(&format!("-- {VERBATIM} {reverts}/down.sql\n{down}"));
            }
            Body::Written(sql) => out.push_str(&format!(
                "-- There was no down.sql: this was written from the text of its migration.sql. Read it.\n\n{sql}"
            )),
        }
        out
    }

    /// Its `down.sql`.
    #[must_use]
    pub fn down_sql(&self) -> String {
        let Self { id, reverts, .. } = self;
        let mut out = format!("-- The prepared reversal of {id}: it runs {reverts} again.\n");
        if !self.loses.is_empty() {
            out.push_str(&format!(
                "-- What the label names does not come back as it was.\n-- tollgate:down lossy: {}\n",
                self.loses.join(", ")
            ));
        }
        out.push_str(&format!(
            "-- {VERBATIM} {reverts}/migration.sql\n{}",
            self.up
        ));
        out
    }
}

/// What the statement says that stands in the place of one which has to be written by hand, and fails.
const STUB: [&str; 2] = [
    "write by hand what reverses line ",
    ", then take this statement away",
];

/// Whether something in a script is still to be written by hand: until then it refuses to run.
#[must_use]
pub fn has_stubs(script: &str) -> bool {
    !stubs(script).is_empty()
}

/// The lines, from 1, that still say what is to be written there by hand.
#[must_use]
pub fn stubs(script: &str) -> Vec<usize> {
    let is_stub = |line: &str| {
        !line.trim_start().starts_with("--") && STUB.iter().all(|it| line.contains(it))
    };
    let lines = (1..).zip(script.lines());
    let found = lines.filter(|(_, line)| is_stub(line));
    found.map(|(number, _)| number).collect()
}

/// What a rollback of a migration is called, without its stamp.
#[must_use]
pub fn name_of(migration: &MigrationId) -> String {
    let whole = migration.as_str();
    let name = whole
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .trim_start_matches(['_', '-']);
    let name = if name.is_empty() { whole } else { name };
    // Prisma's table, and file systems, have an end.
    let short: String = name.chars().take(100).collect();
    format!("rollback_{short}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DownLabel;
    use crate::model::reverting::{reverts_of, verbatim};

    #[test]
    fn the_bytes_stand_as_they_are_below_the_header() {
        let (id, reverts) = (MigrationId::new("2_rollback_a"), MigrationId::new("1_a"));
        let loses = ["a.b".to_owned()];
        let (down, up) = (
            "-- tollgate:down lossless\r\nDROP TABLE a;",
            "CREATE TABLE a (b);\n",
        );
        let rollback = Rollback {
            id: &id,
            reverts: &reverts,
            reason: "it was\nwrong */",
            incident: None,
            body: Body::Prepared(down),
            destroys: true,
            loses: &loses,
            up,
        };
        let script = rollback.migration_sql();
        assert_eq!(verbatim(&script), Some(down));
        assert_eq!(reverts_of(&script), Some(reverts.clone()));
        assert!(script.contains("\n-- tollgate:allow data-loss it was wrong */\n"));
        let prepared = rollback.down_sql();
        assert_eq!(verbatim(&prepared), Some(up));
        let label = DownLabel::read(&prepared).map(|label| label.losses());
        assert_eq!(label, Ok(vec!["a.b".to_owned()]));
        let again = Rollback {
            id: &MigrationId::new("3_rollback_rollback_a"),
            reverts: &id,
            body: Body::Prepared(&prepared),
            up: &script,
            loses: &[],
            ..rollback
        };
        assert_eq!(reverts_of(&again.migration_sql()), Some(id.clone()));
        assert_eq!(DownLabel::read(&again.down_sql()), Ok(DownLabel::None));
        assert_eq!(verbatim(&again.down_sql()), Some(&*script));
    }

    #[test]
    fn what_cannot_be_reversed_is_known_until_it_is_written() {
        use crate::model::entry::Engine;
        for engine in [Engine::Postgresql, Engine::Sqlite] {
            let open =
                crate::reverse::reverse(&crate::reverse::Past::new(engine), "UPDATE a SET b = 1;");
            assert!(!open.is_whole() && has_stubs(&open.sql), "{}", open.sql);
            let whole = crate::reverse::reverse(
                &crate::reverse::Past::new(engine),
                "CREATE TABLE a (b integer);",
            );
            assert!(whole.is_whole() && !has_stubs(&whole.sql), "{}", whole.sql);
        }
    }

    #[test]
    fn names_lose_their_stamp() {
        for (id, name) in [
            ("20251104101200_add_phone", "rollback_add_phone"),
            ("0_init", "rollback_init"),
            ("20251104", "rollback_20251104"),
            ("init", "rollback_init"),
        ] {
            assert_eq!(name_of(&MigrationId::new(id)), name);
        }
    }
}
