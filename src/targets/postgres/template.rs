//! Filling values into our own SQL. Nothing of a script ever goes through here.

use crate::digest::hex;

/// Puts values in the place of `{name}`s and leaves comment lines out.
///
/// Values are numbers, hexadecimal digits, checked names, or made by [`text`] and [`or_null`].
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len());
    for line in template.lines() {
        if !line.trim_start().starts_with("--") {
            out.push_str(line);
            out.push('\n');
        }
    }
    put(&out, values)
}

/// One pass, so that a value that looks like a name stays what it is.
fn put(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(place) = rest.find('{') {
        let (before, after) = rest.split_at(place);
        out.push_str(before);
        let found = values.iter().find_map(|(name, value)| {
            let left = after.strip_prefix('{')?.strip_prefix(*name)?;
            Some((value, left.strip_prefix('}')?))
        });
        rest = if let Some((value, left)) = found {
            out.push_str(value);
            left
        } else {
            out.push('{');
            after.get(1..).unwrap_or_default()
        };
    }
    out.push_str(rest);
    out
}

/// Any text as an expression of type text.
///
/// A quoted literal is read by rules that a script may have changed (`standard_conforming_strings`,
/// `client_encoding`), so the text travels as hexadecimal digits.
pub(super) fn text(value: &str) -> String {
    format!(
        "pg_catalog.convert_from(pg_catalog.decode('{}', 'hex'), 'UTF8')",
        hex(value.as_bytes())
    )
}

/// Any text as an expression of type text, in a message that is read by the rules of a session in which no
/// script has set anything: in dollars, which no rule changes, where it is ASCII.
pub(super) fn quoted(value: &str) -> String {
    const QUOTE: &str = "$tollgate$";
    // Its end must not be taken for the beginning of the quote's.
    if value.is_ascii() && !value.contains("$tollgate") && !value.ends_with('$') {
        format!("{QUOTE}{value}{QUOTE}")
    } else {
        text(value)
    }
}

/// A name as a quoted identifier. It has no backslash and is ASCII: its only quotes are doubled.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// [`text`], or NULL.
pub(super) fn or_null(value: Option<&str>) -> String {
    value.map_or_else(|| "NULL".to_owned(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_travel_as_digits() {
        assert_eq!(
            text("é'"),
            "pg_catalog.convert_from(pg_catalog.decode('c3a927', 'hex'), 'UTF8')"
        );
        assert_eq!(or_null(None), "NULL");
    }

    #[test]
    fn what_is_plain_stands_in_dollars() {
        assert_eq!(
            quoted(r#"{"a":"it's \\ $1"}"#),
            r#"$tollgate${"a":"it's \\ $1"}$tollgate$"#
        );
        for other in ["é", "a$tollgate$; DROP", "a$"] {
            assert_eq!(quoted(other), text(other));
        }
    }

    #[test]
    fn a_value_is_not_read_again() {
        assert_eq!(
            fill("{a} {b} {c}", &[("a", "{b}"), ("b", "2")]),
            "{b} 2 {c}\n"
        );
    }

    #[test]
    fn comments_stay_at_home() {
        assert_eq!(
            fill("-- why\nSELECT {a}, '{b}'", &[("a", "1"), ("b", "x")]),
            "SELECT 1, 'x'\n"
        );
    }
}
