//! Blocks of code: `DO`.
//!
//! What runs in one depends on what it finds. The statements that its body spells out are read as if they
//! stood alone, those in strings that it executes too; no more is claimed of them.

use std::collections::{BTreeMap, BTreeSet};

use super::spelled::spelled_out;
use super::tokens::{Cursor, Kind, Token, dollar_quoted, range, string, tokens};
use super::{Deeds, Side, read};
use crate::sql::changes::Deed;

/// How many texts within texts are read: a body, a string that it executes, one that that executes.
const MOST_WITHIN: u8 = 3;

/// How many values of a variable are read.
const MOST_VALUES: usize = 50;

/// Reads `DO`.
pub(super) fn block(cursor: &mut Cursor<'_>, deeds: &mut Deeds) -> Option<()> {
    cursor.next();
    let mut spelled = Vec::new();
    let mut is_readable = true;
    let mut body = None;
    while let Some(token) = cursor.next() {
        if token.is("language") {
            is_readable = (cursor.next()).is_some_and(|name| {
                name.text
                    .trim_matches(['\'', '"'])
                    .eq_ignore_ascii_case("plpgsql")
            });
        } else if token.kind == Kind::Text {
            body = Some(*token);
        }
    }
    match body {
        Some(body) if is_readable => body_of(&body, 1, BTreeSet::new(), &mut spelled),
        Some(_) => spelled.push(hidden()),
        None => {}
    }
    deeds.push(Deed::Unknown {
        what: "DO".to_owned(),
        spelled,
    });
    Some(())
}

/// Code that cannot be read at all.
pub(super) fn hidden() -> Deed {
    Deed::Unknown {
        what: "EXECUTE".to_owned(),
        spelled: Vec::new(),
    }
}

/// Reads a body of PL/pgSQL, given as a string. What callers give is not known from it.
pub(super) fn body_of(body: &Token<'_>, within: u8, given: BTreeSet<String>, out: &mut Vec<Deed>) {
    match dollar_quoted(body.text) {
        Some(at) => {
            let text = body.text.get(at.clone()).unwrap_or_default();
            statements(text, body.start + at.start, within, given, out);
        }
        None => {
            if let Some(text) = string(body.text) {
                statements(&text, 0, within, given, out);
            }
        }
    }
}

/// The statements of a body.
fn statements(text: &str, start: usize, within: u8, given: BTreeSet<String>, out: &mut Vec<Deed>) {
    let tokens = tokens(text, start);
    let body = Body {
        assigned: Assigned::of(&tokens, given),
        within,
    };
    for piece in tokens.split(|token| token.is(";")) {
        let mut cursor = Cursor::new(text, start, piece);
        body.head(&mut cursor, out);
        body.one(cursor, out);
    }
}

/// What is known of a body while its statements are read.
struct Body<'a> {
    assigned: Assigned<'a>,
    /// How many texts within texts it stands.
    within: u8,
}

/// What variables are given.
#[derive(Debug, Default)]
struct Assigned<'a> {
    /// The expressions, by the variable.
    values: BTreeMap<String, Vec<&'a [Token<'a>]>>,
    /// Variables that get what a query finds, or a caller gives.
    found: BTreeSet<String>,
}

