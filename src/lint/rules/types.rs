//! What a change of a column's type does to its values.

use super::types::Verdict::{Lossy, MayFail, Safe};
use crate::lint::picture::{Picture, type_name as named};

/// What happens to the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They stay what they were.
    Safe,
    /// A value that does not fit ends the statement with an error.
    MayFail(&'static str),
    /// A value may come out as another one.
    Lossy(&'static str),
}

/// What is known of a type's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// Whole numbers, by their bytes.
    Int(u8),
    Numeric,
    /// Fractions in binary, by their bytes.
    Float(u8),
    /// Text; `Some`: no longer than so much.
    Text(Option<u32>),
    Bool,
    Bytes,
    Json,
    Date,
    Time,
    /// A point in time, with its zone or without.
    Timestamp(bool),
    Uuid,
    /// Of the user, or one that is not told apart here.
    Other,
}

/// A type, as its text tells it.
#[derive(Debug)]
struct Type<'a> {
    family: Family,
    name: String,
    /// The numbers in brackets.
    numbers: Vec<u32>,
    is_array: bool,
    text: &'a str,
}

impl<'a> Type<'a> {
    fn read(text: &'a str) -> Self {
        let lower = text.to_ascii_lowercase();
        let is_array = lower.ends_with(']') || lower.ends_with(" array");
        let numbers: Vec<u32> = lower
            .split_once('(')
            .and_then(|(_, rest)| rest.split_once(')'))
            .map(|(inner, _)| {
                inner
                    .split(',')
                    .filter_map(|one| one.trim().parse().ok())
                    .collect()
            })
            .unwrap_or_default();
        let mut name = lower
            .split(['(', '['])
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned();
        name = name.trim_start_matches("pg_catalog.").to_owned();
        if lower.contains("with time zone") && !name.contains("with time zone") {
            name.push_str(" with time zone");
        }
        let first = numbers.first().copied();
        let family = match name.as_str() {
            "smallint" | "int2" | "smallserial" | "serial2" => Family::Int(2),
            "int" | "integer" | "int4" | "serial" | "serial4" => Family::Int(4),
            "bigint" | "int8" | "bigserial" | "serial8" => Family::Int(8),
            "numeric" | "decimal" | "dec" => Family::Numeric,
            "real" | "float4" => Family::Float(4),
            "double precision" | "float8" | "float" | "double" => Family::Float(8),
            "text" | "citext" => Family::Text(None),
            "varchar" | "character varying" => Family::Text(first),
            "char" | "character" | "bpchar" => Family::Text(Some(first.unwrap_or(1))),
            "boolean" | "bool" => Family::Bool,
            "bytea" | "blob" => Family::Bytes,
            "json" | "jsonb" => Family::Json,
            "date" => Family::Date,
            "time" | "timetz" | "time with time zone" | "time without time zone" => Family::Time,
            "timestamp" | "timestamp without time zone" => Family::Timestamp(false),
            "timestamptz" | "timestamp with time zone" => Family::Timestamp(true),
            "uuid" => Family::Uuid,
            _ => Family::Other,
        };
        Self {
            family,
            name,
            numbers,
            is_array,
            text,
        }
    }

    /// Digits before and after the point; as many as wanted where none are said.
    fn digits(&self) -> (u32, u32) {
        match (self.family, self.numbers.as_slice()) {
            (Family::Int(2), _) => (5, 0),
            (Family::Int(4), _) => (10, 0),
            (Family::Int(_), _) => (19, 0),
            (_, [precision, scale, ..]) => (precision.saturating_sub(*scale), *scale),
            (_, [precision]) => (*precision, 0),
            _ => (u32::MAX, u32::MAX),
        }
    }

    /// Digits of a second.
    fn precision(&self) -> u32 {
        self.numbers.first().copied().unwrap_or(6)
    }
}

