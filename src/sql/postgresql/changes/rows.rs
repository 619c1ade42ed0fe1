//! `UPDATE`, `DELETE` and `MERGE`: whether they leave rows out.

use super::Deeds;
use super::tokens::{Cursor, Kind, Token, string};
use crate::sql::changes::{Deed, Name};
use crate::sql::condition::{self, Scope, Term, Truth, both, met};

/// Reads `UPDATE`.
pub(super) fn update(cursor: &mut Cursor<'_>, deeds: &mut Deeds) -> Option<()> {
    cursor.next();
    cursor.eat(&["only"]);
    let table = cursor.name()?;
    let mut scope = Scope::of(&table, alias(cursor, "set").as_deref());
    cursor.until(|at| at.is(0, "set"));
    cursor.eat(&["set"]);
    let mut rest = *cursor;
    let set = rest.until(|at| at.is(0, "where") || at.is(0, "from") || at.is(0, "returning"));
    let columns = set_columns(&cursor.over(set));
    let joins = rest.eat(&["from"]);
    let (filtered, all_but_null) = rows(&mut rest, joins, &table, &mut scope);
    deeds.push(Deed::Update {
        table,
        columns,
        filtered,
        all_but_null,
    });
    Some(())
}

/// The columns that `SET` names.
pub(super) fn set_columns(set: &Cursor<'_>) -> Vec<String> {
    let mut columns = Vec::new();
    for mut part in set.parts() {
        if part.is(0, "(") {
            columns.extend(super::table::columns(&mut part));
        } else {
            columns.extend(part.word());
        }
    }
    columns
}

/// Reads `DELETE`.
pub(super) fn delete(cursor: &mut Cursor<'_>, deeds: &mut Deeds) -> Option<()> {
    cursor.next();
    cursor.eat(&["from"]);
    cursor.eat(&["only"]);
    let table = cursor.name()?;
    let mut scope = Scope::of(&table, alias(cursor, "using").as_deref());
    let joins = cursor.eat(&["using"]);
    let (filtered, all_but_null) = rows(cursor, joins, &table, &mut scope);
    deeds.push(Deed::Delete {
        table,
        filtered,
        all_but_null,
    });
    Some(())
}

/// What the table is called, where that is said; goes past it.
fn alias(cursor: &mut Cursor<'_>, next: &str) -> Option<String> {
    cursor.eat(&["*"]);
    let is_named = cursor.eat(&["as"]);
    let is_keyword = (cursor.peek(0))
        .is_some_and(|token| token.is_any(&[next, "where", "returning", "using", "when"]));
    (is_named || !is_keyword).then(|| cursor.word()).flatten()
}

/// Which rows are met, told from what follows: other tables, where there are any, and the condition.
fn rows(
    cursor: &mut Cursor<'_>,
    joins: bool,
    table: &Name,
    scope: &mut Scope,
) -> (bool, Option<Vec<String>>) {
    let others = cursor.until(|at| at.is(0, "where") || at.is(0, "returning"));
    scope.again = again(&cursor.over(others), table);
    let mut found = None;
    if cursor.eat(&["where"]) {
        let words = cursor.until(|at| at.is(0, "returning"));
        found = Some(condition::truth(&terms(words), scope));
    }
    match (joins, found) {
        // Each row that has another one beside it.
        (true, None | Some(Truth::True)) => met(Some(Truth::Whole)),
        (_, found) => met(found),
    }
}

/// What the same table is called in a list of tables.
fn again(list: &Cursor<'_>, table: &Name) -> Vec<String> {
    let mut out = Vec::new();
    for mut part in list.parts() {
        loop {
            part.eat(&["only"]);
            if let Some(name) = part.name()
                && name.name == table.name
            {
                let called = alias(&mut part, "on");
                out.push(called.unwrap_or(name.name));
            }
            part.until(|at| at.is(0, "join"));
            if !part.eat(&["join"]) {
                break;
            }
        }
    }
    out
}

/// Reads `MERGE`.
pub(super) fn merge(cursor: &mut Cursor<'_>, deeds: &mut Deeds) -> Option<()> {
    cursor.next();
    cursor.eat(&["into"]);
    cursor.eat(&["only"]);
    let table = cursor.name()?;
    let mut scope = Scope::of(&table, alias(cursor, "using").as_deref());
    cursor.eat(&["using"]);
    let source = cursor.until(|at| at.is(0, "on"));
    scope.again = again(&cursor.over(source), &table);
    cursor.eat(&["on"]);
    let on = terms(cursor.until(|at| at.is(0, "when")));
    let on = condition::truth(&on, &scope);
    while cursor.eat(&["when"]) {
        let by_source = cursor.are(&["not", "matched", "by", "source"]);
        let mut truth = if by_source {
            // What the source lacks: every row, if it has none.
            Truth::Whole
        } else if on == Truth::True {
            Truth::Whole
        } else {
            on.clone()
        };
        cursor.until(|at| at.is(0, "and") || at.is(0, "then"));
        if cursor.eat(&["and"]) {
            let more = terms(cursor.until(|at| at.is(0, "then")));
            truth = both(truth, condition::truth(&more, &scope));
        }
        cursor.eat(&["then"]);
        let mut action = *cursor;
        let action = cursor.over(action.until(|at| at.is(0, "when") || at.is(0, "returning")));
        merged(action, &table, truth, deeds);
        cursor.until(|at| at.is(0, "when"));
    }
    Some(())
}

fn merged(mut action: Cursor<'_>, table: &Name, truth: Truth, deeds: &mut Deeds) {
    let (filtered, all_but_null) = met(Some(truth));
    let table = table.clone();
    if action.eat(&["update", "set"]) {
        let columns = set_columns(&action);
        deeds.push(Deed::Update {
            table,
            columns,
            filtered,
            all_but_null,
        });
    } else if action.is(0, "delete") {
        deeds.push(Deed::Delete {
            table,
            filtered,
            all_but_null,
        });
    } else if action.eat(&["insert"]) {
        let columns = super::table::columns(&mut action);
        deeds.push(Deed::Insert {
            table,
            columns,
            from: Vec::new(),
            replaces: false,
        });
    }
}

/// Tokens as a condition's terms.
pub(super) fn terms(tokens: &[Token<'_>]) -> Vec<Term> {
    let term = |token: &Token<'_>| match token.kind {
        Kind::Word => Term::new(condition::Kind::Word, token.name().unwrap_or_default()),
        Kind::Quoted => Term::new(condition::Kind::Quoted, token.name().unwrap_or_default()),
        Kind::Text => Term::new(
            condition::Kind::Text,
            string(token.text).unwrap_or_else(|| token.text.to_owned()),
        ),
        Kind::Number => Term::new(condition::Kind::Number, token.text),
        Kind::Sign => Term::new(condition::Kind::Sign, token.text),
    };
    tokens.iter().map(term).collect()
}
