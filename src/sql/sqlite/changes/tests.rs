use crate::model::entry::Engine;
use crate::sql::analyse;
use crate::sql::changes::{
    Change, Column, Constraint, ConstraintKind, Deed, Name, ObjectKind, changes,
};

fn read(script: &str) -> Vec<Change> {
    let analysis = analyse(Engine::Sqlite, script);
    assert!(analysis.statements().is_some(), "{script}: {analysis:?}");
    changes(Engine::Sqlite, script, &analysis)
}

#[track_caller]
fn one(script: &str) -> Deed {
    let mut changes = read(script);
    assert_eq!(changes.len(), 1, "{script}: {changes:?}");
    changes.remove(0).deed
}

fn table(script: &str) -> (Vec<Column>, Vec<Constraint>) {
    match one(script) {
        Deed::CreateTable {
            columns,
            constraints,
            ..
        } => (columns, constraints),
        other => panic!("{other:?}"),
    }
}

fn column(definition: &str) -> Column {
    let (mut columns, _) = table(&format!("CREATE TABLE t (z, {definition})"));
    columns.remove(1)
}

fn of(name: &str, ty: &str) -> Column {
    Column {
        name: name.to_owned(),
        ty: ty.to_owned(),
        ..Column::default()
    }
}

#[test]
fn a_table_is_read_with_its_columns() {
    for (definition, expected) in [
        ("a", of("a", "")),
        ("[a b] TEXT", of("a b", "TEXT")),
        (
            "\"a\"\"b\"   VARCHAR  VARYING ( 10 )",
            of("a\"b", "VARCHAR VARYING(10)"),
        ),
        ("`a` DECIMAL(10,2)", of("a", "DECIMAL(10, 2)")),
        (
            "a TEXT NOT NULL DEFAULT 'it''s'",
            Column {
                not_null: true,
                default: Some("'it''s'".to_owned()),
                ..of("a", "TEXT")
            },
        ),
        (
            "a DATETIME DEFAULT CURRENT_TIMESTAMP",
            Column {
                default: Some("CURRENT_TIMESTAMP".to_owned()),
                ..of("a", "DATETIME")
            },
        ),
        (
            "a INT DEFAULT -1",
            Column {
                default: Some("- 1".to_owned()),
                ..of("a", "INT")
            },
        ),
        (
            "a INTEGER PRIMARY KEY AUTOINCREMENT",
            Column {
                primary_key: true,
                is_identity: true,
                not_null: true,
                more: true,
                ..of("a", "INTEGER")
            },
        ),
        (
            "a integer PRIMARY KEY",
            Column {
                primary_key: true,
                is_identity: true,
                not_null: true,
                ..of("a", "integer")
            },
        ),
        // A key, and neither the rowid nor NOT NULL.
        (
            "a INTEGER PRIMARY KEY DESC",
            Column {
                primary_key: true,
                ..of("a", "INTEGER")
            },
        ),
        (
            "a TEXT PRIMARY KEY",
            Column {
                primary_key: true,
                ..of("a", "TEXT")
            },
        ),
        (
            "a TEXT UNIQUE CHECK (a <> '') COLLATE NOCASE",
            Column {
                unique: true,
                check: true,
                more: true,
                ..of("a", "TEXT")
            },
        ),
        (
            "a INT CONSTRAINT f REFERENCES \"o\" (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
            Column {
                references: Some(Name::plain("o")),
                ..of("a", "INT")
            },
        ),
        (
            "a INT GENERATED ALWAYS AS (z + 1) STORED",
            Column {
                is_generated: true,
                ..of("a", "INT")
            },
        ),
        ("a INT NULL", of("a", "INT")),
    ] {
        assert_eq!(column(definition), expected, "{definition}");
    }
}

