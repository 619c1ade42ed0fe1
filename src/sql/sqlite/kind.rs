//! What matters about a statement of SQLite when it is sent.

use sqlite3_parser::lexer::Scanner;
use sqlite3_parser::lexer::sql::Tokenizer;

use crate::sql::StatementKind::{self, *};

/// More tokens than any statement needs that is not ordinary.
const HEAD: usize = 8;

/// Classifies a statement by its first words.
pub(super) fn classify(statement: &str) -> StatementKind {
    let words = head(statement);
    let at = |index: usize| words.get(index).map_or("", String::as_str);
    match (at(0), at(1), at(2)) {
        ("BEGIN", ..) => TransactionControl("BEGIN"),
        ("COMMIT", ..) => TransactionControl("COMMIT"),
        ("END", ..) => TransactionControl("END"),
        // ROLLBACK [TRANSACTION [name]] [TO [SAVEPOINT] name]
        ("ROLLBACK", ..) if words.iter().any(|word| word == "TO") => {
            Savepoint("ROLLBACK TO SAVEPOINT")
        }
        ("ROLLBACK", ..) => TransactionControl("ROLLBACK"),
        ("SAVEPOINT", ..) => Savepoint("SAVEPOINT"),
        ("RELEASE", ..) => Savepoint("RELEASE SAVEPOINT"),
        ("ATTACH", ..) => NotWrappable("ATTACH"),
        ("DETACH", ..) => NotWrappable("DETACH"),
        ("VACUUM", ..) => NotWrappable("VACUUM"),
        ("PRAGMA", _, ".") => pragma(at(3), &words[words.len().min(4)..]),
        ("PRAGMA", name, _) => pragma(name, &words[words.len().min(2)..]),
        _ => Ordinary,
    }
}

/// The first tokens, in capitals and without quotes.
fn head(statement: &str) -> Vec<String> {
    let mut scanner = Scanner::new(Tokenizer::new());
    std::iter::from_fn(|| scanner.scan(statement.as_bytes()).ok()?.1)
        .take(HEAD)
        .map(|(text, _)| {
            let text = String::from_utf8_lossy(text);
            text.trim_matches(['"', '\'', '`', '[', ']'])
                .to_ascii_uppercase()
        })
        .collect()
}

/// Classifies a PRAGMA by its name, and by what follows: nothing, `= value`, or `(value)`.
fn pragma(name: &str, rest: &[String]) -> StatementKind {
    let sets = !rest.is_empty();
    match name {
        "FOREIGN_KEYS" if sets => ForeignKeys(is_true(&rest[1..])),
        "JOURNAL_MODE" if sets => NotWrappable("PRAGMA journal_mode"),
        "SYNCHRONOUS" if sets => NotWrappable("PRAGMA synchronous"),
        "TEMP_STORE" if sets => NotWrappable("PRAGMA temp_store"),
        "WAL_CHECKPOINT" => NotWrappable("PRAGMA wal_checkpoint"),
        _ => Ordinary,
    }
}

/// A switch as SQLite reads it: a number that begins with another than 0, or ON, YES, TRUE;
/// anything else is off.
fn is_true(value: &[String]) -> bool {
    let value = match value.first().map(String::as_str) {
        Some("+") => value.get(1),
        _ => value.first(),
    };
    let value = value.map_or("", String::as_str);
    let digits = value
        .find(|c: char| !c.is_ascii_digit())
        .map_or(value, |end| &value[..end]);
    match digits.parse::<i32>() {
        Ok(number) => number != 0,
        Err(_) => matches!(value, "ON" | "YES" | "TRUE"),
    }
}

#[cfg(test)]
mod tests;
