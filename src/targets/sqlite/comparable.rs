//! A schema as two of them are compared in a rehearsal.
//!
//! SQLite keeps the text of each statement as somebody wrote it, and where a table was altered or rebuilt
//! and put back, the text comes back with other blanks, comments and quotes. Those mean nothing, and nor
//! does the case of keywords and types. Nor does the order of columns, which is told apart, as on PostgreSQL.

use sqlite3_parser::dialect::keyword_token;

use crate::model::schema::COLUMN_ORDER;
use crate::model::{Schema, SchemaObject};

/// A schema that [`Target::schema`](crate::targets::Target::schema) read from a SQLite file, with each text
/// as its tokens alone, and each table taken apart: objects of the kind `column` are named `table.column`,
/// one of the kind [`COLUMN_ORDER`] lists them, and the table keeps its constraints, in no order, and its
/// options. What is in this form already stays as it is, and so does a schema in which a name with a dot
/// looks like another.
#[must_use]
pub fn comparable(schema: &Schema) -> Schema {
    let mut out = Vec::new();
    for object in schema.objects() {
        let Some((properties, sql)) = sql_of(&object.definition) else {
            out.push(object.clone());
            continue;
        };
        let tokens = tokens(&sql);
        let columns = columns(&properties);
        match apart(&tokens, columns.len()) {
            Some(parts) if object.kind == "table" => {
                take_apart(&object.name, &columns, &parts, &mut out);
            }
            _ => {
                let mut plain = SchemaObject::new(&object.kind, &object.name);
                plain.definition = properties;
                plain.push("sql", &joined(&tokens));
                out.push(plain);
            }
        }
    }
    Schema::new(out).unwrap_or_else(|_| schema.clone())
}

fn take_apart(table: &str, columns: &[String], parts: &Parts<'_>, out: &mut Vec<SchemaObject>) {
    let mut whole = SchemaObject::new("table", table);
    let mut order = SchemaObject::new(COLUMN_ORDER, table);
    for (column, part) in columns.iter().zip(&parts.columns) {
        let mut object = SchemaObject::new("column", &format!("{table}.{column}"));
        object.push("sql", &of_column(part));
        out.push(object);
        order.push("column", column);
    }
    let mut constraints: Vec<String> = parts.constraints.iter().map(|part| joined(part)).collect();
    constraints.sort();
    for constraint in constraints {
        whole.push("constraint", &constraint);
    }
    if !parts.options.is_empty() {
        whole.push("options", &joined(parts.options).to_ascii_uppercase());
    }
    out.extend([whole, order]);
}

/// The property `sql` of a definition, and those before it; it is the last one.
fn sql_of(definition: &str) -> Option<(String, String)> {
    let start = match definition.strip_prefix("sql:") {
        Some(_) => 0,
        None => definition.find("\nsql:")? + 1,
    };
    let value = definition[start..]
        .strip_prefix("sql:")?
        .strip_suffix('\n')?;
    let sql = match value.strip_prefix("\n  ") {
        Some(lines) => lines.replace("\n  ", "\n"),
        None => value.strip_prefix(' ').unwrap_or(value).to_owned(),
    };
    Some((definition[..start].to_owned(), sql))
}

/// The names of the columns, as the properties list them: `column: "id" INTEGER`.
fn columns(properties: &str) -> Vec<String> {
    let starts = properties.split("\ncolumn:").enumerate();
    let texts = starts.filter_map(|(place, text)| match place {
        0 => text.strip_prefix("column:"),
        _ => Some(text),
    });
    let names = texts.filter_map(|text| {
        let text = text.replace("\n  ", "\n");
        let all = tokens(&text);
        let first = all.first()?;
        Some(unquoted(first).unwrap_or_else(|| (*first).to_owned()))
    });
    names.collect()
}

/// The text of a `CREATE TABLE` in its parts.
struct Parts<'a> {
    columns: Vec<&'a [&'a str]>,
    constraints: Vec<&'a [&'a str]>,
    /// What stands behind the bracket: STRICT, WITHOUT ROWID.
    options: &'a [&'a str],
}

