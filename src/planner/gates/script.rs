//! script: the script can be sent. COPY has no client to talk to here.

use super::{Finding, Gate, World};
use crate::sql::{Analysis, StatementKind, position};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, analysis) in world.pending.iter().zip(&world.analyses) {
        let Analysis::Analysed(statements) = analysis else {
            continue;
        };
        for statement in statements {
            let (what, instead) = match statement.kind {
                StatementKind::CopyFromStdin => ("COPY ... FROM STDIN", "INSERT INTO ... VALUES"),
                StatementKind::CopyToStdout => {
                    ("COPY ... TO STDOUT", "a SELECT outside the migration")
                }
                _ => continue,
            };
            let at = position(file.script, statement.range.start);
            findings.push(Finding {
                gate: Gate::Script,
                migration: Some(file.migration.clone()),
                fact: format!(
                    "{what} needs a client that sends or takes the rows, and a migration has none"
                ),
                found: vec![format!("{what} in line {}", at.line)],
                required: "statements that the server can run alone".to_owned(),
                remedy: format!("edit {}/migration.sql: use {instead}", file.migration),
            });
        }
    }
    findings
}
