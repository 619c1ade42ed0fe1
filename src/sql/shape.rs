//! How the statements of a script that is not atomic lie in transactions of its own, and where it may
//! be cut.

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
        state = std::mem::take(&mut state).after(engine, text(script, statement), statement.kind);
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
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) open: bool,
    /// SQLite: a SAVEPOINT outside a transaction opens one, and its RELEASE commits it. The names of
    /// those that are open then.
    savepoints: Vec<String>,
}

impl State {
    pub(super) fn after(self, engine: Engine, text: &str, kind: StatementKind) -> Self {
        match kind {
            StatementKind::TransactionControl("BEGIN" | "START TRANSACTION") => {
                Self { open: true, ..self }
            }
            StatementKind::TransactionControl("COMMIT" | "END" | "ROLLBACK" | "ABORT") => {
                if self.open && chains(text) {
                    self
                } else {
                    Self::default()
                }
            }
            StatementKind::TransactionControl("PREPARE TRANSACTION") => Self::default(),
            StatementKind::Savepoint("SAVEPOINT") if engine == Engine::Sqlite => {
                if self.open && self.savepoints.is_empty() {
                    return self;
                }
                let mut savepoints = self.savepoints;
                savepoints.extend(words(text).pop());
                Self {
                    open: true,
                    savepoints,
                }
            }
            StatementKind::Savepoint("RELEASE SAVEPOINT") if !self.savepoints.is_empty() => {
                // It releases the newest of that name, and all that are newer.
                let mut savepoints = self.savepoints;
                let name = words(text).pop();
                let place = savepoints
                    .iter()
                    .rposition(|known| Some(known) == name.as_ref());
                savepoints.truncate(place.unwrap_or(savepoints.len()));
                Self {
                    open: !savepoints.is_empty(),
                    savepoints,
                }
            }
            _ => self,
        }
    }
}

/// How many statements have ended when the one at `place` has, or with it the transaction of the
/// script's own that it begins: the next place at which the script may be cut.
#[must_use]
pub fn unit_end(engine: Engine, script: &str, statements: &[Statement], place: usize) -> usize {
    let open = open_before(engine, script, statements);
    let later = (place + 1..statements.len()).find(|later| !open[*later]);
    later.unwrap_or(statements.len())
}

/// Whether a script leaves a transaction of its own open.
#[must_use]
pub fn ends_open(engine: Engine, script: &str, statements: &[Statement]) -> bool {
    let start = State::default();
    let end = statements.iter().fold(start, |state, statement| {
        state.after(engine, text(script, statement), statement.kind)
    });
    end.open
}

/// The words of a statement in capitals: letters, digits and underscores between anything else.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_uppercase)
        .collect()
}

pub(super) fn text<'a>(script: &'a str, statement: &Statement) -> &'a str {
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
    fn a_release_takes_the_newer_savepoints_with_it() {
        let script = "SAVEPOINT a; SELECT 1; SAVEPOINT b; RELEASE a; SELECT 2";
        let statements = read(Engine::Sqlite, script);
        let open = open_before(Engine::Sqlite, script, &statements);
        assert_eq!(open, [false, true, true, true, false]);
        assert!(!ends_open(Engine::Sqlite, script, &statements));
        assert_eq!(unit_end(Engine::Sqlite, script, &statements, 0), 4);
        let script = "VACUUM; BEGIN; COMMIT AND CHAIN";
        let statements = read(Engine::Postgresql, script);
        assert!(ends_open(Engine::Postgresql, script, &statements));
    }
}