/// Takes the tokens of a `CREATE TABLE` apart; `None` where they are none that has so many columns.
fn apart<'a>(tokens: &'a [&'a str], columns: usize) -> Option<Parts<'a>> {
    let open = tokens.iter().position(|token| *token == "(")?;
    let mut depth = 0_usize;
    let mut parts = Vec::new();
    let mut start = open + 1;
    for (place, token) in tokens.iter().enumerate().skip(open) {
        match *token {
            "(" => depth += 1,
            ")" => depth = depth.checked_sub(1)?,
            "," if depth == 1 => {
                parts.push(&tokens[start..place]);
                start = place + 1;
            }
            _ => {}
        }
        if depth == 0 {
            parts.push(&tokens[start..place]);
            if columns == 0 || parts.len() < columns {
                return None;
            }
            let constraints = parts.split_off(columns);
            return Some(Parts {
                columns: parts,
                constraints,
                options: &tokens[place + 1..],
            });
        }
    }
    None
}

/// The tokens of a text, without blanks and comments.
pub(super) fn tokens(sql: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' | '`' => quoted_length(rest, first),
            '[' => rest.find(']').map_or(rest.len(), |end| end + 1),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest[2..].find("*/").map_or(rest.len(), |end| end + 4),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, behind) = rest.split_at(length);
        if !token.starts_with("--") && !token.starts_with("/*") {
            out.push(token);
        }
        rest = behind.trim_start();
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

/// How long the quoted text at the beginning is; a quote within it stands there twice.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut at = 1;
    loop {
        match text[at..].find(quote) {
            None => return text.len(),
            Some(end) if text[at + end + 1..].starts_with(quote) => at += end + 2,
            Some(end) => return at + end + 1,
        }
    }
}

/// The name that a quoted one stands for; `None` for what is no quoted name.
pub(super) fn unquoted(token: &str) -> Option<String> {
    let inner = |open: char, close: char| {
        token
            .strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close))
    };
    if let Some(name) = inner('"', '"') {
        return Some(name.replace("\"\"", "\""));
    }
    if let Some(name) = inner('`', '`') {
        return Some(name.replace("``", "`"));
    }
    inner('[', ']').map(str::to_owned)
}

/// One text of the tokens, whatever stood between them: a name that needs no quotes has none, and keywords
/// are in capitals.
fn joined(tokens: &[&str]) -> String {
    let words: Vec<String> = (0..tokens.len()).map(|place| word(tokens, place)).collect();
    spaced(&words)
}

/// The text of a column: its type is in capitals too.
fn of_column(tokens: &[&str]) -> String {
    let of_type = tokens.iter().skip(1).take_while(|token| !ends_type(token));
    let end = 1 + of_type.count();
    let words: Vec<String> = (0..tokens.len())
        .map(|place| {
            let word = word(tokens, place);
            if (1..end).contains(&place) {
                word.to_ascii_uppercase()
            } else {
                word
            }
        })
        .collect();
    spaced(&words)
}

/// Whether a column's type ends before this token.
fn ends_type(token: &str) -> bool {
    is_reserved(token) || token.eq_ignore_ascii_case("generated")
}

fn spaced(tokens: &[String]) -> String {
    let mut out = String::new();
    for token in tokens {
        let last = out.chars().next_back();
        let begins_word = token.starts_with(|c: char| is_word(c) || c == '"' || c == '\'');
        let is_apart = match last {
            None => false,
            Some(',') => true,
            Some(last) => begins_word && (is_word(last) || matches!(last, '"' | '\'' | ')')),
        };
        if is_apart {
            out.push(' ');
        }
        out.push_str(token);
    }
    out
}

/// The token at this place as it is compared.
fn word(tokens: &[&str], place: usize) -> String {
    let token = tokens[place];
    match unquoted(token) {
        // Without its quotes a reserved word would mean something else: NULL, CURRENT_TIMESTAMP.
        Some(name) if is_plain(&name) && !is_reserved(&name) => name,
        Some(name) => super::fingerprint::quoted(&name),
        None if is_keyword(tokens, place) => token.to_ascii_uppercase(),
        None => token.to_owned(),
    }
}

/// Whether the token at this place is a keyword. Many of them are names elsewhere; then they stay as they
/// are, as the default `key` does, which is a text.
fn is_keyword(tokens: &[&str], place: usize) -> bool {
    let token = tokens[place];
    let before = place.checked_sub(1).map(|place| tokens[place]);
    if before == Some(".") || !token.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return false;
    }
    if is_reserved(token) {
        return true;
    }
    // SQLite knows this word only where a generated column ends.
    if before == Some(")") && token.eq_ignore_ascii_case("stored") {
        return true;
    }
    // It panics at a word of one letter.
    if token.len() < 2 || keyword_token(token.as_bytes()).is_none() {
        return false;
    }
    let is_one_of =
        |word: &str, list: &[&str]| list.iter().any(|one| one.eq_ignore_ascii_case(word));
    let is_called = tokens.get(place + 1) == Some(&"(");
    match before {
        _ if is_called && is_one_of(token, &["cast", "raise"]) => true,
        Some(before) if before.eq_ignore_ascii_case("on") => token.eq_ignore_ascii_case("conflict"),
        None => false,
        Some(before) if is_reserved(before) => is_one_of(before, &BEFORE_KEYWORDS),
        // Two names do not stand side by side.
        Some(before) if before.starts_with(is_word) => !is_one_of(before, &BEFORE_NAMES),
        Some(before) => before == ")" || before == ";" || before.starts_with(['\'', '"', '`', '[']),
    }
}

