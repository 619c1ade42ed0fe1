//! What the statements of a script leave in their session, and what of it can be had again in another
//! one, where the script is continued.

use super::shape::{State, text, words};
use super::{Statement, StatementKind};
use crate::model::entry::Engine;

/// What the first `count` statements of a script set in their session, and later ones may rely on:
/// the places of the statements to be sent again, in order, when the script is continued in
/// another session.
///
/// Only what is known to leave nothing else in its session passes: what a function, a block of code
/// or a setting of a role may do there is not known.
///
/// # Errors
/// The place of a statement whose effect on the session is not known or cannot be had again, or of a
/// later one that asks for what its session remembers.
pub fn session_of(
    engine: Engine,
    script: &str,
    statements: &[Statement],
    count: usize,
) -> Result<Vec<usize>, usize> {
    let mut state = State::default();
    let (mut again, mut since_begin) = (Vec::new(), 0);
    for (place, statement) in statements.iter().enumerate().take(count) {
        let text = text(script, statement);
        let open = state.open;
        state = state.after(engine, text, statement.kind);
        match statement.kind {
            // What was set in the transaction went with it. SQLite keeps what a PRAGMA set.
            StatementKind::TransactionControl("ROLLBACK" | "ABORT")
                if open && engine == Engine::Postgresql =>
            {
                again.truncate(since_begin);
            }
            StatementKind::Savepoint("ROLLBACK TO SAVEPOINT") if again.len() > since_begin => {
                return Err(place);
            }
            _ => {}
        }
        if !open || matches!(statement.kind, StatementKind::TransactionControl(_)) {
            since_begin = again.len();
        }
        match effect(engine, text, statement.kind, open) {
            Effect::None => {}
            // A new session is as clean.
            Effect::Clean => {
                again.clear();
                since_begin = 0;
            }
            Effect::Again => again.push(place),
            Effect::Lost => return Err(place),
        }
    }
    let mut rest = statements.iter().enumerate().skip(count);
    let asks = rest.find(|(_, statement)| remembers(engine, text(script, statement)));
    match asks {
        Some((place, _)) if count > 0 => Err(place),
        _ => Ok(again),
    }
}

/// What a statement leaves in its session.
enum Effect {
    None,
    Clean,
    Again,
    Lost,
}

/// Whether a statement asks for what its session remembers of an earlier one.
fn remembers(engine: Engine, text: &str) -> bool {
    let asked: &[&str] = match engine {
        Engine::Postgresql => &["CURRVAL", "LASTVAL"],
        Engine::Sqlite => &["LAST_INSERT_ROWID", "CHANGES", "TOTAL_CHANGES"],
    };
    words(text)
        .iter()
        .any(|word| asked.contains(&word.as_str()))
}

fn effect(engine: Engine, text: &str, kind: StatementKind, open: bool) -> Effect {
    match kind {
        StatementKind::TransactionControl(_) | StatementKind::Savepoint(_) => return Effect::None,
        // What the checks of foreign keys would be compared with is gone.
        StatementKind::ForeignKeys(false) => {
            return if open { Effect::None } else { Effect::Lost };
        }
        StatementKind::ForeignKeys(true) => {
            return if open { Effect::None } else { Effect::Again };
        }
        _ => {}
    }
    let words = words(text);
    let says = |word: &str| words.iter().any(|said| said == word);
    let temporary = says("TEMP") || says("TEMPORARY");
    let commented = text.contains("/*") || text.contains("--");
    let first = words.first().map_or("", String::as_str);
    // The words that may stand before TABLE; with comments between them, anywhere.
    let near = words
        .iter()
        .take(4)
        .any(|word| word == "TEMP" || word == "TEMPORARY");
    if first == "CREATE" && temporary && (near || commented) {
        return Effect::Lost;
    }
    match engine {
        Engine::Postgresql => on_postgresql(text, &words, first),
        Engine::Sqlite => on_sqlite(text, &words, first, open),
    }
}

