//! What changes nothing that could be undone, and what only looks as if.

use super::deeds::{Deeds, Undo, keeps};
use super::stands::Space;
use crate::model::entry::Engine;
use crate::sql::changes::{Name, ObjectKind};
use crate::sql::{StatementKind, Word};

/// Settings of a session that change neither what a name means nor what a statement does.
const HARMLESS: [&str; 20] = [
    "application_name",
    "check_function_bodies",
    "client_encoding",
    "client_min_messages",
    "deadlock_timeout",
    "default_table_access_method",
    "default_tablespace",
    "default_with_oids",
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "log_statement",
    "maintenance_work_mem",
    "max_parallel_maintenance_workers",
    "row_security",
    "statement_timeout",
    "synchronous_commit",
    "transaction_timeout",
    "work_mem",
    "xmloption",
    "standard_conforming_strings",
];

/// Statements that leave the schema and the rows as they are.
const IDLE: [&str; 19] = [
    "analyze",
    "checkpoint",
    "close",
    "deallocate",
    "declare",
    "discard",
    "explain",
    "fetch",
    "listen",
    "load",
    "lock",
    "move",
    "notify",
    "refresh",
    "reindex",
    "reset",
    "show",
    "unlisten",
    "vacuum",
];

/// PRAGMAs that change nothing which outlives the session, in small letters.
const IDLE_PRAGMAS: [&str; 16] = [
    "analysis_limit",
    "busy_timeout",
    "cache_size",
    "defer_foreign_keys",
    "foreign_key_check",
    "foreign_key_list",
    "foreign_keys",
    "index_list",
    "integrity_check",
    "legacy_alter_table",
    "optimize",
    "quick_check",
    "synchronous",
    "table_info",
    "table_list",
    "temp_store",
];

