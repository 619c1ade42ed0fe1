//! What a reader of a plan should know of how a script will run.

use crate::model::entry::Engine;
use crate::sql::{self, Analysis, NotAnalysed, Shape, Statement, StatementKind};

/// The notes of one script.
pub(super) fn of(engine: Engine, script: &str, analysis: &Analysis) -> Vec<String> {
    match analysis {
        Analysis::Analysed(statements) => read(engine, script, statements),
        Analysis::NotAnalysed(NotAnalysed::TooLarge { bytes }) => {
            vec![format!("not analysed: {bytes} bytes")]
        }
        Analysis::NotAnalysed(NotAnalysed::TooDeep { offset }) => {
            vec![format!(
                "not analysed: it nests too deeply at byte {offset}"
            )]
        }
        Analysis::NotAnalysed(NotAnalysed::ParseError { offset, message }) => {
            vec![format!("not analysed: at byte {offset}: {message}")]
        }
    }
}

/// Of a step whose first statements stand already.
pub(super) fn going_on(done: u64, of: u64) -> String {
    if done >= of {
        format!("all {of} statements stand in the target: only the receipt is written")
    } else {
        format!(
            "goes on at statement {} of {of}: what stands before it is not sent again",
            done + 1
        )
    }
}

fn read(engine: Engine, script: &str, statements: &[Statement]) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for statement in statements {
        if let StatementKind::NotWrappable(what) = statement.kind {
            let note = format!("not atomic: {what} cannot run in a transaction");
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    let control = statements
        .iter()
        .find_map(|statement| match statement.kind {
            StatementKind::TransactionControl(what) => Some(what),
            _ => None,
        });
    if let Some(what) = control {
        notes.push(match sql::shape(engine, script, statements) {
            Shape {
                blocks: 1,
                outside: 0,
            } => format!(
                "one transaction of the script's own ({what}): the receipt is written after it"
            ),
            Shape { blocks: 0, .. } => {
                format!("not atomic: the script controls its own transaction ({what})")
            }
            Shape { blocks, outside } => format!(
                "not atomic: the script has {} of its own, and {} outside {}",
                many(blocks, "transaction"),
                many(outside, "statement"),
                if blocks == 1 { "it" } else { "them" }
            ),
        });
    }
    notes
}

fn many(number: usize, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {one}{plural}")
}
