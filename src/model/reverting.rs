//! What the script of a rollback says of itself, in comment lines of its header: part of the bytes that are
//! reviewed, and a link that needs no ledger.
//!
//! `-- tollgate:reverts <migration>` names the migration that it reverses. From the line after
//! `-- tollgate:verbatim <migration>/<file>` on stand the exact bytes of that file: what their own comments
//! say is not said of the script around them.

use super::MigrationId;
use super::rehearsal::header;

/// The word before the migration that is reversed.
pub const REVERTS: &str = "tollgate:reverts";

/// The word before the name of the file whose bytes follow.
pub const VERBATIM: &str = "tollgate:verbatim";

/// The migration that a script says it reverses; the first word on it counts.
#[must_use]
pub fn reverts_of(script: &str) -> Option<MigrationId> {
    let of = |line: &str| {
        let said = said(line, REVERTS)?;
        (!said.is_empty()).then(|| MigrationId::new(said))
    };
    header(script).into_iter().find_map(of)
}

/// The exact bytes of another file that a script is made of.
#[must_use]
pub fn verbatim(script: &str) -> Option<&str> {
    let mut from = 0;
    for line in script.split_inclusive('\n') {
        from += line.len();
        let text = line.trim();
        if let Some(text) = text.strip_prefix("--") {
            if begins_verbatim(text) {
                return script.get(from..);
            }
        } else if !text.is_empty() {
            return None;
        }
    }
    None
}

/// Whether the text of a comment line says that the bytes of another file follow.
pub(super) fn begins_verbatim(line: &str) -> bool {
    said(line, VERBATIM).is_some()
}

/// What stands behind a word at the beginning of a comment line.
fn said<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let rest = line.trim().strip_prefix(word)?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then(|| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DownLabel;

    #[test]
    fn the_link_is_read_from_the_header_and_the_first_word_counts() {
        for (script, link) in [
            ("DROP TABLE a;\n-- tollgate:reverts 1_a", None),
            (
                "-- why\n-- tollgate:reverts 1_a\r\nDROP TABLE a;",
                Some("1_a"),
            ),
            (
                "--tollgate:reverts 1_a b \n-- tollgate:reverts 2_b",
                Some("1_a b"),
            ),
            ("-- tollgate:reverts\n-- tollgate:reverts 2_b", Some("2_b")),
            ("-- tollgate:revertsx 1_a", None),
            (
                "-- tollgate:verbatim 1_a/down.sql\n-- tollgate:reverts 1_a",
                None,
            ),
        ] {
            assert_eq!(reverts_of(script), link.map(MigrationId::new), "{script}");
        }
    }

    #[test]
    fn what_another_script_says_is_not_said_of_the_one_around_it() {
        let inner = "-- tollgate:down lossless\r\n\r\nDROP TABLE a;\n";
        let script =
            format!("-- tollgate:down lossy: a\n-- tollgate:verbatim 1_a/down.sql\n{inner}");
        assert_eq!(verbatim(&script), Some(inner));
        assert_eq!(
            DownLabel::read(&script).map(|it| it.losses()),
            Ok(vec!["a".to_owned()])
        );
        assert_eq!(verbatim(inner), None);
        assert_eq!(verbatim("SELECT 1;\n-- tollgate:verbatim x\n"), None);
        assert_eq!(verbatim("-- tollgate:verbatim 1_a/down.sql\n"), Some(""));
    }
}
