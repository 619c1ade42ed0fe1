//! How the statements of a script that is not atomic lie in transactions of its own, where it may be
//! gone on with after it stopped, and what of the session has to be set again then.

use super::{Statement, StatementKind};
use crate::model::entry::Engine;

/// What a script that controls its transactions itself is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Transactions of its own that it opens.
    pub blocks: usize,
    /// Statements outside them, transaction control not counted.
    pub outside: usize,
}

/// How many transactions of its own a script opens, and how much of it stands outside them.
#[must_use]
pub fn shape(engine: Engine, script: &str, statements: &[Statement]) -> Shape {
    let open = open_before(engine, script, statements);
    let is_control =
        |statement: &Statement| matches!(statement.kind, StatementKind::TransactionControl(_));
    let outside = statements.iter().zip(&open);
    // One that is open before a statement and was not before the last one was opened between.
    let opened = open.windows(2).filter(|pair| !pair[0] && pair[1]).count();
    Shape {
        blocks: opened,
        outside: outside
            .filter(|(statement, open)| !**open && !is_control(statement))
            .count(),
    }
}

/// For each statement, whether a transaction of the script's own is open before it. Where none is,
/// the script can be cut there: what stands before is committed, and nothing else is.
#[must_use]
pub fn open_before(engine: Engine, script: &str, statements: &[Statement]) -> Vec<bool> {
    let mut state = State::default();
    let before = |statement: &Statement| {
        let open = state.open;
        state = state.after(engine, text(script, statement), statement.kind);
        open
    };
    statements.iter().map(before).collect()
}

/// Whether the transaction that a COMMIT or ROLLBACK ends is followed by another at once.
#[must_use]
pub fn chains(statement: &str) -> bool {
    let words = words(statement);
    let chain = words.iter().position(|word| word == "CHAIN");
    chain.is_some_and(|at| at == 0 || words[at - 1] != "NO")
}

/// Where a script stands after some of its statements.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    open: bool,
    /// SQLite: a SAVEPOINT outside a transaction opens one, and its RELEASE commits it.
    savepoints: Option<usize>,
}

impl State {
    fn after(self, engine: Engine, text: &str, kind: StatementKind) -> Self {
        let closed = Self::default();
        match kind {
            StatementKind::TransactionControl("BEGIN" | "START TRANSACTION") => {
                Self { open: true, ..self }
            }
            StatementKind::TransactionControl("COMMIT" | "END" | "ROLLBACK" | "ABORT") => {
                if self.open && chains(text) {
                    self
                } else {
                    closed
                }
            }
            StatementKind::TransactionControl("PREPARE TRANSACTION") => closed,
            StatementKind::Savepoint("SAVEPOINT") if engine == Engine::Sqlite => {
                match self.savepoints {
                    None if self.open => self,
                    depth => Self {
                        open: true,
                        savepoints: Some(depth.unwrap_or(0) + 1),
                    },
                }
            }
            StatementKind::Savepoint("RELEASE SAVEPOINT") => match self.savepoints {
                Some(0 | 1) => closed,
                depth => Self {
                    savepoints: depth.map(|depth| depth - 1),
                    ..self
                },
            },
            _ => self,
        }
    }
}

/// What the first `count` statements of a script set in their session, and later ones may rely on:
/// the places of the statements to be sent again, in order, when the script is gone on with in
/// another session.
///
/// # Errors
/// The place of a statement whose effect on the session cannot be had again: a temporary table, a
/// prepared statement, an advisory lock.
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
        if let StatementKind::TransactionControl("ROLLBACK" | "ABORT") = statement.kind {
            // What was set in it went with it.
            again.truncate(since_begin);
        }
        if state.open && !open {
            since_begin = again.len();
        }
        match effect(engine, text, statement.kind) {
            Effect::None => {}
            // A new session is as clean.
            Effect::Clean => again.clear(),
            Effect::Again => again.push(place),
            Effect::Lost => return Err(place),
        }
    }
    Ok(again)
}

/// What a statement leaves in its session.
enum Effect {
    None,
    Clean,
    Again,
    Lost,
}

