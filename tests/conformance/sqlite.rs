//! SQLite under test: a file in a folder of its own.

use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;
use tollgate::model::entry::Engine;
use tollgate::targets::{Target, sqlite};

use crate::support::{Bench, Dialect};

pub(crate) struct SqliteBench {
    folder: TempDir,
}

impl SqliteBench {
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("state").join("dev.db")
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

impl Bench for SqliteBench {
    const ENGINE: Engine = Engine::Sqlite;
    const DIALECT: Dialect = Dialect {
        receipts: "tollgate_receipt",
        archive: "tollgate_archive",
        not_wrappable: "VACUUM",
        leaks: "PRAGMA query_only = ON",
        leak_probe: "CREATE TABLE written (id INTEGER)",
        remembering: "CREATE TABLE parent (id INTEGER PRIMARY KEY, n); CREATE TABLE child (seen)",
        remembered: (
            "INSERT INTO parent VALUES (501, 1)",
            "INSERT INTO child VALUES (last_insert_rowid())",
        ),
        syntax_error: ("CREATE TABEL two (id INTEGER)", "TABEL"),
    };

    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn open(&self) -> Box<dyn Target> {
        Box::new(sqlite::open(&self.path()).unwrap())
    }

    fn run(&self, sql: &str) -> Result<(), String> {
        std::fs::create_dir_all(self.path().parent().unwrap()).unwrap();
        self.connect()
            .execute_batch(sql)
            .map_err(|error| error.to_string())
    }

    fn ask(&self, sql: &str) -> i64 {
        self.connect().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn has_table(&self, name: &str) -> bool {
        self.connect().table_exists(None, name).unwrap()
    }
}
