//! The tokens of a statement, and a place among them that moves on as they are read.
//!
//! Nothing here goes deeper with what it reads, so no script can overflow the stack; and every token is
//! looked at a few times at most.

use std::ops::Range;

use squawk_lexer::{LiteralKind, TokenKind, tokenize};

use crate::sql::changes::Name;

/// What kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword, without quotes.
    Word,
    /// A name in quotes.
    Quoted,
    /// A string of any kind, bit strings included.
    Text,
    /// A number, or `$1`.
    Number,
    /// Anything else, one character.
    Sign,
}

/// A token. Blanks and comments are none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// Where it begins in the script, in bytes.
    pub(super) start: usize,
}

impl Token<'_> {
    pub(super) const fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is this keyword, or this sign.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Sign) && self.text.eq_ignore_ascii_case(word)
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// As the server reads a name: small letters unless it was quoted, and no more than 63 bytes.
    pub(super) fn name(&self) -> Option<String> {
        let mut name = match self.kind {
            Kind::Word => self.text.to_ascii_lowercase(),
            Kind::Quoted => unquoted(self.text),
            _ => return None,
        };
        name.truncate(name.floor_char_boundary(63));
        Some(name)
    }
}

fn unquoted(text: &str) -> String {
    let (inner, escaped) = match text.strip_prefix(['U', 'u']) {
        Some(rest) => (rest.strip_prefix('&').unwrap_or(rest), true),
        None => (text, false),
    };
    let inner = inner.strip_prefix('"').unwrap_or(inner);
    let inner = inner
        .strip_suffix('"')
        .unwrap_or(inner)
        .replace("\"\"", "\"");
    if escaped { unescaped(&inner) } else { inner }
}

/// `\0061` and `\+000061`, with the escape character that is the default.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (digits, skip) = match after.strip_prefix('+') {
            Some(long) => (long.get(..6), 7),
            None => (after.get(..4), 4),
        };
        let char = digits
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .and_then(char::from_u32);
        if let Some(char) = char {
            out.push(char);
            rest = &after[skip..];
        } else {
            out.push('\\');
            rest = after.strip_prefix('\\').unwrap_or(after);
        }
    }
    out.push_str(rest);
    out
}

/// What a string says: plain ones, `E''`, `U&''` and dollar-quoted ones. Nothing for bit strings.
pub(super) fn string(text: &str) -> Option<String> {
    if let Some(body) = dollar_quoted(text) {
        return Some(text.get(body)?.to_owned());
    }
    let inner = |text: &str| {
        Some(
            text.strip_prefix('\'')?
                .strip_suffix('\'')?
                .replace("''", "'"),
        )
    };
    match text.as_bytes().first()? {
        b'e' | b'E' => Some(escaped(&inner(&text[1..])?)),
        b'u' | b'U' => Some(unescaped(&inner(text.get(2..)?)?)),
        b'n' | b'N' => inner(&text[1..]),
        _ => inner(text),
    }
}

/// `\n`, `\x44`, `\104`, `\u0044` and their like.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(first) = rest.chars().next() else {
            break;
        };
        // How many digits may follow, and of which base.
        let (skip, most, base) = match first {
            'x' => (1, 2, 16),
            'u' => (1, 4, 16),
            'U' => (1, 8, 16),
            '0'..='7' => (0, 3, 8),
            _ => (0, 0, 8),
        };
        let length = (rest[skip..].chars())
            .take(most)
            .take_while(|char| char.is_digit(base))
            .count();
        let char = (rest.get(skip..skip + length))
            .and_then(|digits| u32::from_str_radix(digits, base).ok())
            .and_then(char::from_u32);
        if let Some(char) = char {
            out.push(char);
            rest = &rest[skip + length..];
        } else {
            out.push(match first {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                other => other,
            });
            rest = &rest[first.len_utf8()..];
        }
    }
    out.push_str(rest);
    out
}

/// Where the body of a dollar-quoted string stands in it.
pub(super) fn dollar_quoted(text: &str) -> Option<Range<usize>> {
    let tag = text.strip_prefix('$')?.find('$')? + 2;
    let end = text.len().checked_sub(tag)?;
    (tag <= end).then_some(tag..end)
}

/// The tokens of a text that stands at this place of the script.
pub(super) fn tokens(text: &str, start: usize) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut offset = 0;
    for token in tokenize(text) {
        let range = offset..offset + token.len as usize;
        offset = range.end;
        let kind = match token.kind {
            TokenKind::Whitespace
            | TokenKind::LineComment
            | TokenKind::BlockComment { .. }
            | TokenKind::Eof => continue,
            TokenKind::Ident => Kind::Word,
            TokenKind::QuotedIdent { .. } => Kind::Quoted,
            TokenKind::PositionalParam { .. }
            | TokenKind::Literal {
                kind: LiteralKind::Int { .. } | LiteralKind::Numeric { .. },
            } => Kind::Number,
            TokenKind::Literal { .. } => Kind::Text,
            _ => Kind::Sign,
        };
        out.push(Token {
            kind,
            text: text.get(range.clone()).unwrap_or_default(),
            start: start + range.start,
        });
    }
    out
}

