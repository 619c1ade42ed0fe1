//! Statements about rows.

use std::collections::BTreeSet;

use super::rows::{delete, merge, set_columns, update};
use super::tokens::{Cursor, Kind, Token, range};
use super::{Deeds, Side, read};
use crate::sql::changes::{Deed, Name};

/// Functions whose call changes nothing: a `SELECT` of nothing else is no deed.
const HARMLESS: [&str; 80] = [
    "abs",
    "age",
    "any",
    "all",
    "some",
    "array",
    "array_agg",
    "array_length",
    "array_position",
    "array_to_string",
    "avg",
    "bool_and",
    "bool_or",
    "btrim",
    "cast",
    "ceil",
    "char_length",
    "coalesce",
    "concat",
    "concat_ws",
    "count",
    "current_schema",
    "current_setting",
    "date_part",
    "date_trunc",
    "dense_rank",
    "encode",
    "exists",
    "extract",
    "filter",
    "first_value",
    "floor",
    "format",
    "gen_random_uuid",
    "generate_series",
    "greatest",
    "has_table_privilege",
    "in",
    "json_agg",
    "json_array_elements",
    "json_build_object",
    "jsonb_agg",
    "jsonb_array_elements",
    "jsonb_build_object",
    "jsonb_each",
    "jsonb_set",
    "lag",
    "lead",
    "least",
    "left",
    "length",
    "lower",
    "ltrim",
    "max",
    "md5",
    "min",
    "mod",
    "now",
    "nullif",
    "obj_description",
    "over",
    "pg_typeof",
    "position",
    "random",
    "rank",
    "regexp_replace",
    "replace",
    "right",
    "round",
    "row",
    "row_number",
    "rtrim",
    "split_part",
    "string_agg",
    "substring",
    "sum",
    "to_char",
    "to_regclass",
    "trim",
    "upper",
];

/// Keywords that a bracket may follow.
const KEYWORDS: [&str; 30] = [
    "and",
    "or",
    "not",
    "where",
    "from",
    "join",
    "on",
    "using",
    "select",
    "by",
    "then",
    "else",
    "when",
    "case",
    "as",
    "is",
    "like",
    "ilike",
    "between",
    "with",
    "union",
    "except",
    "intersect",
    "distinct",
    "values",
    "having",
    "lateral",
    "within",
    "group",
    "materialized",
];

/// Reads a statement about rows, with the statements in front of it in `WITH`.
pub(super) fn data(cursor: &mut Cursor<'_>, deeds: &mut Deeds) -> Option<()> {
    let whole = *cursor;
    let mut with = BTreeSet::new();
    if cursor.eat(&["explain"]) {
        // Only with ANALYZE does anything run.
        let head = cursor.until(|at| {
            at.peek(0).is_some_and(|token| {
                token.is_any(&[
                    "insert", "update", "delete", "merge", "with", "create", "select",
                ])
            })
        });
        if head.iter().any(|token| token.is("analyze")) {
            read(*cursor, deeds);
        }
        return Some(());
    }
    if cursor.eat(&["with"]) {
        cursor.eat(&["recursive"]);
        common_tables(cursor, &mut with, deeds);
    }
    let first = cursor.peek(0)?;
    match first.text.to_ascii_uppercase().as_str() {
        "INSERT" => insert(cursor, &with, deeds),
        "UPDATE" => update(cursor, deeds),
        "DELETE" => delete(cursor, deeds),
        "MERGE" => merge(cursor, deeds),
        "TRUNCATE" => truncate(cursor, deeds),
        "COPY" => copy(cursor, deeds),
        _ => {
            nested(cursor, deeds);
            select(&whole, cursor, deeds);
            Some(())
        }
    }
}

/// The statements in `WITH`, and the names that they give.
fn common_tables(cursor: &mut Cursor<'_>, with: &mut BTreeSet<String>, deeds: &mut Deeds) {
    while let Some(name) = cursor.word() {
        with.insert(name);
        cursor.brackets();
        cursor.eat(&["as"]);
        let _ = cursor.eat(&["materialized"]) || cursor.eat(&["not", "materialized"]);
        if let Some(mut body) = cursor.brackets() {
            let place = range(body.rest());
            let mut within = Deeds::new(place, deeds.side);
            let writes = (body.peek(0))
                .is_some_and(|token| token.is_any(&["insert", "update", "delete", "merge"]));
            // The server takes WITH with a statement that writes at the outermost level only.
            if writes {
                data_alone(&mut body, with, &mut within);
            }
            deeds.list.append(&mut within.list);
        }
        // SEARCH and CYCLE may follow.
        cursor.until(|at| {
            at.peek(0).is_some_and(|token| {
                token.is_any(&[
                    ",", "select", "insert", "update", "delete", "merge", "values", "table", "(",
                ])
            })
        });
        if !cursor.eat(&[","]) {
            break;
        }
    }
}

