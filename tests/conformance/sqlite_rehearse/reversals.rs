//! Reversals that reverse, and those that do not: what is told of each.

use super::{EVERYTHING, differences, dump, made, rehearse};

/// Reversals that reverse, and how often the shorter way is wrong.
const HONEST: [(&str, &str); 12] = [
    ("CREATE TABLE x (a); INSERT INTO x VALUES (1)", "DROP TABLE x"),
    ("ALTER TABLE log ADD COLUMN extra TEXT DEFAULT 'e'", "ALTER TABLE log DROP COLUMN extra"),
    ("ALTER TABLE log RENAME COLUMN n TO number", "ALTER TABLE log RENAME COLUMN number TO n"),
    ("ALTER TABLE plain RENAME TO other", "ALTER TABLE other RENAME TO plain"),
    ("CREATE INDEX i ON log (n)", "DROP INDEX i"),
    ("DROP INDEX counted_score", "CREATE INDEX counted_score ON counted(score)\n WHERE score > 1"),
    ("DROP VIEW rich", "CREATE VIEW \"rich\" AS SELECT id, v FROM counted WHERE score>5 -- as before"),
    ("PRAGMA user_version = 8", "PRAGMA user_version = 7"),
    ("UPDATE counted SET score = score + 1", "UPDATE counted SET score = score - 1; DELETE FROM log WHERE what = 'update'"),
    ("INSERT INTO words VALUES ('more')", "DELETE FROM words WHERE x = 'more'"),
    ("CREATE TEMP TABLE t (a); INSERT INTO t VALUES (1); PRAGMA recursive_triggers = ON", "CREATE TEMP TABLE t (b)"),
    // As Prisma writes it, and back.
    (
        "PRAGMA defer_foreign_keys=ON; PRAGMA foreign_keys=OFF;
         CREATE TABLE \"new_country\" (\"code\" TEXT PRIMARY KEY, \"name\" TEXT NOT NULL, \"more\" TEXT) WITHOUT ROWID;
         INSERT INTO \"new_country\" (\"code\", \"name\") SELECT \"code\", \"name\" FROM \"country\";
         DROP TABLE \"country\"; ALTER TABLE \"new_country\" RENAME TO \"country\";
         PRAGMA foreign_keys=ON; PRAGMA defer_foreign_keys=OFF;",
        "PRAGMA defer_foreign_keys=ON; PRAGMA foreign_keys=OFF;
         CREATE TABLE \"new_country\" (\"code\" TEXT PRIMARY KEY, \"name\" TEXT NOT NULL) WITHOUT ROWID;
         INSERT INTO \"new_country\" (\"code\", \"name\") SELECT \"code\", \"name\" FROM \"country\";
         DROP TABLE \"country\"; ALTER TABLE \"new_country\" RENAME TO \"country\";
         PRAGMA foreign_keys=ON; PRAGMA defer_foreign_keys=OFF;",
    ),
];

#[test]
fn an_honest_reversal_leaves_no_difference_and_nothing_behind() {
    for wal in [false, true] {
        let bench = made(EVERYTHING);
        if wal {
            bench
                .connect()
                .pragma_update(None, "journal_mode", "wal")
                .unwrap();
        }
        let before = (dump(&bench), std::fs::read(bench.path()).unwrap());
        for (up, down) in HONEST {
            let run = rehearse(&bench, up, down).unwrap_or_else(|error| panic!("{up}: {error:?}"));
            let [first, after_up, after_down, again] = &run.states;
            assert_eq!(differences(first, after_down), [""; 0], "{up}");
            assert_eq!(differences(after_up, again), [""; 0], "{up}");
            assert_eq!(run.first_anew, None, "{up}");
            assert_eq!(run.notes, [""; 0], "{up}");
            let is_unseen = up.contains("TEMP");
            assert_eq!(differences(first, after_up).is_empty(), is_unseen, "{up}");
            assert_eq!(dump(&bench), before.0, "{up}");
        }
        assert!(
            std::fs::read(bench.path()).unwrap() == before.1,
            "the bytes of the file"
        );
    }
}

