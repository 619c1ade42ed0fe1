//! The scripts of SQLite.

use super::{Part, Probe};

const NUMBERS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)";
pub(super) const ATOMIC: &[Part] = &[
    |script| {
        script
            .table("person", "id INTEGER PRIMARY KEY, name TEXT")
            .free(&format!(
                "INSERT INTO person {NUMBERS} SELECT i, 'p' || i FROM n"
            ))
            .row()
    },
    |script| {
        script
            .table(
                "purchase",
                "id INTEGER PRIMARY KEY, person INT REFERENCES person (id) ON DELETE CASCADE",
            )
            .slow_row()
            .free(&format!(
                "INSERT INTO purchase {NUMBERS} SELECT i, i FROM n"
            ))
            .row()
    },
    |script| {
        script
            .column("person", "age")
            .row()
            .free("UPDATE person SET age = id")
    },
    |script| {
        script
            .index("CREATE INDEX person_age ON person (age)", "person_age")
            .slow_row()
    },
    // A rebuild as Prisma writes it: the rows that refer to the table survive.
    |script| {
        script
            .free("PRAGMA foreign_keys = OFF")
            .table(
                "new_person",
                "id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INT",
            )
            .free("INSERT INTO new_person SELECT id, name, age FROM person")
            .free("DROP TABLE person")
            .free("ALTER TABLE new_person RENAME TO person")
            .row()
            .free("PRAGMA foreign_keys = ON")
    },
    |script| script.slow_row().row(),
    |script| script.column("purchase", "price").row().slow_row(),
];

const ITEMS: &str = "INSERT INTO item WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) SELECT i, i % 7, i FROM n";
pub(super) const JOURNALLED: &[Part] = &[
    |script| {
        script
            .free("BEGIN")
            .table("item", "id INT, kind INT, price INT")
            .row()
            .free("COMMIT")
            .row()
            .free("BEGIN IMMEDIATE")
            .push(
                ITEMS,
                Probe::Query("SELECT count(*) > 0 FROM item".to_owned()),
                "DELETE FROM item",
            )
            .slow_row()
            .free("COMMIT")
            .row()
    },
    |script| {
        script
            .row()
            .free("VACUUM")
            .index("CREATE INDEX item_id ON item (id)", "item_id")
            .slow_row()
    },
    |script| {
        script
            .free("VACUUM")
            .row()
            .column("item", "size")
            .index(
                "CREATE INDEX IF NOT EXISTS item_kind ON item (kind)",
                "item_kind",
            )
            .row()
    },
    |script| {
        script
            .row()
            .free("PRAGMA synchronous = NORMAL")
            .free("BEGIN")
            .row()
            .free("SAVEPOINT inner_one")
            .row()
            .free("RELEASE inner_one")
            .free("COMMIT")
            .free("VACUUM")
            .row()
    },
    // What the connection was set to matters to what follows.
    |script| {
        script
            .free("VACUUM")
            .free("CREATE TEMP TABLE wanted AS SELECT 5 AS n")
            .row()
            .row_in("{row} RETURNING (SELECT n FROM wanted)")
            .free("ATTACH ':memory:' AS aside")
            .free("CREATE TABLE aside.scratch (id INT)")
            .row()
            .free("DETACH aside")
            .row()
    },
    |script| {
        script
            .no_index(
                "DROP INDEX item_id",
                "item_id",
                "CREATE INDEX item_id ON item (id)",
            )
            .row()
            .free("REINDEX item_kind")
            .slow_row()
            .free("VACUUM")
            .index("CREATE UNIQUE INDEX item_one ON item (id)", "item_one")
    },
];