/// Reserved words behind which a word is a keyword, if it can be one.
const BEFORE_KEYWORDS: [&str; 16] = [
    "autoincrement",
    "create",
    "deferrable",
    "delete",
    "false",
    "foreign",
    "group",
    "isnull",
    "not",
    "notnull",
    "null",
    "or",
    "order",
    "primary",
    "true",
    "update",
];

/// Keywords that are not reserved, and behind which a name may stand.
const BEFORE_NAMES: [&str; 8] = [
    "by", "glob", "like", "match", "of", "regexp", "trigger", "view",
];

/// Words that are no name without quotes, and the literals that are words.
const RESERVED: [&str; 63] = [
    "add",
    "all",
    "alter",
    "and",
    "as",
    "autoincrement",
    "between",
    "case",
    "check",
    "collate",
    "commit",
    "constraint",
    "create",
    "current_date",
    "current_time",
    "current_timestamp",
    "default",
    "deferrable",
    "delete",
    "distinct",
    "drop",
    "else",
    "escape",
    "except",
    "exists",
    "false",
    "foreign",
    "from",
    "group",
    "having",
    "in",
    "index",
    "insert",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "limit",
    "not",
    "nothing",
    "notnull",
    "null",
    "on",
    "or",
    "order",
    "primary",
    "references",
    "returning",
    "select",
    "set",
    "table",
    "then",
    "to",
    "transaction",
    "true",
    "union",
    "unique",
    "update",
    "using",
    "values",
    "when",
    "where",
];

