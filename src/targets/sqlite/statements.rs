//! A script, statement by statement as SQLite itself splits it, with the place of each.

use std::borrow::Cow;
use std::ops::Range;

use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::{Batch, Connection, Error, Statement};

use super::errors;
use crate::targets::ScriptError;

/// A script as SQLite wants it: with a NUL behind it. Without one SQLite copies the whole rest of
/// the script for every statement, which is quadratic.
pub(super) struct Script(String);

impl Script {
    pub(super) fn new(text: &str) -> Self {
        let mut terminated = String::with_capacity(text.len() + 1);
        terminated.push_str(text);
        terminated.push('\0');
        Self(terminated)
    }

    pub(super) fn steps<'c, 's>(
        &'s self,
        connection: &'c Connection,
        read: Option<&'s [crate::sql::Statement]>,
    ) -> Steps<'c, 's> {
        self.steps_from(0, connection, read)
    }

    /// The statements that begin at or after an offset, which must stand between two of them.
    pub(super) fn steps_from<'c, 's>(
        &'s self,
        offset: usize,
        connection: &'c Connection,
        read: Option<&'s [crate::sql::Statement]>,
    ) -> Steps<'c, 's> {
        let rest = self.0.get(offset..).unwrap_or("\0");
        Steps {
            batch: Batch::new(connection, rest),
            terminated: &self.0,
            at: Some(offset),
            read,
        }
    }
}

/// An error, and what it says of the script.
pub(super) type Trouble = Box<(Error, ScriptError)>;

/// The statements of a script, each prepared when the one before it has run.
pub(super) struct Steps<'c, 's> {
    batch: Batch<'c, 's>,
    terminated: &'s str,
    /// Where the rest begins; `None` once that could not be told, and then nothing has a place.
    at: Option<usize>,
    /// What reading the script found, where it was read.
    read: Option<&'s [crate::sql::Statement]>,
}

/// One statement, prepared.
pub(super) struct Step<'c, 's> {
    statement: Statement<'c>,
    /// Its text, without blanks and comments before it and its semicolon.
    pub(super) text: Cow<'s, str>,
    /// Where that stands in the script, in bytes.
    pub(super) range: Option<Range<usize>>,
}

impl<'c, 's> Steps<'c, 's> {
    /// The next statement; `None` at the end of the script.
    pub(super) fn next(&mut self) -> Result<Option<Step<'c, 's>>, Trouble> {
        let statement = match self.batch.next() {
            Ok(Some(statement)) => statement,
            Ok(None) => return Ok(None),
            Err(error) => {
                let said = errors::script(&error, self.place_of(&error));
                return Err(Box::new((error, said)));
            }
        };
        let shown = statement.expanded_sql().unwrap_or_default();
        let length = self
            .at
            .and_then(|at| length_of(&self.terminated[at..], &shown));
        let terminated = self.terminated;
        let (text, range) = match (self.at, length) {
            (Some(at), Some(length)) => {
                let inner = trimmed(&terminated[at..at + length]);
                let range = at + inner.start..at + inner.end;
                (Cow::Borrowed(&terminated[range.clone()]), Some(range))
            }
            _ => (Cow::Owned(shown[trimmed(&shown)].to_owned()), None),
        };
        self.at = self.at.zip(length).map(|(at, length)| at + length);
        Ok(Some(Step {
            statement,
            text,
            range,
        }))
    }

    /// Where an error of preparing stands. SQLite counts from the rest that it was given.
    fn place_of(&self, error: &Error) -> Option<Range<usize>> {
        let end = self.terminated.len() - 1;
        if let Error::SqlInputError { sql, offset, .. } = error {
            let base = self.terminated.len().checked_sub(sql.len())?;
            let start = (base + usize::try_from(*offset).ok()?).min(end);
            let text = self.terminated.get(start..end)?;
            return Some(start..start + token(text));
        }
        let rest = self.at?;
        let inner = trimmed(&self.terminated[rest..end]);
        // No offset: then it is the statement, as far as its end is known from reading it before.
        let start = rest + inner.start;
        let read = self.read.unwrap_or_default().iter();
        let end = read
            .map(|statement| &statement.range)
            .find(|range| range.contains(&start));
        Some(start..end.map_or(start, |range| range.end))
    }
}

impl Step<'_, '_> {
    /// Its first word, in capitals.
    pub(super) fn word(&self) -> String {
        self.text
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .map(|letter| letter.to_ascii_uppercase())
            .collect()
    }

    /// Whether SQLite says that it writes nothing by itself; BEGIN and COMMIT count as such.
    pub(super) fn is_readonly(&self) -> bool {
        self.statement.readonly()
    }