/// The statements that write in a `WITH` further in: of a query that makes a table, that an `INSERT` takes its
/// rows from, or that stands in brackets.
pub(super) fn nested(cursor: &Cursor<'_>, deeds: &mut Deeds) {
    let rest = cursor.rest();
    for (at, pair) in rest.windows(3).enumerate() {
        let opens = pair[0].is_any(&["as", "materialized"]) && pair[1].is("(");
        if opens && pair[2].is_any(&["insert", "update", "delete", "merge"]) {
            let mut body = cursor.over(rest.get(at + 1..).unwrap_or_default());
            if let Some(mut body) = body.brackets() {
                let mut within = Deeds::new(range(body.rest()), deeds.side);
                data_alone(&mut body, &BTreeSet::new(), &mut within);
                deeds.list.append(&mut within.list);
            }
        }
    }
}

fn data_alone(cursor: &mut Cursor<'_>, with: &BTreeSet<String>, deeds: &mut Deeds) -> Option<()> {
    let first = cursor.peek(0)?;
    match first.text.to_ascii_uppercase().as_str() {
        "INSERT" => insert(cursor, with, deeds),
        "UPDATE" => update(cursor, deeds),
        "DELETE" => delete(cursor, deeds),
        _ => merge(cursor, deeds),
    }
}

fn insert(cursor: &mut Cursor<'_>, with: &BTreeSet<String>, deeds: &mut Deeds) -> Option<()> {
    if !cursor.eat(&["insert", "into"]) {
        return None;
    }
    let table = cursor.name()?;
    if cursor.eat(&["as"]) {
        cursor.word();
    }
    let is_list = cursor.is(0, "(")
        && !cursor
            .peek(1)
            .is_some_and(|token| token.is_any(&["select", "with", "values", "("]));
    let columns = if is_list {
        super::table::columns(cursor)
    } else {
        Vec::new()
    };
    let mut conflict = *cursor;
    conflict.until(|at| at.are(&["on", "conflict"]));
    let replaces = conflict.has("do") && {
        conflict.until(|at| at.is(0, "do"));
        conflict.is(1, "update")
    };
    let from = sources(cursor.rest(), cursor, with);
    // With its own rows as the new ones, an upsert meets them all.
    if replaces && from.iter().any(|from| from.name == table.name) {
        conflict.until(|at| at.is(0, "set"));
        conflict.eat(&["set"]);
        let set = conflict.until(|at| at.is(0, "where") || at.is(0, "returning"));
        deeds.push(Deed::Update {
            table: table.clone(),
            columns: set_columns(&cursor.over(set)),
            filtered: true,
            all_but_null: Some(Vec::new()),
        });
    }
    deeds.push(Deed::Insert {
        table,
        columns,
        from,
        replaces,
    });
    nested(cursor, deeds);
    Some(())
}

