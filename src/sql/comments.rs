//! The comments of a script, told apart from strings and names that only look like them.

use std::ops::Range;

use sqlite3_parser::lexer::Scanner;
use sqlite3_parser::lexer::sql::Tokenizer;
use squawk_lexer::{TokenKind, tokenize};

use crate::model::entry::Engine;

/// One comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Where it stands, in bytes, with its signs; without the end of its line.
    pub range: Range<usize>,
    /// Whether it is one of `--`, and not a block.
    pub is_line: bool,
}

/// Every comment of a script, in order. What follows something that is no SQL is left out.
///
/// The body of a function is a string to PostgreSQL, and so are the comments in it.
#[must_use]
pub fn comments(engine: Engine, script: &str) -> Vec<Comment> {
    match engine {
        Engine::Postgresql => postgresql(script),
        Engine::Sqlite => sqlite(script),
    }
}

fn postgresql(script: &str) -> Vec<Comment> {
    let mut out = Vec::new();
    let mut offset = 0;
    for token in tokenize(script) {
        let range = offset..offset + token.len as usize;
        offset = range.end;
        match token.kind {
            TokenKind::LineComment => out.push(line(script, range)),
            TokenKind::BlockComment { .. } => out.push(Comment {
                range,
                is_line: false,
            }),
            _ => {}
        }
    }
    out
}

/// The scanner passes comments over: they stand between the tokens.
fn sqlite(script: &str) -> Vec<Comment> {
    let input = script.as_bytes();
    let mut scanner = Scanner::new(Tokenizer::new());
    let mut out = Vec::new();
    let mut after = 0;
    while let Ok((start, token, end)) = scanner.scan(input) {
        let is_end = token.is_none();
        between(
            script,
            after..if is_end { script.len() } else { start },
            &mut out,
        );
        if is_end {
            break;
        }
        after = end;
    }
    out
}

/// The comments in a stretch that holds nothing but comments and blanks.
fn between(script: &str, stretch: Range<usize>, out: &mut Vec<Comment>) {
    let mut at = stretch.start;
    while let Some(rest) = script.get(at..stretch.end).filter(|rest| !rest.is_empty()) {
        let end = if rest.starts_with("--") {
            at + rest.find('\n').unwrap_or(rest.len())
        } else if let Some(inner) = rest.strip_prefix("/*") {
            at + inner.find("*/").map_or(rest.len(), |end| end + 4)
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        out.push(if rest.starts_with("--") {
            line(script, at..end)
        } else {
            Comment {
                range: at..end,
                is_line: false,
            }
        });
        at = end;
    }
}

fn line(script: &str, range: Range<usize>) -> Comment {
    let text = script.get(range.clone()).unwrap_or_default();
    let length = text.trim_end_matches(['\r', '\n']).len();
    Comment {
        range: range.start..range.start + length,
        is_line: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(engine: Engine, script: &str) -> Vec<&str> {
        comments(engine, script)
            .into_iter()
            .map(|comment| &script[comment.range])
            .collect()
    }

    #[test]
    fn comments_are_told_from_what_looks_like_them() {
        let script =
            "-- one\r\nSELECT '-- no', \"-- no\" /* two\n-- in it */ -- three\n;--four\n-- ä five";
        let all = [
            "-- one",
            "/* two\n-- in it */",
            "-- three",
            "--four",
            "-- ä five",
        ];
        for engine in [Engine::Postgresql, Engine::Sqlite] {
            assert_eq!(texts(engine, script), all, "{engine:?}");
            assert!(texts(engine, "").is_empty());
        }
        assert_eq!(
            texts(
                Engine::Postgresql,
                "/* a /* b */ c */ DO $$ -- no\n$$ -- yes"
            ),
            ["/* a /* b */ c */", "-- yes"]
        );
        assert_eq!(
            texts(Engine::Sqlite, "SELECT `--`, [--] -- yes\n; /* no end"),
            ["-- yes"]
        );
    }

    #[test]
    fn what_is_no_sql_ends_the_reading() {
        assert_eq!(texts(Engine::Sqlite, "-- a\nSELECT 'open -- no"), ["-- a"]);
        assert_eq!(
            texts(Engine::Postgresql, "-- a\nSELECT 'open -- no"),
            ["-- a"]
        );
    }
}
