//! One value of a `SELECT`.

use super::lexer::{Kind, Token};
use super::{At, Item, parts};

/// Words that may follow the table of a `FROM`, so that they are no name for it.
pub(super) const AFTER_FROM: [&str; 26] = [
    "where",
    "group",
    "having",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
    "union",
    "intersect",
    "except",
    "window",
    "join",
    "inner",
    "left",
    "right",
    "full",
    "cross",
    "natural",
    "on",
    "using",
    "tablesample",
    "returning",
    "indexed",
    "not",
    "as",
];

/// Functions that give one value for each row.
const ONE_FOR_EACH: [&str; 58] = [
    "abs",
    "btrim",
    "cast",
    "ceil",
    "char",
    "char_length",
    "coalesce",
    "concat",
    "concat_ws",
    "convert_from",
    "date",
    "date_trunc",
    "datetime",
    "decode",
    "encode",
    "exists",
    "extract",
    "floor",
    "format",
    "gen_random_uuid",
    "hex",
    "ifnull",
    "iif",
    "in",
    "instr",
    "json",
    "json_array",
    "json_build_object",
    "json_extract",
    "json_object",
    "jsonb",
    "jsonb_build_array",
    "jsonb_build_object",
    "julianday",
    "left",
    "length",
    "lower",
    "ltrim",
    "md5",
    "mod",
    "nextval",
    "now",
    "nullif",
    "printf",
    "random",
    "randomblob",
    "replace",
    "right",
    "round",
    "rtrim",
    "strftime",
    "substr",
    "substring",
    "to_char",
    "trim",
    "typeof",
    "upper",
    "uuid_generate_v4",
];

/// More of them, and keywords that a bracket may follow.
const MORE: [&str; 22] = [
    "time",
    "unixepoch",
    "to_json",
    "to_jsonb",
    "to_timestamp",
    "current_timestamp",
    "and",
    "or",
    "not",
    "case",
    "when",
    "then",
    "else",
    "is",
    "like",
    "between",
    "varchar",
    "numeric",
    "decimal",
    "timestamp",
    "array",
    "unicode",
];

/// Words that are a value, not a column.
const CONSTANTS: [&str; 8] = [
    "null",
    "true",
    "false",
    "default",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtimestamp",
];

/// Reads a value, with the name that it may be given.
pub(super) fn item(at: &At<'_>, part: &[Token<'_>]) -> Item {
    let named = part.len().checked_sub(2);
    let as_name = named.is_some_and(|place| part.get(place).is_some_and(|token| token.is("as")));
    let value = match named {
        Some(place) if as_name => part.get(..place).unwrap_or_default(),
        // `email e`: two names side by side.
        Some(place) if part.iter().skip(place).all(|token| is_name(token)) => {
            part.get(..=place).unwrap_or_default()
        }
        _ => part,
    };
    let value = bare(value);
    if value.last().is_some_and(|token| token.is("*")) && path(value.get(..value.len() - 1)) {
        return Item::All;
    }
    plain(at, value)
        .map(Item::Column)
        .or_else(|| filled(at, value))
        .or_else(|| cast(at, value))
        .unwrap_or_else(|| Item::Other(said(at, value)))
}

fn is_name(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Word | Kind::Quoted)
}

/// Whether these are nothing, or `a.`, or `a.b.`
fn path(tokens: Option<&[Token<'_>]>) -> bool {
    let tokens = tokens.unwrap_or_default();
    tokens.len().is_multiple_of(2)
        && tokens
            .iter()
            .enumerate()
            .all(|(place, token)| match place % 2 {
                0 => is_name(token),
                _ => token.is("."),
            })
}

/// Without brackets around the whole.
fn bare<'a>(mut tokens: &'a [Token<'a>]) -> &'a [Token<'a>] {
    loop {
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
            return tokens;
        };
        let mut depth = 0_usize;
        let closes = tokens.iter().position(|token| {
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                depth = depth.saturating_sub(1);
            }
            depth == 0
        });
        if !first.is("(") || !last.is(")") || closes != Some(tokens.len() - 1) {
            return tokens;
        }
        tokens = tokens.get(1..tokens.len() - 1).unwrap_or_default();
    }
}

/// A column, with the table before it perhaps.
fn plain(at: &At<'_>, value: &[Token<'_>]) -> Option<String> {
    let value = bare(value);
    let (last, before) = value.split_last()?;
    let is_column =
        is_name(last) && path(Some(before)) && !(before.is_empty() && is_constant(last));
    is_column.then(|| last.name(at.engine)).flatten()
}

fn is_constant(token: &Token<'_>) -> bool {
    token.is_any(&CONSTANTS)
}

/// `coalesce(a, 0)`, `ifnull(a, 0)`.
fn filled(at: &At<'_>, value: &[Token<'_>]) -> Option<Item> {
    let (first, rest) = value.split_first()?;
    let whole = bare(rest);
    if !first.is_any(&["coalesce", "ifnull"]) || whole.len() == rest.len() {
        return None;
    }
    let parts = parts(whole);
    plain(at, parts.first()?).map(Item::Filled)
}

/// `CAST(a AS text)`, `a::text`.
fn cast(at: &At<'_>, value: &[Token<'_>]) -> Option<Item> {
    let (column, ty) = match value.split_first() {
        Some((first, rest)) if first.is("cast") && bare(rest).len() < rest.len() => {
            let within = bare(rest);
            let place = within.iter().position(|token| token.is("as"))?;
            (within.get(..place)?, within.get(place + 1..)?)
        }
        _ => {
            let place = value
                .windows(2)
                .position(|two| two.iter().all(|token| token.is(":")))?;
            (value.get(..place)?, value.get(place + 2..)?)
        }
    };
    let is_type = ty.iter().all(|token| {
        is_name(token)
            || token.kind == Kind::Number
            || token.is_any(&["(", ")", "[", "]", ",", "."])
    });
    if !is_type || ty.is_empty() {
        return None;
    }
    Some(Item::Cast(plain(at, column)?, said(at, ty)))
}

/// The text of tokens as it stands there.
fn said(at: &At<'_>, tokens: &[Token<'_>]) -> String {
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
        return String::new();
    };
    let text = at.text.get(first.start..last.start + last.text.len());
    text.unwrap_or_default().to_owned()
}

/// The function of a value that may make one row of many, or none of one.
pub(super) fn gathers(part: &[Token<'_>]) -> Option<String> {
    // What a query in brackets calls is within that one.
    let mut depth = 0_usize;
    let mut queries = Vec::new();
    for (place, token) in part.iter().enumerate() {
        let next = part.get(place + 1);
        if token.is("(") {
            depth += 1;
            if next.is_some_and(|next| next.is_any(&["select", "with", "values"])) {
                queries.push(depth);
            }
        } else if token.is(")") {
            if queries.last() == Some(&depth) {
                queries.pop();
            }
            depth = depth.saturating_sub(1);
        } else if queries.is_empty()
            && is_name(token)
            && next.is_some_and(|next| next.is("("))
            && !token.is_any(&ONE_FOR_EACH)
            && !token.is_any(&MORE)
            // `::varchar(3)`
            && !place.checked_sub(1).and_then(|place| part.get(place)).is_some_and(|before| before.is_any(&[":", "as"]))
        {
            return Some(format!("{}(...)", token.text));
        }
    }
    None
}
