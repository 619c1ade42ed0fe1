//! What can be told of the scripts before anything runs.

use crate::sql::{Analysis, NotAnalysed, StatementKind};
use crate::targets::{RehearsalError, RehearsalRequest, RehearsedScript};

/// Refuses a script that cannot stand in a transaction; otherwise whether it turns foreign keys off.
pub(super) fn fit(script: &RehearsedScript<'_>) -> Result<bool, RehearsalError> {
    let unfit = |why: String| Err(RehearsalError::Unfit { why });
    let statements = match script.analysis {
        Analysis::Analysed(statements) => statements,
        Analysis::NotAnalysed(NotAnalysed::TooLarge { bytes }) => {
            return unfit(format!("a script of {bytes} bytes is too large to be read"));
        }
        Analysis::NotAnalysed(_) => {
            return unfit("a script could not be read wholly".to_owned());
        }
    };
    let mut off = false;
    for statement in statements {
        match statement.kind {
            StatementKind::Ordinary
            | StatementKind::Savepoint(_)
            | StatementKind::ForeignKeys(true) => {}
            StatementKind::ForeignKeys(false) => off = true,
            StatementKind::TransactionControl(word) => {
                return unfit(format!("a script controls the transaction itself ({word})"));
            }
            StatementKind::NotWrappable(name) => {
                return unfit(format!("{name} cannot run in a transaction"));
            }
            StatementKind::SetTransaction
            | StatementKind::CopyFromStdin
            | StatementKind::CopyToStdout => {
                return unfit("a script holds what SQLite does not know".to_owned());
            }
        }
    }
    Ok(off)
}

/// A name for our savepoints that stands nowhere in the scripts: `ROLLBACK TO` cannot reach them.
pub(super) fn unused_name(request: &RehearsalRequest<'_>) -> String {
    let scripts = [request.first.script, request.second.script].map(str::to_ascii_lowercase);
    let mut number = 0_u64;
    loop {
        let name = format!("tollgate_rehearsal_{number}_");
        if !scripts.iter().any(|script| script.contains(&name)) {
            return name;
        }
        number += 1;
    }
}
