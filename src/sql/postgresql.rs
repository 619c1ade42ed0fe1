//! Reading scripts for PostgreSQL.
//!
//! The lexer and the parser are squawk's. Of the parser only the flat list of events is used: the
//! statements are its second level. No tree is built, because dropping a deep one recurses, and the
//! bodies of functions are left alone: to the server they are strings.
//!
//! The server splits a script at the same semicolons, because its lexer agrees with this one on
//! strings, comments and brackets. Two settings would change that, and scripts that touch them
//! are not trusted: see `untrusted_setting`.

mod changes;
mod kind;
pub(super) mod words;

pub(super) use changes::changes;

use std::ops::Range;

use squawk_lexer::{LiteralKind, TokenKind, tokenize};
use squawk_parser::{EntryPoint, LexedStr, StrStep, SyntaxKind};

use super::limits::{Depth, MAX_DEPTH, Nesting, on_parser_thread};
use super::{Analysis, NotAnalysed, Statement};

/// Reads a script.
pub(super) fn analyse(script: &str) -> Analysis {
    let read = check(script).and_then(|()| {
        on_parser_thread(|| read(script))
            .unwrap_or_else(|message| Err(NotAnalysed::ParseError { offset: 0, message }))
    });
    match read {
        Ok(statements) => Analysis::Analysed(statements),
        Err(not_analysed) => Analysis::NotAnalysed(not_analysed),
    }
}

/// Where the first backslash stands that a plain string holds, in bytes: with `standard_conforming_strings = off`
/// such a string may end elsewhere.
pub(super) fn backslash(script: &str) -> Option<usize> {
    let mut offset = 0;
    for token in tokenize(script) {
        let text = script.get(offset..offset + token.len as usize)?;
        if is_plain_string(token.kind)
            && let Some(at) = text.find('\\')
        {
            return Some(offset + at);
        }
        offset += text.len();
    }
    None
}

/// What has to hold before the parser may have the script.
fn check(script: &str) -> Result<(), NotAnalysed> {
    if script.starts_with('\u{feff}') {
        return Err(error(0, "a byte order mark is no SQL"));
    }
    let mut depth = Depth::default();
    let mut backslash = None;
    let mut offset = 0;
    for token in tokenize(script) {
        let text = &script[offset..offset + token.len as usize];
        if nesting(token.kind, text).is_some_and(|nesting| depth.token(nesting) > MAX_DEPTH) {
            return Err(NotAnalysed::TooDeep { offset });
        }
        if is_plain_string(token.kind) && text.contains('\\') {
            backslash = backslash.or(Some(offset));
        }
        offset += text.len();
    }
    untrusted_setting(script, backslash)
}

/// `standard_conforming_strings = off` makes a backslash an escape in plain strings, so a string
/// may end elsewhere; `client_encoding` says what the bytes mean. In a script sent statement by
/// statement either acts on the next one. They do no harm where there is no backslash in a plain
/// string, or nothing but ASCII.
fn untrusted_setting(script: &str, backslash: Option<usize>) -> Result<(), NotAnalysed> {
    if let Some(offset) = backslash
        && find_ignoring_case(script, "standard_conforming_strings").is_some()
    {
        return Err(error(
            offset,
            "standard_conforming_strings is touched, and this backslash depends on it",
        ));
    }
    Ok(())
}

/// What a token means for the depth of the parser; `None` for blanks and comments.
fn nesting(kind: TokenKind, text: &str) -> Option<Nesting> {
    Some(match kind {
        TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } => {
            return None;
        }
        TokenKind::OpenParen => Nesting::Open(b')'),
        TokenKind::OpenBracket => Nesting::Open(b']'),
        TokenKind::OpenCurly => Nesting::Open(b'}'),
        TokenKind::CloseParen => Nesting::Close(b')'),
        TokenKind::CloseBracket => Nesting::Close(b']'),
        TokenKind::CloseCurly => Nesting::Close(b'}'),
        TokenKind::Comma => Nesting::Comma,
        TokenKind::Semi => Nesting::Semicolon,
        TokenKind::Star => Nesting::Star,
        TokenKind::Ident => match text.to_ascii_uppercase().as_str() {
            "ATOMIC" => Nesting::HoldingForEver,
            "CASE" | "WITH" => Nesting::Holding,
            "NOT" | "AND" | "OR" | "IN" | "IS" | "LIKE" | "ILIKE" | "TO" | "BETWEEN" | "ESCAPE"
            | "COLLATE" | "WHEN" | "THEN" | "ELSE" | "SELECT" | "FROM" | "WHERE" | "AS" | "ON" => {
                Nesting::Wanting
            }
            _ => Nesting::Other,
        },
        TokenKind::Literal { .. }
        | TokenKind::QuotedIdent { .. }
        | TokenKind::PositionalParam { .. } => Nesting::Other,
        _ => Nesting::Wanting,
    })
}

const fn is_plain_string(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Literal {
            kind: LiteralKind::Str { .. } | LiteralKind::NationalStr { .. },
        }
    )
}

/// Parses a script and collects its statements.
fn read(script: &str) -> Result<Vec<Statement>, NotAnalysed> {
    let lexed = LexedStr::new(script);
    if let Some((range, message)) = lexed.errors().min_by_key(|(range, _)| range.start) {
        return Err(error(range.start as usize, message));
    }
    let output = EntryPoint::SourceFile.parse(&lexed.to_input());
    let mut reader = Reader::new(script);
    let complete = lexed.intersperse_trivia(&output, &mut |step| reader.step(&step));
    reader.finish(complete)
}

