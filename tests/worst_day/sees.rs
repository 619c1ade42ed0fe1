//! Whether the suite sees what it looks for: a world is spoilt on purpose, and that must be found. A
//! table of zeros proves nothing where nothing else could have come out.

use crate::world::{Engine, Tree, Verdict, World};

/// What is done to a world that was well, one after another, and how a line of the finding begins.
const SPOILT: &[(&str, &str)] = &[
    (
        "DELETE FROM counter WHERE statement = 2",
        "lost: statement 2",
    ),
    (
        "INSERT INTO counter SELECT * FROM counter",
        "doubled: statement",
    ),
    ("DELETE FROM item WHERE id = 7", "lost: item has 299 rows"),
    (
        "INSERT INTO item (id) VALUES (1000), (1001)",
        "doubled: item has 301 rows",
    ),
    ("DROP INDEX item_kind", "lost from the schema: index"),
    ("CREATE TABLE more (id int)", "more than a clean run has"),
];

/// On PostgreSQL alone.
const SPOILT_ON_POSTGRES: &[(&str, &str)] = &[
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'item_one'::regclass",
        "lost from the schema: index CREATE UNIQUE",
    ),
    (
        "ALTER TABLE tollgate.receipt DISABLE TRIGGER ALL; DELETE FROM tollgate.receipt WHERE seq = 7; \
         ALTER TABLE tollgate.receipt ENABLE ALWAYS TRIGGER append_only",
        "the target has receipts of",
    ),
];

/// In a tree of Prisma's.
const SPOILT_OF_PRISMAS: &[(&str, &str)] = &[
    (
        "UPDATE _prisma_migrations SET finished_at = NULL WHERE applied_steps_count = 1",
        "Prisma would stop at",
    ),
    ("DELETE FROM _prisma_migrations", "Prisma's table has []"),
];

/// # Panics
/// When something that was spoilt is not seen.
pub(crate) fn check() {
    for engine in Engine::ALL {
        let more = match engine {
            Engine::Postgres => SPOILT_ON_POSTGRES,
            Engine::Sqlite => &[],
        };
        spoil(engine, Tree::Journalled, SPOILT.iter().chain(more));
        spoil(engine, Tree::Mixed, SPOILT_OF_PRISMAS.iter());
    }
}

fn spoil<'a>(engine: Engine, tree: Tree, how: impl Iterator<Item = &'a (&'a str, &'a str)>) {
    let mut world = World::new(engine, tree);
    assert_eq!(world.settle(), Verdict::Recovered, "{engine:?}");
    for (sql, expected) in how {
        world.execute(sql).unwrap();
        match world.judge(false) {
            Verdict::Wrong(what) if what.lines().any(|line| line.starts_with(expected)) => {}
            other => panic!("{engine:?}: {sql}: expected {expected}, found {other:?}"),
        }
    }
}
