//! What a prepared reversal says of itself, and how its rehearsal came out.

use serde::{Deserialize, Serialize};

use super::data::DataMode;
use crate::digest::{Checksum, Sha256};

/// What the header of a `down.sql` says of it: a comment line `-- tollgate:down <label>` before its first
/// statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DownLabel {
    /// It says nothing.
    #[default]
    None,
    /// `lossless`: after it everything is as it was.
    Lossless,
    /// `lossy: <what>`: the names of tables, of columns as `table.column`, and `column order`.
    Lossy(String),
    /// `irreversible: <why>`: it reverses nothing.
    Irreversible(String),
}

/// The word that a label begins with.
const MARK: &str = "tollgate:down";

impl DownLabel {
    /// Reads the label of a script: of the comment lines before its first statement.
    ///
    /// # Errors
    /// A clause that says what is wrong with it: an unknown word, nothing after the colon, two labels.
    pub fn read(script: &str) -> Result<Self, String> {
        let mut found: Option<Self> = None;
        for line in header(script) {
            let Some(said) = line.trim().strip_prefix(MARK) else {
                continue;
            };
            if found.is_some() {
                return Err("it has two labels, and may have one".to_owned());
            }
            found = Some(Self::parse(said)?);
        }
        Ok(found.unwrap_or_default())
    }

    fn parse(said: &str) -> Result<Self, String> {
        let said = said.trim_start_matches(':').trim();
        let (word, what) = match said.split_once(':') {
            Some((word, what)) => (word.trim(), what.trim()),
            None => (said, ""),
        };
        match (word, what) {
            ("lossless", "") => Ok(Self::Lossless),
            ("lossless", _) => Err("\"lossless\" stands alone".to_owned()),
            ("lossy", "") => {
                Err("it does not say what is lost: \"lossy: users.email\" names each".to_owned())
            }
            ("lossy", what) => Ok(Self::Lossy(what.to_owned())),
            ("irreversible", "") => Err("it does not say why: \"irreversible: <why>\"".to_owned()),
            ("irreversible", why) => Ok(Self::Irreversible(why.to_owned())),
            (other, _) => Err(format!(
                "its label {other:?} is none of lossless, lossy: <what> and irreversible: <why>"
            )),
        }
    }

    /// Whether it says that `column order` is lost.
    #[must_use]
    pub fn names_column_order(&self) -> bool {
        self.words().any(|word| word == "column") && self.words().any(|word| word == "order")
    }

    /// Whether it says that something in a table is lost, or in one of its columns. A table is named with
    /// or without its schema, and covers its columns; quotes and case do not matter.
    #[must_use]
    pub fn names(&self, table: &str, column: Option<&str>) -> bool {
        let table = plain(table);
        let short = table
            .split_once('.')
            .map_or(&*table, |(_, name)| name)
            .to_owned();
        let mut names = vec![table, short];
        if let Some(column) = column {
            let column = plain(column);
            let of = |name: &String| format!("{name}.{column}");
            names.extend(names.iter().map(of).collect::<Vec<_>>());
        }
        self.words().any(|word| names.contains(&word))
    }

    fn words(&self) -> impl Iterator<Item = String> {
        let what = match self {
            Self::Lossy(what) => what.as_str(),
            _ => "",
        };
        what.split(|c: char| c.is_whitespace() || c == ',' || c == ';')
            .map(|word| plain(word.trim_matches(['.', ':', '(', ')'])))
    }
}

fn plain(name: &str) -> String {
    name.replace('"', "").to_lowercase()
}

/// The texts of the comment lines before the first statement.
fn header(script: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = script;
    loop {
        rest = rest.trim_start();
        if let Some(line) = rest.strip_prefix("--") {
            let end = line.find('\n').unwrap_or(line.len());
            out.push(&line[..end]);
            rest = &line[end..];
        } else if let Some(block) = rest.strip_prefix("/*") {
            let Some(end) = block.find("*/") else {
                return out;
            };
            out.extend(block[..end].lines());
            rest = &block[end + 2..];
        } else {
            return out;
        }
    }
}

/// Where a rehearsal was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// In the target itself, in one transaction that was rolled back.
    InPlace,
    /// In a database of its own beside the target, copied from it.
    Copy,
    /// In a database of its own beside the target, where the migrations before it were applied anew.
    Replay,
}

impl Stage {
    /// The words used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InPlace => "in place",
            Self::Copy => "on a copy",
            Self::Replay => "on a scratch database, replayed",
        }
    }
}

/// How a rehearsal came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rehearsal {
    /// Schema and data were equal after down, and up after down equalled up.
    Lossless,
    /// The same, but for what the label of the `down.sql` names.
    Lossy,
    /// It did not pass.
    Failed,
}

impl Rehearsal {
    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lossless => "lossless",
            Self::Lossy => "lossy",
            Self::Failed => "failed",
        }
    }

    /// Whether it is one that the gate takes.
    #[must_use]
    pub const fn passed(self) -> bool {
        !matches!(self, Self::Failed)
    }
}

/// What a receipt says of a rehearsal that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RehearsedDown {
    /// BLAKE3 of the bytes of `down.sql`.
    pub blake3: Checksum,
    /// SHA-256 of the same bytes.
    pub sha256: Sha256,
    /// How it came out.
    pub result: Rehearsal,
    /// Where it was held.
    pub stage: Stage,
    /// How closely the data was looked at.
    pub data: DataMode,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_read_from_the_header_alone() {
        for (script, label) in [
            ("", DownLabel::None),
            ("DROP TABLE a;\n-- tollgate:down lossless", DownLabel::None),
            (
                "-- tollgate:down lossless\nDROP TABLE a;",
                DownLabel::Lossless,
            ),
            (
                "-- why\r\n--tollgate:down  lossy:  users.email \r\nDROP",
                DownLabel::Lossy("users.email".to_owned()),
            ),
            (
                "/* a */ -- b\n/* tollgate:down irreversible: the rows are gone: all */ SELECT 1",
                DownLabel::Irreversible("the rows are gone: all".to_owned()),
            ),
        ] {
            assert_eq!(DownLabel::read(script), Ok(label), "{script}");
        }
    }

    #[test]
    fn a_label_that_says_nothing_is_an_error() {
        for script in [
            "-- tollgate:down",
            "-- tollgate:down lossy",
            "-- tollgate:down lossy:",
            "-- tollgate:down irreversible",
            "-- tollgate:down lossless: really",
            "-- tollgate:down reversible",
            "-- tollgate:down lossless\n-- tollgate:down lossless",
        ] {
            assert!(DownLabel::read(script).is_err(), "{script}");
        }
    }

    #[test]
    fn a_label_names_what_is_lost() {
        let label = DownLabel::Lossy("Users.email, (public.\"Post\"); column order.".to_owned());
        assert!(label.names("public.users", Some("email")));
        assert!(label.names("users", Some("email")));
        assert!(label.names("public.\"Post\"", None));
        assert!(label.names("public.\"Post\"", Some("title")));
        assert!(label.names_column_order());
        assert!(!label.names("public.users", None));
        assert!(!label.names("public.users", Some("mail")));
        assert!(!label.names("other.\"Post\"", None));
        assert!(!label.names("public.column_order", None));
        assert!(!DownLabel::Lossless.names("users", None));
        assert!(!DownLabel::Lossy("users".to_owned()).names_column_order());
    }
}