fn effect(engine: Engine, text: &str, kind: StatementKind) -> Effect {
    if matches!(
        kind,
        StatementKind::TransactionControl(_)
            | StatementKind::Savepoint(_)
            | StatementKind::SetTransaction
    ) {
        return Effect::None;
    }
    let words = words(text);
    let at = |place: usize| words.get(place).map_or("", String::as_str);
    let temporary = at(0) == "CREATE"
        && words
            .iter()
            .take(4)
            .any(|word| matches!(word.as_str(), "TEMP" | "TEMPORARY"));
    let into = |pair: &[String]| pair[0] == "INTO" && pair[1].starts_with("TEMP");
    if temporary || words.windows(2).any(into) {
        return Effect::Lost;
    }
    match engine {
        Engine::Postgresql => {
            let says = |word: &str| words.iter().any(|said| said == word);
            match (at(0), at(1)) {
                ("SET", "LOCAL" | "CONSTRAINTS") => Effect::None,
                ("DISCARD", "ALL") => Effect::Clean,
                ("SET" | "RESET" | "LOAD", _) => Effect::Again,
                ("PREPARE" | "DECLARE", _) => Effect::Lost,
                _ if says("SET_CONFIG")
                    || says("PG_ADVISORY_LOCK")
                    || says("PG_TRY_ADVISORY_LOCK")
                    || says("PG_TEMP") =>
                {
                    Effect::Lost
                }
                _ => Effect::None,
            }
        }
        Engine::Sqlite => match at(0) {
            "PRAGMA" if text.contains(['=', '(']) => Effect::Again,
            "ATTACH" | "DETACH" => Effect::Again,
            _ if words.iter().any(|word| word == "TEMP") => Effect::Lost,
            _ => Effect::None,
        },
    }
}

/// The words of a statement in capitals: letters, digits and underscores between anything else.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_uppercase)
        .collect()
}

fn text<'a>(script: &'a str, statement: &Statement) -> &'a str {
    script.get(statement.range.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::analyse;

    fn read(engine: Engine, script: &str) -> Vec<Statement> {
        analyse(engine, script).statements().unwrap().to_vec()
    }

    #[test]
    fn blocks_and_what_stands_outside_are_counted() {
        for (script, blocks, outside) in [
            ("BEGIN; SELECT 1; COMMIT;", 1, 0),
            ("BEGIN; SELECT 1; COMMIT; VACUUM;", 1, 1),
            (
                "BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; END; SELECT 3",
                2,
                1,
            ),
            ("VACUUM; SELECT 1", 0, 2),
            (
                "START TRANSACTION; SELECT 1; COMMIT AND CHAIN; SELECT 2; COMMIT AND NO CHAIN; SELECT 3",
                1,
                1,
            ),
        ] {
            let statements = read(Engine::Postgresql, script);
            let found = shape(Engine::Postgresql, script, &statements);
            assert_eq!(found, Shape { blocks, outside }, "{script}");
        }
    }

    #[test]
    fn a_savepoint_opens_a_transaction_on_sqlite_alone() {
        let script = "SAVEPOINT a; SELECT 1; SAVEPOINT b; RELEASE b; RELEASE a; SELECT 2";
        let open = |engine| open_before(engine, script, &read(engine, script));
        assert_eq!(open(Engine::Sqlite), [false, true, true, true, true, false]);
        assert_eq!(open(Engine::Postgresql), [false; 6]);
    }

    #[test]
    fn what_a_script_set_is_set_again_unless_it_was_rolled_back() {
        let script = "SET search_path = a; SET LOCAL x.y = 1; BEGIN; SET ROLE b; ROLLBACK; \
                      BEGIN; SET x.z = 2; COMMIT; RESET ROLE; VACUUM; SELECT 1";
        let statements = read(Engine::Postgresql, script);
        let again = session_of(Engine::Postgresql, script, &statements, 10).unwrap();
        assert_eq!(again, [0, 6, 8]);
        let script = "PRAGMA foreign_keys = OFF; ATTACH 'x.db' AS x; SELECT 1; VACUUM";
        let statements = read(Engine::Sqlite, script);
        assert_eq!(
            session_of(Engine::Sqlite, script, &statements, 3).unwrap(),
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
        ] {
            let statements = read(Engine::Postgresql, script);
            let lost = session_of(Engine::Postgresql, script, &statements, 2);
            assert_eq!(lost, Err(1), "{script}");
            let before = session_of(Engine::Postgresql, script, &statements, 1);
            assert_eq!(before, Ok(Vec::new()), "{script}");
        }
    }
}
