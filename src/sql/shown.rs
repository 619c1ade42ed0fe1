//! A script as it is shown: in tokens for highlighting, and without passwords. What is stored and what is
//! sent are its exact bytes; this is for whatever is printed.

use std::ops::Range;

/// What a piece of a script is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Nothing special: blanks, marks, names that are not quoted.
    Plain,
    /// A word of the language.
    Word,
    /// A quoted name.
    Name,
    /// A literal, in quotes or between dollars.
    Text,
    /// A number.
    Number,
    /// A comment.
    Comment,
}

/// What stands in place of a literal that is not shown.
const LITERAL: &str = "'***'";

/// What stands in place of a part of one.
const PART: &str = "***";

/// Bodies between dollars are scripts too, which may hold others; what lies deeper is read as mere text.
const DEEPEST: usize = 8;

/// A shorter secret is part of any text.
const SHORTEST: usize = 3;

/// A longer script is not searched for what an error may repeat of it: whoever waits for its lock would wait longer.
const LONGEST: usize = 4 * 1024 * 1024;

/// A part of a script that is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// Which bytes.
    pub range: Range<usize>,
    /// What stands there instead.
    pub instead: &'static str,
}

/// The script without passwords, and whether there was one. Hosts in the options of foreign servers are
/// hidden too, unless they are asked for.
#[must_use]
pub fn shown(script: &str, with_hosts: bool) -> (String, bool) {
    let hidden = all(script, with_hosts);
    (without(script, &hidden), !hidden.is_empty())
}

/// The same for whoever judges what will run: only what cannot be SQL is hidden, by whatever rules it is read. A
/// tokeniser that takes a statement for a password must not keep it from a reviewer.
#[must_use]
pub fn for_review(script: &str) -> (String, bool) {
    let mut hidden = passwords(script);
    hidden.retain(|hidden| {
        script
            .get(hidden.range.clone())
            .is_some_and(is_no_statement)
    });
    (without(script, &hidden), !hidden.is_empty())
}

/// Whether nothing in a text could separate the words of a statement.
fn is_no_statement(text: &str) -> bool {
    let quoted = text.strip_prefix('\'').and_then(|it| it.strip_suffix('\''));
    let text = quoted.unwrap_or(text);
    let separates =
        |c: char| c.is_whitespace() || matches!(c, ';' | '\'' | '"' | '`' | '[' | '(' | ')');
    !text.contains(separates) && !text.contains("--") && !text.contains("/*")
}

/// Where the passwords of a script stand, in order.
#[must_use]
pub fn passwords(script: &str) -> Vec<Hidden> {
    all(script, true)
}

/// A text that is no script, without passwords.
#[must_use]
pub fn without_passwords(text: &str) -> String {
    let mut hidden = Vec::new();
    credentials(text, 0, &mut hidden);
    without(text, &hidden)
}

/// What was said of a script, without passwords, those of the script included wherever they are repeated.
#[must_use]
pub fn said_without_passwords(said: &str, script: &str) -> String {
    let mut out = without_passwords(said);
    if script.len() > LONGEST {
        return out;
    }
    for hidden in passwords(script) {
        let literal = script.get(hidden.range).unwrap_or_default();
        let secret = match literal.starts_with(['\'', '$']) {
            true => inside(literal).1,
            false => literal,
        };
        for secret in [secret, &secret.replace("''", "'")] {
            if secret.len() >= SHORTEST && out.contains(secret) {
                out = out.replace(secret, PART);
            }
        }
    }
    out
}