/// Collects statements from the parser's events, and the first thing that is wrong.
struct Reader<'a> {
    script: &'a str,
    is_ascii: bool,
    /// Where the next token begins, in bytes.
    offset: usize,
    /// Nodes open: 1 is the script, 2 a statement.
    level: usize,
    node: SyntaxKind,
    /// The tokens of the statement, blanks and comments left out.
    tokens: Vec<&'a str>,
    /// From the first to the last token of the statement, the final semicolon left out.
    range: Range<usize>,
    /// Brackets open in the statement.
    brackets: usize,
    /// Whether a semicolon was the last token of the statement, or none was needed yet.
    ended: bool,
    /// The first semicolon within the statement, outside and inside of brackets.
    inner: [Option<usize>; 2],
    statements: Vec<Statement>,
    wrong: Option<NotAnalysed>,
}

impl<'a> Reader<'a> {
    fn new(script: &'a str) -> Self {
        Self {
            script,
            is_ascii: script.is_ascii(),
            offset: 0,
            level: 0,
            node: SyntaxKind::EMPTY_STMT,
            tokens: Vec::new(),
            range: 0..0,
            brackets: 0,
            ended: true,
            inner: [None; 2],
            statements: Vec::new(),
            wrong: None,
        }
    }

    fn step(&mut self, step: &StrStep<'_>) {
        match step {
            StrStep::Enter { kind } => {
                self.level += 1;
                if self.level == 2 {
                    self.begin(*kind);
                }
            }
            StrStep::Exit => {
                if self.level == 2 {
                    self.end();
                }
                self.level -= 1;
            }
            StrStep::Token { kind, text } => {
                let start = self.offset;
                self.offset += text.len();
                if !kind.is_trivia() {
                    self.token(*kind, start..self.offset);
                }
            }
            StrStep::Error { msg, pos } => self.fail(*pos, msg),
        }
    }

    fn begin(&mut self, node: SyntaxKind) {
        self.node = node;
        self.tokens.clear();
        self.brackets = 0;
        self.inner = [None; 2];
    }

    fn token(&mut self, kind: SyntaxKind, range: Range<usize>) {
        if self.level < 2 {
            return self.fail(range.start, "this belongs to no statement");
        }
        if kind == SyntaxKind::SEMICOLON && self.node == SyntaxKind::EMPTY_STMT {
            self.ended = true;
            return;
        }
        if self.tokens.is_empty() {
            if !self.ended {
                self.fail(range.start, "a semicolon is missing between two statements");
            }
            self.range = range.clone();
            self.ended = false;
        }
        if self.ended {
            // The semicolon before was not the last token after all.
            let place = &mut self.inner[usize::from(self.brackets > 0)];
            *place = place.or(Some(self.range.end));
        }
        self.ended = kind == SyntaxKind::SEMICOLON;
        match kind {
            SyntaxKind::L_PAREN | SyntaxKind::L_BRACK => self.brackets += 1,
            SyntaxKind::R_PAREN | SyntaxKind::R_BRACK => {
                self.brackets = self.brackets.saturating_sub(1);
            }
            _ => {}
        }
        if !self.ended {
            self.range.end = range.end;
        }
        self.tokens.push(&self.script[range]);
    }

    fn end(&mut self) {
        if self.ended {
            self.tokens.pop();
        }
        if self.tokens.is_empty() {
            return;
        }
        // Only these may hold semicolons: a body BEGIN ATOMIC ... END, and a list in brackets.
        let [outside, inside] = self.inner;
        let is_routine = matches!(
            self.node,
            SyntaxKind::CREATE_FUNCTION | SyntaxKind::CREATE_PROCEDURE
        );
        match (outside, inside) {
            (Some(at), _) if !is_routine => self.fail(at, "a semicolon within a statement"),
            (_, Some(at)) if self.node != SyntaxKind::CREATE_RULE => {
                self.fail(at, "a semicolon within brackets");
            }
            _ => {}
        }
        if !self.is_ascii && kind::sets_other_encoding(&self.tokens) {
            self.fail(
                self.range.start,
                "client_encoding is changed, and the script is not ASCII",
            );
        }
        self.statements.push(Statement {
            range: self.range.clone(),
            kind: kind::classify(self.node, &self.tokens),
        });
    }

    /// Remembers what is wrong, if it stands before what was known to be.
    fn fail(&mut self, at: usize, message: &str) {
        let first = match &self.wrong {
            Some(NotAnalysed::ParseError { offset, .. }) => *offset,
            _ => usize::MAX,
        };
        if at < first {
            self.wrong = Some(error(at, message));
        }
    }

    fn finish(mut self, complete: bool) -> Result<Vec<Statement>, NotAnalysed> {
        if !complete || self.offset != self.script.len() {
            self.fail(self.offset, "the parser stopped here");
        }
        match self.wrong {
            Some(wrong) => Err(wrong),
            None => Ok(self.statements),
        }
    }
}

fn error(offset: usize, message: &str) -> NotAnalysed {
    NotAnalysed::ParseError {
        offset,
        message: message.to_owned(),
    }
}

fn find_ignoring_case(haystack: &str, needle: &str) -> Option<usize> {
    haystack
        .as_bytes()
        .windows(needle.len())
        .position(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

#[cfg(test)]
mod tests;
