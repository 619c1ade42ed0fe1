//! Words, names, strings and signs of a statement, of either engine.

use crate::model::entry::Engine;

/// What kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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

/// A token. Blanks and comments are none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// Where it begins in the statement, in bytes.
    pub(super) start: usize,
}

impl Token<'_> {
    /// Whether it is this keyword, or this sign.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Sign) && self.text.eq_ignore_ascii_case(word)
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// As a name, as the readers of changes give it.
    pub(super) fn name(&self, engine: Engine) -> Option<String> {
        match (self.kind, engine) {
            (Kind::Word, Engine::Postgresql) => Some(self.text.to_ascii_lowercase()),
            (Kind::Word, Engine::Sqlite) => Some(self.text.to_owned()),
            (Kind::Quoted, _) => Some(within(self.text)),
            // SQLite takes a string for a name where a name has to be.
            (Kind::Text, Engine::Sqlite) => self.string(),
            _ => None,
        }
    }

    /// What a plain string says.
    pub(super) fn string(&self) -> Option<String> {
        let is_plain = self.kind == Kind::Text && self.text.starts_with('\'');
        is_plain.then(|| within(self.text))
    }

    /// Whether it is this word, or a string or a name in quotes that says it.
    pub(super) fn says(&self, word: &str) -> bool {
        match self.kind {
            Kind::Word => self.text.eq_ignore_ascii_case(word),
            Kind::Quoted => within(self.text).eq_ignore_ascii_case(word),
            Kind::Text => (self.string()).is_some_and(|text| text.eq_ignore_ascii_case(word)),
            _ => false,
        }
    }
}

/// What stands in quotes of any kind.
fn within(text: &str) -> String {
    let Some(open) = text.chars().next() else {
        return String::new();
    };
    let close = if open == '[' { ']' } else { open };
    let inner = text.get(1..).unwrap_or_default();
    let inner = inner.strip_suffix(close).unwrap_or(inner);
    if open == '[' {
        return inner.to_owned();
    }
    inner.replace(&format!("{close}{close}"), &close.to_string())
}

/// The tokens of a statement.
pub(super) fn tokens(engine: Engine, text: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let (length, kind) = one(engine, rest);
        if let (Some(kind), Some(text)) = (kind, rest.get(..length)) {
            out.push(Token { kind, text, start });
        }
        start += length.max(1);
    }
    out
}

/// How long the first token is, and what it is; none for blanks and comments.
fn one(engine: Engine, rest: &str) -> (usize, Option<Kind>) {
    let is_sqlite = engine == Engine::Sqlite;
    let Some(first) = rest.chars().next() else {
        return (0, None);
    };
    match first {
        _ if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), None),
        _ if rest.starts_with("/*") => (comment(rest, !is_sqlite), None),
        '\'' => (quoted(rest, 0, '\'', false), Some(Kind::Text)),
        'e' | 'E' if !is_sqlite && rest.get(1..2) == Some("'") => {
            (quoted(rest, 1, '\'', true), Some(Kind::Text))
        }
        '"' => (quoted(rest, 0, '"', false), Some(Kind::Quoted)),
        '`' if is_sqlite => (quoted(rest, 0, '`', false), Some(Kind::Quoted)),
        '[' if is_sqlite => {
            let end = rest.find(']').map_or(rest.len(), |end| end + 1);
            (end, Some(Kind::Quoted))
        }
        '$' if !is_sqlite => match dollar(rest) {
            Some(length) => (length, Some(Kind::Text)),
            None => (1, Some(Kind::Sign)),
        },
        _ if first.is_whitespace() => (first.len_utf8(), None),
        _ if first.is_ascii_digit() => {
            let is_part = |char: char| char.is_alphanumeric() || char == '.' || char == '_';
            let end = rest.find(|char| !is_part(char)).unwrap_or(rest.len());
            (end, Some(Kind::Number))
        }
        _ if first.is_alphabetic() || first == '_' || !first.is_ascii() => {
            let is_part = |char: char| {
                char.is_alphanumeric() || matches!(char, '_' | '$') || !char.is_ascii()
            };
            let end = rest.find(|char| !is_part(char)).unwrap_or(rest.len());
            (end, Some(Kind::Word))
        }
        _ => (first.len_utf8(), Some(Kind::Sign)),
    }
}

/// The length of a block comment. PostgreSQL's stand within one another.
fn comment(rest: &str, nests: bool) -> usize {
    let bytes = rest.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") if depth == 0 || nests => {
                depth += 1;
                at += 2;
            }
            Some(b"*/") => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The length of what stands in quotes, which begin after so many bytes; a doubled quote is one of it.
fn quoted(rest: &str, before: usize, quote: char, escapes: bool) -> usize {
    let mut chars = rest.char_indices().skip(before + 1).peekable();
    while let Some((at, char)) = chars.next() {
        if escapes && char == '\\' {
            chars.next();
        } else if char == quote {
            match chars.peek() {
                Some((_, next)) if *next == quote => {
                    chars.next();
                }
                _ => return at + quote.len_utf8(),
            }
        }
    }
    rest.len()
}

/// The length of a dollar-quoted string.
fn dollar(rest: &str) -> Option<usize> {
    let tag = rest.get(1..)?.find('$')? + 2;
    let mark = rest.get(..tag)?;
    let is_tag = mark
        .trim_matches('$')
        .chars()
        .enumerate()
        .all(|(at, char)| {
            char == '_' || char.is_alphabetic() || (at > 0 && char.is_alphanumeric())
        });
    if !is_tag {
        return None;
    }
    let end = rest.get(tag..)?.find(mark)?;
    Some(tag + end + tag)
}
