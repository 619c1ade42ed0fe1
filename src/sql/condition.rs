//! Whether a condition leaves rows out.
//!
//! Told from the words alone, without knowing the table: `true`, `1 = 1`, `id = id`, `id IN (SELECT id FROM
//! the_same)` and a condition that names no column of the table all look like one, and are none.

mod names;
mod parts;
mod truth;

use crate::sql::changes::Name;
pub(in crate::sql) use truth::truth;

/// What kind of term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sql) enum Kind {
    /// A name or a keyword, without quotes.
    Word,
    /// A name in quotes.
    Quoted,
    /// A string.
    Text,
    /// A number.
    Number,
    /// Anything else, one character.
    Sign,
}

/// A part of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sql) struct Term {
    pub(in crate::sql) kind: Kind,
    /// As the server reads it: a name folded and without its quotes, a string as what it says.
    pub(in crate::sql) text: String,
}

impl Term {
    pub(in crate::sql) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }

    fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Sign) && self.text == word
    }

    fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    const fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Quoted)
    }
}

/// What a condition may speak of.
#[derive(Debug, Clone, Default)]
pub(in crate::sql) struct Scope {
    /// The table whose rows are meant, folded.
    pub(in crate::sql) table: String,
    /// What its columns may be called after.
    pub(in crate::sql) called: Vec<String>,
    /// What the same table is called where it is read a second time beside itself.
    pub(in crate::sql) again: Vec<String>,
}

/// What is true of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sql) enum Truth {
    /// True of every row.
    True,
    /// False for every row.
    False,
    /// Null for every row.
    Null,
    /// Not true of any row, whichever of both it is.
    Never,
    /// It tells no row from another by a value: true of every row, or of none, or of all but nulls.
    Whole,
    /// True of every row in which none of these columns is null.
    NotNull(Vec<String>),
    /// It leaves rows out, as far as anybody can tell here.
    Some,
}

/// Which rows a statement with this condition meets, in the words of a deed: whether it has a condition,
/// and the columns that have to be null for a row to be left out, where nothing else leaves one out.
pub(in crate::sql) fn met(truth: Option<Truth>) -> (bool, Option<Vec<String>>) {
    match truth {
        None | Some(Truth::True) => (false, None),
        Some(Truth::Whole) => (true, Some(Vec::new())),
        Some(Truth::NotNull(columns)) => (true, Some(columns)),
        Some(_) => (true, None),
    }
}

/// Both have to be true.
pub(in crate::sql) fn both(one: Truth, other: Truth) -> Truth {
    use Truth::{False, Never, NotNull, Null, Some, True, Whole};
    match (one, other) {
        (False, _) | (_, False) => False,
        (Never | Null, _) | (_, Never | Null) => Never,
        (Some, _) | (_, Some) => Some,
        (NotNull(mut columns), NotNull(more)) => {
            columns.extend(more);
            NotNull(columns)
        }
        (NotNull(columns), _) | (_, NotNull(columns)) => NotNull(columns),
        (Whole, _) | (_, Whole) => Whole,
        (True, True) => True,
    }
}

impl Scope {
    pub(in crate::sql) fn of(table: &Name, alias: Option<&str>) -> Self {
        Self {
            table: table.name.clone(),
            called: vec![alias.unwrap_or(&table.name).to_owned()],
            again: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
