//! Which schema is meant where none is named: the first of PostgreSQL's `search_path`, which scripts may set.

use super::Picture;
use super::names::{Key, folded};
use crate::model::entry::Engine;
use crate::sql::carry::{FirstSchema, first_schema};
use crate::sql::changes::{Deed, Name};

/// The schema in which temporary tables are kept here, whatever the engine calls it.
pub(super) const SESSION: &str = "pg_temp";

/// The schemas that are meant.
#[derive(Debug)]
pub(super) struct Path {
    /// Where a session begins.
    default: String,
    /// Now.
    current: String,
    /// Whether the script that is read has set it.
    is_set: bool,
    /// How many were met that could not be told.
    unknown: usize,
}

impl Path {
    pub(super) fn new(engine: Engine) -> Self {
        let default = match engine {
            Engine::Postgresql => "public",
            Engine::Sqlite => "main",
        };
        Self {
            default: default.to_owned(),
            current: default.to_owned(),
            is_set: false,
            unknown: 0,
        }
    }

    /// Every script has a session of its own.
    pub(super) fn begin_script(&mut self) {
        self.current.clone_from(&self.default);
        self.is_set = false;
    }

    /// A schema that is none of those that are named anywhere.
    fn nobody_knows(&mut self) -> String {
        self.unknown += 1;
        format!("\0{}", self.unknown)
    }

    /// A statement that may set it.
    fn set(&mut self, what: &str, statement: &str) {
        let first = first_schema(statement);
        let is_local = what.starts_with("SET LOCAL");
        let to = match first {
            FirstSchema::Named(schema) if !is_local || schema == self.current => schema,
            FirstSchema::Default if !is_local => self.default.clone(),
            // Outside a transaction SET LOCAL does nothing, and within one it ends with it.
            _ => self.nobody_knows(),
        };
        if matches!(what, "ALTER ROLE" | "ALTER USER" | "ALTER DATABASE") {
            // For whoever connects next, if they are meant.
            if to != self.default {
                self.default = self.nobody_knows();
            }
            return;
        }
        self.current = to;
        self.is_set = true;
    }
}

impl Picture<'_> {
    /// Where what a name means is kept.
    pub(super) fn place(&self, name: &Name) -> Key {
        let schema = match name.schema.as_deref() {
            Some(schema) => match folded(self.engine, schema).as_str() {
                "temp" if self.engine == Engine::Sqlite => SESSION.to_owned(),
                schema => schema.to_owned(),
            },
            None => self.path.current.clone(),
        };
        let name = folded(self.engine, &name.name);
        Key { schema, name }
    }

    /// The same for a table: a temporary one hides those of its name.
    pub(super) fn table_key(&self, name: &Name) -> Key {
        let key = self.place(name);
        if name.schema.is_none() {
            let hides = Key {
                schema: SESSION.to_owned(),
                name: key.name.clone(),
            };
            if self.tables.get(&hides).is_some() {
                return hides;
            }
        }
        key
    }

    /// A statement may change which schema is meant.
    pub(super) fn follow_path(&mut self, deed: &Deed, statement: &str) {
        if self.engine != Engine::Postgresql {
            return;
        }
        match deed {
            Deed::Other { what } => {
                let says = || statement.to_ascii_lowercase().contains("search_path");
                match what.as_str() {
                    "RESET ALL" | "DISCARD ALL" | "RESET SEARCH_PATH" => {
                        self.path.begin_script();
                    }
                    "SET SCHEMA" => self.path.current = self.path.nobody_knows(),
                    // It falls back to what it was, which need not be what it was here.
                    what if ends(what) && self.path.is_set => {
                        self.path.current = self.path.nobody_knows();
                    }
                    what if (what.starts_with("SET")
                        || what.starts_with("ALTER")
                        || what.starts_with("SELECT"))
                        && says() =>
                    {
                        self.path.set(what, statement);
                    }
                    _ => {}
                }
            }
            Deed::Unknown { .. } if statement.to_ascii_lowercase().contains("search_path") => {
                self.path.current = self.path.nobody_knows();
                self.path.is_set = true;
            }
            _ => {}
        }
    }
}

/// Whether it ends a transaction.
fn ends(what: &str) -> bool {
    ["COMMIT", "END", "ROLLBACK", "ABORT"]
        .iter()
        .any(|word| what.starts_with(word))
}
