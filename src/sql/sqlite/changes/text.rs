//! Names and expressions, as text.

use sqlite3_parser::ast::{Expr, QualifiedName, Type, TypeSize};
use sqlite3_parser::lexer::Scanner;
use sqlite3_parser::lexer::sql::Tokenizer;

use crate::sql::changes::Name;
use crate::sql::limits::MAX_DEPTH;

/// Whether two names are one: SQLite minds the case of no ASCII letter.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// A name without its quotes.
pub(super) fn name(name: &sqlite3_parser::ast::Name<'_>) -> String {
    dequoted(name.0)
}

/// The name of an object and of its schema.
pub(super) fn qualified(object: &QualifiedName<'_>) -> Name {
    Name {
        schema: object.db_name.as_ref().map(name),
        name: name(&object.name),
    }
}

/// A word without the quotes that SQLite takes around a name: `"a"`, `'a'`, a backtick, `[a]`.
pub(super) fn dequoted(word: &str) -> String {
    let closing = match word.chars().next() {
        Some('[') => ']',
        Some(quote @ ('"' | '\'' | '`')) => quote,
        _ => return word.to_owned(),
    };
    let Some(within) = word.get(1..).and_then(|rest| rest.strip_suffix(closing)) else {
        return word.to_owned();
    };
    if closing == ']' {
        within.to_owned()
    } else {
        within.replace(&format!("{closing}{closing}"), &closing.to_string())
    }
}

/// A type as written, blanks made single.
pub(super) fn type_name(ty: &Type<'_>, statement: &str) -> String {
    let words = dequoted(ty.name);
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut text = words.join(" ");
    match &ty.size {
        None => {}
        Some(TypeSize::MaxSize(one)) => {
            text.push_str(&format!("({})", expression(one, statement)));
        }
        Some(TypeSize::TypeSize(one, two)) => text.push_str(&format!(
            "({}, {})",
            expression(one, statement),
            expression(two, statement)
        )),
    }
    text
}

/// An expression as text.
///
/// Writing it takes a level of the stack for each level of the tree, which has no more of them than the
/// statement has tokens; one that could be too deep is not spelled out.
pub(super) fn expression(expression: &Expr<'_>, statement: &str) -> String {
    let is_flat = matches!(expression, Expr::Literal(_) | Expr::Id(_) | Expr::Name(_));
    if is_flat || !has_more_tokens(statement, MAX_DEPTH) {
        expression.to_string().trim().to_owned()
    } else {
        "(...)".to_owned()
    }
}

fn has_more_tokens(statement: &str, than: usize) -> bool {
    let mut scanner = Scanner::new(Tokenizer::new());
    std::iter::from_fn(|| scanner.scan(statement.as_bytes()).ok()?.1)
        .nth(than)
        .is_some()
}

/// The first word, in capitals.
pub(super) fn first_word(statement: &str) -> String {
    statement
        .split(|c: char| !c.is_ascii_alphanumeric())
        .find(|word| !word.is_empty())
        .unwrap_or_default()
        .to_ascii_uppercase()
}