fn on_postgresql(text: &str, words: &[String], first: &str) -> Effect {
    let says = |word: &str| words.iter().any(|said| said == word);
    let second = words.get(1).map_or("", String::as_str);
    let holds = |part: &str| words.iter().any(|word| word.contains(part));
    let advisory = |word: &String| word.contains("ADVISORY") && !word.contains("XACT");
    if says("PG_TEMP")
        || says("SET_CONFIG")
        || says("SETSEED")
        || holds("DBLINK")
        || words.iter().any(advisory)
    {
        return Effect::Lost;
    }
    match first {
        "SET" if matches!(second, "LOCAL" | "CONSTRAINTS" | "TRANSACTION") => Effect::None,
        "SET" | "RESET" | "LOAD" => Effect::Again,
        "DISCARD" if second == "ALL" => Effect::Clean,
        "ALTER" if matches!(second, "ROLE" | "USER" | "DATABASE" | "SYSTEM") && says("SET") => {
            Effect::Lost
        }
        "SELECT" | "WITH" | "VALUES" | "TABLE" => {
            let into_temporary = words
                .windows(2)
                .any(|pair| pair[0] == "INTO" && pair[1].starts_with("TEMP"));
            if into_temporary || !calls_only_known(text) {
                Effect::Lost
            } else {
                Effect::None
            }
        }
        "DO" if is_plain_block(words) => Effect::None,
        "CREATE" | "ALTER" | "DROP" | "COMMENT" | "GRANT" | "REVOKE" | "TRUNCATE" | "REINDEX"
        | "VACUUM" | "ANALYZE" | "ANALYSE" | "CLUSTER" | "REFRESH" | "SECURITY" | "IMPORT"
        | "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "LOCK" | "CHECKPOINT" | "NOTIFY"
        | "REASSIGN" | "EXPLAIN" | "SHOW" | "DEALLOCATE" | "CLOSE" | "UNLISTEN" | "LISTEN"
        | "COPY" => Effect::None,
        _ => Effect::Lost,
    }
}

/// Whether a query calls nothing but functions that leave nothing in the session.
fn calls_only_known(text: &str) -> bool {
    const KNOWN: &[&str] = &[
        "COUNT",
        "MAX",
        "MIN",
        "SUM",
        "AVG",
        "COALESCE",
        "NULLIF",
        "SETVAL",
        "NEXTVAL",
        "NOW",
        "LENGTH",
        "LOWER",
        "UPPER",
        "PG_SLEEP",
        "EXISTS",
        "IN",
        "VALUES",
        "AS",
        "CAST",
        "ROUND",
        "CLOCK_TIMESTAMP",
        "GENERATE_SERIES",
        "PG_GET_SERIAL_SEQUENCE",
        "GREATEST",
        "LEAST",
        "FROM",
        "WHERE",
        "SELECT",
        "ON",
        "AND",
        "OR",
        "NOT",
        "USING",
        "OVER",
        "FILTER",
        "WITH",
        "MATERIALIZED",
        "JOIN",
        "ANY",
        "ALL",
        "CASE",
        "WHEN",
        "THEN",
        "ELSE",
        "ROW",
        "UNION",
        "PG_ADVISORY_XACT_LOCK",
        "TO_REGCLASS",
        "CURRENT_TIMESTAMP",
        "GEN_RANDOM_UUID",
    ];
    let mut word = String::new();
    let mut before = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || c == '_' {
            word.push(c.to_ascii_uppercase());
        } else {
            if !word.is_empty() {
                before = std::mem::take(&mut word);
            }
            if c == '(' && !before.is_empty() && !KNOWN.contains(&before.as_str()) {
                return false;
            }
            if !c.is_whitespace() {
                before.clear();
            }
        }
    }
    true
}