/// What a reversal of [`NOTHING`] does besides, and what is told of it.
const BROKEN: [(&str, &[&str]); 31] = [
    (
        "DELETE FROM log WHERE n = 1",
        &["log: 3 rows before, 2 after"],
    ),
    ("DELETE FROM log", &["log: 3 rows before, 0 after"]),
    (
        "INSERT INTO country VALUES ('it', 'Italy')",
        &["country: 2 rows before, 3 after"],
    ),
    (
        "DELETE FROM country WHERE code = 'de'",
        &[
            "country: 2 rows before, 1 after",
            "plain: 3 rows before, 2 after",
        ],
    ),
    (
        "DROP TABLE log",
        &["table log", "log: gone, with its 3 rows"],
    ),
    (
        "UPDATE strict_one SET a = '1' WHERE id = 1",
        &["strict_one.a: other values"],
    ),
    (
        "UPDATE strict_one SET a = 1.0 WHERE id = 1",
        &["strict_one.a: other values"],
    ),
    (
        "UPDATE strict_one SET b = NULL WHERE id = 3",
        &["strict_one.b: other values"],
    ),
    (
        "UPDATE log SET what = CAST(what AS BLOB)",
        &["log.what: other values"],
    ),
    (
        "UPDATE log SET what = 'First' WHERE n = 1",
        &["log.what: other values"],
    ),
    (
        "UPDATE log SET n = 3 - n",
        &["log: its values stand in other rows"],
    ),
    (
        "UPDATE plain SET b = 3 WHERE b = 1",
        &["plain.b: other values", "plain.e: other values"],
    ),
    (
        "UPDATE every_type SET j = '{ }' WHERE j = '{}'",
        &["every_type.j: other values"],
    ),
    (
        "UPDATE counted SET score = score WHERE id = 1",
        &["log: 3 rows before, 4 after"],
    ),
    ("UPDATE words SET x = 'others'", &["words.x: other values"]),
    ("DROP INDEX counted_score", &["index counted_score"]),
    (
        "DROP INDEX counted_v; CREATE INDEX counted_v ON counted (v)",
        &["index counted_v"],
    ),
    (
        "DROP INDEX counted_score; CREATE INDEX counted_score ON counted (score)",
        &["index counted_score"],
    ),
    (
        "DROP INDEX counted_lower; CREATE INDEX counted_lower ON counted (lower(v), score)",
        &["index counted_lower"],
    ),
    ("CREATE INDEX forgotten ON log (n)", &["index forgotten"]),
    ("DROP TRIGGER counted_log", &["trigger counted_log"]),
    (
        "DROP TRIGGER counted_log; CREATE TRIGGER counted_log AFTER UPDATE ON counted
         BEGIN INSERT INTO log VALUES ('update', OLD.id); END",
        &["trigger counted_log"],
    ),
    ("DROP VIEW rich", &["view rich"]),
    (
        "DROP VIEW rich; CREATE VIEW rich AS SELECT id, v FROM counted WHERE score > 6",
        &["view rich"],
    ),
    (
        "ALTER TABLE log DROP COLUMN n",
        &["column log.n", "log.n: gone, with its values in 3 rows"],
    ),
    (
        "ALTER TABLE log ADD COLUMN forgotten",
        &["column log.forgotten"],
    ),
    (
        "ALTER TABLE log RENAME COLUMN n TO m",
        &[
            "column log.m",
            "column log.n",
            "log.n: gone, with its values in 3 rows",
        ],
    ),
    (
        "ALTER TABLE log RENAME TO logs",
        &[
            "table log",
            "table logs",
            "trigger counted_log",
            "log: gone, with its 3 rows",
        ],
    ),
    ("PRAGMA user_version = 9", &["pragma user_version"]),
    ("PRAGMA application_id = 9", &["pragma application_id"]),
    ("CREATE TABLE y (a); INSERT INTO y VALUES (1)", &["table y"]),
];

