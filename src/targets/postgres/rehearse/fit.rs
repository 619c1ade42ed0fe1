//! What of a script can be told from its words before it is rehearsed: that one transaction is no place
//! for it, and what a rollback will not undo.

use crate::sql::{Analysis, StatementKind, Word, words};
use crate::targets::RehearsedScript;

/// What is called, and what it does that stays.
const LASTING: [(&str, &str); 14] = [
    ("lo_export", "writes a file on the server"),
    ("pg_file_write", "writes a file on the server"),
    ("pg_file_unlink", "removes a file on the server"),
    ("pg_terminate_backend", "ends other sessions"),
    ("pg_cancel_backend", "cancels what other sessions run"),
    ("pg_reload_conf", "makes the server read its settings again"),
    ("pg_rotate_logfile", "begins another log file"),
    ("pg_switch_wal", "begins another WAL file"),
    ("pg_create_restore_point", "marks a restore point"),
    (
        "pg_create_physical_replication_slot",
        "makes a replication slot",
    ),
    (
        "pg_create_logical_replication_slot",
        "makes a replication slot",
    ),
    ("pg_drop_replication_slot", "drops a replication slot"),
    ("pg_stat_reset", "clears the server's statistics"),
    ("pg_stat_statements_reset", "clears the server's statistics"),
];

/// Why a script cannot be rehearsed in one transaction with others, as a clause.
pub(super) fn unfit(script: &RehearsedScript<'_>) -> Option<String> {
    let statements = match script.analysis {
        Analysis::Analysed(statements) => statements,
        Analysis::NotAnalysed(_) => return Some("a script could not be analysed".to_owned()),
    };
    let other = statements.iter().find_map(|one| match one.kind {
        StatementKind::Ordinary => None,
        StatementKind::TransactionControl(name) => Some(format!(
            "a script controls its transactions itself ({name})"
        )),
        StatementKind::Savepoint(name) => Some(format!("a script uses savepoints ({name})")),
        StatementKind::SetTransaction => {
            Some("a script sets the characteristics of its transaction".to_owned())
        }
        StatementKind::CopyFromStdin => Some("a script says COPY ... FROM STDIN".to_owned()),
        StatementKind::CopyToStdout => Some("a script says COPY ... TO STDOUT".to_owned()),
        StatementKind::NotWrappable(name) => Some(format!("{name} cannot stand in a transaction")),
        StatementKind::ForeignKeys(_) => Some("a script is not for PostgreSQL".to_owned()),
    });
    other.or_else(|| words(script.script).iter().find_map(|said| trips(said)))
}

/// What would trip the fence, or take it away.
fn trips(statement: &[Word]) -> Option<String> {
    let is =
        |place: usize, keyword: &str| statement.get(place).is_some_and(|word| word.is(keyword));
    let all = (0..statement.len())
        .any(|at| is(at, "set") && is(at + 1, "constraints") && is(at + 2, "all"));
    if all {
        return Some(
            "SET CONSTRAINTS ALL is about the constraints of everything that runs in one transaction"
                .to_owned(),
        );
    }
    let discards = (0..statement.len()).any(|at| {
        is(at, "discard")
            && ["all", "temp", "temporary"]
                .iter()
                .any(|what| is(at + 1, what))
    });
    if discards {
        return Some("DISCARD TEMP drops what the rehearsal itself stands on".to_owned());
    }
    let names_it = |word: &Word| word.text.contains("tollgate_fence");
    statement.iter().any(names_it).then(|| {
        "a script names the table that keeps the rehearsal from being committed".to_owned()
    })
}