/// Whether a block of code does nothing but what leaves nothing in the session: no calls, nothing
/// that is put together at run time, no SET but that of an UPDATE.
fn is_plain_block(words: &[String]) -> bool {
    const NEVER: &[&str] = &[
        "PERFORM",
        "EXECUTE",
        "CALL",
        "TEMP",
        "TEMPORARY",
        "RESET",
        "DISCARD",
        "LOAD",
        "PREPARE",
        "LISTEN",
        "SELECT",
        "ROLE",
    ];
    let of_an_update = |place: usize| {
        words[place.saturating_sub(4)..place]
            .iter()
            .any(|word| word == "UPDATE")
    };
    !words.iter().any(|word| NEVER.contains(&word.as_str()))
        && words
            .iter()
            .enumerate()
            .all(|(place, word)| word != "SET" || of_an_update(place))
}

fn on_sqlite(text: &str, words: &[String], first: &str, open: bool) -> Effect {
    /// Settings of the connection.
    const OF_THE_CONNECTION: &[&str] = &[
        "RECURSIVE_TRIGGERS",
        "CASE_SENSITIVE_LIKE",
        "SYNCHRONOUS",
        "CACHE_SIZE",
        "BUSY_TIMEOUT",
        "LEGACY_ALTER_TABLE",
        "IGNORE_CHECK_CONSTRAINTS",
        "QUERY_ONLY",
        "TRUSTED_SCHEMA",
        "SECURE_DELETE",
        "AUTOMATIC_INDEX",
        "REVERSE_UNORDERED_SELECTS",
        "THREADS",
        "MMAP_SIZE",
    ];
    /// What stays in the file, or only answers.
    const OF_THE_FILE: &[&str] = &[
        "USER_VERSION",
        "APPLICATION_ID",
        "AUTO_VACUUM",
        "JOURNAL_MODE",
        "PAGE_SIZE",
        "WAL_CHECKPOINT",
        "OPTIMIZE",
        "INTEGRITY_CHECK",
        "QUICK_CHECK",
        "FOREIGN_KEY_CHECK",
        "TABLE_INFO",
        "TABLE_XINFO",
        "TABLE_LIST",
        "INDEX_LIST",
        "INDEX_INFO",
        "FOREIGN_KEY_LIST",
        "INCREMENTAL_VACUUM",
        "DATABASE_LIST",
        "DEFER_FOREIGN_KEYS",
    ];
    let says = |word: &str| words.iter().any(|said| said == word);
    match first {
        "PRAGMA" => {
            let named = |names: &[&str]| {
                let name = words.iter().skip(1).take(2);
                name.clone().any(|word| names.contains(&word.as_str()))
            };
            if named(OF_THE_CONNECTION) && !open {
                Effect::Again
            } else if named(OF_THE_FILE) {
                Effect::None
            } else {
                Effect::Lost
            }
        }
        "ATTACH" if !text.contains(":memory:") && !text.contains("''") && !open => Effect::Again,
        "DETACH" if !open => Effect::Again,
        "CREATE" | "ALTER" | "DROP" | "INSERT" | "UPDATE" | "DELETE" | "REPLACE" | "WITH"
        | "SELECT" | "VALUES" | "VACUUM" | "REINDEX" | "ANALYZE" | "EXPLAIN"
            if !says("TEMP") =>
        {
            Effect::None
        }
        _ => Effect::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::analyse;

    fn read(engine: Engine, script: &str) -> Vec<Statement> {
        analyse(engine, script).statements().unwrap().to_vec()
    }

    #[test]
    fn what_a_script_set_is_set_again_unless_it_was_rolled_back() {
        let script = "SET search_path = a; SET LOCAL x.y = 1; BEGIN; SET ROLE b; ROLLBACK; \
                      BEGIN; SET x.z = 2; COMMIT; RESET ROLE; VACUUM; SELECT 1";
        let statements = read(Engine::Postgresql, script);
        let again = session_of(Engine::Postgresql, script, &statements, 10).unwrap();
        assert_eq!(again, [0, 6, 8]);
        let script = "PRAGMA recursive_triggers = ON; ATTACH 'x.db' AS x; SELECT 1; PRAGMA user_version = 7; VACUUM";
        let statements = read(Engine::Sqlite, script);
        assert_eq!(
            session_of(Engine::Sqlite, script, &statements, 4).unwrap(),
            [0, 1]
        );
    }

    #[test]
    fn what_went_with_the_session_cannot_be_had_again() {
        for script in [
            "VACUUM; CREATE TEMP TABLE t (id int); SELECT 1",
            "VACUUM; SELECT pg_advisory_lock(1); SELECT 1",
            "VACUUM; PREPARE p AS SELECT 1; SELECT 1",
            "VACUUM; SELECT set_config('a.b', 'c', false); SELECT 1",
            "VACUUM; SELECT 1 AS x INTO TEMP t; SELECT 1",
            "VACUUM; ALTER ROLE me SET search_path = app; SELECT 1",
            "VACUUM; DO $$ BEGIN SET search_path = app; END $$; SELECT 1",
            "VACUUM; SELECT go(); SELECT 1",
            "VACUUM; SET search_path = pg_temp, public; SELECT 1",
            "VACUUM; SELECT pg_try_advisory_lock_shared(42); SELECT 1",
            "VACUUM; SELECT setseed(0.5); SELECT 1",
            "VACUUM; CREATE /* for the copy, a */ TEMPORARY TABLE t (id int); SELECT 1",
        ] {
            let statements = read(Engine::Postgresql, script);
            let lost = session_of(Engine::Postgresql, script, &statements, 2);
            assert_eq!(lost, Err(1), "{script}");
            let before = session_of(Engine::Postgresql, script, &statements, 1);
            assert_eq!(before, Ok(Vec::new()), "{script}");
        }
    }

    #[test]
    fn what_a_savepoint_or_a_chain_did_is_not_folded_wrongly() {
        let engine = Engine::Postgresql;
        let session = |script: &str, count| {
            let statements = read(engine, script);
            session_of(engine, script, &statements, count)
        };
        let script = "BEGIN; SET search_path = a; SAVEPOINT s; SET search_path = b; ROLLBACK TO s; COMMIT; VACUUM";
        assert_eq!(session(script, 6), Err(4));
        let script =
            "BEGIN; SET search_path = a; COMMIT AND CHAIN; SET search_path = b; ROLLBACK; VACUUM";
        assert_eq!(session(script, 5), Ok(vec![1]));
        // ROLLBACK without a transaction takes nothing back.
        assert_eq!(
            session("SET search_path = app; ROLLBACK; VACUUM", 2),
            Ok(vec![0])
        );
        let script =
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE; VACUUM";
        assert_eq!(session(script, 1), Ok(vec![0]));
        // A later statement asks for what the session remembered.
        assert_eq!(
            session("INSERT INTO t VALUES (1); VACUUM; SELECT lastval()", 1),
            Err(2)
        );
        let block = "DO $$ BEGIN CREATE TYPE a AS ENUM ('x'); UPDATE t SET n = 1; EXCEPTION WHEN duplicate_object THEN NULL; END $$; VACUUM";
        assert_eq!(session(block, 1), Ok(Vec::new()));
    }

    #[test]
    fn what_sqlite_cannot_have_again_is_known() {
        let engine = Engine::Sqlite;
        let lost = |script: &str| {
            let statements = read(engine, script);
            session_of(engine, script, &statements, 1)
        };
        for script in [
            "PRAGMA foreign_keys = OFF; VACUUM",
            "ATTACH ':memory:' AS m; VACUUM",
            "PRAGMA writable_schema = ON; VACUUM",
            "CREATE TEMP TABLE t (id); VACUUM",
        ] {
            assert_eq!(lost(script), Err(0), "{script}");
        }
    }
}
