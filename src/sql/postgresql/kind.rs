//! What matters about a statement of PostgreSQL when it is sent.
//!
//! The list of what a transaction block refuses is that of PostgreSQL 15, with what later versions
//! added. Where it depends on what the server holds (`REINDEX TABLE` and `CLUSTER` of a partitioned
//! table), the statement is taken for ordinary: the server refuses it, and nothing was changed.
//! The same goes for CALL and DO, which may not end a transaction that they did not begin.

use squawk_parser::SyntaxKind;

use crate::sql::StatementKind::{self, *};

/// Classifies a statement by its syntax node and its tokens, of which there is at least one.
pub(super) fn classify(node: SyntaxKind, tokens: &[&str]) -> StatementKind {
    let words = Words(tokens);
    match node {
        SyntaxKind::BEGIN if words.at(0, "START") => TransactionControl("START TRANSACTION"),
        SyntaxKind::BEGIN => TransactionControl("BEGIN"),
        SyntaxKind::COMMIT_TRANSACTION if words.at(0, "END") => TransactionControl("END"),
        SyntaxKind::COMMIT_TRANSACTION => TransactionControl("COMMIT"),
        SyntaxKind::COMMIT_PREPARED => TransactionControl("COMMIT PREPARED"),
        SyntaxKind::ROLLBACK_TRANSACTION if words.at(0, "ABORT") => TransactionControl("ABORT"),
        SyntaxKind::ROLLBACK_TRANSACTION => TransactionControl("ROLLBACK"),
        SyntaxKind::ROLLBACK_PREPARED => TransactionControl("ROLLBACK PREPARED"),
        SyntaxKind::PREPARE_TRANSACTION => TransactionControl("PREPARE TRANSACTION"),
        SyntaxKind::SAVEPOINT_CREATE => Savepoint("SAVEPOINT"),
        SyntaxKind::RELEASE_SAVEPOINT => Savepoint("RELEASE SAVEPOINT"),
        SyntaxKind::ROLLBACK_TO_SAVEPOINT => Savepoint("ROLLBACK TO SAVEPOINT"),
        SyntaxKind::SET_TRANSACTION | SyntaxKind::RESET_TRANSACTION_ISOLATION => SetTransaction,
        SyntaxKind::SET | SyntaxKind::RESET if words.set_transaction() => SetTransaction,
        _ if words.configures_transaction() => SetTransaction,
        SyntaxKind::COPY => words.copy(),
        _ => words.not_wrappable(node).map_or(Ordinary, NotWrappable),
    }
}

/// Whether a statement makes the server read what follows in another encoding than UTF-8.
pub(super) fn sets_other_encoding(tokens: &[&str]) -> bool {
    let words = Words(tokens);
    let value = match words.parameter() {
        Some((name, value)) if name.eq_ignore_ascii_case("client_encoding") => value,
        _ => return false,
    };
    let value = value
        .trim_matches('\'')
        .to_ascii_uppercase()
        .replace(['-', '_'], "");
    !matches!(value.as_str(), "UTF8" | "UNICODE")
}

