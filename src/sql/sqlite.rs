//! Reading scripts for SQLite.
//!
//! SQLite ends a statement at every semicolon, except within the body of a trigger. The script is
//! cut there by the words alone, as SQLite's own shell does it, and each piece has then to satisfy
//! a parser with SQLite's grammar as exactly one statement: two readings that must agree.
//! That parser has a stack of its own and frees its trees at once, so no depth can harm it.

mod changes;
mod kind;

pub(super) use changes::changes;

use std::ops::Range;

use bumpalo::Bump;
use fallible_iterator::FallibleIterator as _;
use sqlite3_parser::lexer::Scanner;
use sqlite3_parser::lexer::sql::{Error, Parser, TokenType, Tokenizer};

use super::limits::on_parser_thread;
use super::{Analysis, NotAnalysed, Statement};

/// Where the message of an error is cut off, in characters.
const LONGEST_MESSAGE: usize = 200;

/// Reads a script.
pub(super) fn analyse(script: &str) -> Analysis {
    let read = on_parser_thread(|| read(script))
        .unwrap_or_else(|message| Err(NotAnalysed::ParseError { offset: 0, message }));
    match read {
        Ok(statements) => Analysis::Analysed(statements),
        Err(not_analysed) => Analysis::NotAnalysed(not_analysed),
    }
}

fn read(script: &str) -> Result<Vec<Statement>, NotAnalysed> {
    pieces(script)?
        .into_iter()
        .map(|range| {
            let text = &script[range.clone()];
            parse_one(text).map_err(|(offset, message)| NotAnalysed::ParseError {
                offset: script.floor_char_boundary(range.start + offset),
                message,
            })?;
            Ok(Statement {
                kind: kind::classify(text),
                range,
            })
        })
        .collect()
}

/// How far a piece has come, as far as semicolons go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Only words that may stand before TRIGGER were seen.
    Head,
    /// Any statement but CREATE TRIGGER.
    Statement,
    /// CREATE TRIGGER, not at a semicolon.
    Trigger,
    /// CREATE TRIGGER, just after a semicolon.
    TriggerSemicolon,
    /// CREATE TRIGGER, after a semicolon and END.
    TriggerEnd,
}

impl Within {
    /// What holds after one more token, or `None` where it is the semicolon that ends the piece.
    fn after(self, token: TokenType, is_explain_word: bool) -> Option<Self> {
        let is_semicolon = token == TokenType::TK_SEMI;
        Some(match self {
            Self::Head | Self::Statement | Self::TriggerEnd if is_semicolon => return None,
            Self::Trigger | Self::TriggerSemicolon if is_semicolon => Self::TriggerSemicolon,
            Self::Head if token == TokenType::TK_TRIGGER => Self::Trigger,
            Self::Head if is_explain_word => Self::Head,
            Self::Head => match token {
                TokenType::TK_CREATE | TokenType::TK_TEMP => Self::Head,
                _ => Self::Statement,
            },
            Self::Statement => Self::Statement,
            Self::TriggerSemicolon if token == TokenType::TK_END => Self::TriggerEnd,
            Self::Trigger | Self::TriggerSemicolon | Self::TriggerEnd => Self::Trigger,
        })
    }
}

/// Cuts a script into statements; what is left out is blank, comment, or semicolon.
fn pieces(script: &str) -> Result<Vec<Range<usize>>, NotAnalysed> {
    let input = script.as_bytes();
    let mut scanner = Scanner::new(Tokenizer::new());
    let mut pieces = Vec::new();
    let mut piece: Option<Range<usize>> = None;
    let mut within = Within::Head;
    loop {
        // The scanner leaves its position at the error.
        let (start, token, end) = scanner.scan(input).map_err(|error| {
            let (offset, message) = explain(input, &error);
            NotAnalysed::ParseError {
                offset: script.floor_char_boundary(offset),
                message,
            }
        })?;
        let Some((text, token)) = token else { break };
        let is_explain_word = ["EXPLAIN", "QUERY", "PLAN"]
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word.as_bytes()));
        match within.after(token, is_explain_word) {
            Some(next) => {
                within = next;
                piece = Some(piece.map_or(start, |piece| piece.start)..end);
            }
            None => {
                within = Within::Head;
                pieces.extend(piece.take());
            }
        }
    }
    pieces.extend(piece);
    Ok(pieces)
}

/// Requires that a text is exactly one statement; otherwise says where it is not, and why.
fn parse_one(text: &str) -> Result<(), (usize, String)> {
    let arena = Bump::new();
    let mut parser = Parser::new(&arena, text.as_bytes());
    let wrong = |error: Error| explain(text.as_bytes(), &error);
    if parser.next().map_err(wrong)?.is_none() {
        return Err((0, "no statement".to_owned()));
    }
    match parser.next().map_err(wrong)? {
        None => Ok(()),
        Some(_) => Err((0, "more than one statement".to_owned())),
    }
}

/// The offset in bytes and the message of a parser's error.
fn explain(input: &[u8], error: &Error) -> (usize, String) {
    let (position, message) = match error {
        Error::UnrecognizedToken(position) => (position, "unrecognized token".to_owned()),
        Error::UnterminatedLiteral(position) => (position, "unterminated literal".to_owned()),
        Error::UnterminatedBracket(position) => (position, "unterminated bracket".to_owned()),
        Error::UnterminatedBlockComment(position) => (position, "unterminated comment".to_owned()),
        Error::BadVariableName(position) => (position, "bad variable name".to_owned()),
        Error::BadNumber(position) => (position, "bad number".to_owned()),
        Error::ExpectedEqualsSign(position) => (position, "expected = after !".to_owned()),
        Error::MalformedBlobLiteral(position) => (position, "malformed blob literal".to_owned()),
        Error::MalformedHexInteger(position) => (position, "malformed hex integer".to_owned()),
        Error::ParserError(error, position) => (position, error.to_string()),
        other => (&None, other.to_string()),
    };
    let offset = position.as_ref().map_or(0, |position| {
        let line_start = input
            .split_inclusive(|&byte| byte == b'\n')
            .take(position.line.saturating_sub(1))
            .map(<[u8]>::len)
            .sum::<usize>();
        line_start + position.column.saturating_sub(1)
    });
    // A message quotes the token at fault, which may be as long as the script.
    let message = message.chars().take(LONGEST_MESSAGE).collect();
    (offset.min(input.len()), message)
}

#[cfg(test)]
mod tests;
