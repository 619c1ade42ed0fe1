//! Which defaults give every row a value of its own, so that adding the column writes the table anew.

/// Functions that give the same value throughout a statement. Any other may be volatile: a function of the
/// user's own is, unless it says otherwise.
const STABLE: [&str; 44] = [
    "current_timestamp",
    "current_time",
    "localtimestamp",
    "localtime",
    "now",
    "transaction_timestamp",
    "statement_timestamp",
    "date_trunc",
    "to_timestamp",
    "to_date",
    "to_char",
    "make_date",
    "make_interval",
    "make_timestamptz",
    "timezone",
    "age",
    "lower",
    "upper",
    "md5",
    "concat",
    "concat_ws",
    "coalesce",
    "nullif",
    "greatest",
    "least",
    "cast",
    "array",
    "row",
    "jsonb_build_object",
    "jsonb_build_array",
    "json_build_object",
    "json_build_array",
    "to_jsonb",
    "to_json",
    "array_fill",
    "string_to_array",
    "length",
    "abs",
    "floor",
    "ceil",
    "round",
    "current_setting",
    "current_user",
    "repeat",
];

/// Types whose length stands in brackets, as a function's arguments do.
const TYPES: [&str; 14] = [
    "varchar",
    "character",
    "char",
    "varying",
    "numeric",
    "decimal",
    "timestamp",
    "timestamptz",
    "time",
    "interval",
    "bit",
    "date",
    "text",
    "float",
];

/// Whether a default may give each row another value.
pub(super) fn may_differ(default: &str) -> bool {
    // What stands in strings is no code.
    let mut code = String::new();
    for (place, part) in default.split('\'').enumerate() {
        if place % 2 == 0 {
            code.push_str(part);
        } else {
            code.push(' ');
        }
    }
    let mut rest = code.as_str();
    while let Some(at) = rest.find('(') {
        let before = rest[..at].trim_end();
        let is_part = |char: char| char.is_alphanumeric() || char == '_' || char == '"';
        let begin = before.rfind(|char| !is_part(char)).map_or(0, |at| {
            at + before[at..].chars().next().map_or(1, char::len_utf8)
        });
        let name = before[begin..].trim_matches('"').to_ascii_lowercase();
        if !name.is_empty() && !STABLE.contains(&name.as_str()) && !TYPES.contains(&name.as_str()) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::may_differ;

    #[test]
    fn one_value_for_all_or_one_for_each() {
        for same in [
            "1",
            "'x(y)'",
            "CURRENT_TIMESTAMP",
            "CURRENT_TIMESTAMP(3)",
            "now()",
            "'{}'::jsonb",
            "ARRAY[]::TEXT[]",
            "(now() AT TIME ZONE 'utc')",
            "('a'::character varying(20))",
            "(1 + 2)",
            "lower('A')",
        ] {
            assert!(!may_differ(same), "{same}");
        }
        for other in [
            "gen_random_uuid()",
            "random()",
            "nextval('s')",
            "clock_timestamp()",
            "public.mine()",
            "lower(\"Mine\"())",
        ] {
            assert!(may_differ(other), "{other}");
        }
    }
}
