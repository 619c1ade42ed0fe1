//! The words of a script for PostgreSQL, read without a parser: what is asked here has an answer for
//! scripts that were not analysed too.

use std::ops::Range;

use squawk_lexer::{LiteralKind, TokenKind, tokenize};

/// One word or sign of a statement. Blanks and comments are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As the server reads it: an unquoted word in small letters, a quoted one without its quotes.
    pub text: String,
    /// Whether it is a name in quotes, and so never a keyword.
    pub quoted: bool,
    /// Where it stands in the text, in bytes.
    pub range: Range<usize>,
}

impl Word {
    /// Whether it is this keyword, given in small letters.
    #[must_use]
    pub fn is(&self, keyword: &str) -> bool {
        !self.quoted && self.text == keyword
    }
}

/// Statements of a script, split at semicolons. The bodies of functions and blocks of code are read
/// too, as statements of their own that stand before the one that holds them. More may be found than
/// the server would see, never fewer, as long as strings and quotes end where they seem to.
#[must_use]
pub fn statements(script: &str) -> Vec<Vec<Word>> {
    let mut out = Vec::new();
    collect(script, 0, true, &mut out);
    out
}

fn collect(text: &str, start: usize, bodies: bool, out: &mut Vec<Vec<Word>>) {
    let mut statement: Vec<Word> = Vec::new();
    let mut offset = 0;
    for token in tokenize(text) {
        let range = offset..offset + token.len as usize;
        offset = range.end;
        let said = text.get(range.clone()).unwrap_or_default();
        let at = start + range.start..start + range.end;
        let (text, quoted) = match token.kind {
            TokenKind::Whitespace
            | TokenKind::LineComment
            | TokenKind::BlockComment { .. }
            | TokenKind::Eof => continue,
            TokenKind::Semi => {
                out.push(std::mem::take(&mut statement));
                continue;
            }
            TokenKind::Literal {
                kind: LiteralKind::DollarQuotedString { .. },
            } if bodies => {
                let tag = said[1..].find('$').map_or(0, |end| end + 2);
                if let Some(body) = said.get(tag..said.len().saturating_sub(tag)) {
                    collect(body, at.start + tag, false, out);
                }
                (said.to_owned(), true)
            }
            TokenKind::Literal { .. } => (said.to_owned(), true),
            TokenKind::QuotedIdent { .. } => {
                let inner = said.trim_start_matches(['U', 'u', '&']);
                let inner = inner.strip_prefix('"').unwrap_or(inner);
                let inner = inner.strip_suffix('"').unwrap_or(inner);
                (inner.replace("\"\"", "\""), true)
            }
            _ => (said.to_lowercase(), false),
        };
        statement.push(Word {
            text,
            quoted,
            range: at,
        });
    }
    out.push(statement);
    out.retain(|statement| !statement.is_empty());
}

/// A statement that makes an index, or makes it anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexWork {
    /// `CREATE INDEX`; otherwise `REINDEX`.
    pub creates: bool,
    /// The index that is named, in its parts; `None` where the server chooses the name.
    pub index: Option<Vec<String>>,
    /// The table that is named, in its parts.
    pub table: Option<Vec<String>>,
    /// CONCURRENTLY.
    pub concurrently: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// From the first to the last word that was read.
    pub range: Range<usize>,
}

/// Finds the first `CREATE INDEX`, or `REINDEX INDEX` or `REINDEX TABLE`, among the words of a statement.
#[must_use]
pub fn index_work(statement: &[Word]) -> Option<IndexWork> {
    let is = |at: usize, keyword: &str| statement.get(at).is_some_and(|word| word.is(keyword));
    for at in 0..statement.len() {
        if is(at, "create") {
            let index = at + 1 + usize::from(is(at + 1, "unique"));
            if is(index, "index") {
                return Some(created(statement, at, index + 1));
            }
        } else if is(at, "reindex") {
            return remade(statement, at);
        }
    }
    None
}

