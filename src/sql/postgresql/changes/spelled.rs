//! Statements that a block puts together: what of them stands in the text.

use super::tokens::{Cursor, Kind, Token, string};

/// What stands for a part of a statement that is computed.
const COMPUTED: &str = "<computed>";

/// The text that an expression comes to, [`COMPUTED`] for what it does not say: one string, several that are
/// joined, or the first argument of `format`.
pub(super) fn spelled_out(cursor: &Cursor<'_>, expression: &[Token<'_>]) -> String {
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