/// What a change of type does in PostgreSQL. `old` is `None` where no script says what it was.
pub(super) fn verdict(
    picture: &Picture<'_>,
    column: &str,
    old: Option<&str>,
    new: &str,
    using: Option<&str>,
) -> Verdict {
    let new = Type::read(new);
    let steps = match using.map(|using| casts(using, column)) {
        None => Vec::new(),
        Some(Some(steps)) => steps,
        Some(None) if using.is_some_and(|using| !names(using, column)) => {
            return Lossy("the new values are made without the old ones");
        }
        Some(None) => {
            return Lossy(
                "an expression makes the new values, and what it makes of them is not known",
            );
        }
    };
    let Some(old_text) = old else {
        return match new.family {
            Family::Text(None) => Safe,
            _ => Lossy("no script says what type it had"),
        };
    };
    let old = Type::read(old_text);
    if old.is_array != new.is_array {
        return match new.family {
            Family::Text(None) if !new.is_array => Safe,
            _ => MayFail("a value that is no list cannot become one, nor a list a single value"),
        };
    }
    // On the way through another type: `a::date::timestamp`.
    let mut from = old;
    for step in &steps {
        let to = Type::read(step);
        if let Lossy(why) = between(picture, &from, &to, using)
            && !(from.family == Family::Other && to.family == Family::Other)
        {
            return Lossy(why);
        }
        from = to;
    }
    between(picture, &Type::read(old_text), &new, using)
}