fn without(text: &str, hidden: &[Hidden]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for Hidden { range, instead } in hidden {
        out.push_str(text.get(done..range.start).unwrap_or_default());
        out.push_str(instead);
        done = range.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

fn all(script: &str, with_hosts: bool) -> Vec<Hidden> {
    let mut out = Vec::new();
    if may_hold(script, with_hosts) {
        of_script(script, 0, with_hosts, DEEPEST, &mut out);
    }
    out
}

/// Most scripts hold nothing of the kind, and some are long.
fn may_hold(script: &str, with_hosts: bool) -> bool {
    let lower = script.to_ascii_lowercase();
    let words = ["password", "passwd", "secret", "identified", "://"];
    words.iter().any(|word| lower.contains(word)) || (!with_hosts && lower.contains("host"))
}

/// Of a script that begins at byte `start` of the whole.
fn of_script(script: &str, start: usize, with_hosts: bool, deepest: usize, out: &mut Vec<Hidden>) {
    let mut at = start;
    let mut after_secret = false;
    for (class, text) in tokens(script) {
        match class {
            Class::Text if after_secret => out.push(Hidden {
                range: at..at + text.len(),
                instead: LITERAL,
            }),
            Class::Text => {
                let (mark, body) = inside(text);
                match mark == 1 || deepest == 0 {
                    true => credentials(body, at + mark, out),
                    false => of_script(body, at + mark, with_hosts, deepest - 1, out),
                }
            }
            Class::Comment => credentials(text, at, out),
            _ => {}
        }
        at += text.len();
        let is_blank = class == Class::Comment || text.trim().is_empty();
        if !is_blank {
            let word = text.trim_matches('"').to_ascii_lowercase();
            let secret = matches!(
                word.as_str(),
                "password" | "passwd" | "secret" | "identified"
            );
            let host = !with_hosts && matches!(word.as_str(), "host" | "hostaddr");
            // PASSWORD = '...', IDENTIFIED BY '...', PASSWORD U&'...'.
            after_secret = secret
                || host
                || (after_secret && matches!(word.as_str(), "=" | "by" | "e" | "u" | "&"));
        }
    }
}

/// The length of what opens a literal, and what stands between that and what closes it.
fn inside(literal: &str) -> (usize, &str) {
    let mark = match literal.strip_prefix('$') {
        Some(rest) => rest.find('$').map_or(1, |end| end + 2),
        None => 1,
    };
    let (open, body) = literal.split_at_checked(mark).unwrap_or(("", literal));
    (open.len(), body.strip_suffix(open).unwrap_or(body))
}

/// In a text that is no script, or not read as one: the passwords of URLs, of connection strings, and of
/// statements that stand in it. `start` is where the text begins in the whole.
fn credentials(text: &str, start: usize, out: &mut Vec<Hidden>) {
    let mut found: Vec<Range<usize>> = Vec::new();
    found.extend(in_urls(text));
    let lower = text.to_ascii_lowercase();
    for word in ["password", "passwd", "secret", "identified by"] {
        for (at, _) in lower.match_indices(word) {
            found.extend(value(text, at + word.len(), word));
        }
    }
    found.sort_by_key(|range| (range.start, range.end));
    let mut done = 0;
    for range in found {
        if range.start >= done {
            done = range.end;
            out.push(Hidden {
                range: start + range.start..start + range.end,
                instead: PART,
            });
        }
    }
}

/// What stands between `://` and `@`, where there is a colon in it.
fn in_urls(text: &str) -> Vec<Range<usize>> {
    let places = text.match_indices("://").map(|(at, _)| at + 3);
    let of = |from: usize| {
        let after = text.get(from..)?;
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '\'' | '"' | '?'))
            .unwrap_or(after.len());
        let authority = after.get(..end)?;
        let at = authority.rfind('@')?;
        authority
            .get(..at)?
            .contains(':')
            .then_some(from..from + at)
    };
    places.filter_map(of).collect()
}

/// The value behind a word for a password: `password=geheim`, or in quotes, which may be doubled because
/// the whole stands in quotes, behind blanks, too.
fn value(text: &str, from: usize, word: &str) -> Option<Range<usize>> {
    let behind = text.get(from..)?;
    let gap = behind
        .find(|c: char| !(c.is_whitespace() || c == '='))
        .unwrap_or(behind.len());
    let rest = behind.get(gap..)?;
    let quotes = rest.find(|c| c != '\'').unwrap_or(rest.len());
    if gap > 0 && quotes > 0 {
        let open = rest.get(..quotes)?;
        let length = match quotes {
            1 => quoted(rest, b'\'', false),
            // A run of four or more is an empty one, and one that nothing closes is none.
            2 | 3 => quotes + rest.get(quotes..)?.find(open)? + quotes,
            _ => return None,
        };
        let closed = rest.get(..length)?.len() > quotes && rest.get(..length)?.ends_with(open);
        let end = if closed { length - quotes } else { length };
        return (end > quotes).then_some(from + gap + quotes..from + gap + end);
    }
    let value = behind.strip_prefix('=').filter(|_| word == "password")?;
    let end = value
        .find(|c: char| c.is_whitespace() || c == '\'')
        .unwrap_or(value.len());
    (end > 0).then_some(from + 1..from + 1 + end)
}

