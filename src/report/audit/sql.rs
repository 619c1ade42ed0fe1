//! The SQL that ran, as it is shown: in tokens for highlighting, and without passwords.

/// What a piece of a script is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Plain,
    Word,
    Name,
    Text,
    Number,
    Comment,
}

/// What stands in place of what is not shown.
const HIDDEN: &str = "'***'";

/// The script without passwords, and whether there was one. Hosts in the options of foreign servers are
/// hidden too, unless they are asked for.
pub(super) fn shown(script: &str, with_hosts: bool) -> (String, bool) {
    let mut out = String::with_capacity(script.len());
    let mut masked = false;
    let mut after_secret = false;
    for (class, text) in tokens(script) {
        match class {
            Class::Text if after_secret => {
                out.push_str(HIDDEN);
                masked = true;
            }
            Class::Text | Class::Comment => match without_credentials(text) {
                Some(clean) => {
                    out.push_str(&clean);
                    masked = true;
                }
                None => out.push_str(text),
            },
            _ => out.push_str(text),
        }
        let is_blank = class == Class::Comment || text.trim().is_empty();
        if !is_blank {
            let word = text.trim_matches('"').to_ascii_lowercase();
            let secret = matches!(
                word.as_str(),
                "password" | "passwd" | "secret" | "identified"
            );
            let host = !with_hosts && matches!(word.as_str(), "host" | "hostaddr");
            // PASSWORD = '...', IDENTIFIED BY '...'.
            after_secret =
                secret || host || (after_secret && matches!(word.as_str(), "=" | "by" | "e"));
        }
    }
    (out, masked)
}

/// A text that is no script, without passwords.
pub(super) fn without_passwords(text: &str) -> String {
    without_credentials(text).unwrap_or_else(|| text.to_owned())
}

/// A text in which no URL and no connection string has a password; `None` where it had none.
fn without_credentials(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '\'' | '"' | '?'))
            .unwrap_or(after.len());
        let authority = &after[..end];
        match authority
            .rfind('@')
            .filter(|at| authority[..*at].contains(':'))
        {
            Some(at) => {
                found = true;
                out.push_str("***");
                out.push_str(&authority[at..]);
            }
            None => out.push_str(authority),
        }
        rest = &after[end..];
    }
    out.push_str(rest);
    let lower = out.to_ascii_lowercase();
    if let Some(at) = lower.find("password=") {
        let from = at + "password=".len();
        let value = &out[from..];
        let end = value
            .find(|c: char| c.is_whitespace() || c == '\'')
            .unwrap_or(value.len());
        out.replace_range(from..from + end, "***");
        found = true;
    }
    found.then_some(out)
}

const WORDS: &str = " add all alter and as asc begin between by cascade case cast check collate column comment commit concurrently \
constraint create cross current_timestamp database default delete desc distinct do drop else end enum except exclude exists explain \
extension false for foreign from function grant group having if in index inner insert into is join key language left like limit \
materialized not null on only or order outer owner partition password policy primary procedure references rename replace restrict \
return returning returns revoke right role rollback row schema select sequence serial set table temp temporary then to transaction \
trigger true truncate type union unique update using values view when where with without ";

/// The pieces of a script; together they are the script.
pub(super) fn tokens(script: &str) -> Vec<(Class, &str)> {
    let mut out: Vec<(Class, &str)> = Vec::new();
    let mut rest = script;
    while let Some(first) = rest.chars().next() {
        let escapes = out
            .last()
            .is_some_and(|(_, text)| matches!(*text, "e" | "E"));
        let (class, length) = token(rest, first, escapes);
        let length = rest.ceil_char_boundary(length.clamp(first.len_utf8(), rest.len()));
        let (text, after) = rest.split_at(length);
        out.push((class, text));
        rest = after;
    }
    out
}

fn token(rest: &str, first: char, escapes: bool) -> (Class, usize) {
    let until = |stop: &dyn Fn(char) -> bool| rest.find(stop).unwrap_or(rest.len());
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if rest.starts_with("--") {
        return (Class::Comment, until(&|c| c == '\n'));
    }
    if rest.starts_with("/*") {
        return (Class::Comment, block(rest));
    }
    match first {
        '\'' => (Class::Text, quoted(rest, b'\'', escapes)),
        '"' => (Class::Name, quoted(rest, b'"', false)),
        '$' => match dollar(rest) {
            Some(length) => (Class::Text, length),
            None => (Class::Plain, 1),
        },
        c if c.is_ascii_digit() => (
            Class::Number,
            until(&|c| !(c.is_ascii_alphanumeric() || c == '.')),
        ),
        c if is_word(c) => {
            let length = until(&|c| !is_word(c) && c != '$');
            let word = rest.get(..length).unwrap_or_default();
            let is_known =
                word.is_ascii() && WORDS.contains(&format!(" {} ", word.to_ascii_lowercase()));
            (if is_known { Class::Word } else { Class::Plain }, length)
        }
        c if c.is_whitespace() => (Class::Plain, until(&|c| !c.is_whitespace())),
        c => (Class::Plain, c.len_utf8()),
    }
}

/// The length of a block comment, which may hold others.
fn block(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => {
                depth += 1;
                at += 2;
            }
            Some(b"*/") => {
                depth = depth.saturating_sub(1);
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of what stands in quotes; a doubled one is a part of it, and, where it `escapes`, what follows a
/// backslash.
fn quoted(rest: &str, quote: u8, escapes: bool) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes.get(at) {
            Some(b'\\') if escapes => at += 2,
            Some(byte) if *byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            Some(byte) if *byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `$tag$ ... $tag$`.
fn dollar(rest: &str) -> Option<usize> {
    let end = rest.get(1..)?.find('$')? + 2;
    let tag = rest.get(..end)?;
    let inside = tag.trim_matches('$');
    if !inside.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let body = rest.get(end..)?;
    Some(body.find(tag).map_or(rest.len(), |at| end + at + tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_are_the_script() {
        for script in [
            "",
            "SELECT 'it''s', \"a\"\"b\", $q$ ' $q$, 1.5e3 /* a /* b */ c */ -- d\nFROM t;",
            "'open",
            "E'a\\'b' 'c'",
            "$x",
            "/* open",
            "ä € 'ß' $ä$x$ä$",
            "$1 $a b$",
        ] {
            let pieces: String = tokens(script).iter().map(|(_, text)| *text).collect();
            assert_eq!(pieces, script);
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        for (script, expected) in [
            (
                "ALTER ROLE a PASSWORD 'geheim';",
                "ALTER ROLE a PASSWORD '***';",
            ),
            (
                "CREATE USER a WITH ENCRYPTED PASSWORD /* x */ 'it''s';",
                "CREATE USER a WITH ENCRYPTED PASSWORD /* x */ '***';",
            ),
            (
                "OPTIONS (user 'u', password 'p', host 'db.internal')",
                "OPTIONS (user 'u', password '***', host '***')",
            ),
            (
                "SELECT dblink('host=a password=geheim dbname=b');",
                "SELECT dblink('host=a password=*** dbname=b');",
            ),
            (
                "-- postgresql://ada:geheim@db/shop",
                "-- postgresql://***@db/shop",
            ),
        ] {
            assert_eq!(shown(script, false).0, expected, "{script}");
        }
        let plain = "CREATE TABLE a (password TEXT, note TEXT DEFAULT 'x');";
        assert_eq!(shown(plain, false), (plain.to_owned(), false));
        assert_eq!(
            shown("OPTIONS (host 'db')", true),
            ("OPTIONS (host 'db')".to_owned(), false)
        );
    }
}