/// Whether an expression names the column at all.
fn names(using: &str, column: &str) -> bool {
    let is_part = |char: char| char.is_alphanumeric() || char == '_' || char == '$';
    let (using, column) = (using.to_lowercase(), column.to_lowercase());
    using.match_indices(&column).any(|(at, _)| {
        let before = using[..at].chars().next_back();
        let after = using[at + column.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// The types that an expression casts the column to, one after another, where it does no more than that:
/// `"a"::text::"E"`, `CAST(a AS int)`.
fn casts(using: &str, column: &str) -> Option<Vec<String>> {
    let plain = |text: &str| text.trim().trim_matches(['(', ')']).trim().to_owned();
    let is_type = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|char| char.is_alphanumeric() || "_\"$. []()0123456789,".contains(char))
    };
    let using = using.trim();
    let lower = using.to_ascii_lowercase();
    let text = match lower.strip_prefix("cast").map(str::trim_start) {
        Some(rest) if rest.starts_with('(') && !lower.contains("::") => {
            let at = lower.rfind(" as ")?;
            let open = using.find('(')? + 1;
            format!("{}::{}", using.get(open..at)?, using.get(at + 4..)?)
        }
        _ => using.to_owned(),
    };
    let mut parts = text.split("::");
    let first = plain(parts.next()?);
    // With the table in front, or without.
    let name = match first.strip_suffix('"') {
        Some(inner) => inner.rsplit('"').next(),
        None => first.rsplit('.').next(),
    };
    if !name?.eq_ignore_ascii_case(column) || first.contains('(') {
        return None;
    }
    let mut steps = Vec::new();
    for part in parts {
        if !is_type(part) {
            return None;
        }
        let part = part.trim();
        let unbalanced = part.matches(')').count() > part.matches('(').count();
        let ty = if unbalanced {
            part.trim_end_matches(')')
        } else {
            part
        };
        let closing = if unbalanced && ty.contains('(') {
            ")"
        } else {
            ""
        };
        steps.push(format!("{ty}{closing}"));
    }
    Some(steps)
}

fn between(picture: &Picture<'_>, old: &Type<'_>, new: &Type<'_>, using: Option<&str>) -> Verdict {
    const TOO_LONG: &str = "a value that is longer does not fit";
    match (old.family, new.family) {
        (Family::Int(_) | Family::Numeric, Family::Int(_) | Family::Numeric) => {
            let ((whole, fraction), (more_whole, more_fraction)) = (old.digits(), new.digits());
            if fraction > more_fraction {
                Lossy("digits after the point are rounded away")
            } else if whole > more_whole {
                MayFail("a number that is greater does not fit")
            } else {
                Safe
            }
        }
        (Family::Float(from), Family::Float(to)) if to >= from => Safe,
        (Family::Float(_), Family::Float(_)) => Lossy("digits are rounded away"),
        (Family::Int(from), Family::Float(to)) if from < to => Safe,
        (Family::Int(_) | Family::Numeric, Family::Float(_)) => {
            Lossy("numbers with many digits are rounded")
        }
        (Family::Float(_), Family::Numeric) if new.digits().1 >= 15 => Safe,
        (Family::Float(_), Family::Numeric | Family::Int(_)) => {
            Lossy("digits after the point are rounded away")
        }
        (_, Family::Text(None)) => Safe,
        (Family::Text(from), Family::Text(Some(to))) => {
            if from.is_some_and(|from| from <= to) {
                Safe
            } else if using.is_some() {
                Lossy("a value that is longer is cut off, because USING casts it")
            } else {
                MayFail(TOO_LONG)
            }
        }
        (_, Family::Text(Some(_))) if using.is_some() => {
            Lossy("a value that is longer is cut off, because USING casts it")
        }
        (_, Family::Text(Some(_))) => MayFail(TOO_LONG),
        (Family::Json, Family::Json) | (Family::Date, Family::Timestamp(_)) => Safe,
        (Family::Timestamp(from), Family::Timestamp(to)) => {
            if old.precision() > new.precision() {
                Lossy("fractions of seconds are rounded away")
            } else if from && !to {
                Lossy("the zone is gone: what the hour means depends on the session's TimeZone")
            } else {
                Safe
            }
        }
        (Family::Timestamp(_), Family::Date) => Lossy("the time of day is gone"),
        (Family::Timestamp(_), Family::Time) => Lossy("the day is gone"),
        (Family::Time, Family::Time) if old.name == new.name => Safe,
        (Family::Int(_), Family::Bool) => Lossy("every number but 0 becomes true"),
        (Family::Bool, Family::Int(_))
        | (Family::Uuid, Family::Uuid)
        | (Family::Bytes, Family::Bytes)
        | (Family::Bool, Family::Bool) => Safe,
        (Family::Text(_), _) => MayFail("a value that does not read as the new type ends it"),
        (Family::Other, Family::Other) => {
            if old.text == new.text {
                return Safe;
            }
            let labels = |ty: &Type<'_>| {
                picture
                    .ty(&named(ty.text))
                    .and_then(|ty| ty.labels.as_ref())
            };
            match (labels(old), labels(new)) {
                (Some(old), Some(new)) if old.iter().all(|label| new.contains(label)) => Safe,
                (Some(_), Some(_)) => {
                    MayFail("a row with a label that the new type does not have ends it")
                }
                _ => Lossy("it is not known how the old values become new ones"),
            }
        }
        _ => Lossy("it is not known how the old values become new ones"),
    }
}

/// What SQLite makes of values that a query casts: unlike a column, it makes something of each.
pub(super) fn cast_verdict(old: &str, new: &str) -> Verdict {
    let (old, new) = (old.to_ascii_uppercase(), new.to_ascii_uppercase());
    let is = |ty: &str, words: &[&str]| words.iter().any(|word| ty.contains(word));
    let is_whole = |ty: &str| ty.contains("INT") || ty.contains("BOOL");
    if old == new || is(&new, &["CHAR", "CLOB", "TEXT"]) && !is_whole(&new) {
        return Safe;
    }
    if is_whole(&old) && !is(&new, &["BLOB"]) {
        return Safe;
    }
    Lossy("what does not read as the new type becomes 0, or loses its fraction")
}

/// What SQLite makes of the values of a column that a rebuild gives another type: it keeps what it cannot
/// convert, so that only text which looks like a number comes out different.
pub(super) fn affinity_verdict(old: &str, new: &str) -> Verdict {
    let is_text = |ty: &str| {
        let ty = ty.to_ascii_uppercase();
        !ty.contains("INT")
            && ["CHAR", "CLOB", "TEXT"]
                .iter()
                .any(|word| ty.contains(word))
    };
    let keeps_text =
        |ty: &str| is_text(ty) || ty.is_empty() || ty.to_ascii_uppercase().contains("BLOB");
    if is_text(old) && !keeps_text(new) {
        Lossy("text that looks like a number becomes one: '007' becomes 7")
    } else {
        Safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::Engine;

    fn judged(old: &str, new: &str, using: Option<&str>) -> char {
        match verdict(
            &Picture::new(Engine::Postgresql),
            "a",
            Some(old),
            new,
            using,
        ) {
            Safe => 's',
            MayFail(_) => 'f',
            Lossy(_) => 'l',
        }
    }

    #[test]
    fn every_pair_that_migrations_have() {
        for (old, new, expected) in [
            ("int", "bigint", 's'),
            ("SERIAL", "BIGINT", 's'),
            ("bigint", "INTEGER", 'f'),
            ("integer", "numeric(10, 2)", 'f'),
            ("integer", "decimal(65,30)", 's'),
            ("numeric(10,2)", "numeric(12,2)", 's'),
            ("numeric(10,2)", "numeric(10,1)", 'l'),
            ("numeric", "int", 'l'),
            ("int", "double precision", 's'),
            ("bigint", "double precision", 'l'),
            ("double precision", "real", 'l'),
            ("double precision", "DECIMAL(65,30)", 's'),
            ("varchar(10)", "varchar(20)", 's'),
            ("varchar(20)", "varchar(10)", 'f'),
            ("varchar(20)", "text", 's'),
            ("text", "VARCHAR(50)", 'f'),
            ("text", "character varying", 's'),
            ("uuid", "text", 's'),
            ("text", "uuid", 'f'),
            ("text", "jsonb", 'f'),
            ("json", "jsonb", 's'),
            ("timestamp(3)", "timestamptz(3)", 's'),
            (
                "timestamp(3) without time zone",
                "timestamp(6) with time zone",
                's',
            ),
            ("timestamptz", "timestamp", 'l'),
            ("timestamp(6)", "timestamp(3)", 'l'),
            ("timestamp", "date", 'l'),
            ("date", "timestamp", 's'),
            ("int", "boolean", 'l'),
            ("text", "text[]", 'f'),
            ("text[]", "text", 's'),
            ("\"Role\"", "text", 's'),
            ("text", "\"Role\"", 'f'),
            ("int", "bytea", 'l'),
        ] {
            assert_eq!(judged(old, new, None), expected, "{old} -> {new}");
        }
        assert_eq!(judged("text", "varchar(5)", Some("a::varchar(5)")), 'l');
        assert_eq!(judged("text", "int", Some("(\"a\"::int)")), 'f');
        assert_eq!(judged("text", "int", Some("CAST(a AS int)")), 'f');
        assert_eq!(judged("text", "int", Some("length(a)")), 'l');
        assert_eq!(
            judged("text", "int", Some("CASE WHEN a = 'x' THEN 1 END")),
            'l'
        );
        for using in [
            "NULL",
            "NULL::int",
            "0",
            "b",
            "b::int",
            "t.b",
            "'5'::int",
            "now()",
            "CAST(b AS int)",
            "aa::int",
        ] {
            assert_eq!(judged("text", "int", Some(using)), 'l', "{using}");
            assert_eq!(judged("int", "int", Some(using)), 'l', "{using}");
        }
        for using in [
            "a",
            "t.a",
            "\"a\"::int",
            "((a)::bigint)",
            "t.\"a\"",
            "CAST(a AS bigint)",
            "A::text::int",
        ] {
            assert_ne!(judged("text", "int", Some(using)), 'l', "{using}");
        }
        assert_eq!(
            judged("timestamp", "timestamp", Some("a::date::timestamp")),
            'l'
        );
        assert_eq!(judged("numeric", "numeric", Some("(a::int)::numeric")), 'l');
    }
}
