//! The migrations that are run while everything goes wrong.
//!
//! Each statement knows how a person finds out whether it stands, and how to undo it. Most of them
//! write a row with the migration's name and their own number into the table `counter`: one that ran
//! twice is seen, and one that did not run is missed.

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A kind of tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tree {
    /// Ordinary migrations: each one transaction.
    Atomic,
    /// Scripts that control their transactions themselves, or cannot stand in one.
    Journalled,
    /// Both, by turns; the tree is one of Prisma's, and its table is kept.
    Mixed,
}

impl Engine {
    pub(crate) const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// What Prisma's lock file calls it.
    pub(crate) const fn provider(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
        }
    }
}

impl Tree {
    pub(crate) const ALL: [Self; 3] = [Self::Atomic, Self::Journalled, Self::Mixed];

    /// Whether Prisma's lock file stands beside the migrations.
    pub(crate) const fn is_prismas(self) -> bool {
        matches!(self, Self::Mixed)
    }
}

/// How to find out whether a statement stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Probe {
    /// It cannot be seen, and may be repeated or left out: BEGIN, COMMIT, VACUUM, SELECT, SET.
    Nothing,
    /// By its row in `counter`.
    Row,
    /// By a query whose first value is `1` where it stands.
    Query(String),
}

/// One statement of a script.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) probe: Probe,
    /// Makes it as if it never ran.
    pub(crate) undo: String,
}

/// One migration.
#[derive(Debug, Clone)]
pub(crate) struct Migration {
    pub(crate) id: String,
    pub(crate) statements: Vec<Statement>,
}

impl Migration {
    /// The script's text.
    pub(crate) fn script(&self) -> String {
        self.statements
            .iter()
            .map(|statement| format!("{};\n", statement.sql))
            .collect()
    }

    /// The numbers of the statements that leave a row in `counter`.
    pub(crate) fn counted(&self) -> impl Iterator<Item = usize> {
        let counts = |statement: &Statement| statement.probe == Probe::Row;
        (1..)
            .zip(&self.statements)
            .filter(move |(_, statement)| counts(statement))
            .map(|(number, _)| number)
    }
}

/// Writes one migration, statement by statement.
struct Script {
    engine: Engine,
    id: String,
    statements: Vec<Statement>,
}

impl Script {
    fn push(mut self, sql: impl Into<String>, probe: Probe, undo: impl Into<String>) -> Self {
        self.statements.push(Statement {
            sql: sql.into(),
            probe,
            undo: undo.into(),
        });
        self
    }

    /// What leaves nothing that could be seen, and may be repeated.
    fn free(self, sql: &str) -> Self {
        self.push(sql, Probe::Nothing, "")
    }

    /// An INSERT of this statement's number. `around` has `{row}` where the INSERT goes, or `{id}` and
    /// `{number}` where it is written in another way.
    fn row_in(self, around: &str) -> Self {
        let number = self.statements.len() + 1;
        let id = self.id.clone();
        let row = format!("INSERT INTO counter (migration, statement) VALUES ('{id}', {number})");
        let undo = format!("DELETE FROM counter WHERE migration = '{id}' AND statement = {number}");
        let sql = around
            .replace("{row}", &row)
            .replace("{id}", &id)
            .replace("{number}", &number.to_string());
        self.push(sql, Probe::Row, undo)
    }

    fn row(self) -> Self {
        self.row_in("{row}")
    }