impl Deeds<'_> {
    /// A statement that is read and is none of the others.
    pub(super) fn other(&self, kind: StatementKind, what: &str, words: &[Word]) -> Undo {
        let nothing = match self.engine {
            Engine::Sqlite => sqlite_idle(kind, what),
            Engine::Postgresql => self.idle(kind, words),
        };
        if nothing {
            Undo::Nothing
        } else if words.first().is_some_and(|word| word.is("set")) {
            Undo::Open(format!(
                "what {what} means for the names after it is not in the script"
            ))
        } else {
            Undo::Open(format!("{what} does not say what was there before"))
        }
    }

    fn idle(&self, kind: StatementKind, words: &[Word]) -> bool {
        let is = |at: usize, keyword: &str| words.get(at).is_some_and(|word| word.is(keyword));
        if matches!(
            kind,
            StatementKind::TransactionControl(_) | StatementKind::Savepoint(_)
        ) {
            return keeps(kind);
        }
        if is(0, "set") {
            let name = 1 + usize::from(is(1, "local") || is(1, "session"));
            return is(name, "constraints")
                || is(name, "transaction")
                || HARMLESS.iter().any(|setting| is(name, setting));
        }
        // The other forms say what is set, and where.
        if is(0, "reset") {
            return HARMLESS.iter().any(|setting| is(1, setting));
        }
        if is(0, "comment") && is(1, "on") {
            return self.commented(words);
        }
        if is(0, "grant") || is(0, "revoke") {
            return self.granted(words);
        }
        if is(0, "alter") && is(1, "sequence") {
            return self.sequence_altered(words);
        }
        IDLE.iter().any(|keyword| is(0, keyword))
    }

    /// `COMMENT ON` what the script made.
    fn commented(&self, words: &[Word]) -> bool {
        let is = |keyword: &str| words.get(2).is_some_and(|word| word.is(keyword));
        let Some((name, _)) = name_at(words, 3) else {
            return false;
        };
        if is("table") || is("view") || is("index") || is("sequence") {
            return self.is_made(&name);
        }
        if is("type") || is("domain") {
            return self.stands.find_made(Space::Type, &name, None).is_some();
        }
        if is("column") {
            // table.column, or schema.table.column.
            let table = match words.get(6).filter(|_| at_is(words, 6, ".")) {
                Some(_) => Some(name.clone()),
                None => name.schema.clone().map(Name::plain),
            };
            let column = match at_is(words, 6, ".") {
                true => words.get(7).map(|word| word.text.clone()),
                false => Some(name.name),
            };
            return match (table, column) {
                (Some(table), Some(column)) => {
                    let found = self.stands.find(Space::Relation, &table, None);
                    found.is_some_and(|table| self.stands.around(table, &column).is_some())
                }
                _ => false,
            };
        }
        false
    }

    /// `GRANT ... ON` tables that the script made.
    fn granted(&self, words: &[Word]) -> bool {
        let Some(on) = words.iter().position(|word| word.is("on")) else {
            return false;
        };
        let mut at = on + 1 + usize::from(at_is(words, on + 1, "table"));
        loop {
            let Some((name, after)) = name_at(words, at) else {
                return false;
            };
            if !self.is_made(&name) {
                return false;
            }
            if !at_is(words, after, ",") {
                return at_is(words, after, "to") || at_is(words, after, "from");
            }
            at = after + 1;
        }
    }

    /// `ALTER SEQUENCE` of one that the script made: where it comes to belong to a table, it goes with that
    /// one, and may not have to be dropped any more.
    fn sequence_altered(&self, words: &[Word]) -> bool {
        let Some((name, after)) = name_at(words, 2) else {
            return false;
        };
        let Some(sequence) = self.stands.find_made(Space::Relation, &name, None) else {
            return false;
        };
        let is_one = |thing: &super::stands::Thing| thing.kind == ObjectKind::Sequence;
        if !self.stands.things.get(sequence).is_some_and(is_one) {
            return false;
        }
        let rest = words.get(after..).unwrap_or_default();
        let Some(owned) = rest
            .windows(2)
            .position(|pair| pair[0].is("owned") && pair[1].is("by"))
        else {
            return true;
        };
        let by = after + owned + 2;
        let Some((name, end)) = name_at(words, by) else {
            return false;
        };
        if name.schema.is_none() {
            return at_is(words, by, "none");
        }
        let table = match at_is(words, end, ".") {
            true => name,
            false => Name::plain(name.schema.unwrap_or_default()),
        };
        let table = self.stands.find_made(Space::Relation, &table, None);
        table.is_some_and(|table| table < sequence)
    }

    /// An action of `ALTER TABLE` that has no deed of its own.
    pub(super) fn alter_table(&mut self, table: &Name, what: &str) -> Undo {
        // Partitions, parents and types are other objects, which the table may take with it.
        let within = [
            "ALTER COLUMN",
            "CLUSTER ON",
            "DISABLE",
            "ENABLE",
            "FORCE ROW",
            "NO FORCE",
            "OWNER TO",
            "REPLICA IDENTITY",
            "RESET",
            "SET",
        ];
        if self.is_made(table) && within.iter().any(|words| what.starts_with(words)) {
            Undo::Nothing
        } else {
            Undo::Open(format!("{what} does not say what was there before"))
        }
    }
}

fn at_is(words: &[Word], at: usize, keyword: &str) -> bool {
    words.get(at).is_some_and(|word| word.is(keyword))
}

/// A name of one part or two, and where it ends.
fn name_at(words: &[Word], at: usize) -> Option<(Name, usize)> {
    let first = words.get(at)?;
    if at_is(words, at + 1, ".") {
        let second = words.get(at + 2)?;
        let name = Name {
            schema: Some(first.text.clone()),
            name: second.text.clone(),
        };
        return Some((name, at + 3));
    }
    Some((Name::plain(first.text.clone()), at + 1))
}

fn sqlite_idle(kind: StatementKind, what: &str) -> bool {
    match kind {
        StatementKind::TransactionControl(_) | StatementKind::Savepoint(_) => return keeps(kind),
        StatementKind::ForeignKeys(_) => return true,
        _ => {}
    }
    match what.strip_prefix("PRAGMA ") {
        Some(pragma) => IDLE_PRAGMAS
            .iter()
            .any(|idle| idle.eq_ignore_ascii_case(pragma)),
        None => ["ANALYZE", "REINDEX", "VACUUM"].contains(&what),
    }
}
