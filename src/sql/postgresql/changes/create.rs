//! `CREATE`.

use super::tokens::{Cursor, Kind, range, string};
use super::{Deeds, data, object_kind, read, table};
use crate::sql::changes::{Deed, Name, ObjectKind};

/// Reads any `CREATE`.
pub(super) fn create(cursor: &mut Cursor<'_>, deeds: &mut Deeds) -> Option<()> {
    cursor.next();
    let or_replace = cursor.eat(&["or", "replace"]);
    let _ = cursor.eat(&["global"]) || cursor.eat(&["local"]);
    let temporary = cursor.eat(&["temp"]) || cursor.eat(&["temporary"]);
    cursor.eat(&["unlogged"]);
    cursor.eat(&["recursive"]);
    cursor.eat(&["trusted"]);
    cursor.eat(&["constraint"]);
    if cursor.eat(&["table"]) {
        return table(cursor, temporary, deeds);
    }
    let unique = cursor.eat(&["unique"]);
    if cursor.eat(&["index"]) {
        return index(cursor, unique, deeds);
    }
    if cursor.eat(&["type"]) {
        return ty(cursor, deeds);
    }
    if cursor.eat(&["schema"]) {
        return schema(cursor, deeds);
    }
    let kind = object_kind(cursor);
    let if_not_exists = cursor.eat(&["if", "not", "exists"]);
    let name = cursor.name()?;
    let is_routine = matches!(
        kind,
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate
    );
    let on = match kind {
        ObjectKind::Trigger | ObjectKind::Policy => {
            cursor.until(|at| at.is(0, "on"));
            cursor.eat(&["on"]).then(|| cursor.name()).flatten()
        }
        ObjectKind::Rule => {
            cursor.until(|at| at.is(0, "to"));
            cursor.eat(&["to"]).then(|| cursor.name()).flatten()
        }
        _ => None,
    };
    let signature = if is_routine {
        signature(cursor)
    } else {
        String::new()
    };
    deeds.push(Deed::Create {
        kind,
        name,
        on,
        if_not_exists,
        or_replace,
        temporary,
        signature,
    });
    Some(())
}

fn table(cursor: &mut Cursor<'_>, temporary: bool, deeds: &mut Deeds) -> Option<()> {
    let if_not_exists = cursor.eat(&["if", "not", "exists"]);
    let table = cursor.name()?;
    let mut from_elsewhere = cursor.is(0, "of") || cursor.is(0, "partition");
    let mut columns = Vec::new();
    let mut constraints = Vec::new();
    if !from_elsewhere && let Some(list) = cursor.brackets() {
        let mut rest = *cursor;
        rest.until(|at| at.is(0, "as") || at.is(0, "inherits"));
        from_elsewhere = !rest.is_done();
        // The list in front of AS names columns without types.
        if !rest.is(0, "as") {
            let elements = table::elements(&list);
            from_elsewhere |= elements.like;
            columns = elements.columns;
            constraints = elements.constraints;
        }
    } else {
        from_elsewhere = true;
    }
    deeds.push(Deed::CreateTable {
        table,
        if_not_exists,
        columns,
        constraints,
        from_elsewhere,
        temporary,
    });
    data::nested(cursor, deeds);
    Some(())
}

fn index(cursor: &mut Cursor<'_>, unique: bool, deeds: &mut Deeds) -> Option<()> {
    let concurrently = cursor.eat(&["concurrently"]);
    let if_not_exists = cursor.eat(&["if", "not", "exists"]);
    let index = if cursor.is(0, "on") {
        None
    } else {
        cursor.name()
    };
    cursor.eat(&["on"]);
    cursor.eat(&["only"]);
    let table = cursor.name()?;
    let mut more = false;
    if cursor.eat(&["using"]) {
        more = !cursor.is(0, "btree");
        cursor.next();
    }
    let parts = cursor.brackets().map(|list| list.parts());
    let mut columns = Vec::new();
    for mut part in parts.into_iter().flatten() {
        let name = (!part.is(1, "(") && !part.is(1, ".")).then(|| part.word());
        match name.flatten() {
            Some(name) => {
                columns.push(name);
                part.eat(&["asc"]);
                more |= !part.is_done();
            }
            None => {
                columns.push(String::new());
                more = true;
            }
        }
    }
    if columns.iter().any(String::is_empty) {
        columns.clear();
    }
    more |= !cursor.is_done();
    deeds.push(Deed::CreateIndex {
        index,
        table,
        unique,
        concurrently,
        if_not_exists,
        columns,
        more,
    });
    Some(())
}