fn created(statement: &[Word], first: usize, mut at: usize) -> IndexWork {
    let is = |at: usize, keyword: &str| statement.get(at).is_some_and(|word| word.is(keyword));
    let concurrently = is(at, "concurrently");
    at += usize::from(concurrently);
    let if_not_exists = is(at, "if") && is(at + 1, "not") && is(at + 2, "exists");
    at += 3 * usize::from(if_not_exists);
    let mut index = None;
    if !is(at, "on") {
        let (parts, after) = name(statement, at);
        index = parts;
        at = after;
    }
    let mut table = None;
    if is(at, "on") {
        at += 1 + usize::from(is(at + 1, "only"));
        (table, at) = name(statement, at);
    }
    IndexWork {
        creates: true,
        index,
        table,
        concurrently,
        if_not_exists,
        range: range(statement, first, at),
    }
}

fn remade(statement: &[Word], first: usize) -> Option<IndexWork> {
    let rest = statement.get(first..)?;
    let what = rest
        .iter()
        .position(|word| word.is("index") || word.is("table"))?;
    let of_index = rest[what].is("index");
    let concurrently = rest.iter().any(|word| word.is("concurrently"));
    let mut at = first + what + 1;
    at += usize::from(
        statement
            .get(at)
            .is_some_and(|word| word.is("concurrently")),
    );
    let (named, at) = name(statement, at);
    let (index, table) = if of_index {
        (named, None)
    } else {
        (None, named)
    };
    Some(IndexWork {
        creates: false,
        index,
        table,
        concurrently,
        if_not_exists: false,
        range: range(statement, first, at),
    })
}

/// A name with its dots, and the place after it.
fn name(statement: &[Word], mut at: usize) -> (Option<Vec<String>>, usize) {
    let mut parts = Vec::new();
    while let Some(word) = statement.get(at) {
        parts.push(word.text.clone());
        at += 1;
        if !statement.get(at).is_some_and(|word| word.is(".")) {
            break;
        }
        at += 1;
    }
    ((!parts.is_empty()).then_some(parts), at)
}

fn range(statement: &[Word], first: usize, after: usize) -> Range<usize> {
    let end = after.clamp(first + 1, statement.len()) - 1;
    match (statement.get(first), statement.get(end)) {
        (Some(first), Some(last)) => first.range.start..last.range.end,
        _ => 0..0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(script: &str) -> IndexWork {
        let found: Vec<_> = statements(script)
            .iter()
            .filter_map(|s| index_work(s))
            .collect();
        assert_eq!(found.len(), 1, "{script}: {found:?}");
        found[0].clone()
    }

    fn parts(name: Option<Vec<String>>) -> String {
        name.map_or_else(|| "-".to_owned(), |parts| parts.join(" . "))
    }

    #[test]
    fn index_statements_of_every_form() {
        for (script, index, table, flags) in [
            ("CREATE INDEX Ab ON t (id)", "ab", "t", [true, false, false]),
            (
                "create unique index concurrently if not exists \"A\"\"b\" on only s.\"T\" (id)",
                "A\"b",
                "s . T",
                [true, true, true],
            ),
            ("CREATE INDEX ON t (id)", "-", "t", [true, false, false]),
            (
                "CREATE INDEX CONCURRENTLY ON s . t USING btree (id)",
                "-",
                "s . t",
                [true, true, false],
            ),
            (
                "REINDEX INDEX CONCURRENTLY s.i",
                "s . i",
                "-",
                [false, true, false],
            ),
            (
                "REINDEX (VERBOSE, CONCURRENTLY) TABLE t",
                "-",
                "t",
                [false, true, false],
            ),
            (
                "DO $do$ BEGIN IF true THEN CREATE INDEX IF NOT EXISTS i ON t (id); END IF; END $do$",
                "i",
                "t",
                [true, false, true],
            ),
        ] {
            let found = work(script);
            assert_eq!(parts(found.index), index, "{script}");
            assert_eq!(parts(found.table), table, "{script}");
            let found = [found.creates, found.concurrently, found.if_not_exists];
            assert_eq!(found, flags, "{script}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        let script = "SELECT 'CREATE INDEX IF NOT EXISTS i ON t (id)'; -- CREATE INDEX j ON t (id)\n\
                      SELECT \"create\" index; REINDEX DATABASE d; CREATE TABLE index_x (id int)";
        assert!(statements(script).iter().all(|s| index_work(s).is_none()));
    }

    #[test]
    fn ranges_are_those_of_the_script() {
        let script = "SELECT 1;\n$b$ CREATE INDEX é ON t (id) $b$;";
        let range = work(script).range;
        assert_eq!(&script[range], "CREATE INDEX é ON t");
    }
}
