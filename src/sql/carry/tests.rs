use super::*;
use crate::model::entry::Engine::{Postgresql, Sqlite};

fn items(engine: Engine, list: &str) -> Vec<Item> {
    let all = carry(engine, &format!("INSERT INTO n SELECT {list} FROM x"));
    all.unwrap().items
}

fn leaves(engine: Engine, statement: &str) -> Option<String> {
    carry(engine, statement).unwrap().leaves
}

#[test]
fn values() {
    let column = |name: &str| Item::Column(name.to_owned());
    for engine in [Postgresql, Sqlite] {
        assert_eq!(
            items(engine, "a, \"B\", x.c, x.\"d\" AS e, (f), g h, i AS \"j\""),
            ["a", "B", "c", "d", "f", "g", "i"].map(column)
        );
        assert_eq!(items(engine, "*"), [Item::All]);
        assert_eq!(items(engine, "x.*"), [Item::All]);
        assert_eq!(
            items(engine, "coalesce(\"a\", 0) AS \"a\", IFNULL(b, (SELECT 1))"),
            [Item::Filled("a".to_owned()), Item::Filled("b".to_owned())]
        );
        assert_eq!(
            items(engine, "CAST(a AS varchar(3)) AS a"),
            [Item::Cast("a".to_owned(), "varchar(3)".to_owned())]
        );
        for other in [
            "'x' AS a",
            "lower(a)",
            "NULL",
            "a || 'b' AS a",
            "(SELECT a FROM y)",
            "1",
        ] {
            assert!(
                matches!(items(engine, other)[..], [Item::Other(_)]),
                "{other}"
            );
        }
    }
    assert_eq!(
        items(Postgresql, "A::text, b::numeric(3, 1) AS c"),
        [
            Item::Cast("a".to_owned(), "text".to_owned()),
            Item::Cast("b".to_owned(), "numeric(3, 1)".to_owned())
        ]
    );
    assert_eq!(items(Sqlite, "[a b], `c`"), [column("a b"), column("c")]);
}

#[test]
fn rows_that_stay_behind() {
    for engine in [Postgresql, Sqlite] {
        for whole in [
            "INSERT INTO n SELECT a FROM x",
            "INSERT INTO n (a) SELECT \"where\" FROM x AS y ORDER BY a",
            "insert into s.n(a, b) (select a, /* limit 1 */ 'where' from s.x) -- where",
            "INSERT INTO n SELECT a, lower(b), (SELECT count(*) FROM y) FROM x RETURNING a",
        ] {
            assert_eq!(leaves(engine, whole), None, "{whole}");
        }
        for (part, word) in [
            ("INSERT INTO n SELECT a FROM x WHERE a > 1", "WHERE"),
            ("INSERT INTO n SELECT a FROM x ORDER BY a LIMIT 1", "LIMIT"),
            ("INSERT INTO n SELECT DISTINCT a FROM x", "DISTINCT"),
            ("INSERT INTO n SELECT a FROM x, y", "JOIN"),
            ("INSERT INTO n SELECT a FROM x JOIN y USING (a)", "JOIN"),
            (
                "INSERT INTO n SELECT a FROM x UNION SELECT a FROM y",
                "UNION",
            ),
            (
                "INSERT INTO n SELECT a FROM (SELECT a FROM x LIMIT 1) q",
                "a query within it",
            ),
            ("INSERT INTO n SELECT a, count(*) FROM x", "count(...)"),
            (
                "INSERT INTO n SELECT a FROM x ON CONFLICT DO NOTHING",
                "ON CONFLICT",
            ),
            (
                "WITH w AS (SELECT * FROM x) INSERT INTO n SELECT a FROM w",
                "WITH",
            ),
        ] {
            assert_eq!(leaves(engine, part).as_deref(), Some(word), "{part}");
        }
        assert_eq!(carry(engine, "INSERT INTO n VALUES (1)"), None);
        assert_eq!(carry(engine, "DELETE FROM n"), None);
    }
    assert_eq!(
        leaves(Sqlite, "INSERT OR IGNORE INTO n SELECT a FROM x").as_deref(),
        Some("OR IGNORE")
    );
    assert_eq!(
        leaves(Sqlite, "REPLACE INTO n SELECT a FROM x").as_deref(),
        Some("REPLACE")
    );
    assert_eq!(
        leaves(Sqlite, "INSERT OR ABORT INTO n SELECT a FROM x"),
        None
    );
}

#[test]
fn what_lets_rows_go() {
    assert_eq!(
        yields("CREATE TABLE n (a UNIQUE ON CONFLICT IGNORE)"),
        Some("ON CONFLICT IGNORE")
    );
    assert_eq!(
        yields("CREATE TABLE n (a, UNIQUE (a) ON /**/ CONFLICT replace)"),
        Some("ON CONFLICT REPLACE")
    );
    assert_eq!(
        yields("CREATE TABLE n (a UNIQUE ON CONFLICT FAIL DEFAULT 'ON CONFLICT IGNORE')"),
        None
    );
}

#[test]
fn parents_and_paths() {
    let names = |text| {
        parents(text)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(names("CREATE TABLE c () INHERITS (a, s.b)"), ["a", "s.b"]);
    assert_eq!(names("CREATE TABLE c PARTITION OF s.p DEFAULT"), ["s.p"]);
    assert_eq!(names("ALTER TABLE c INHERIT \"P\""), ["P"]);
    assert_eq!(names("ALTER TABLE c NO INHERIT p"), ["p"]);
    let named = |name: &str| FirstSchema::Named(name.to_owned());
    for (text, first) in [
        ("SET search_path TO s, public", named("s")),
        ("set session SEARCH_PATH = \"S\"", named("S")),
        ("SET search_path = '$user', 'public'", named("public")),
        ("SET search_path TO \"$user\", public", named("public")),
        ("SET search_path TO DEFAULT", FirstSchema::Default),
        ("RESET search_path", FirstSchema::Default),
        ("SET search_path = ''", FirstSchema::Unknown),
        (
            "SELECT pg_catalog.set_config('search_path', '', false)",
            FirstSchema::Unknown,
        ),
        (
            "SELECT set_config('search_path', 'S, public', false)",
            named("s"),
        ),
        (
            "SELECT set_config('search_path', x, false)",
            FirstSchema::Unknown,
        ),
    ] {
        assert_eq!(first_schema(text), first, "{text}");
    }
}

#[test]
fn any_text_is_read_to_its_end() {
    for text in [
        "'",
        "\"",
        "/*",
        "$a$",
        "e'\\",
        "INSERT INTO n SELECT ((",
        "é'é",
        "INSERT INTO n (a SELECT",
        "INSERT INTO n ()) SELECT",
        "$é$ x",
    ] {
        for engine in [Postgresql, Sqlite] {
            let _ = carry(engine, text);
            let _ = parents(text);
        }
    }
}
