//! Counts and hashes of what stands in the tables: what they see, what they do not depend on, and what
//! they refuse.

use std::time::Duration;

use tollgate::model::data::{DataChange, diff};
use tollgate::model::{Data, DataMode};
use tollgate::targets::Target;
use tollgate::targets::address::Timeouts;
use tollgate::targets::postgres::open;

use crate::support::{Database, run, settings};

/// A table of every common type, with three rows: values, other values, and nothing.
pub(crate) const EVERY_TYPE: &str = r#"
    CREATE TYPE mood AS ENUM ('low', 'high');
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE DOMAIN more_positive AS positive CHECK (VALUE > 1);
    CREATE DOMAIN word AS text;
    CREATE TYPE pair AS (x int, y text);
    CREATE DOMAIN good_pair AS pair CHECK ((VALUE).x IS DISTINCT FROM 0);
    CREATE TYPE span AS RANGE (subtype = float8);
    CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE every (
      id serial PRIMARY KEY, a smallint, b int, c bigint, d numeric, e numeric(10, 2), f real, g float8,
      h money, i boolean, j text, k varchar(20), l char(5), m "char", n name, o bytea, p date, q time,
      r timetz, s timestamp, t timestamptz, u interval, v uuid, w json, x jsonb, y xml, z inet,
      aa cidr, ab macaddr, ac macaddr8, ad bit(4), ae varbit, af point, ag line, ah lseg, ai box, aj path,
      ak polygon, al circle, am tsvector, an tsquery, ao int[], ap text[][], aq pair[], ar int4range,
      "as" tstzmultirange, at span, au mood, av mood[], aw positive, ax more_positive, ay word, az pair,
      ba good_pair, bb pg_lsn, bc oid, bd regclass, be regtype, bf xid8, bg pg_snapshot, bh jsonpath,
      bi text COLLATE loose, bj int GENERATED ALWAYS AS (b * 2) STORED, bk timestamptz(0), bl bytea
    );
    INSERT INTO every (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac,
      ad, ae, af, ag, ah, ai, aj, ak, al, am, an, ao, ap, aq, ar, "as", at, au, av, aw, ax, ay, az, ba, bb, bc, bd,
      be, bf, bg, bh, bi, bk, bl)
    VALUES (1, 2, 3, 4.50, 5.00, 0.1, 0.1::float8 + 1e-17, 12.34, true, 'é', 'k', 'l', 'm', 'n', '\x00ff', '2025-02-03',
      '04:05:06.789', '04:05:06+02', '2025-02-03 04:05', '2025-02-03 04:05+02', '1 year 2 days 03:04',
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1, "a": 2}', '{"b": [1, null]}', '<a b="c">d</a>',
      '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', B'1010', B'10', '(1,2)',
      '{1,2,3}', '[(0,0),(1,1)]', '((0,0),(1,1))', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))', '<(0,0),1>',
      'a fat cat', 'fat & cat', '{1,NULL,3}', '{{a,b},{c,d}}', ARRAY[(1, 'x')::pair, NULL], '[1,5)',
      '{[2025-01-01,2025-02-01)}', '[0.5,1.5]', 'low', '{low,high}', 1, 2, 'word', (1, NULL), (1, 'y'), '0/16B3748',
      4711, 'every', 'int', '42', '10:20:10,14', '$.a[*] ? (@ > 1)', 'Ä', '2025-02-03 04:05:06', repeat('x', 3000)::bytea);
    INSERT INTO every (b, d, g, j, k, o, x, au, az) VALUES (-7, 'NaN', '-Infinity', '', '', '', 'null', 'high', (NULL, NULL));
    INSERT INTO every (j) VALUES (NULL);
"#;

fn read(database: &Database, mode: DataMode) -> Data {
    database.open().data(mode).unwrap()
}

fn full(database: &Database) -> Data {
    read(database, DataMode::Full)
}

#[track_caller]
fn changes(before: &Data, after: &Data) -> Vec<String> {
    let differences = diff(before, after);
    differences.iter().map(ToString::to_string).collect()
}

#[test]
fn every_type_and_every_column_of_it() {
    let database = Database::new();
    database.run(EVERY_TYPE).unwrap();
    let before = full(&database);
    let table = &before.tables["public.every"];
    assert_eq!((table.rows, table.columns.len()), (3, 65));
    assert_eq!(full(&database), before);
    for column in table.columns.keys() {
        let write = match column.as_str() {
            "bj" | "id" => continue,
            _ => format!("UPDATE every SET {column} = NULL"),
        };
        database.run(&write).unwrap();
        let changed = changes(&before, &full(&database));
        let mut expected = vec![format!("public.every.{column}: other values")];
        if column == "b" {
            expected.push("public.every.bj: other values".to_owned());
        }
        assert_eq!(changed, expected, "{column}");
        database.run("TRUNCATE every RESTART IDENTITY").unwrap();
        let insert = EVERY_TYPE.split_once("INSERT").unwrap().1;
        database.run(&format!("INSERT{insert}")).unwrap();
        assert_eq!(full(&database), before, "{column}");
    }
}