fn ty(cursor: &mut Cursor<'_>, deeds: &mut Deeds) -> Option<()> {
    let name = cursor.name()?;
    let labels = if cursor.eat(&["as", "enum"]) {
        let list = cursor.brackets().map(|list| list.parts());
        let labels = list.into_iter().flatten();
        Some(
            labels
                .filter_map(|part| part.peek(0).and_then(|token| string(token.text)))
                .collect(),
        )
    } else {
        None
    };
    deeds.push(Deed::CreateType { name, labels });
    Some(())
}

/// `CREATE SCHEMA`, with the statements that may stand within.
fn schema(cursor: &mut Cursor<'_>, deeds: &mut Deeds) -> Option<()> {
    let if_not_exists = cursor.eat(&["if", "not", "exists"]);
    let mut name = None;
    if !cursor.is(0, "authorization") {
        name = cursor.word();
    }
    if cursor.eat(&["authorization"]) {
        let owner = cursor.word();
        name = name.or(owner);
    }
    let schema = name?;
    deeds.push(Deed::Create {
        kind: ObjectKind::Schema,
        name: Name::plain(schema.clone()),
        on: None,
        if_not_exists,
        or_replace: false,
        temporary: false,
        signature: String::new(),
    });
    while !cursor.is_done() {
        let mut rest = *cursor;
        rest.next();
        rest.until(|at| at.is(0, "create") || at.is(0, "grant"));
        let taken = cursor.rest().len() - rest.rest().len();
        let element = cursor.rest().get(..taken).unwrap_or_default();
        let mut within = Deeds::new(range(element), deeds.side);
        read(cursor.over(element), &mut within);
        for (place, mut deed) in within.list {
            put_into(&mut deed, &schema);
            deeds.push_at(place, deed);
        }
        *cursor = rest;
    }
    Some(())
}

/// What is made within `CREATE SCHEMA` stands in it.
fn put_into(deed: &mut Deed, schema: &str) {
    let (Deed::CreateTable { table: name, .. }
    | Deed::CreateIndex { table: name, .. }
    | Deed::Create { name, .. }) = deed
    else {
        return;
    };
    name.schema.get_or_insert_with(|| schema.to_owned());
}

/// The types of the arguments that tell a routine from others of its name, in brackets.
fn signature(cursor: &mut Cursor<'_>) -> String {
    let Some(list) = cursor.brackets() else {
        return "()".to_owned();
    };
    let mut types = Vec::new();
    for mut part in list.parts() {
        if part.is(0, "order") {
            continue;
        }
        if part.is(0, "out") {
            // OUT tells nothing apart; `out` as a name of an argument has a type after it too, but so has OUT.
            continue;
        }
        let inout = part.eat(&["in", "out"]) || part.eat(&["inout"]);
        if !inout {
            part.eat(&["in"]);
        }
        let variadic = part.eat(&["variadic"]);
        let all = part.until(|at| at.is(0, "default") || at.is(0, "="));
        let ty = if has_name(all.iter().map(|token| (token.kind, token.text))) {
            all.get(1..).unwrap_or_default()
        } else {
            all
        };
        let mode = if variadic { "VARIADIC " } else { "" };
        types.push(format!("{mode}{}", part.plain(ty)));
    }
    format!("({})", types.join(", "))
}

/// Whether an argument has a name in front of its type: two words side by side, and not a type of several.
fn has_name<'a>(mut tokens: impl Iterator<Item = (Kind, &'a str)>) -> bool {
    let is_word = |kind: Kind| matches!(kind, Kind::Word | Kind::Quoted);
    let (Some((first_kind, first)), Some((kind, second))) = (tokens.next(), tokens.next()) else {
        return false;
    };
    if !is_word(first_kind) || !is_word(kind) {
        return false;
    }
    let is = |text: &str, words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    let of_several = is(first, &["double"]) && is(second, &["precision"])
        || is(first, &["character", "char", "bit", "nchar", "national"])
            && is(second, &["varying", "character", "char"])
        || is(first, &["timestamp", "time"]) && is(second, &["with", "without"])
        || is(first, &["interval"])
            && is(
                second,
                &["year", "month", "day", "hour", "minute", "second"],
            )
        || is(first, &["setof"])
        || is(second, &["array"]);
    !of_several
}
