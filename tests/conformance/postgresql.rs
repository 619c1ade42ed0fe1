//! PostgreSQL under test: a database of its own, as superuser and as a plain role.

use tollgate::model::entry::Engine;
use tollgate::targets::Target;

use crate::postgres_server::Database;
use crate::support::{Bench, Dialect};

const DIALECT: Dialect = Dialect {
    receipts: "tollgate.receipt",
    archive: "tollgate.archive",
    not_wrappable: "VACUUM",
    leaks: "SET default_transaction_read_only = on",
    leak_probe: "CREATE TABLE written (id INTEGER)",
    remembering: "CREATE TABLE parent (id serial, n int); CREATE TABLE child (seen bigint); SELECT setval('parent_id_seq', 500)",
    remembered: (
        "INSERT INTO parent (n) VALUES (1)",
        "INSERT INTO child VALUES (lastval())",
    ),
    syntax_error: ("CREATE TABLE fine (id INTEGER) FROBNICATE", "FROBNICATE"),
};

/// As a superuser.
pub(crate) struct SuperuserBench(Database);

/// As a role that owns the database and may do nothing else.
pub(crate) struct PlainBench(Database);

macro_rules! bench {
    ($bench:ident, $create:ident) => {
        impl Bench for $bench {
            const ENGINE: Engine = Engine::Postgresql;
            const DIALECT: Dialect = DIALECT;

            fn new() -> Self {
                Self(Database::$create())
            }

            fn open(&self) -> Box<dyn Target> {
                Box::new(self.0.open())
            }

            fn run(&self, sql: &str) -> Result<(), String> {
                self.0.run(sql).map(drop)
            }

            fn ask(&self, sql: &str) -> i64 {
                self.0.ask(sql).parse().unwrap()
            }

            fn has_table(&self, name: &str) -> bool {
                let sql = format!("SELECT to_regclass('{name}') IS NOT NULL");
                self.0.ask(&sql) == "t"
            }
        }
    };
}

bench!(SuperuserBench, new);
bench!(PlainBench, plain);