/// The columns of the table that a reversal brings back, where one thing of it is other, and what is told.
const REBUILT: [(&str, &[&str]); 14] = [
    (
        "a TEXT NOT NULL DEFAULT 'y', @b, @c, @d, @e, @p",
        &["column plain.a"],
    ),
    ("a TEXT NOT NULL, @b, @c, @d, @e, @p", &["column plain.a"]),
    (
        "a TEXT DEFAULT 'x', @b, @c, @d, @e, @p",
        &["column plain.a"],
    ),
    (
        "a VARCHAR NOT NULL DEFAULT 'x', @b, @c, @d, @e, @p",
        &["column plain.a"],
    ),
    ("@a, b INTEGER, @c, @d, @e, @p", &["column plain.b"]),
    (
        "@a, @b, c TEXT COLLATE NOCASE, @d, @e, @p",
        &["column plain.c"],
    ),
    (
        "@a, @b, c TEXT CHECK (c <> ''), @d, @e, @p",
        &["column plain.c"],
    ),
    (
        "@a, @b, @c, d TEXT REFERENCES country (code), @e, @p",
        &["column plain.d"],
    ),
    ("@a, @b, @c, d TEXT, @e, @p", &["column plain.d"]),
    (
        "@a, @b, @c, @d, e INTEGER AS (b * 2) VIRTUAL, @p",
        &["column plain.e"],
    ),
    (
        "@a, @b, @c, @d, e INTEGER AS (b * 3) STORED, @p",
        &["column plain.e", "plain.e: other values"],
    ),
    ("@a, @b, @c, @d, @e, @p, CHECK (b > 0)", &["table plain"]),
    ("@b, @a, @d, @c, @e, @p", &["column order plain"]),
    (
        "@a, @b, @c, @d, @p",
        &["column plain.e", "plain.e: gone, with its values in 3 rows"],
    ),
];

fn rebuilt(columns: &str, options: &str) -> String {
    let columns = [
        ("@a", "a TEXT NOT NULL DEFAULT 'x'"),
        ("@b", "b INTEGER UNIQUE"),
        ("@c", "c TEXT COLLATE NOCASE CHECK (c <> '')"),
        ("@d", "d TEXT REFERENCES country (code) ON DELETE CASCADE"),
        ("@e", "e INTEGER AS (b * 2) STORED"),
        ("@p", "PRIMARY KEY (a)"),
    ]
    .iter()
    .fold(columns.to_owned(), |text, (mark, column)| {
        text.replace(mark, column)
    });
    format!(
        "CREATE TABLE plain ({columns}) {options};
         INSERT INTO plain (a, b, c, d) SELECT a, b, c, d FROM kept; DROP TABLE kept"
    )
}

const TAKEN: &str = "CREATE TABLE kept AS SELECT * FROM plain; DROP TABLE plain";

#[test]
fn a_broken_reversal_is_caught_and_named() {
    let bench = made(EVERYTHING);
    let before = dump(&bench);
    let check = |up: &str, down: &str, expected: &[&str]| {
        let run = rehearse(&bench, up, down).unwrap_or_else(|error| panic!("{down}: {error:?}"));
        assert_eq!(
            differences(&run.states[0], &run.states[2]),
            expected,
            "{down}"
        );
        assert_eq!(dump(&bench), before, "{down}");
    };
    for (besides, expected) in BROKEN {
        // Up again must not stumble over it.
        let up = "CREATE TABLE IF NOT EXISTS x (a); INSERT INTO x VALUES (1)";
        check(up, &format!("DROP TABLE x; {besides}"), expected);
    }
    for (columns, expected) in REBUILT {
        check(TAKEN, &rebuilt(columns, "WITHOUT ROWID"), expected);
    }
    check(
        TAKEN,
        &rebuilt("@a, @b, @c, @d, @e, @p", "WITHOUT ROWID"),
        &[],
    );
    check(
        TAKEN,
        &rebuilt("@a, @b, @c, @d, @e, @p", ""),
        &["table plain"],
    );
    check(
        TAKEN,
        &rebuilt("@a, @b, @c, @d, @e, @p", "STRICT, WITHOUT ROWID"),
        &["table plain"],
    );
    let seq = |column: &str| {
        format!(
            "CREATE TABLE counted (id {column}, v TEXT, score REAL); INSERT INTO counted SELECT * FROM kept;
             DROP TABLE kept; CREATE UNIQUE INDEX counted_v ON counted (v);
             CREATE INDEX counted_score ON counted (score) WHERE score > 1;
             CREATE INDEX counted_lower ON counted (lower(v), score DESC);
             CREATE TRIGGER counted_log AFTER UPDATE ON counted BEGIN INSERT INTO log VALUES ('update', NEW.id); END"
        )
    };
    let taken = "CREATE TABLE kept AS SELECT * FROM counted; DROP TABLE counted";
    check(taken, &seq("INTEGER PRIMARY KEY"), &["column counted.id"]);
    check(taken, &seq("INTEGER PRIMARY KEY AUTOINCREMENT"), &[]);
    // One that does nothing, and one of something else.
    let twice = "CREATE TABLE IF NOT EXISTS x (a)";
    check(twice, "", &["table x"]);
    check(twice, "-- nothing\n", &["table x"]);
    check(twice, "DROP TABLE IF EXISTS z", &["table x"]);
}
