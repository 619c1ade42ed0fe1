//! The scripts of PostgreSQL.

use super::{Part, Probe};

pub(super) const ATOMIC: &[Part] = &[
    |script| {
        script
                .table("person", "id int PRIMARY KEY, name text")
                .row_in("WITH people AS (INSERT INTO person SELECT n, 'p' || n FROM generate_series(1, 50) AS n) {row}")
    },
    |script| {
        script
                .table("purchase", "id int PRIMARY KEY, person int REFERENCES person (id)")
                .slow_row()
                .row_in("WITH bought AS (INSERT INTO purchase SELECT n, n FROM generate_series(1, 50) AS n) {row}")
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
    // Read as atomic too, and sent alone: it may end in another isolation.
    |script| {
        script
            .free("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
            .row()
    },
    // Leaves settings behind that must not reach the next script.
    |script| {
        script
            .free("SET search_path = pg_catalog")
            .free("SET statement_timeout = '1min'")
            .row_in("INSERT INTO public.counter (migration, statement) VALUES ('{id}', {number})")
    },
    |script| script.column("purchase", "price").row().slow_row(),
];

pub(super) const JOURNALLED: &[Part] = &[
    // Blocks, and work outside them.
    |script| {
        script
                .free("BEGIN")
                .table("item", "id int, kind int, price int")
                .row()
                .free("COMMIT")
                .row()
                .free("BEGIN")
                .row_in("WITH items AS (INSERT INTO item SELECT n, n % 7, n FROM generate_series(1, 300) AS n) {row}")
                .slow_row()
                .free("COMMIT")
                .row()
    },
    |script| {
        script
            .row()
            .index("CREATE INDEX CONCURRENTLY item_id ON item (id)", "item_id")
            .slow_row()
    },
    |script| {
        script
            .free("VACUUM item")
            .row()
            .column("item", "size")
            .index(
                "CREATE INDEX CONCURRENTLY IF NOT EXISTS item_kind ON item (kind)",
                "item_kind",
            )
            .row()
    },
    // A block of code outside a transaction may stop anywhere, as far as anybody can tell.
    |script| {
        script
            .free("VACUUM item")
            .row_in("DO $$ BEGIN PERFORM pg_sleep(0.01); {row}; END $$")
            .free("BEGIN")
            .row()
            .free("COMMIT AND CHAIN")
            .row()
            .free("COMMIT")
            .free("ANALYZE item")
            .row()
    },
    // What the session was set to matters to what follows.
    |script| {
        script
            .push(
                "CREATE SCHEMA side",
                Probe::Query("SELECT count(*) FROM pg_namespace WHERE nspname = 'side'".to_owned()),
                "DROP SCHEMA side",
            )
            .free("SET search_path = side, public")
            .free("VACUUM item")
            .push(
                "CREATE TABLE part (id int)",
                Probe::Query("SELECT count(*) FROM pg_class WHERE relname = 'part'".to_owned()),
                "DROP TABLE IF EXISTS side.part, public.part",
            )
            .row()
            .free("RESET search_path")
            .row()
    },
    // What is gone with the session cannot be had again: here nobody can go on in the middle.
    |script| {
        script
            .row()
            .free("CREATE TEMP TABLE wanted AS SELECT 5 AS n")
            .index(
                "CREATE INDEX CONCURRENTLY item_price ON item (price)",
                "item_price",
            )
            .row_in(
                "INSERT INTO counter (migration, statement) SELECT '{id}', {number} FROM wanted",
            )
            .row()
    },
    |script| {
        script
            .no_index(
                "DROP INDEX CONCURRENTLY item_id",
                "item_id",
                "CREATE INDEX item_id ON item (id)",
            )
            .row()
            .free("REINDEX INDEX CONCURRENTLY item_kind")
            .slow_row()
            .index(
                "CREATE UNIQUE INDEX CONCURRENTLY item_one ON item (id)",
                "item_one",
            )
    },
];
