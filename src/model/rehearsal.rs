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
    /// `lossy: <what>`: what is lost.
    Lossy(Losses),
    /// `irreversible: <why>`: it reverses nothing.
    Irreversible(String),
}

/// What a label says where columns come back in another order.
pub const COLUMN_ORDER: &str = "column order";

/// The word that a label begins with.
const MARK: &str = "tollgate:down";

impl DownLabel {
    /// Reads the label of a script: of the comment lines before its first statement.
    ///
    /// # Errors
    /// A clause that says what is wrong with it: an unknown word, nothing after the colon, two labels, what
    /// is no name, or something that is meant to be a label and is not written as one.
    pub fn read(script: &str) -> Result<Self, String> {
        let mut found: Option<Self> = None;
        for line in header(script) {
            let line = line.trim().trim_start_matches('*').trim_start();
            let Some(said) = line.strip_prefix(MARK) else {
                let meant = line.to_ascii_lowercase().replace(' ', "");
                if meant.starts_with(MARK) {
                    return Err(format!(
                        "{line:?} is not read as its label: write -- {MARK} and one blank"
                    ));
                }
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
            ("lossy", what) => Losses::read(what).map(Self::Lossy),
            ("irreversible", "") => Err("it does not say why: \"irreversible: <why>\"".to_owned()),
            ("irreversible", why) => Ok(Self::Irreversible(why.to_owned())),
            (other, _) => Err(format!(
                "its label {other:?} is none of lossless, lossy: <what> and irreversible: <why>"
            )),
        }
    }

    /// The names that it says are lost, as it has them; nothing where it says something else.
    #[must_use]
    pub fn losses(&self) -> Vec<String> {
        match self {
            Self::Lossy(losses) => losses.written(),
            Self::None | Self::Lossless | Self::Irreversible(_) => Vec::new(),
        }
    }

    /// Whether it says that `column order` is lost.
    #[must_use]
    pub const fn names_column_order(&self) -> bool {
        matches!(self, Self::Lossy(losses) if losses.column_order)
    }

    /// Whether it says that something in a table is lost, or in one of its columns: see [`Losses`].
    #[must_use]
    pub fn names(&self, table: &str, column: Option<&str>) -> bool {
        matches!(self, Self::Lossy(losses) if losses.name(table, column))
    }
}

/// What a label says is lost: names with commas between, of tables, of columns as `table.column`, and
/// `column order`. A table is named with or without its schema, and covers its columns. A name without
/// quotes is one in any case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    names: Vec<Vec<Part>>,
    column_order: bool,
}

/// One part of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    text: String,
    quoted: bool,
}

impl Losses {
    fn read(what: &str) -> Result<Self, String> {
        let mut losses = Self::default();
        for item in apart(what, ',') {
            let item = item.trim();
            let words: Vec<&str> = item.split_whitespace().collect();
            if let [column, order] = words[..]
                && column.eq_ignore_ascii_case("column")
                && order.eq_ignore_ascii_case("order")
            {
                losses.column_order = true;
                continue;
            }
            let name = parts(item).filter(|parts| parts.len() <= 3);
            losses.names.push(name.ok_or_else(|| {
                format!(
                    "its label names {item:?}, and may name tables, columns as table.column, and column order, with commas between"
                )
            })?);
        }
        Ok(losses)
    }

    fn written(&self) -> Vec<String> {
        let part = |part: &Part| match part.quoted {
            true => format!("\"{}\"", part.text.replace('"', "\"\"")),
            false => part.text.clone(),
        };
        let name = |name: &Vec<Part>| name.iter().map(part).collect::<Vec<_>>().join(".");
        let order = self.column_order.then(|| COLUMN_ORDER.to_owned());
        self.names.iter().map(name).chain(order).collect()
    }

