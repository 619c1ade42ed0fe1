//! Columns and constraints, as `CREATE TABLE` and `ALTER TABLE` describe them.

use std::collections::BTreeSet;

use super::tokens::{Cursor, Kind, Token};
use crate::sql::changes::{Column, Constraint, ConstraintKind, Name};

/// What stands in the brackets of `CREATE TABLE`.
#[derive(Debug, Default)]
pub(super) struct Elements {
    pub(super) columns: Vec<Column>,
    pub(super) constraints: Vec<Constraint>,
    /// A `LIKE` is among them.
    pub(super) like: bool,
}

/// Reads what stands in the brackets of `CREATE TABLE`.
pub(super) fn elements(list: &Cursor<'_>) -> Elements {
    let mut out = Elements::default();
    for mut part in list.parts() {
        if part.is(0, "like") {
            out.like = true;
        } else if is_constraint(&part) {
            out.constraints.extend(constraint(&mut part));
        } else {
            out.columns.extend(column(&mut part));
        }
    }
    // A primary key of the table makes its columns NOT NULL.
    let not_null: BTreeSet<&String> = (out.constraints.iter())
        .filter(|constraint| {
            matches!(
                constraint.kind,
                ConstraintKind::PrimaryKey | ConstraintKind::NotNull
            )
        })
        .flat_map(|constraint| &constraint.columns)
        .collect();
    for column in &mut out.columns {
        column.not_null |= not_null.contains(&column.name);
    }
    out
}

/// Whether a constraint comes next, and no column.
pub(super) fn is_constraint(cursor: &Cursor<'_>) -> bool {
    let first = |words: &[&str]| cursor.peek(0).is_some_and(|token| token.is_any(words));
    first(&["constraint", "check", "unique", "primary", "foreign"])
        || cursor.are(&["not", "null"])
        // `exclude` alone may be the name of a column.
        || (cursor.is(0, "exclude") && (cursor.is(1, "(") || cursor.is(1, "using")))
}

/// Whether what ends an expression within a description of a column comes next.
fn ends_expression(at: &Cursor<'_>) -> bool {
    let Some(token) = at.peek(0) else { return true };
    token.is_any(&[
        "constraint",
        "check",
        "unique",
        "primary",
        "references",
        "generated",
        "collate",
        "deferrable",
        "initially",
        "storage",
        "compression",
        "default",
        "null",
        "options",
    ]) || (token.is("not") && (at.is(1, "null") || at.is(1, "deferrable") || at.is(1, "valid")))
}

/// Reads a column.
pub(super) fn column(cursor: &mut Cursor<'_>) -> Option<Column> {
    let mut column = Column {
        name: cursor.word()?,
        ..Column::default()
    };
    let ty = ty(cursor);
    column.ty = cursor.plain(ty);
    if ty.len() == 1 && ty[0].kind == Kind::Word {
        let serial = [
            "serial",
            "bigserial",
            "smallserial",
            "serial2",
            "serial4",
            "serial8",
        ];
        column.is_identity = ty[0].is_any(&serial);
        column.not_null = column.is_identity;
    }
    while !cursor.is_done() {
        option(cursor, &mut column);
    }
    Some(column)
}

/// The tokens of a type: to what can follow it.
fn ty<'a>(cursor: &mut Cursor<'a>) -> &'a [Token<'a>] {
    if ends_expression(cursor) {
        return &[];
    }
    cursor.until(ends_expression)
}