#[test]
fn a_table_is_read_with_its_constraints() {
    let (columns, constraints) = table(
        "CREATE TABLE IF NOT EXISTS t (a TEXT, b TEXT, CONSTRAINT \"t pk\" PRIMARY KEY (a, b DESC),\n\
         UNIQUE (b COLLATE NOCASE), CHECK (a > b), FOREIGN KEY (a, b) REFERENCES u (c, d)) WITHOUT ROWID",
    );
    assert!(columns.iter().all(|column| column.not_null), "{columns:?}");
    let of = |name: Option<&str>, kind, columns: &[&str]| Constraint {
        name: name.map(str::to_owned),
        kind,
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        not_valid: false,
        using_index: None,
    };
    assert_eq!(
        constraints,
        [
            of(Some("t pk"), ConstraintKind::PrimaryKey, &["a", "b"]),
            of(None, ConstraintKind::Unique, &["b"]),
            of(None, ConstraintKind::Check, &[]),
            of(None, ConstraintKind::Foreign(Name::plain("u")), &["a", "b"]),
        ]
    );

    let (columns, _) = table("CREATE TABLE t (a INTEGER, b TEXT, PRIMARY KEY (a))");
    assert!(columns[0].is_identity && !columns[0].not_null);
    let (columns, _) = table("CREATE TABLE t (a TEXT PRIMARY KEY, b TEXT) STRICT");
    assert!(columns[0].not_null && !columns[1].not_null);
    let (columns, _) = table("CREATE TABLE t (a INTEGER PRIMARY KEY) WITHOUT ROWID");
    assert!(columns[0].not_null && !columns[0].is_identity);
}

fn created(script: &str) -> (Name, bool, bool, bool) {
    match one(script) {
        Deed::CreateTable {
            table,
            if_not_exists,
            from_elsewhere,
            temporary,
            ..
        } => (table, if_not_exists, from_elsewhere, temporary),
        other => panic!("{other:?}"),
    }
}

#[test]
fn tables_that_are_not_plain() {
    let temp = Name {
        schema: Some("temp".to_owned()),
        name: "t".to_owned(),
    };
    let t = || Name::plain("t");
    for (script, expected) in [
        (
            "CREATE TABLE T (a)",
            (Name::plain("T"), false, false, false),
        ),
        (
            "CREATE TABLE IF NOT EXISTS t (a)",
            (t(), true, false, false),
        ),
        ("CREATE TEMP TABLE t (a)", (t(), false, false, true)),
        ("CREATE TABLE temp.t (a)", (temp, false, false, true)),
        ("CREATE TABLE t AS SELECT 1", (t(), false, true, false)),
        (
            "CREATE VIRTUAL TABLE IF NOT EXISTS t USING fts5(a, content='')",
            (t(), true, true, false),
        ),
    ] {
        assert_eq!(created(script), expected, "{script}");
    }
}

#[test]
fn indexes() {
    let index = |script: &str| match one(script) {
        Deed::CreateIndex {
            index,
            table,
            unique,
            concurrently: false,
            if_not_exists,
            columns,
            more,
        } => (
            index.unwrap().to_string(),
            table.to_string(),
            columns.join(" "),
            [unique, if_not_exists, more],
        ),
        other => panic!("{other:?}"),
    };
    let of = |index: &str, table: &str, columns: &str, bits: [bool; 3]| {
        (index.to_owned(), table.to_owned(), columns.to_owned(), bits)
    };
    for (script, expected) in [
        (
            "CREATE UNIQUE INDEX \"i\" ON \"t\"(\"a\", b DESC)",
            of("i", "t", "a b", [true, false, false]),
        ),
        (
            "CREATE INDEX IF NOT EXISTS main.i ON t (a) WHERE b IS NULL",
            of("main.i", "main.t", "a", [false, true, true]),
        ),
        (
            "CREATE INDEX i ON t (a, lower(b))",
            of("i", "t", "", [false, false, true]),
        ),
        (
            "CREATE INDEX i ON t (a COLLATE NOCASE)",
            of("i", "t", "", [false, false, true]),
        ),
    ] {
        assert_eq!(index(script), expected, "{script}");
    }
}