/// Values that one type or another takes for equal, and values that only differ by NULL.
#[test]
fn what_is_written_in_another_way_is_another_value() {
    let database = Database::new();
    database.run(EVERY_TYPE).unwrap();
    database
        .run("CREATE TABLE v (id int PRIMARY KEY, n numeric, x text, t text COLLATE loose, f float8, j json, p pair, b bytea);
              INSERT INTO v VALUES (1, 1.0, '', 'a', 0, '{\"a\":1}', (NULL, NULL), '')")
        .unwrap();
    let before = full(&database);
    for (column, value) in [
        ("n", "1.00"),
        ("x", "NULL"),
        ("t", "'A'"),
        ("f", "'-0'"),
        ("j", "'{\"a\": 1}'"),
        ("p", "NULL"),
        ("b", "NULL"),
        ("x", "'7461310234471925'"),
    ] {
        let old = database.ask(&format!("SELECT COALESCE({column}::text, 'none') FROM v"));
        database
            .run(&format!("UPDATE v SET {column} = {value}"))
            .unwrap();
        assert_eq!(
            changes(&before, &full(&database)),
            [format!("public.v.{column}: other values")],
            "{value}"
        );
        let cast = match column {
            "p" => "(NULL, NULL)".to_owned(),
            _ => format!("'{old}'"),
        };
        database
            .run(&format!("UPDATE v SET {column} = {cast}"))
            .unwrap();
        assert_eq!(full(&database), before, "{column}");
    }
}

#[test]
fn rows_and_columns_in_another_order_are_the_same() {
    let database = Database::new();
    database
        .run(
            "CREATE TABLE t (a int, b text, c int);
              INSERT INTO t SELECT n, n || 'x', n % 7 FROM generate_series(1, 1000) n",
        )
        .unwrap();
    let before = full(&database);
    database
        .run(
            "CREATE TABLE u (c int, gone int, b text, a int); ALTER TABLE u DROP COLUMN gone;
              INSERT INTO u (a, b, c) SELECT a, b, c FROM t ORDER BY random();
              DROP TABLE t; ALTER TABLE u RENAME TO t",
        )
        .unwrap();
    assert_eq!(full(&database), before);
    // Two values change places.
    database
        .run("UPDATE t SET b = CASE a WHEN 1 THEN '2x' ELSE '1x' END WHERE a IN (1, 2)")
        .unwrap();
    let after = full(&database);
    assert_eq!(
        changes(&before, &after),
        ["public.t: its values stand in other rows"]
    );
    database.run("DELETE FROM t WHERE a = 1").unwrap();
    assert_eq!(
        changes(&before, &full(&database)),
        ["public.t: 1000 rows before, 999 after"]
    );
    // One row twice instead of two rows.
    database
        .run("INSERT INTO t SELECT * FROM t WHERE a = 3")
        .unwrap();
    assert_eq!(changes(&before, &full(&database)).len(), 3);
}

const ODD: &str = r#"
    CREATE SCHEMA "a.b"; CREATE TABLE "a.b"."with ""quotes" ("é ""x" int, "SELECT" text, "{hashes}" int);
    INSERT INTO "a.b"."with ""quotes" VALUES (1, 'x', 2);
    CREATE TABLE "a" (id int); CREATE TABLE empty (); INSERT INTO empty DEFAULT VALUES;
    CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
    CREATE TABLE part PARTITION OF parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE rest PARTITION OF parts DEFAULT;
    INSERT INTO parts VALUES (1, '2025-05-05'), (2, '2027-01-01'), (3, '2027-01-01');
    CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent);
    INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2), (3);
    CREATE MATERIALIZED VIEW m AS SELECT id FROM parent; CREATE MATERIALIZED VIEW hollow AS SELECT 1 AS x WITH NO DATA;
    CREATE VIEW v AS SELECT 1 AS x; CREATE UNLOGGED TABLE fast (id int);
    CREATE TABLE _prisma_migrations (id int);
    CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE away (id int) SERVER far;
    CREATE SCHEMA tollgate; CREATE TABLE tollgate.receipt (id int);
    CREATE EXTENSION hstore; CREATE TABLE h (x hstore); INSERT INTO h VALUES ('a=>1');
    CREATE TABLE stubborn (r text); ALTER TABLE stubborn ENABLE ROW LEVEL SECURITY; INSERT INTO stubborn VALUES ('r');
