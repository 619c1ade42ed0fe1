//! Whether `UPDATE` and `DELETE` leave rows out, and what triggers do.

use sqlite3_parser::ast::{Expr, FromClause, SelectTable, TriggerCmd};
use sqlite3_parser::lexer::Scanner;
use sqlite3_parser::lexer::sql::{TokenType, Tokenizer};

use super::text::{dequoted, expression, name, qualified, same};
use crate::sql::changes::{Deed, Name};
use crate::sql::condition::{self, Kind, Scope, Term, Truth, met, truth};

/// Which rows of a table are met: in the words of a deed.
pub(super) fn of(
    table: &Name,
    from: Option<&FromClause<'_>>,
    has_condition: bool,
    text: &str,
) -> (bool, Option<Vec<String>>) {
    let terms = terms(text);
    let mut scope = Scope::default();
    scope.table = table.name.to_ascii_lowercase();
    scope.called = vec![alias(&terms).unwrap_or_else(|| scope.table.clone())];
    scope.again = from.map(|from| again(from, table)).unwrap_or_default();
    let found = has_condition.then(|| {
        let (from, to) = condition_of(&terms);
        truth(terms.get(from..to).unwrap_or_default(), &scope)
    });
    joined(from.is_some(), found)
}

fn joined(joins: bool, found: Option<Truth>) -> (bool, Option<Vec<String>>) {
    match (joins, found) {
        (true, None | Some(Truth::True)) => met(Some(Truth::Whole)),
        (_, found) => met(found),
    }
}

/// What the table is called: `UPDATE t AS x`.
fn alias(terms: &[Term]) -> Option<String> {
    let mut depth = 0_usize;
    let mut is_in = false;
    for pair in terms.windows(2) {
        let is = |word: &str| pair[0].kind == Kind::Word && pair[0].text == word;
        match pair[0].text.as_str() {
            "(" if pair[0].kind == Kind::Sign => depth += 1,
            ")" if pair[0].kind == Kind::Sign => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if is("update") || is("delete") => is_in = true,
            _ if is("set") || is("where") => return None,
            _ if is_in && is("as") => return Some(pair[1].text.clone()),
            _ => {}
        }
    }
    None
}

/// Where the condition of a statement stands among its terms.
fn condition_of(terms: &[Term]) -> (usize, usize) {
    let mut depth = 0_usize;
    let mut first = terms.len();
    for (at, term) in terms.iter().enumerate() {
        let word = match term.kind {
            Kind::Sign => {
                match term.text.as_str() {
                    "(" => depth += 1,
                    ")" => depth = depth.saturating_sub(1),
                    _ => {}
                }
                continue;
            }
            Kind::Word if depth == 0 => term.text.as_str(),
            _ => continue,
        };
        if first == terms.len() {
            if word == "where" {
                first = at + 1;
            }
        } else if ["returning", "order", "limit"].contains(&word) {
            return (first, at);
        }
    }
    (first, terms.len())
}

/// What the same table is called in a `FROM`.
fn again(from: &FromClause<'_>, table: &Name) -> Vec<String> {
    let joined = from.joins.iter().flatten().map(|join| &join.table);
    (from.select.into_iter().chain(joined))
        .filter_map(|one| match one {
            SelectTable::Table(other, alias, _) if same(&name(&other.name), &table.name) => {
                let called = match alias {
                    Some(
                        sqlite3_parser::ast::As::As(alias) | sqlite3_parser::ast::As::Elided(alias),
                    ) => name(alias),
                    None => name(&other.name),
                };
                Some(called.to_ascii_lowercase())
            }
            _ => None,
        })
        .collect()
}

/// A text as a condition's terms. Names are folded, quoted or not: SQLite minds no case.
fn terms(text: &str) -> Vec<Term> {
    let mut scanner = Scanner::new(Tokenizer::new());
    let mut out = Vec::new();
    while let Ok((_, Some((bytes, token)), _)) = scanner.scan(text.as_bytes()) {
        let word = String::from_utf8_lossy(bytes);
        let kind = match token {
            TokenType::TK_STRING => Kind::Text,
            TokenType::TK_BLOB => Kind::Text,
            TokenType::TK_INTEGER | TokenType::TK_FLOAT => Kind::Number,
            _ if word.starts_with(['"', '`', '[']) => Kind::Quoted,
            _ if word.starts_with(|char: char| char.is_alphanumeric() || char == '_') => Kind::Word,
            _ => Kind::Sign,
        };
        match kind {
            Kind::Sign => out.extend(
                word.chars()
                    .map(|char| Term::new(condition::Kind::Sign, char)),
            ),
            Kind::Quoted => out.push(Term::new(kind, dequoted(&word).to_ascii_lowercase())),
            Kind::Text => out.push(Term::new(kind, dequoted(&word))),
            _ => out.push(Term::new(kind, word.to_ascii_lowercase())),
        }
    }
    out
}

/// What a statement of a trigger does.
pub(super) fn of_trigger(command: &TriggerCmd<'_>, text: &str) -> Option<Deed> {
    let condition = |table: &Name, from: Option<&FromClause<'_>>, at: Option<&Expr<'_>>| {
        let mut scope = Scope::of(table, None);
        scope.table = table.name.to_ascii_lowercase();
        scope.called = vec![scope.table.clone()];
        scope.again = from.map(|from| again(from, table)).unwrap_or_default();
        let found = at.map(|at| truth(&terms(&expression(at, text)), &scope));
        joined(from.is_some(), found)
    };
    match command {
        TriggerCmd::Update {
            tbl_name,
            sets,
            from,
            where_clause,
            ..
        } => {
            let table = qualified(tbl_name);
            let (filtered, all_but_null) = condition(&table, from.as_ref(), where_clause.as_ref());
            Some(Deed::Update {
                table,
                columns: sets
                    .iter()
                    .flat_map(|set| set.col_names.iter().map(name))
                    .collect(),
                filtered,
                all_but_null,
            })
        }
        TriggerCmd::Delete {
            tbl_name,
            where_clause,
        } => {
            let table = qualified(tbl_name);
            let (filtered, all_but_null) = condition(&table, None, where_clause.as_ref());
            Some(Deed::Delete {
                table,
                filtered,
                all_but_null,
            })
        }
        TriggerCmd::Insert { .. } | TriggerCmd::Select(_) => None,
    }
}