#[test]
fn views_triggers_and_drops() {
    let create = |kind, on: Option<&str>, if_not_exists, temporary| Deed::Create {
        kind,
        name: Name::plain("x"),
        on: on.map(Name::plain),
        if_not_exists,
        or_replace: false,
        temporary,
        signature: String::new(),
    };
    let drop = |kind, if_exists| Deed::Drop {
        kind,
        name: Name::plain("x"),
        on: None,
        if_exists,
        cascade: false,
        concurrently: false,
    };
    for (script, expected) in [
        (
            "CREATE VIEW x AS SELECT * FROM t",
            create(ObjectKind::View, None, false, false),
        ),
        (
            "CREATE TEMP VIEW IF NOT EXISTS x AS SELECT 1",
            create(ObjectKind::View, None, true, true),
        ),
        (
            "CREATE TRIGGER x AFTER DELETE ON t BEGIN DELETE FROM u; DELETE FROM v; END",
            create(ObjectKind::Trigger, Some("t"), false, false),
        ),
        ("DROP TABLE x", drop(ObjectKind::Table, false)),
        ("DROP TABLE IF EXISTS [x]", drop(ObjectKind::Table, true)),
        ("DROP INDEX 'x'", drop(ObjectKind::Index, false)),
        ("DROP VIEW x", drop(ObjectKind::View, false)),
        ("DROP TRIGGER IF EXISTS x", drop(ObjectKind::Trigger, true)),
    ] {
        assert_eq!(one(script), expected, "{script}");
    }
}

#[test]
fn what_alter_table_does() {
    let t = || Name::plain("t");
    let text = |text: &str| text.to_owned();
    for (script, expected) in [
        (
            "ALTER TABLE \"t\" RENAME TO \"u\"",
            Deed::Rename {
                kind: ObjectKind::Table,
                name: t(),
                on: None,
                to: text("u"),
                if_exists: false,
            },
        ),
        (
            "ALTER TABLE t RENAME COLUMN a TO b",
            Deed::RenameColumn {
                table: t(),
                column: text("a"),
                to: text("b"),
            },
        ),
        (
            "ALTER TABLE t RENAME a TO b",
            Deed::RenameColumn {
                table: t(),
                column: text("a"),
                to: text("b"),
            },
        ),
        (
            "ALTER TABLE t ADD a TEXT NOT NULL DEFAULT ''",
            Deed::AddColumn {
                table: t(),
                column: Column {
                    not_null: true,
                    default: Some(text("''")),
                    ..of("a", "TEXT")
                },
                if_not_exists: false,
            },
        ),
        (
            "ALTER TABLE t DROP COLUMN a",
            Deed::DropColumn {
                table: t(),
                column: text("a"),
                if_exists: false,
                cascade: false,
            },
        ),
    ] {
        assert_eq!(one(script), expected, "{script}");
    }
}