fn is_reserved(word: &str) -> bool {
    RESERVED.iter().any(|one| one.eq_ignore_ascii_case(word))
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schema::diff;
    use crate::targets::sqlite::fingerprint;

    fn of(sql: &str) -> Schema {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.execute_batch(sql).unwrap();
        let objects = fingerprint::objects(&connection).unwrap();
        let schema = comparable(&Schema::new(objects).unwrap());
        assert_eq!(comparable(&schema), schema, "a second time");
        schema
    }

    #[test]
    fn blanks_comments_and_quotes_mean_nothing() {
        let one = of(
            "CREATE TABLE t (id INTEGER PRIMARY KEY,\n  -- a comment, with a (\n  \
                      \"two words\" TEXT DEFAULT 'a  --b', CHECK (id > 0)) STRICT;
                      CREATE INDEX i ON t (\"two words\") WHERE id>1;",
        );
        let other = of(
            "CREATE TABLE \"t\"(\"id\" INTEGER PRIMARY KEY,[two words] TEXT\n\
                        DEFAULT 'a  --b' /* b */, CHECK(`id`>0))STRICT;
                        CREATE INDEX \"i\" ON \"t\"([two words])  WHERE id > 1;",
        );
        assert_eq!(diff(&one, &other), []);
        let text: Vec<String> = one
            .objects()
            .iter()
            .map(|object| format!("{} {}|{}", object.kind, object.name, object.definition))
            .collect();
        assert_eq!(
            text,
            [
                "column t.id|sql: id INTEGER PRIMARY KEY\n",
                "column t.two words|sql: \"two words\" TEXT DEFAULT 'a  --b'\n",
                "column order t|column: id\ncolumn: two words\n",
                "index i|table: t\nsql: CREATE INDEX i ON t(\"two words\") WHERE id>1\n",
                "table t|constraint: CHECK(id>0)\noptions: STRICT\n",
            ]
        );
    }

    #[test]
    fn what_means_something_differs() {
        let before = of("CREATE TABLE t (a TEXT DEFAULT 'x  y', b INT, CHECK (a <> b))");
        for other in [
            "CREATE TABLE t (a TEXT DEFAULT 'x y', b INT, CHECK (a <> b))",
            "CREATE TABLE t (a TEXT DEFAULT 'x  y', b INT)",
            "CREATE TABLE t (a TEXT DEFAULT 'x  y', b INT, CHECK (a <> b)) STRICT",
            "CREATE TABLE t (a TEXT DEFAULT 'x  y', b INT, CHECK (a < b))",
            "CREATE TABLE t (a TEXT DEFAULT 'x  y', b INT NOT NULL, CHECK (a <> b))",
            "CREATE TABLE t (a TEXT DEFAULT 'x  y', b INT, c, CHECK (a <> b))",
        ] {
            assert!(!diff(&before, &of(other)).is_empty(), "{other}");
        }
    }

    /// A column that is added stands before the constraints of the table, and one that is dropped takes its
    /// comma along.
    #[test]
    fn a_table_that_was_altered_is_as_if_it_had_been_made_so() {
        let made = of(
            "CREATE TABLE t (a INT, \"b.c\" TEXT DEFAULT 'x,y', CONSTRAINT one CHECK (a > 0), \
                       UNIQUE (a)); CREATE TABLE \"a (b\" (x DECIMAL(10, 2))",
        );
        let altered = of(
            "CREATE TABLE t (a INT, gone INT, CONSTRAINT one CHECK (a>0), UNIQUE(a));
                          ALTER TABLE t ADD COLUMN \"b.c\" TEXT DEFAULT 'x,y';
                          ALTER TABLE t DROP COLUMN gone;
                          CREATE TABLE y (x DECIMAL(10,2)); ALTER TABLE y RENAME TO \"a (b\"",
        );
        assert_eq!(diff(&made, &altered), []);
        assert!(made.get("column", "t.b.c").is_some());
    }

    /// In quotes a default is a text; without them these are values.
    #[test]
    fn a_quoted_word_that_would_be_a_value_keeps_its_quotes() {
        for word in ["null", "CURRENT_TIMESTAMP", "true", "False"] {
            let quoted = of(&format!("CREATE TABLE t (a DEFAULT \"{word}\")"));
            let plain = of(&format!("CREATE TABLE t (a DEFAULT {word})"));
            assert!(!diff(&quoted, &plain).is_empty(), "{word}");
        }
        let one = of("CREATE TABLE t (a \"not\" NULL)");
        assert!(!diff(&one, &of("CREATE TABLE t (a NOT NULL)")).is_empty());
        let one = of("CREATE TABLE t (\"key\" INT, \"order\" INT, UNIQUE (\"key\", \"order\"))");
        let other = of("CREATE TABLE t (key INT, [order] INT, UNIQUE(key, `order`))");
        assert_eq!(diff(&one, &other), []);
    }

    #[test]
    fn the_case_of_keywords_and_types_means_nothing() {
        let one = of(
            "create table p (id integer primary key on conflict replace autoincrement);
             create table t (id integer not null, a text default current_timestamp,
               b text collate nocase references p on delete no action on update cascade,
               c int generated always as (id + 1) stored, d real default null, key text,
               constraint one check (a not like 'x' and cast(b as text) is not null),
               primary key (id desc, key), foreign key (a) references p (id)) without rowid;",
        );
        let other = of(
            "CREATE TABLE p (id INTEGER PRIMARY KEY ON CONFLICT REPLACE AUTOINCREMENT);
             CREATE TABLE t (id INTEGER NOT NULL, a TEXT DEFAULT CURRENT_TIMESTAMP,
               b TEXT COLLATE nocase REFERENCES p ON DELETE NO ACTION ON UPDATE CASCADE,
               c INT GENERATED ALWAYS AS (id + 1) STORED, d REAL DEFAULT NULL, key TEXT,
               CONSTRAINT one CHECK (a NOT LIKE 'x' AND CAST(b AS text) IS NOT NULL),
               PRIMARY KEY (id DESC, key), FOREIGN KEY (a) REFERENCES p (id)) WITHOUT ROWID;",
        );
        assert_eq!(diff(&one, &other), []);
        let tables = "CREATE TABLE t (a, b);";
        let one = of(&format!(
            "{tables} create unique index i on t(a desc, b asc) where a is not null;
             create view v as select a from t order by a desc;
             create trigger g after insert on t for each row begin update t set a = 1; end"
        ));
        let other = of(&format!(
            "{tables} CREATE UNIQUE INDEX i ON t(a DESC, b ASC) WHERE a IS NOT NULL;
             CREATE VIEW v AS SELECT a FROM t ORDER BY a DESC;
             CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW BEGIN UPDATE t SET a = 1; END"
        ));
        assert_eq!(diff(&one, &other), []);
        for (one, other) in [
            (
                "CREATE TABLE t (a DEFAULT \"View\")",
                "CREATE TABLE t (a DEFAULT \"view\")",
            ),
            (
                "CREATE TABLE t (a DEFAULT View)",
                "CREATE TABLE t (a DEFAULT view)",
            ),
            (
                "CREATE TABLE t (a DEFAULT 'null')",
                "CREATE TABLE t (a DEFAULT 'NULL')",
            ),
            ("CREATE TABLE t (A)", "CREATE TABLE t (a)"),
        ] {
            assert!(!diff(&of(one), &of(other)).is_empty(), "{one}");
        }
    }

    #[test]
    fn an_order_of_columns_is_told_apart() {
        let one = of("CREATE TABLE t (a INT, b TEXT)");
        let other = of("CREATE TABLE t (b TEXT, a INT)");
        let found = diff(&one, &other);
        assert_eq!(found.len(), 1);
        assert_eq!((&*found[0].kind, &*found[0].name), (COLUMN_ORDER, "t"));
        assert_eq!(one.without_column_order(), other.without_column_order());
    }
}