    /// What `PRAGMA foreign_keys = ...` sets, where this is one.
    pub(super) fn foreign_keys(&self) -> Option<bool> {
        if self.text.len() > 200 || self.word() != "PRAGMA" {
            return None;
        }
        let flat: String = self
            .text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '"' | ')'))
            .map(|c| c.to_ascii_lowercase())
            .collect();
        let name = flat.strip_prefix("pragma")?;
        let name = name.split_once('.').map_or(name, |(_, name)| name);
        match name
            .strip_prefix("foreign_keys")?
            .strip_prefix(['=', '('])?
        {
            "off" | "0" | "false" | "no" => Some(false),
            _ => Some(true),
        }
    }

    /// Runs it to its end; rows are read and dropped.
    pub(super) fn run(mut self) -> Result<(), Trouble> {
        crate::failpoint::hit("sqlite.statement.before");
        let mut rows = self.statement.raw_query();
        loop {
            match rows.next() {
                Ok(Some(_)) => {}
                Ok(None) => {
                    crate::failpoint::hit("sqlite.statement.after");
                    return Ok(());
                }
                // SQLite tells no place at run time: it is this statement.
                Err(error) => {
                    let said = errors::script(&error, self.range.clone());
                    return Err(Box::new((error, said)));
                }
            }
        }
    }
}

/// How much of `rest` SQLite took for a statement that it shows as `shown`: the same text, but
/// parameters (`?`, `:name`) have become NULL.
fn length_of(rest: &str, shown: &str) -> Option<usize> {
    if rest.starts_with(shown) {
        return Some(shown.len());
    }
    let (rest, shown) = (rest.as_bytes(), shown.as_bytes());
    let (mut r, mut s) = (0, 0);
    while s < shown.len() {
        if rest.get(r) == Some(&shown[s]) {
            (r, s) = (r + 1, s + 1);
        } else if matches!(rest.get(r), Some(b'?' | b':' | b'@' | b'$' | b'#'))
            && shown[s..].starts_with(b"NULL")
        {
            r += 1;
            let name = |byte: &u8| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b':') || *byte >= 0x80
            };
            while rest.get(r).is_some_and(name) {
                r += 1;
            }
            s += 4;
        } else {
            return None;
        }
    }
    Some(r)
}

/// The part of a statement's text without blanks, comments and semicolons before it, and without
/// blanks and semicolons after it.
fn trimmed(text: &str) -> Range<usize> {
    let mut start = 0;
    loop {
        let rest = &text[start..];
        let blank = rest.len()
            - rest
                .trim_start_matches(|c: char| c == ';' || c.is_whitespace())
                .len();
        let comment = if rest[blank..].starts_with("--") {
            rest[blank..].find('\n').unwrap_or(rest.len() - blank)
        } else if rest[blank..].starts_with("/*") {
            rest[blank..]
                .find("*/")
                .map_or(rest.len() - blank, |end| end + 2)
        } else {
            0
        };
        if blank + comment == 0 {
            break;
        }
        start += blank + comment;
    }
    let end = text
        .trim_end_matches(|c: char| c == ';' || c == '\0' || c.is_whitespace())
        .len();
    start.min(end)..end
}

/// The length of the token that begins here: a word, a quoted name, or one character.
fn token(text: &str) -> usize {
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    match text.chars().next() {
        None => 0,
        Some(quote @ ('"' | '\'' | '`')) => text[1..].find(quote).map_or(text.len(), |end| end + 2),
        Some(first) if word(first) => text.find(|c| !word(c)).unwrap_or(text.len()),
        Some(first) => first.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(script: &str) -> Vec<(String, Option<Range<usize>>)> {
        let connection = Connection::open_in_memory().unwrap();
        let script = Script::new(script);
        let mut steps = script.steps(&connection, None);
        let mut out = Vec::new();
        while let Some(step) = steps.next().map_err(|trouble| trouble.0).unwrap() {
            out.push((step.text.to_string(), step.range.clone()));
            step.run().map_err(|trouble| trouble.0).unwrap();
        }
        out
    }

    #[test]
    fn statements_know_their_place() {
        let script = "-- é\n;;CREATE TABLE t (a TEXT); /* x;y */ INSERT INTO t VALUES (';--');\n\
                      CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END;\n\
                      SELECT ?1, :name, '?' FROM t;SELECT 3 -- end\n";
        let found = texts(script);
        for (text, range) in &found {
            assert_eq!(&script[range.clone().unwrap()], text);
        }
        let found: Vec<&str> = found.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(
            found,
            [
                "CREATE TABLE t (a TEXT)",
                "INSERT INTO t VALUES (';--')",
                "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END",
                "SELECT ?1, :name, '?' FROM t",
                "SELECT 3 -- end",
            ]
        );
        assert_eq!(texts(" -- nothing\n/* at all */ ; "), []);
        assert_eq!(texts(""), []);
    }

    #[test]
    fn foreign_key_pragmas_are_recognised() {
        let connection = Connection::open_in_memory().unwrap();
        for (text, expected) in [
            ("PRAGMA foreign_keys=OFF", Some(false)),
            ("/* x */ pragma main.foreign_keys ( 0 );", Some(false)),
            ("PRAGMA foreign_keys = 'no'", Some(false)),
            ("PRAGMA foreign_keys=ON", Some(true)),
            ("PRAGMA foreign_keys", None),
            ("PRAGMA defer_foreign_keys=OFF", None),
            ("SELECT 'PRAGMA foreign_keys=OFF'", None),
        ] {
            let script = Script::new(text);
            let step = script
                .steps(&connection, None)
                .next()
                .map_err(|trouble| trouble.0)
                .unwrap()
                .unwrap();
            assert_eq!(step.foreign_keys(), expected, "{text}");
        }
    }
}