    fn name(&self, table: &str, column: Option<&str>) -> bool {
        let table: Vec<String> = match parts(table) {
            Some(parts) => parts.into_iter().map(|part| part.text).collect(),
            // SQLite's names have no schema, and may be anything.
            None => vec![table.to_owned()],
        };
        let same = |said: &Part, is: &String| match said.quoted {
            true => said.text == *is,
            false => said.text.eq_ignore_ascii_case(is),
        };
        let is_table = |said: &[Part]| {
            let whole =
                said.len() == table.len() && said.iter().zip(&table).all(|(a, b)| same(a, b));
            let short = match (said, table.last()) {
                ([one], Some(last)) => same(one, last),
                _ => false,
            };
            whole || short
        };
        self.names.iter().any(|said| {
            let is_column = match (said.split_last(), column) {
                (Some((last, before)), Some(column)) if !before.is_empty() => {
                    is_table(before) && same(last, &plain(column))
                }
                _ => false,
            };
            is_column || is_table(said)
        })
    }
}

/// A name without its quotes, where it has any.
fn plain(name: &str) -> String {
    match name
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(inner) => inner.replace("\"\"", "\""),
        None => name.to_owned(),
    }
}

/// The pieces between separators that stand outside quotes.
fn apart(text: &str, separator: char) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut from, mut quoted) = (0, false);
    for (at, c) in text.char_indices() {
        quoted ^= c == '"';
        if c == separator && !quoted {
            out.push(&text[from..at]);
            from = at + c.len_utf8();
        }
    }
    out.push(&text[from..]);
    out
}

/// The parts of a qualified name; `None` where it is none.
fn parts(name: &str) -> Option<Vec<Part>> {
    let part = |text: &str| {
        let quoted = text.starts_with('"');
        let closed = text.len() > 2 && text.ends_with('"');
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let plain_word = !text.is_empty()
            && text.chars().all(is_word)
            && !text.starts_with(|c: char| c.is_ascii_digit());
        ((quoted && closed) || plain_word).then(|| Part {
            text: plain(text),
            quoted,
        })
    };
    apart(name, '.').into_iter().map(part).collect()
}

/// The texts of the comment lines before the first statement, up to where another script's bytes begin
/// (see [`super::reverting`]): what stands in those was said of another script.
pub(crate) fn header(script: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = script;
    loop {
        rest = rest.trim_start();
        if let Some(line) = rest.strip_prefix("--") {
            let end = line.find('\n').unwrap_or(line.len());
            out.push(&line[..end]);
            if super::reverting::begins_verbatim(&line[..end]) {
                return out;
            }
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

/// What a receipt says of a rehearsal.
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

    fn lossy(what: &str) -> DownLabel {
        DownLabel::Lossy(Losses::read(what).unwrap())
    }

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
                lossy("users.email"),
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
            "-- tollgate: down lossless",
            "-- Tollgate:Down lossless",
            "-- tollgate:down lossy: users.email is lost, all orders stay",
            "-- tollgate:down lossy: users.email,",
            "-- tollgate:down lossy: a.b.c.d",
        ] {
            assert!(DownLabel::read(script).is_err(), "{script}");
        }
    }

    #[test]
    fn a_label_names_what_is_lost() {
        let label = lossy("Users.email, public.\"Post\", column  order");
        assert!(label.names("public.users", Some("email")));
        assert!(label.names("users", Some("email")));
        assert!(label.names("public.\"Post\"", None));
        assert!(label.names("public.\"Post\"", Some("title")));
        assert!(label.names_column_order());
        assert!(!label.names("public.users", None));
        assert!(!label.names("public.users", Some("mail")));
        assert!(!label.names("other.\"Post\"", None));
        assert!(!label.names("public.post", None));
        assert!(!DownLabel::Lossless.names("users", None));
        assert!(!lossy("users").names_column_order());
    }

    /// `Order` is a name that many tables have.
    #[test]
    fn the_order_of_columns_is_no_table() {
        let label = lossy("column order");
        assert!(!label.names("public.\"Order\"", None));
        assert!(!label.names("order", None));
        assert!(!label.names("column", None));
        assert!(lossy("order").names("public.\"Order\"", None));
        assert!(!lossy("\"order\"").names("public.\"Order\"", None));
        assert!(lossy("\"a.b\"").names("public.\"a.b\"", None));
    }
}