impl<'a> Assigned<'a> {
    fn of(tokens: &'a [Token<'a>], given: BTreeSet<String>) -> Self {
        let mut out = Self {
            found: given,
            ..Self::default()
        };
        for piece in tokens.split(|token| token.is(";")) {
            out.piece(piece);
        }
        out
    }

    fn piece(&mut self, piece: &'a [Token<'a>]) {
        for (at, token) in piece.iter().enumerate() {
            let next = |ahead: usize| piece.get(at + ahead);
            if token.is_any(&["into", "foreach", "for"]) {
                // INTO STRICT a, b
                let names = piece[at + 1..]
                    .iter()
                    .take_while(|token| token.name().is_some() || token.is(","))
                    .take_while(|token| !token.is_any(&["from", "in", "where"]));
                self.found.extend(names.filter_map(Token::name));
            }
            let is_assigned = token.is(":") && next(1).is_some_and(|next| next.is("="));
            let is_default = token.is("default") && at > 0;
            // `q = '...'`
            let begins = at == 1
                || at > 1 && piece[at - 2].is_any(&["begin", "then", "else", "loop", "declare"]);
            let is_equal = token.is("=") && begins;
            if !is_assigned && !is_default && !is_equal {
                continue;
            }
            let skip = if is_assigned { 2 } else { 1 };
            let value = piece.get(at + skip..).unwrap_or_default();
            // In a declaration the type stands between.
            let declared = piece.iter().find(|token| !token.is("declare"));
            let before = at.checked_sub(1).and_then(|at| piece.get(at));
            let mut names: Vec<String> = [declared, before]
                .into_iter()
                .flatten()
                .filter_map(Token::name)
                .collect();
            names.dedup();
            for name in names {
                self.values.entry(name).or_default().push(value);
            }
            break;
        }
    }

    /// All that a variable may hold, where that is said.
    fn values(&self, expression: &[Token<'_>]) -> Option<&[&'a [Token<'a>]]> {
        let [only] = expression else { return None };
        let name = only.name()?;
        if self.found.contains(&name) {
            return None;
        }
        self.values.get(&name).map(Vec::as_slice)
    }
}

impl Body<'_> {
    /// Goes past what may stand in front of a statement of a block.
    fn head(&self, cursor: &mut Cursor<'_>, out: &mut Vec<Deed>) {
        loop {
            if cursor.are(&["<", "<"]) {
                cursor.until(|at| at.are(&[">", ">"]));
                cursor.eat(&[">", ">"]);
            } else if cursor.is(0, "if")
                || cursor.is(0, "elsif")
                || cursor.is(0, "elseif")
                || cursor.is(0, "when")
            {
                cursor.next();
                condition(cursor);
            } else if cursor.is(0, "for") || cursor.is(0, "foreach") || cursor.is(0, "while") {
                let query = cursor.until(|at| at.is(0, "loop"));
                if let Some(at) = query.iter().position(|token| token.is("in")) {
                    self.one(cursor.over(query.get(at + 1..).unwrap_or_default()), out);
                }
                cursor.eat(&["loop"]);
            } else if cursor.is(0, "case") {
                // CASE x WHEN ... THEN
                cursor.until(|at| at.is(0, "when"));
            } else if cursor.is(0, "declare") {
                // The declaration itself is no statement.
                cursor.until(|_| false);
            } else if !(cursor.eat(&["begin"])
                || cursor.eat(&["else"])
                || cursor.eat(&["loop"])
                || cursor.eat(&["exception"]))
            {
                return;
            }
        }
    }

    /// Reads a statement of a block.
    fn one(&self, mut cursor: Cursor<'_>, out: &mut Vec<Deed>) {
        cursor.eat(&["return", "query"]);
        let Some(first) = cursor.peek(0) else { return };
        match first.text.to_ascii_uppercase().as_str() {
            "EXECUTE" => {
                cursor.next();
                self.execute(cursor, out);
            }
            // OPEN c FOR EXECUTE
            "OPEN" => {
                cursor.until(|at| at.is(0, "execute"));
                if cursor.eat(&["execute"]) {
                    self.execute(cursor, out);
                }
            }
            "PERFORM" => out.push(Deed::Unknown {
                what: "PERFORM".to_owned(),
                spelled: Vec::new(),
            }),
            "CREATE" | "ALTER" | "DROP" | "WITH" | "INSERT" | "UPDATE" | "DELETE" | "MERGE"
            | "TRUNCATE" | "COPY" | "SELECT" | "CALL" | "COMMENT" | "GRANT" | "REVOKE"
            | "REFRESH" | "REINDEX" | "LOCK" => {
                let mut deeds = Deeds::new(range(cursor.rest()), Side::Block(self.within));
                read(cursor, &mut deeds);
                out.extend(deeds.list.into_iter().map(|(_, deed)| deed));
            }
            _ => {}
        }
    }

    /// Reads what `EXECUTE` runs, as far as it is spelled out.
    fn execute(&self, mut cursor: Cursor<'_>, out: &mut Vec<Deed>) {
        let expression =
            cursor.until(|at| at.is(0, "into") || at.is(0, "using") || at.is(0, "loop"));
        match self.assigned.values(expression) {
            Some(values) => {
                for value in values.iter().take(MOST_VALUES) {
                    self.text(&cursor, value, out);
                }
                if values.len() > MOST_VALUES {
                    out.push(hidden());
                }
            }
            None => self.text(&cursor, expression, out),
        }
    }

    fn text(&self, cursor: &Cursor<'_>, expression: &[Token<'_>], out: &mut Vec<Deed>) {
        let text = spelled_out(cursor, expression);
        let before = out.len();
        if self.within < MOST_WITHIN {
            for piece in tokens(&text, 0).split(|token| token.is(";")) {
                self.sql(Cursor::new(&text, 0, piece), out);
            }
        }
        if out.len() == before {
            out.push(hidden());
        }
    }

    /// A statement in a string: SQL, and none of PL/pgSQL.
    fn sql(&self, cursor: Cursor<'_>, out: &mut Vec<Deed>) {
        let Some(first) = cursor.peek(0) else { return };
        let is_open = |ahead: usize| {
            cursor
                .peek(ahead)
                .is_none_or(|token| token.kind != Kind::Word)
        };
        let mut deeds = Deeds::new(range(cursor.rest()), Side::Block(self.within));
        if first.is("do") {
            self.block_within(cursor, &mut deeds);
        } else if first.is("execute")
            || is_open(0) && !first.is("(")
            || first.is_any(&["drop", "alter"]) && is_open(1)
        {
            deeds.push(hidden());
        } else {
            read(cursor, &mut deeds);
        }
        let reads_only = deeds.list.is_empty();
        out.extend(deeds.list.into_iter().map(|(_, deed)| match deed {
            // The action is computed.
            Deed::AlterTable { what, .. } if what.is_empty() || what.ends_with(' ') => hidden(),
            deed => deed,
        }));
        if reads_only {
            let what = cursor.capitals(1);
            out.push(Deed::Other { what });
        }
    }

    /// A `DO` in a string.
    fn block_within(&self, cursor: Cursor<'_>, deeds: &mut Deeds) {
        let mut spelled = Vec::new();
        let mut bodies = (cursor.rest().iter())
            .filter(|token| token.kind == Kind::Text)
            .filter_map(|body| string(body.text))
            .peekable();
        if bodies.peek().is_none() {
            spelled.push(hidden());
        }
        for text in bodies {
            statements(&text, 0, self.within + 1, BTreeSet::new(), &mut spelled);
        }
        deeds.push(Deed::Unknown {
            what: "DO".to_owned(),
            spelled,
        });
    }
}

/// Goes past the `THEN` of a condition, which may hold some of its own.
fn condition(cursor: &mut Cursor<'_>) {
    let mut cases = 0_usize;
    while let Some(token) = cursor.next() {
        if token.is("case") {
            cases += 1;
        } else if token.is("end") {
            cases = cases.saturating_sub(1);
        } else if token.is("then") && cases == 0 {
            return;
        }
    }
}