    /// An INSERT whose value takes a while.
    fn slow_row(self) -> Self {
        let number = self.statements.len() + 1;
        let id = self.id.clone();
        let value = match self.engine {
            Engine::Postgres => format!("SELECT '{id}', {number} FROM pg_sleep(0.01)"),
            Engine::Sqlite => format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
                 SELECT '{id}', {number} FROM n WHERE i = 20000"
            ),
        };
        let undo = format!("DELETE FROM counter WHERE migration = '{id}' AND statement = {number}");
        self.push(
            format!("INSERT INTO counter (migration, statement) {value}"),
            Probe::Row,
            undo,
        )
    }

    fn table(self, name: &str, columns: &str) -> Self {
        let probe = match self.engine {
            Engine::Postgres => format!("SELECT count(*) FROM pg_class WHERE relname = '{name}'"),
            Engine::Sqlite => format!("SELECT count(*) FROM sqlite_schema WHERE name = '{name}'"),
        };
        self.push(
            format!("CREATE TABLE {name} ({columns})"),
            Probe::Query(probe),
            format!("DROP TABLE {name}"),
        )
    }

    fn column(self, table: &str, name: &str) -> Self {
        let probe = match self.engine {
            Engine::Postgres => format!(
                "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('{table}') \
                 AND attname = '{name}' AND NOT attisdropped"
            ),
            Engine::Sqlite => {
                format!("SELECT count(*) FROM pragma_table_info('{table}') WHERE name = '{name}'")
            }
        };
        self.push(
            format!("ALTER TABLE {table} ADD COLUMN {name} int"),
            Probe::Query(probe),
            format!("ALTER TABLE {table} DROP COLUMN {name}"),
        )
    }

    /// A statement that makes an index of this name, which stands where the index is there and valid.
    fn index(self, sql: &str, name: &str) -> Self {
        let probe = format!("SELECT count(*) {}", valid_index(self.engine, name));
        self.push(sql, Probe::Query(probe), format!("DROP INDEX {name}"))
    }

    /// Drops an index; `again` makes it.
    fn no_index(self, sql: &str, name: &str, again: &str) -> Self {
        let probe = match self.engine {
            Engine::Postgres => {
                format!("SELECT CASE WHEN to_regclass('{name}') IS NULL THEN 1 ELSE 0 END")
            }
            Engine::Sqlite => {
                format!("SELECT 1 - count(*) FROM sqlite_schema WHERE name = '{name}'")
            }
        };
        self.push(sql, Probe::Query(probe), again)
    }

    fn end(self) -> Migration {
        Migration {
            id: self.id,
            statements: self.statements,
        }
    }
}

fn valid_index(engine: Engine, name: &str) -> String {
    match engine {
        Engine::Postgres => {
            format!("FROM pg_index WHERE indexrelid = to_regclass('{name}') AND indisvalid")
        }
        Engine::Sqlite => format!("FROM sqlite_schema WHERE type = 'index' AND name = '{name}'"),
    }
}

/// The migrations of a tree, in order.
pub(crate) fn migrations(engine: Engine, tree: Tree) -> Vec<Migration> {
    let (atomic, journalled) = match engine {
        Engine::Postgres => (POSTGRES_ATOMIC, POSTGRES_JOURNALLED),
        Engine::Sqlite => (SQLITE_ATOMIC, SQLITE_JOURNALLED),
    };
    let mut parts: Vec<Part> = match tree {
        Tree::Atomic => atomic.to_vec(),
        Tree::Journalled => journalled.to_vec(),
        Tree::Mixed => {
            // By turns; the halves know nothing of each other's tables.
            let mut others = journalled.iter();
            let both = atomic.iter().flat_map(|part| [Some(part), others.next()]);
            both.flatten().copied().collect()
        }
    };
    let first: Part = match tree {
        Tree::Journalled => |script| {
            script
                .free("BEGIN")
                .table("counter", "migration text, statement int")
                .slow_row()
                .free("COMMIT")
                .row()
        },
        Tree::Atomic | Tree::Mixed => |script| {
            script
                .table("counter", "migration text, statement int")
                .row()
        },
    };
    parts.insert(0, first);
    (1..)
        .zip(parts)
        .map(|(number, part)| {
            let script = Script {
                engine,
                id: format!("202511010000{number:02}_step"),
                statements: Vec::new(),
            };
            part(script).end()
        })
        .collect()
}

type Part = fn(Script) -> Script;

const POSTGRES_ATOMIC: &[Part] = &[
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

const NUMBERS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)";
const SQLITE_ATOMIC: &[Part] = &[
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

const POSTGRES_JOURNALLED: &[Part] = &[
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

const ITEMS: &str = "INSERT INTO item WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) SELECT i, i % 7, i FROM n";
const SQLITE_JOURNALLED: &[Part] = &[
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
