use super::*;

/// Terms of a plain text, blanks between all words.
fn terms(text: &str) -> Vec<Term> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let mut take = |first: Option<char>, go: fn(char) -> bool| {
            let mut word: String = first.into_iter().collect();
            while let Some(next) = chars.next_if(|char| go(*char)) {
                word.push(next);
            }
            word
        };
        if char == '\'' {
            let text = take(None, |char| char != '\'');
            chars.next();
            out.push(Term::new(Kind::Text, text));
        } else if char.is_ascii_digit() {
            out.push(Term::new(
                Kind::Number,
                take(Some(char), |char| char.is_ascii_digit() || char == '.'),
            ));
        } else if char.is_alphabetic() || char == '_' {
            let word = take(Some(char), |char| char.is_alphanumeric() || char == '_');
            out.push(Term::new(Kind::Word, word.to_lowercase()));
        } else if !char.is_whitespace() {
            out.push(Term::new(Kind::Sign, char));
        }
    }
    out
}

fn told(text: &str) -> String {
    let mut scope = Scope::of(&Name::plain("t"), None);
    scope.again.push("same".to_owned());
    format!("{:?}", truth(&terms(text), &scope))
}

#[test]
fn conditions_that_leave_no_row_out() {
    for text in [
        "true",
        "(1=1)",
        "((true))",
        "NOT false",
        "not not true",
        "true::boolean",
        "1",
        "1<2",
        "2 > 1 AND 'a' = 'a'",
        "NULL IS NULL",
        "x IS NULL OR x IS NOT NULL",
        "(x is not null) or (x is null)",
        "x ISNULL OR x NOTNULL",
        "id = 3 OR true",
        "CAST(true AS bool)",
        "id IS NOT DISTINCT FROM id",
        "1 = 1 AND (2 = 3 OR true)",
        "false IS NOT TRUE",
        "x is x",
        "1 is not null",
    ] {
        let told = told(text);
        assert!(
            told == "True" || told == "Whole" && text == "1 is not null",
            "{text}: {told}"
        );
    }
    for text in [
        "id = id",
        "t.id = id",
        "id >= id",
        "t.id = same.id",
        "id IN (SELECT id FROM t)",
        "id in (select t.id from s.t as a order by id)",
        "(id, a) IN (SELECT id, a FROM t WHERE true)",
        "id = ANY (SELECT id FROM t)",
        "id = any (array(select id from t))",
        "EXISTS (SELECT 1)",
        "EXISTS (SELECT 1 FROM settings WHERE name = 'x')",
        "NOT EXISTS (SELECT 1 FROM u)",
        "random() < 0.5",
        "current_setting('a') = 'b'",
        "now() > date '2020-01-01'",
        "(SELECT count(*) FROM u) > 1",
        "'t'::bool",
        "1 + 1 = 2",
        "id = 1 OR id <> 1",
        "id < 3 OR id >= 3",
        "NOT (a = 1) OR a = 1",
        "NOT (id <> id)",
        "name LIKE '%'",
        "name ~ ''",
        "coalesce(a, 0) = coalesce(a, 0)",
        "id IN (id, 5)",
        "t IS NOT NULL",
        "(id = 1) IS NOT UNKNOWN",
        "EXISTS (SELECT 1 FROM t WHERE t.a = 1)",
        "now() at time zone 'utc' > '2020-01-01'",
        "u.a = 1",
        "case when true then true end",
    ] {
        assert_eq!(told(text), "Whole", "{text}");
    }
    assert_eq!(told("id IS NOT NULL"), r#"NotNull(["id"])"#);
    assert_eq!(told("t.id IS NOT NULL AND true"), r#"NotNull(["id"])"#);
    assert_eq!(
        told("id NOTNULL AND b IS NOT NULL AND 1 = 1"),
        r#"NotNull(["id", "b"])"#
    );
}

#[test]
fn conditions_that_do() {
    for text in [
        "id = 1",
        "id IS NULL",
        "a",
        "NOT a",
        "id > 1 AND true",
        "id = 1 OR b = 2",
        "a BETWEEN 1 AND 2",
        "t.id = u.id",
        "id IN (1, 2)",
        "id NOT IN (SELECT id FROM t)",
        "id IN (SELECT id FROM u)",
        "id IN (SELECT id FROM t WHERE a = 1)",
        "id IN (SELECT min(id) FROM t GROUP BY a)",
        "id IN (SELECT id FROM t LIMIT 1)",
        "id IN (SELECT id FROM t ORDER BY id LIMIT 1)",
        "EXISTS (SELECT 1 FROM u WHERE u.t_id = t.id)",
        "EXISTS (SELECT 1 FROM u WHERE t_id = id)",
        "NOT EXISTS (SELECT 1 FROM u WHERE u.t_id = id)",
        "(SELECT count(*) FROM u WHERE u.t = t.id) = 0",
        "at < now()",
        "name LIKE 'a%'",
        "name NOT LIKE '%'",
        "name = ''",
        "data @> '{}'",
        "data ->> 'a' = 'b'",
        "a IS TRUE",
        "a IS DISTINCT FROM b",
        "case when a = 1 then true end",
        "a < -1",
        "lower(a) = 'x'",
        "current of c",
        "a IS NULL OR b IS NOT NULL",
        "x = 1 OR x <> 2 AND y = 1",
        "id = ANY (array[1, 2])",
        "exists (select 1 from u where u.x = 1 and u.t_id = t.id)",
        "a = a.b",
        "id = u.id",
    ] {
        assert_eq!(told(text), "Some", "{text}");
    }
    for (text, expected) in [
        ("false", "False"),
        ("1 = 2", "False"),
        ("NULL", "Null"),
        ("a = NULL", "Null"),
        ("id <> id", "Never"),
        ("'f'", "False"),
        ("0", "False"),
        ("true AND false", "False"),
        ("NOT true", "False"),
        ("NOT NULL", "Null"),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn depth_ends_nothing() {
    let brackets = format!("{}true{}", "(".repeat(20_000), ")".repeat(20_000));
    assert_eq!(told(&brackets), "True");
    let nots = format!("{}true", "NOT ".repeat(2_000));
    assert_ne!(told(&nots), "Some");
    let deep = (0..200).fold("true".to_owned(), |text, _| {
        format!("(a = 1 or (1 = 1 and {text}))")
    });
    assert_eq!(told(&deep), "Whole");
}