/// A place among tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    /// The text that the tokens are of, and where it begins in the script.
    text: &'a str,
    start: usize,
    tokens: &'a [Token<'a>],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str, start: usize, tokens: &'a [Token<'a>]) -> Self {
        Self {
            text,
            start,
            tokens,
            at: 0,
        }
    }

    /// The same text, other tokens of it.
    pub(super) const fn over(&self, tokens: &'a [Token<'a>]) -> Self {
        Self {
            text: self.text,
            start: self.start,
            tokens,
            at: 0,
        }
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<&'a Token<'a>> {
        self.tokens.get(self.at + ahead)
    }

    /// Whether the token so many ahead is this keyword or sign.
    pub(super) fn is(&self, ahead: usize, word: &str) -> bool {
        self.peek(ahead).is_some_and(|token| token.is(word))
    }

    /// Whether these keywords come next.
    pub(super) fn are(&self, words: &[&str]) -> bool {
        (0..).zip(words).all(|(ahead, word)| self.is(ahead, word))
    }

    /// Goes past these keywords, where they come next.
    pub(super) fn eat(&mut self, words: &[&str]) -> bool {
        let comes = self.are(words);
        if comes {
            self.at += words.len();
        }
        comes
    }

    /// Goes past the next token.
    pub(super) fn next(&mut self) -> Option<&'a Token<'a>> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    pub(super) const fn is_done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// The tokens that are left.
    pub(super) fn rest(&self) -> &'a [Token<'a>] {
        self.tokens.get(self.at..).unwrap_or_default()
    }

    /// The next word as a name.
    pub(super) fn word(&mut self) -> Option<String> {
        let name = self.peek(0)?.name()?;
        self.at += 1;
        Some(name)
    }

    /// A name with its schema. A database in front of both is left out.
    pub(super) fn name(&mut self) -> Option<Name> {
        let mut schema = None;
        let mut name = self.word()?;
        while self.is(0, ".") {
            let Some(next) = self.peek(1).and_then(Token::name) else {
                break;
            };
            schema = Some(std::mem::replace(&mut name, next));
            self.at += 2;
        }
        Some(Name { schema, name })
    }

    /// Goes past a bracket and all that is in it, and gives what was in it.
    pub(super) fn brackets(&mut self) -> Option<Self> {
        if !self.is(0, "(") {
            return None;
        }
        let first = self.at + 1;
        let mut depth = 0_usize;
        while let Some(token) = self.next() {
            match token.text {
                "(" if token.kind == Kind::Sign => depth += 1,
                ")" if token.kind == Kind::Sign => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        Some(self.over(self.tokens.get(first..self.at - 1).unwrap_or_default()))
    }

    /// Splits what is left at the commas outside of brackets. Empty where nothing is left.
    pub(super) fn parts(&self) -> Vec<Self> {
        let rest = self.rest();
        let mut out = Vec::new();
        let mut depth = 0_usize;
        let mut first = 0;
        for (at, token) in rest.iter().enumerate() {
            if token.kind != Kind::Sign {
                continue;
            }
            match token.text {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                "," if depth == 0 => {
                    out.push(self.over(&rest[first..at]));
                    first = at + 1;
                }
                _ => {}
            }
        }
        if !rest.is_empty() {
            out.push(self.over(&rest[first..]));
        }
        out
    }

    /// Goes on to the first token outside of brackets that satisfies, or to the end; gives what was passed.
    pub(super) fn until(&mut self, stop: impl Fn(&Self) -> bool) -> &'a [Token<'a>] {
        let first = self.at;
        let mut depth = 0_usize;
        while let Some(token) = self.peek(0) {
            if depth == 0 && stop(self) {
                break;
            }
            if token.kind == Kind::Sign {
                match token.text {
                    "(" | "[" => depth += 1,
                    ")" | "]" => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
            self.at += 1;
        }
        self.tokens.get(first..self.at).unwrap_or_default()
    }

    /// The first place outside of brackets, from here, with this keyword.
    pub(super) fn has(&self, word: &str) -> bool {
        let mut ahead = *self;
        ahead.until(|at| at.is(0, word));
        !ahead.is_done()
    }

    /// The text of tokens as it stands in the script, comments and all.
    pub(super) fn said(&self, tokens: &[Token<'_>]) -> String {
        let range = range(tokens);
        let within = range.start.saturating_sub(self.start)..range.end.saturating_sub(self.start);
        self.text.get(within).unwrap_or_default().to_owned()
    }

    /// The text of tokens with blanks made single and comments left out.
    pub(super) fn plain(&self, tokens: &[Token<'_>]) -> String {
        let mut out = String::new();
        let mut end = None;
        for token in tokens {
            if end.is_some_and(|end| end < token.start) {
                out.push(' ');
            }
            out.push_str(token.text);
            end = Some(token.end());
        }
        out
    }

    /// The first words that are keywords, in capitals, at most so many.
    pub(super) fn capitals(&self, most: usize) -> String {
        let words: Vec<_> = (self.rest().iter())
            .take_while(|token| token.kind == Kind::Word)
            .take(most)
            .map(|token| token.text.to_ascii_uppercase())
            .collect();
        words.join(" ")
    }
}

/// Where tokens stand in the script, in bytes.
pub(super) fn range(tokens: &[Token<'_>]) -> Range<usize> {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first.start..last.end(),
        _ => 0..0,
    }
}