const WORDS: &str = " add all alter and as asc begin between by cascade case cast check collate column comment commit concurrently \
constraint create cross current_timestamp database default delete desc distinct do drop else end enum except exclude exists explain \
extension false for foreign from function grant group having if in index inner insert into is join key language left like limit \
materialized not null on only or order outer owner partition password policy primary procedure references rename replace restrict \
return returning returns revoke right role rollback row schema select sequence serial set table temp temporary then to transaction \
trigger true truncate type union unique update using values view when where with without ";

/// The pieces of a script; together they are the script.
#[must_use]
pub fn tokens(script: &str) -> Vec<(Class, &str)> {
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
            (
                "ALTER ROLE a PASSWORD U&'geheim', b PASSWORD $q$geheim$q$;",
                "ALTER ROLE a PASSWORD U&'***', b PASSWORD '***';",
            ),
            (
                "DO $$ BEGIN EXECUTE $q$ALTER ROLE a PASSWORD 'geheim'$q$; END $$;",
                "DO $$ BEGIN EXECUTE $q$ALTER ROLE a PASSWORD '***'$q$; END $$;",
            ),
            (
                "EXECUTE 'ALTER ROLE a PASSWORD ''geheim'' LOGIN';",
                "EXECUTE 'ALTER ROLE a PASSWORD ''***'' LOGIN';",
            ),
            (
                "-- it's: ALTER ROLE a PASSWORD 'ge''heim' LOGIN\nSELECT 1;",
                "-- it's: ALTER ROLE a PASSWORD '***' LOGIN\nSELECT 1;",
            ),
            (
                "-- password=a password=b, 'password' x 'y'",
                "-- password=*** password=*** 'password' x 'y'",
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

    #[test]
    fn a_reviewer_sees_every_statement() {
        for script in [
            "EXECUTE 'UPDATE u SET password = ''''; DELETE FROM orders; --';",
            "SELECT 1 AS `password '`; UPDATE users SET admin=1; --'",
            "/* /* password ' */ UPDATE users SET admin=1 /* ' */",
            "/* /* password ' */ UPDATE/**/users/**/SET/**/admin=1 /* ' */",
            "SELECT 1 AS [password ']; UPDATE't'SET'a'=1; --'",
        ] {
            assert_eq!(for_review(script), (script.to_owned(), false), "{script}");
        }
        assert_eq!(
            for_review("ALTER ROLE a PASSWORD 'geheim'; ALTER ROLE b PASSWORD $q$geheim$q$;").0,
            "ALTER ROLE a PASSWORD '***'; ALTER ROLE b PASSWORD '***';"
        );
    }

    #[test]
    fn what_is_said_of_a_script_repeats_no_password() {
        for literal in ["$q$ge'heim$q$", "'ge''heim'"] {
            let script = format!("UPDATE u SET password = {literal};");
            assert_eq!(
                said_without_passwords("Failing row contains (1, ge'heim).", &script),
                "Failing row contains (1, ***)."
            );
        }
        let script = "UPDATE users SET password = 'geheim' WHERE id = 1;";
        assert_eq!(
            said_without_passwords("Failing row contains (1, geheim).", script),
            "Failing row contains (1, ***)."
        );
        assert_eq!(
            said_without_passwords("SQL statement \"ALTER ROLE a PASSWORD 'x'\"", ""),
            "SQL statement \"ALTER ROLE a PASSWORD '***'\""
        );
        let plain = "password authentication failed for user 'ada'";
        assert_eq!(said_without_passwords(plain, script), plain);
    }

    #[test]
    fn what_opens_everywhere_is_read_to_its_end() {
        let deep: String = (0..5_000)
            .map(|tag| format!("$a{tag}$ password '"))
            .collect();
        for script in [
            "password '",
            "password $$",
            "$",
            "password=",
            "password='",
            &deep,
        ] {
            let hidden = passwords(script);
            let ends: Vec<usize> = hidden.iter().map(|it| it.range.end).collect();
            assert!(ends.iter().all(|end| *end <= script.len()), "{hidden:?}");
            assert!(hidden.is_sorted_by_key(|it| it.range.start));
        }
    }
}