/// What a rollback does not undo, and what is not compared, as far as the words tell: a clause each.
pub(super) fn lasting(scripts: [&str; 2]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for statement in scripts.iter().flat_map(|script| words(script)) {
        let mut note = |text: String| {
            if !out.contains(&text) {
                out.push(text);
            }
        };
        let first = |keyword: &str| statement.first().is_some_and(|word| word.is(keyword));
        let second = |keywords: &[&str]| {
            let word = statement.get(1);
            word.is_some_and(|word| keywords.iter().any(|keyword| word.is(keyword)))
        };
        if first("copy") {
            if statement.iter().any(|word| word.is("program")) {
                note(
                    "COPY ... PROGRAM runs a program on the server, which is not undone".to_owned(),
                );
            } else if writes_a_file(&statement) {
                note("COPY ... TO writes a file on the server, which is not undone".to_owned());
            }
        }
        if ["create", "alter", "drop"].iter().any(|verb| first(verb))
            && second(&["role", "user", "group", "database"])
        {
            note("roles, and what is set for a role or the database, are not compared".to_owned());
        }
        for word in &statement {
            if word.text.starts_with("dblink") {
                note("what goes through dblink is not undone".to_owned());
            }
            if let Some((name, what)) = LASTING.iter().find(|(name, _)| word.text == *name) {
                note(format!("{name} {what}, which is not undone"));
            }
        }
    }
    out
}

/// `COPY ... TO 'file'`.
fn writes_a_file(statement: &[Word]) -> bool {
    statement
        .windows(2)
        .any(|pair| pair[0].is("to") && pair[1].quoted && pair[1].text.ends_with('\''))
}

/// Whether a script could draw from a sequence: it does more than define things.
pub(super) fn could_draw(scripts: [&str; 2]) -> bool {
    const DRAWS: [&str; 15] = [
        "insert", "update", "delete", "merge", "copy", "select", "call", "do", "execute", "with",
        "default", "using", "values", "truncate", "refresh",
    ];
    let mut said = scripts.iter().flat_map(|script| words(script)).flatten();
    said.any(|word| DRAWS.iter().any(|draws| word.is(draws)) || word.text.contains("nextval"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::Engine;
    use crate::sql::analyse;

    fn why(script: &str) -> String {
        let analysis = analyse(Engine::Postgresql, script);
        let analysis = &analysis;
        unfit(&RehearsedScript { script, analysis }).unwrap_or_default()
    }

    #[test]
    fn what_one_transaction_is_no_place_for() {
        for (script, expected) in [
            ("CREATE TABLE t (id int); SET CONSTRAINTS fk DEFERRED", ""),
            ("LISTEN x; NOTIFY x; UNLISTEN *", ""),
            ("COMMIT", "controls its transactions"),
            ("SAVEPOINT a", "savepoints"),
            ("VACUUM", "VACUUM"),
            ("SET TRANSACTION READ ONLY", "characteristics"),
            ("COPY t FROM STDIN", "STDIN"),
            ("set constraints ALL immediate", "SET CONSTRAINTS ALL"),
            (
                "DO $$ BEGIN SET CONSTRAINTS ALL IMMEDIATE; END $$",
                "SET CONSTRAINTS ALL",
            ),
            ("DISCARD TEMP", "DISCARD TEMP"),
            ("DROP TABLE tollgate_fence", "keeps the rehearsal"),
            ("SELECT 'set constraints all'", ""),
        ] {
            let why = why(script);
            assert_eq!(why.is_empty(), expected.is_empty(), "{script}: {why}");
            assert!(why.contains(expected), "{script}: {why}");
        }
    }

    #[test]
    fn what_stays_is_told_once() {
        let script = "COPY t TO PROGRAM 'cat'; COPY t TO '/tmp/x'; COPY t FROM '/tmp/x'; \
                      SELECT dblink_exec('', ''), dblink(''), lo_export(1, ''); ALTER ROLE a SET x.y = 1";
        assert_eq!(
            lasting([script, script]).len(),
            5,
            "{:?}",
            lasting([script, ""])
        );
        assert_eq!(lasting(["SELECT 'lo_export'", "COPY t FROM '/x'"]), [""; 0]);
        assert!(could_draw(["DROP TABLE t", "INSERT INTO t VALUES (1)"]));
        assert!(!could_draw(["DROP TABLE t", "CREATE TABLE t (id int)"]));
    }
}