"#;

#[test]
fn which_tables_and_by_which_name() {
    let database = Database::new();
    database.run(ODD).unwrap();
    let seen = |mode| {
        let data = read(&database, mode);
        let rows = data.tables.into_iter();
        rows.map(|(name, table)| format!("{name} {}", table.rows))
            .collect::<Vec<_>>()
    };
    let expected = [
        "\"a.b\".\"with \"\"quotes\" 1",
        "public.a 0",
        "public.child 2",
        "public.empty 1",
        "public.fast 0",
        "public.h 1",
        "public.m 3",
        "public.parent 1",
        "public.part 1",
        "public.rest 2",
        "public.stubborn 1",
    ];
    for mode in [DataMode::Full, DataMode::Sample, DataMode::Counts] {
        assert_eq!(seen(mode), expected, "{mode:?}");
    }
    let data = full(&database);
    let odd = &data.tables["\"a.b\".\"with \"\"quotes\""];
    let columns: Vec<_> = odd.columns.keys().collect();
    assert_eq!(columns, ["\"SELECT\"", "\"{hashes}\"", "\"é \"\"x\""]);
    // As the schema names them.
    let schema = database.open().schema().unwrap();
    for (name, table) in &data.tables {
        let kind = if name == "public.m" {
            "materialized view"
        } else {
            "table"
        };
        assert!(schema.get(kind, name).is_some(), "{name}");
        for column in table.columns.keys() {
            let column = format!("{name}.{column}");
            assert!(schema.get("column", &column).is_some(), "{column}");
        }
    }
}

#[test]
fn as_many_columns_as_a_table_may_have() {
    let database = Database::new();
    let columns: Vec<String> = (0..1600).map(|n| format!("c{n} int DEFAULT {n}")).collect();
    database
        .run(&format!("CREATE TABLE wide ({})", columns.join(", ")))
        .unwrap();
    database
        .run("INSERT INTO wide DEFAULT VALUES; INSERT INTO wide DEFAULT VALUES")
        .unwrap();
    let before = full(&database);
    assert_eq!(before.tables["public.wide"].columns.len(), 1600);
    database
        .run("UPDATE wide SET c1599 = 0 WHERE ctid = '(0,1)'")
        .unwrap();
    assert_eq!(
        changes(&before, &full(&database)),
        ["public.wide.c1599: other values"]
    );
}