#[test]
fn rows() {
    let insert = |columns: &str, from: &[&str], replaces| Deed::Insert {
        table: Name::plain("t"),
        columns: columns.split_whitespace().map(str::to_owned).collect(),
        from: from.iter().map(|&table| Name::plain(table)).collect(),
        replaces,
    };
    let update = |columns: &str, filtered| Deed::Update {
        table: Name::plain("t"),
        columns: columns.split_whitespace().map(str::to_owned).collect(),
        filtered,
        all_but_null: None,
    };
    let delete = |filtered| Deed::Delete {
        table: Name::plain("t"),
        filtered,
        all_but_null: None,
    };
    for (script, expected) in [
        ("INSERT INTO t VALUES (1)", insert("", &[], false)),
        ("INSERT INTO t DEFAULT VALUES", insert("", &[], false)),
        (
            "INSERT OR IGNORE INTO t (a, \"b\") VALUES (1, 2)",
            insert("a b", &[], false),
        ),
        (
            "INSERT OR REPLACE INTO t (a) VALUES (1)",
            insert("a", &[], true),
        ),
        ("REPLACE INTO t (a) VALUES (1)", insert("a", &[], true)),
        (
            "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO NOTHING",
            insert("a", &[], false),
        ),
        (
            "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO NOTHING ON CONFLICT DO UPDATE SET a = 2",
            insert("a", &[], true),
        ),
        (
            "INSERT INTO t (a) SELECT a FROM u JOIN v USING (a), (SELECT * FROM w), json_each('[]') \
             UNION ALL SELECT a FROM (x CROSS JOIN u)",
            insert("a", &["x", "u", "v", "w"], false),
        ),
        (
            "WITH c AS (SELECT a FROM u) INSERT INTO t (a) SELECT a FROM C WHERE true",
            insert("a", &["u"], false),
        ),
        (
            "INSERT INTO t (a) WITH RECURSIVE c(a) AS (VALUES (1) UNION SELECT a + 1 FROM c) SELECT a FROM c",
            insert("a", &[], false),
        ),
        (
            "UPDATE t SET a = 1, (b, c) = (2, 3)",
            update("a b c", false),
        ),
        ("UPDATE t SET a = 1 WHERE b", update("a", true)),
        (
            "UPDATE t SET a = u.a FROM u WHERE u.id = t.id",
            update("a", true),
        ),
        (
            "WITH c AS (SELECT 1) UPDATE t SET a = 1",
            update("a", false),
        ),
        ("DELETE FROM t", delete(false)),
        ("DELETE FROM t WHERE a", delete(true)),
        (
            "WITH c AS (SELECT 1) DELETE FROM t RETURNING *",
            delete(false),
        ),
    ] {
        assert_eq!(one(script), expected, "{script}");
    }
}

#[test]
fn what_only_reads_is_no_deed_and_the_rest_is_named() {
    for script in [
        "SELECT * FROM t",
        "WITH c AS (SELECT 1) SELECT * FROM c",
        "VALUES (1)",
        "EXPLAIN DELETE FROM t",
        "EXPLAIN QUERY PLAN DELETE FROM t",
        "-- nothing",
    ] {
        assert_eq!(read(script), [], "{script}");
    }
    for (script, expected) in [
        ("PRAGMA foreign_keys=OFF", "PRAGMA foreign_keys"),
        ("PRAGMA main.table_info(t)", "PRAGMA table_info"),
        ("ANALYZE", "ANALYZE"),
        ("REINDEX t", "REINDEX"),
        ("VACUUM", "VACUUM"),
        ("ATTACH 'a' AS b", "ATTACH"),
        ("BEGIN IMMEDIATE", "BEGIN"),
        ("END", "COMMIT"),
        ("ROLLBACK TO s", "ROLLBACK"),
        ("SAVEPOINT s", "SAVEPOINT"),
        ("RELEASE s", "RELEASE"),
    ] {
        let what = expected.to_owned();
        assert_eq!(one(script), Deed::Other { what }, "{script}");
    }
}

#[test]
fn a_deed_says_which_statement_it_is_and_where() {
    let script = "SELECT 1;\n-- a comment\nDROP TABLE a; DELETE FROM b;\n";
    let places: Vec<(usize, &str)> = read(script)
        .iter()
        .map(|change| (change.statement, &script[change.range.clone()]))
        .collect();
    assert_eq!(places, [(1, "DROP TABLE a"), (2, "DELETE FROM b")]);
}

/// A tree as deep as the parser takes it, on no more stack than there is.
#[test]
fn no_depth_harms_it() {
    for depth in [100, 30_000] {
        let deep = format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
        let analysis = analyse(
            Engine::Sqlite,
            &format!("CREATE TABLE t (a DEFAULT {deep})"),
        );
        if analysis.statements().is_none() {
            continue;
        }
        let written = column(&format!("a DEFAULT {deep}")).default.unwrap();
        assert!(
            written == deep || (depth > 100 && written == "(...)"),
            "{depth}"
        );
    }
    let nested = (0..2_000).fold("SELECT a FROM u".to_owned(), |inner, _| {
        format!("SELECT a FROM ({inner})")
    });
    let script = format!("INSERT INTO t {nested}");
    assert!(matches!(one(&script), Deed::Insert { from, .. } if from == [Name::plain("u")]));
}