/// The tables that queries among these tokens read.
fn sources(tokens: &[Token<'_>], cursor: &Cursor<'_>, with: &BTreeSet<String>) -> Vec<Name> {
    let mut out = Vec::new();
    let mut seen = BTreeSet::new();
    // For each bracket around: whether a query stands in it, and whether its FROM list is being read.
    let mut around = vec![(false, false)];
    for (at, token) in tokens.iter().enumerate() {
        let Some((query, list)) = around.last_mut() else {
            break;
        };
        let mut named = None;
        if token.is("(") {
            // `FROM (a JOIN b)` goes on with the list.
            let goes_on = *list && at > 0 && tokens[at - 1].is_any(&["from", ",", "join", "("]);
            around.push((goes_on, goes_on));
            named = goes_on.then_some(at + 1);
        } else if token.is(")") {
            if around.len() > 1 {
                around.pop();
            }
        } else if token.is("select") {
            (*query, *list) = (true, false);
        } else if token.is("from") && *query && !(at > 0 && tokens[at - 1].is("distinct")) {
            *list = true;
            named = Some(at + 1);
        } else if token.is("join") && *query || token.is(",") && *list {
            named = Some(at + 1);
        } else if token.is_any(&[
            "where",
            "group",
            "order",
            "having",
            "limit",
            "window",
            "returning",
        ]) {
            *list = false;
        }
        let Some(first) = named else { continue };
        let mut after = cursor.over(tokens.get(first..).unwrap_or_default());
        let _ = after.eat(&["only"]) || after.eat(&["lateral"]);
        if after.is(0, "select") {
            continue;
        }
        let Some(name) = after.name() else { continue };
        let is_with = name.schema.is_none() && with.contains(&name.name);
        if !is_with && !after.is(0, "(") && seen.insert(name.clone()) {
            out.push(name);
        }
    }
    out
}

fn truncate(cursor: &mut Cursor<'_>, deeds: &mut Deeds) -> Option<()> {
    cursor.next();
    cursor.eat(&["table"]);
    let mut rest = *cursor;
    let list = rest.until(|at| {
        at.peek(0)
            .is_some_and(|token| token.is_any(&["restart", "continue", "cascade", "restrict"]))
    });
    let cascade = rest.has("cascade");
    let parts = cursor.over(list).parts();
    let alone = parts.len() == 1;
    for mut part in parts {
        let place = range(part.rest());
        part.eat(&["only"]);
        let Some(table) = part.name() else { continue };
        let deed = Deed::Truncate { table, cascade };
        if alone {
            deeds.push(deed);
        } else {
            deeds.push_at(place, deed);
        }
    }
    Some(())
}

fn copy(cursor: &mut Cursor<'_>, deeds: &mut Deeds) -> Option<()> {
    cursor.next();
    cursor.eat(&["binary"]);
    if cursor.is(0, "(") {
        let mut query = cursor.brackets()?;
        // No COPY stands within: nothing goes deeper here.
        if !query.is(0, "copy") {
            data(&mut query, deeds);
        }
        return Some(());
    }
    let table = cursor.name()?;
    let columns = super::table::columns(cursor);
    if cursor.is(0, "from") {
        deeds.push(Deed::Insert {
            table,
            columns,
            from: Vec::new(),
            replaces: false,
        });
    } else {
        deeds.push(Deed::Other {
            what: "COPY".to_owned(),
        });
    }
    Some(())
}

/// A query: a deed where it makes a table, or calls a function that may do anything.
fn select(whole: &Cursor<'_>, cursor: &mut Cursor<'_>, deeds: &mut Deeds) {
    let is_sql = deeds.side == Side::Sql;
    let mut into = *cursor;
    into.until(|at| at.is(0, "into") || at.is(0, "from"));
    if is_sql && into.eat(&["into"]) {
        let temporary = into.eat(&["temp"]) || into.eat(&["temporary"]);
        into.eat(&["unlogged"]);
        into.eat(&["table"]);
        if let Some(table) = into.name() {
            deeds.push(Deed::CreateTable {
                table,
                if_not_exists: false,
                columns: Vec::new(),
                constraints: Vec::new(),
                from_elsewhere: true,
                temporary,
            });
        }
    }
    match call(whole.rest()) {
        Some("setval" | "set_config") => {
            let what = format!("SELECT {}", call(whole.rest()).unwrap_or_default());
            deeds.push(Deed::Other { what });
        }
        Some(_) => deeds.push(Deed::Unknown {
            what: whole.capitals(1),
            spelled: Vec::new(),
        }),
        None => {}
    }
}

/// The first function that is called and is not known to be harmless.
fn call<'a>(tokens: &[Token<'a>]) -> Option<&'a str> {
    let pairs = tokens.windows(2).enumerate();
    for (at, pair) in pairs {
        let is_call = matches!(pair[0].kind, Kind::Word | Kind::Quoted) && pair[1].is("(");
        if !is_call || pair[0].is_any(&KEYWORDS) || pair[0].is_any(&HARMLESS) {
            continue;
        }
        // A type with a length, a name with columns: `::varchar(3)`, `AS t(a, b)`, `WITH t(a)`.
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let names = before.is_some_and(|token| token.is_any(&[":", "as", "with", "recursive"]));
        if !names {
            return Some(pair[0].text);
        }
    }
    None
}