#[test]
fn values_of_hundreds_of_megabytes() {
    let database = Database::new();
    database
        .run("CREATE TABLE long (b bytea, t text, j json);
              INSERT INTO long SELECT repeat('b', 300000000)::bytea, repeat('t', 30000000), to_json(repeat('j', 10000000))")
        .unwrap();
    let before = full(&database);
    database
        .run("UPDATE long SET b = set_byte(b, 299999999, 1)")
        .unwrap();
    assert_eq!(
        changes(&before, &full(&database)),
        ["public.long.b: other values"]
    );
    assert!(database.open().data_size().unwrap() > 3_000_000);
}

#[test]
fn a_sample_is_the_same_rows_each_time() {
    let database = Database::new();
    database
        .run("CREATE TABLE big (id int, k text, x int, PRIMARY KEY (k, id));
              INSERT INTO big SELECT n, 'k' || n % 3, 0 FROM generate_series(1, 20000) n;
              CREATE TABLE keyless AS SELECT * FROM big; CREATE TABLE few (id int PRIMARY KEY, x int);
              INSERT INTO few SELECT n, 0 FROM generate_series(1, 9999) n")
        .unwrap();
    let before = read(&database, DataMode::Sample);
    assert_eq!(before.tables["public.big"].rows, 20_000);
    let whole = |data: &Data, table: &str| data.tables[table].whole.clone();
    // Those without a key, or with few rows, are looked at whole.
    for table in ["public.keyless", "public.few"] {
        assert_eq!(whole(&before, table), whole(&full(&database), table));
    }
    assert_ne!(
        whole(&before, "public.big"),
        whole(&full(&database), "public.big")
    );
    let mut seen = 0;
    for n in 1..=200 {
        database
            .run(&format!("UPDATE big SET x = 1 WHERE id = {n}"))
            .unwrap();
    }
    let after = read(&database, DataMode::Sample);
    seen += changes(&before, &after).len();
    assert!(seen <= 1);
    database.run("UPDATE big SET x = 2").unwrap();
    assert_eq!(
        changes(&before, &read(&database, DataMode::Sample)),
        ["public.big.x: other values"]
    );
    database.run("DELETE FROM big WHERE id = 7").unwrap();
    let gone = diff(&before, &read(&database, DataMode::Sample));
    assert!(gone.iter().any(|one| one.change
        == DataChange::Rows {
            before: 20_000,
            after: 19_999
        }));
}

#[test]
fn counts_look_at_no_value() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
        .unwrap();
    let data = read(&database, DataMode::Counts);
    let table = &data.tables["public.t"];
    assert_eq!(
        (table.rows, &table.whole, table.columns.len()),
        (1, &None, 0)
    );
}

/// A cast that somebody made, and functions and operators in the place of the catalog's.
#[test]
fn what_a_session_or_a_schema_says_does_not_matter() {
    let database = Database::new();
    database.run(EVERY_TYPE).unwrap();
    let before = full(&database);
    database
        .run("CREATE FUNCTION lose(mood) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''x''::text';
              CREATE CAST (mood AS text) WITH FUNCTION lose(mood) AS ASSIGNMENT;
              CREATE FUNCTION public.concat(VARIADIC \"any\") RETURNS text LANGUAGE internal AS 'now';
              CREATE FUNCTION public.sum(bigint) RETURNS int LANGUAGE sql AS 'SELECT 1'")
        .unwrap();
    for line in [
        "SET search_path = public, pg_catalog",
        "SET DateStyle = 'German, DMY'",
        "SET TimeZone = 'Asia/Tokyo'",
        "SET IntervalStyle = 'iso_8601'",
        "SET bytea_output = 'escape'",
        "SET extra_float_digits = -10",
        "SET lc_monetary = 'C'",
        "SET xmlbinary = 'hex'",
        "SET default_transaction_isolation = 'serializable'",
        "SET default_transaction_read_only = on",
    ] {
        database
            .run(&format!("ALTER DATABASE {} {line}", database.name()))
            .unwrap();
    }
    let after = full(&database);
    assert_eq!(after.tables["public.every"], before.tables["public.every"]);
}

#[test]
fn rows_that_this_role_may_not_read_are_an_error_with_the_tables_name() {
    for (how, named) in [
        ("CREATE TABLE t (id int)", "public.t"),
        (
            "CREATE TABLE t (id int, x int); GRANT SELECT (id) ON t TO tollgate_plain",
            "public.t",
        ),
        (
            "CREATE TABLE fine (id int); GRANT SELECT ON fine TO PUBLIC; CREATE TABLE \"a b\" (id int);
             GRANT SELECT ON \"a b\" TO PUBLIC; ALTER TABLE \"a b\" ENABLE ROW LEVEL SECURITY",
            "public.\"a b\"",
        ),
        (
            "CREATE TABLE own (id int); ALTER TABLE own OWNER TO tollgate_plain;
             ALTER TABLE own ENABLE ROW LEVEL SECURITY; ALTER TABLE own FORCE ROW LEVEL SECURITY",
            "public.own",
        ),
    ] {
        let database = Database::plain();
        database.run(how).unwrap();
        let mut target = database.open();
        for mode in [DataMode::Full, DataMode::Sample] {
            let error = target.data(mode).unwrap_err();
            assert!(error.fact.contains(named), "{error:?}");
            assert!(error.remedy.unwrap().contains(named));
        }
        // The session is as it was.
        target.schema().unwrap();
        assert!(target.data_size().is_ok());
    }
}

#[test]
fn the_environments_own_timeout_ends_it() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 3000000)")
        .unwrap();
    let mut slow = database.settings();
    slow.timeouts = Timeouts {
        lock: None,
        statement: Some(Duration::from_millis(100)),
    };
    let error = open(&slow).unwrap().data(DataMode::Full).unwrap_err();
    assert!(error.fact.contains("57014"), "{error:?}");
}

/// Another session makes, drops and empties tables: each reading is a whole one.
#[test]
fn it_is_read_while_others_change_things() {
    let database = Database::new();
    let url = database.superuser_url();
    std::thread::scope(|scope| {
        let churn = scope.spawn(|| {
            for n in 0..30 {
                run(&url, &format!("CREATE TABLE churn_{n} AS SELECT 1 AS id")).unwrap();
                run(&url, &format!("DROP TABLE churn_{n}")).unwrap();
            }
        });
        let mut target = open(&settings(&url)).unwrap();
        while !churn.is_finished() {
            target.data(DataMode::Full).unwrap();
        }
    });
}