/// The tokens of a statement, asked for by their text.
struct Words<'a>(&'a [&'a str]);

impl<'a> Words<'a> {
    fn text(&self, index: usize) -> &'a str {
        self.0.get(index).copied().unwrap_or_default()
    }

    /// Whether the token at this place is this keyword. Quoted names never are.
    fn at(&self, index: usize, word: &str) -> bool {
        self.text(index).eq_ignore_ascii_case(word)
    }

    fn any(&self, word: &str) -> bool {
        (0..self.0.len()).any(|index| self.at(index, word))
    }

    /// Whether these keywords stand side by side anywhere.
    fn sequence(&self, first: &str, second: &str) -> bool {
        (0..self.0.len()).any(|index| self.at(index, first) && self.at(index + 1, second))
    }

    /// The name, and the first token of the value, of SET or RESET.
    fn parameter(&self) -> Option<(&'a str, &'a str)> {
        if !self.at(0, "SET") && !self.at(0, "RESET") {
            return None;
        }
        let name = if self.at(1, "LOCAL") || self.at(1, "SESSION") {
            2
        } else {
            1
        };
        let is_sign = self.at(name + 1, "=") || self.at(name + 1, "TO");
        let value = if is_sign { name + 2 } else { name + 1 };
        Some((self.text(name).trim_matches('"'), self.text(value)))
    }

    fn set_transaction(&self) -> bool {
        let is_one = |name: &str| {
            ["TRANSACTION", "CHARACTERISTICS"]
                .iter()
                .any(|word| name.eq_ignore_ascii_case(word))
                || is_transaction_parameter(name)
        };
        self.parameter().is_some_and(|(name, _)| is_one(name))
    }

    /// The same as SET, in an expression: `set_config('transaction_isolation', ...)`.
    fn configures_transaction(&self) -> bool {
        (0..self.0.len()).any(|index| {
            self.text(index)
                .trim_matches('"')
                .eq_ignore_ascii_case("set_config")
                && self.at(index + 1, "(")
                && is_transaction_parameter(self.text(index + 2).trim_matches('\''))
        })
    }

    /// The server takes STDIN and STDOUT for one another; what counts is the direction.
    fn copy(&self) -> StatementKind {
        let mut brackets = 0_usize;
        let outside: Vec<_> = (self.0.iter().copied())
            .filter(|&text| {
                match text {
                    "(" => brackets += 1,
                    ")" => brackets = brackets.saturating_sub(1),
                    _ => return brackets == 0,
                }
                false
            })
            .collect();
        let words = Words(&outside);
        let standard = |word| words.sequence(word, "STDIN") || words.sequence(word, "STDOUT");
        if standard("FROM") {
            CopyFromStdin
        } else if standard("TO") {
            CopyToStdout
        } else {
            Ordinary
        }
    }

    /// The name of what PostgreSQL refuses in a transaction block.
    fn not_wrappable(&self, node: SyntaxKind) -> Option<&'static str> {
        let concurrently = self.any("CONCURRENTLY");
        let name = match node {
            SyntaxKind::CREATE_INDEX if concurrently => "CREATE INDEX CONCURRENTLY",
            SyntaxKind::DROP_INDEX if concurrently => "DROP INDEX CONCURRENTLY",
            SyntaxKind::REINDEX if concurrently => "REINDEX CONCURRENTLY",
            SyntaxKind::REINDEX if self.any("DATABASE") => "REINDEX DATABASE",
            SyntaxKind::REINDEX if self.any("SYSTEM") => "REINDEX SYSTEM",
            SyntaxKind::REINDEX if self.any("SCHEMA") => "REINDEX SCHEMA",
            SyntaxKind::ALTER_TABLE if concurrently && self.any("DETACH") => {
                "ALTER TABLE DETACH PARTITION CONCURRENTLY"
            }
            SyntaxKind::VACUUM => "VACUUM",
            SyntaxKind::CLUSTER if self.names_no_table() => "CLUSTER",
            SyntaxKind::REPACK if concurrently => "REPACK CONCURRENTLY",
            SyntaxKind::REPACK if self.names_no_table() => "REPACK",
            SyntaxKind::DISCARD if self.at(1, "ALL") => "DISCARD ALL",
            SyntaxKind::CREATE_DATABASE => "CREATE DATABASE",
            SyntaxKind::DROP_DATABASE => "DROP DATABASE",
            SyntaxKind::ALTER_DATABASE if self.sequence("SET", "TABLESPACE") => {
                "ALTER DATABASE SET TABLESPACE"
            }
            SyntaxKind::CREATE_TABLESPACE => "CREATE TABLESPACE",
            SyntaxKind::DROP_TABLESPACE => "DROP TABLESPACE",
            SyntaxKind::ALTER_SYSTEM => "ALTER SYSTEM",
            SyntaxKind::CREATE_SUBSCRIPTION if self.makes_slot() => "CREATE SUBSCRIPTION",
            SyntaxKind::ALTER_SUBSCRIPTION if self.talks_to_publisher() => "ALTER SUBSCRIPTION",
            SyntaxKind::DROP_SUBSCRIPTION => "DROP SUBSCRIPTION",
            _ => return None,
        };
        Some(name)
    }

    /// CLUSTER and REPACK with nothing but options work on many tables.
    fn names_no_table(&self) -> bool {
        let mut brackets = 0_usize;
        self.0.iter().skip(1).all(|&token| {
            match token {
                "(" => brackets += 1,
                ")" => brackets = brackets.saturating_sub(1),
                text => return brackets > 0 || text.eq_ignore_ascii_case("VERBOSE"),
            }
            true
        })
    }

    fn makes_slot(&self) -> bool {
        !self.switched_off("connect") && !self.switched_off("create_slot")
    }

    fn talks_to_publisher(&self) -> bool {
        let refreshes = (self.any("REFRESH") && !self.any("SET"))
            || (self.any("PUBLICATION") && !self.switched_off("refresh"));
        refreshes || self.any("failover") || self.any("two_phase")
    }

    /// Whether an option is given as off: `name = false`.
    fn switched_off(&self, option: &str) -> bool {
        (0..self.0.len()).any(|index| {
            let value = self.text(index + 2).trim_matches('\'').to_ascii_lowercase();
            self.text(index)
                .trim_matches('"')
                .eq_ignore_ascii_case(option)
                && self.at(index + 1, "=")
                && matches!(value.as_str(), "false" | "off" | "0")
        })
    }
}

fn is_transaction_parameter(name: &str) -> bool {
    [
        "transaction_isolation",
        "transaction_read_only",
        "transaction_deferrable",
    ]
    .iter()
    .any(|parameter| name.eq_ignore_ascii_case(parameter))
}

#[cfg(test)]
mod tests;
