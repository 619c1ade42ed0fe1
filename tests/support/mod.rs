//! A database of its own for each test, on the server that `tests/run` started.

#![allow(
    dead_code,
    reason = "each test crate uses the part of this that it needs"
)]

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::{NoTls, SimpleQueryMessage};
use tollgate::targets::address::{Address, PostgresSettings};
use tollgate::targets::postgres::{PostgresTarget, open};

/// A plain role: it may log in and owns its test's database, no more.
pub(crate) const PLAIN: &str = "tollgate_plain";
const PLAIN_PASSWORD: &str = "plain";

/// The URL of a superuser on the tests' server.
#[allow(
    clippy::disallowed_methods,
    reason = "the tests are told of their server by the environment"
)]
pub(crate) fn server_url() -> String {
    std::env::var("TOLLGATE_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!(
            "start the suite with tests/run: it starts the PostgreSQL server that these tests need"
        )
    })
}

/// A database that lives as long as this value.
pub(crate) struct Database {
    name: String,
    superuser: String,
    plain: bool,
}

impl Database {
    /// A new, empty database, used as superuser.
    pub(crate) fn new() -> Self {
        Self::create(server_url(), false, "template0")
    }

    /// A new, empty database on another server, of which this is a superuser's URL.
    pub(crate) fn on(server: &str) -> Self {
        Self::create(server.to_owned(), false, "template0")
    }

    /// A new, empty database that belongs to the plain role and is used as that role.
    pub(crate) fn plain() -> Self {
        Self::create(server_url(), true, "template0")
    }

    /// A copy of this one. Nobody may be connected to it.
    pub(crate) fn copy(&self) -> Self {
        Self::create(self.superuser.clone(), self.plain, &self.name)
    }

    fn create(superuser: String, plain: bool, template: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "t_{}_{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let owner = if plain { PLAIN } else { "tollgate_test" };
        if plain {
            // Tests run at the same time, and the role outlives them all: made by the first.
            let role = format!(
                "SELECT pg_advisory_lock(1);
                 DO $$ BEGIN CREATE ROLE {PLAIN} LOGIN PASSWORD '{PLAIN_PASSWORD}';
                 EXCEPTION WHEN duplicate_object THEN NULL; END $$"
            );
            run(&superuser, &role).expect("a plain role");
        }
        run(
            &superuser,
            &format!("CREATE DATABASE {name} OWNER {owner} TEMPLATE {template}"),
        )
        .expect("a database");
        Self {
            name,
            superuser,
            plain,
        }
    }

    /// The database's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The URL of the database, as the test uses it.
    pub(crate) fn url(&self) -> String {
        let url = self.superuser_url();
        if self.plain {
            with_user(&url, &format!("{PLAIN}:{PLAIN_PASSWORD}"))
        } else {
            url
        }
    }

    /// The URL of the database for the superuser.
    pub(crate) fn superuser_url(&self) -> String {
        let end = self.superuser.rfind('/').expect("a database in the URL");
        format!("{}/{}", &self.superuser[..end], self.name)
    }

    /// The settings of [`Self::url`].
    pub(crate) fn settings(&self) -> PostgresSettings {
        settings(&self.url())
    }

    /// Connects as tollgate does.
    pub(crate) fn open(&self) -> PostgresTarget {
        open(&self.settings()).expect("a connection")
    }

    /// Runs SQL beside tollgate, as the superuser, in a session of its own.
    pub(crate) fn run(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, String> {
        run(&self.superuser_url(), sql)
    }

    /// The first value of the first row.
    pub(crate) fn ask(&self, sql: &str) -> String {
        let rows = self
            .run(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows[0][0].clone().unwrap_or_default()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // What is left goes with the server.
        let _ = run(&self.superuser, &sql);
    }
}

/// Reads a PostgreSQL URL.
pub(crate) fn settings(url: &str) -> PostgresSettings {
    match Address::parse(url, Path::new(".")) {
        Ok(Address::Postgresql(settings)) => *settings,
        other => panic!("{other:?}"),
    }
}

/// The URL with other credentials: `user:password`.
pub(crate) fn with_user(url: &str, credentials: &str) -> String {
    let (_, place) = url.split_once('@').expect("credentials in the URL");
    format!("postgresql://{credentials}@{place}")
}

/// Runs SQL in a session of its own.
pub(crate) fn run(url: &str, sql: &str) -> Result<Vec<Vec<Option<String>>>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls)
            .await
            .map_err(|error| format!("{error:?}"))?;
        tokio::spawn(connection);
        let answer = client
            .simple_query(sql)
            .await
            .map_err(|error| format!("{error:?}"))?;
        Ok(answer
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(
                    (0..row.len())
                        .map(|at| row.get(at).map(str::to_owned))
                        .collect(),
                ),
                _ => None,
            })
            .collect())
    })
}
