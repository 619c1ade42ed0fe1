//! Blocks of code: `DO`.
//!
//! What runs in one depends on what it finds. The statements that its body spells out are read as if they
//! stood alone, those in strings that it executes too; no more is claimed of them.

use super::tokens::{Cursor, Kind, Token, dollar_quoted, range, string, tokens};
use super::{Deeds, Side, read};
use crate::sql::changes::Deed;

/// How many texts within texts are read: a body, a string that it executes, one that that executes.
const MOST_WITHIN: u8 = 3;

/// What stands for a part of a statement that is computed.
const COMPUTED: &str = "<computed>";

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
    if let Some(body) = body.filter(|_| is_readable) {
        match dollar_quoted(body.text) {
            Some(at) => {
                let text = body.text.get(at.clone()).unwrap_or_default();
                statements(text, body.start + at.start, 1, &mut spelled);
            }
            None => {
                if let Some(text) = string(body.text) {
                    statements(&text, 0, 1, &mut spelled);
                }
            }
        }
    }
    deeds.push(Deed::Unknown {
        what: "DO".to_owned(),
        spelled,
    });
    Some(())
}

/// The statements of a body.
fn statements(text: &str, start: usize, within: u8, out: &mut Vec<Deed>) {
    let tokens = tokens(text, start);
    for piece in tokens.split(|token| token.is(";")) {
        let mut cursor = Cursor::new(text, start, piece);
        head(&mut cursor, within, out);
        one(cursor, within, out);
    }
}

/// Goes past what may stand in front of a statement of a block.
fn head(cursor: &mut Cursor<'_>, within: u8, out: &mut Vec<Deed>) {
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
                one(
                    cursor.over(query.get(at + 1..).unwrap_or_default()),
                    within,
                    out,
                );
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

/// Reads a statement of a block.
fn one(mut cursor: Cursor<'_>, within: u8, out: &mut Vec<Deed>) {
    cursor.eat(&["return", "query"]);
    let Some(first) = cursor.peek(0) else { return };
    match first.text.to_ascii_uppercase().as_str() {
        "EXECUTE" => {
            cursor.next();
            execute(cursor, within, out);
        }
        "PERFORM" => out.push(Deed::Unknown {
            what: "PERFORM".to_owned(),
            spelled: Vec::new(),
        }),
        "CREATE" | "ALTER" | "DROP" | "WITH" | "INSERT" | "UPDATE" | "DELETE" | "MERGE"
        | "TRUNCATE" | "COPY" | "SELECT" | "CALL" | "COMMENT" | "GRANT" | "REVOKE" | "REFRESH"
        | "REINDEX" | "LOCK" => {
            let mut deeds = Deeds::new(range(cursor.rest()), Side::Block(within));
            read(cursor, &mut deeds);
            out.extend(deeds.list.into_iter().map(|(_, deed)| deed));
        }
        _ => {}
    }
}

/// Reads what `EXECUTE` runs, as far as it is spelled out.
fn execute(mut cursor: Cursor<'_>, within: u8, out: &mut Vec<Deed>) {
    let expression = cursor.until(|at| at.is(0, "into") || at.is(0, "using") || at.is(0, "loop"));
    let text = spelled_out(&cursor, expression);
    if text.trim().is_empty() || within >= MOST_WITHIN {
        out.push(Deed::Unknown {
            what: "EXECUTE".to_owned(),
            spelled: Vec::new(),
        });
        return;
    }
    let before = out.len();
    for piece in tokens(&text, 0).split(|token| token.is(";")) {
        if piece.first().is_some_and(|token| token.is("do")) {
            let mut deeds = Deeds::new(range(piece), Side::Block(within));
            block_within(Cursor::new(&text, 0, piece), within, &mut deeds);
            out.extend(deeds.list.into_iter().map(|(_, deed)| deed));
        } else if piece.first().is_none_or(|token| !token.is("execute")) {
            one(Cursor::new(&text, 0, piece), within, out);
        }
    }
    if out.len() == before {
        out.push(Deed::Unknown {
            what: "EXECUTE".to_owned(),
            spelled: Vec::new(),
        });
    }
}

/// A `DO` in a string.
fn block_within(cursor: Cursor<'_>, within: u8, deeds: &mut Deeds) {
    let mut spelled = Vec::new();
    let bodies = cursor
        .rest()
        .iter()
        .filter(|token| token.kind == Kind::Text);
    for body in bodies {
        if let Some(text) = string(body.text) {
            statements(&text, 0, within + 1, &mut spelled);
        }
    }
    deeds.push(Deed::Unknown {
        what: "DO".to_owned(),
        spelled,
    });
}

/// The text that an expression comes to, [`COMPUTED`] for what it does not say: one string, several that are
/// joined, or the first argument of `format`.
fn spelled_out(cursor: &Cursor<'_>, expression: &[Token<'_>]) -> String {
    let mut expression = expression;
    // Brackets around the whole.
    while let [first, inner @ .., last] = expression
        && first.is("(")
        && last.is(")")
    {
        expression = inner;
    }
    if let [first, rest @ ..] = expression
        && first.is("format")
    {
        let arguments = cursor.over(rest).brackets().map(|list| list.parts());
        let template = arguments
            .and_then(|list| list.first().and_then(|part| part.peek(0).copied()))
            .and_then(|token| string(token.text))
            .unwrap_or_default();
        return formatted(&template);
    }
    let mut out = Spelled::default();
    let mut operand_is_open = false;
    let mut depth = 0_usize;
    for token in expression {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > 0 || token.is(")") {
            continue;
        }
        if token.is("|") {
            operand_is_open = false;
        } else if token.kind == Kind::Text
            && let Some(text) = string(token.text)
        {
            out.push(&text);
            operand_is_open = true;
        } else if !operand_is_open {
            out.push_computed();
            operand_is_open = true;
        }
    }
    out.text
}

/// A template of `format` with what it leaves open marked.
fn formatted(template: &str) -> String {
    let mut out = Spelled::default();
    let mut rest = template;
    while let Some(at) = rest.find('%') {
        out.push(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push("%");
            rest = after;
        } else if let Some(end) = rest.find(['I', 's', 'L']) {
            if rest.as_bytes().get(end) == Some(&b'L') {
                out.push("'<computed>'");
            } else {
                out.push_computed();
            }
            rest = &rest[end + 1..];
        }
    }
    out.push(rest);
    out.text
}

/// A statement that is put together.
#[derive(Debug, Default)]
struct Spelled {
    text: String,
    /// Whether a name in quotes is open at its end.
    in_quotes: bool,
}

impl Spelled {
    fn push(&mut self, text: &str) {
        self.in_quotes ^= text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
        self.text.push_str(text);
    }

    fn push_computed(&mut self) {
        let quote = if self.in_quotes { "" } else { "\"" };
        self.text.push_str(quote);
        self.text.push_str(COMPUTED);
        self.text.push_str(quote);
    }
}
