//! The migrations that are run while everything goes wrong.
//!
//! Each statement knows how a person finds out whether it stands, and how to undo it. Most of them
//! write a row with the migration's name and their own number into the table `counter`: one that ran
//! twice is seen, and one that did not run is missed.

mod postgres;
mod sqlite;

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
        Engine::Postgres => (postgres::ATOMIC, postgres::JOURNALLED),
        Engine::Sqlite => (sqlite::ATOMIC, sqlite::JOURNALLED),
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