/// Reads one of what follows the type of a column.
fn option(cursor: &mut Cursor<'_>, column: &mut Column) {
    if cursor.eat(&["constraint"]) {
        cursor.next();
        // The name has to be told, to be dropped by it.
        column.more = true;
    } else if cursor.eat(&["not", "null"]) {
        column.not_null = true;
        cursor.eat(&["no", "inherit"]);
    } else if cursor.eat(&["null"]) {
    } else if cursor.eat(&["default"]) {
        let text = expression(cursor);
        column.default = Some(cursor.said(text));
    } else if cursor.eat(&["primary", "key"]) {
        column.primary_key = true;
        column.not_null = true;
        index_parameters(cursor);
    } else if cursor.eat(&["unique"]) {
        column.unique = true;
        if cursor.eat(&["nulls"]) {
            column.more = true;
            cursor.eat(&["not"]);
            cursor.eat(&["distinct"]);
        }
        index_parameters(cursor);
    } else if cursor.eat(&["check"]) {
        column.check = true;
        cursor.brackets();
        cursor.eat(&["no", "inherit"]);
    } else if cursor.eat(&["references"]) {
        column.references = cursor.name();
        cursor.brackets();
        while cursor.is(0, "match") || cursor.is(0, "on") {
            let words = if cursor.is(0, "match") { 1 } else { 2 };
            for _ in 0..words {
                cursor.next();
            }
            // FULL, CASCADE, RESTRICT; NO ACTION, SET NULL, SET DEFAULT
            if words == 2 && (cursor.is(0, "no") || cursor.is(0, "set")) {
                cursor.next();
            }
            cursor.next();
            cursor.brackets();
        }
    } else if cursor.eat(&["generated"]) {
        generated(cursor, column);
    } else {
        column.more = true;
        cursor.next();
    }
}

fn generated(cursor: &mut Cursor<'_>, column: &mut Column) {
    let by_default = cursor.eat(&["by", "default"]);
    if !by_default {
        cursor.eat(&["always"]);
    }
    cursor.eat(&["as"]);
    if cursor.eat(&["identity"]) {
        column.is_identity = true;
        column.not_null = true;
        cursor.brackets();
    } else {
        column.is_generated = true;
        cursor.brackets();
        let _ = cursor.eat(&["stored"]) || cursor.eat(&["virtual"]);
    }
}

fn index_parameters(cursor: &mut Cursor<'_>) {
    if cursor.eat(&["include"]) {
        cursor.brackets();
    }
    if cursor.eat(&["with"]) {
        cursor.brackets();
    }
    if cursor.eat(&["using", "index", "tablespace"]) {
        cursor.next();
    }
}

/// An expression: at least one token, then to what can follow it.
fn expression<'a>(cursor: &mut Cursor<'a>) -> &'a [Token<'a>] {
    let all = cursor.rest();
    if cursor.is(0, "(") {
        cursor.brackets();
    } else {
        cursor.next();
    }
    cursor.until(ends_expression);
    let taken = all.len() - cursor.rest().len();
    all.get(..taken).unwrap_or_default()
}

/// Reads a constraint of a table.
pub(super) fn constraint(cursor: &mut Cursor<'_>) -> Option<Constraint> {
    let name = cursor.eat(&["constraint"]).then(|| cursor.word()).flatten();
    let (kind, columns) = if cursor.eat(&["primary", "key"]) {
        (ConstraintKind::PrimaryKey, columns(cursor))
    } else if cursor.eat(&["unique"]) {
        cursor.eat(&["nulls", "distinct"]);
        cursor.eat(&["nulls", "not", "distinct"]);
        (ConstraintKind::Unique, columns(cursor))
    } else if cursor.eat(&["foreign", "key"]) {
        let columns = columns(cursor);
        cursor.eat(&["references"]);
        let to = cursor.name().unwrap_or_else(|| Name::plain(""));
        (ConstraintKind::Foreign(to), columns)
    } else if cursor.eat(&["check"]) {
        cursor.brackets();
        (ConstraintKind::Check, Vec::new())
    } else if cursor.eat(&["exclude"]) {
        (ConstraintKind::Exclude, Vec::new())
    } else if cursor.eat(&["not", "null"]) {
        (ConstraintKind::NotNull, cursor.word().into_iter().collect())
    } else {
        return None;
    };
    let mut using_index = None;
    let mut not_valid = false;
    while !cursor.is_done() {
        if cursor.eat(&["using", "index"]) && !cursor.is(0, "tablespace") {
            using_index = cursor.word();
        } else if cursor.eat(&["not", "valid"]) {
            not_valid = true;
        } else {
            cursor.next();
        }
    }
    Some(Constraint {
        name,
        kind,
        columns,
        not_valid,
        using_index,
    })
}

/// Names in brackets.
pub(super) fn columns(cursor: &mut Cursor<'_>) -> Vec<String> {
    let Some(list) = cursor.brackets() else {
        return Vec::new();
    };
    let names = list.parts().into_iter();
    names.filter_map(|mut part| part.word()).collect()
}
