//! script: the script can be sent. COPY has no client to talk to here.

use super::promotion::and;
use super::{Finding, Gate, World, data_loss};
use crate::planner::FileFacts;
use crate::planner::revert::stubs;
use crate::sql::{Analysis, StatementKind, position};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, analysis) in world.pending.iter().zip(&world.analyses) {
        findings.extend(by_hand(world, file));
        let Analysis::Analysed(statements) = analysis else {
            findings.extend(unread_copy(world, file));
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
                remedy: format!(
                    "edit {}: use {instead}",
                    world.path(file.migration, "migration.sql")
                ),
            });
        }
    }
    findings
}

/// What was written by `revert` and left something open refuses to run.
fn by_hand(world: &World<'_>, file: &FileFacts<'_>) -> Option<Finding> {
    let open = stubs(file.script);
    let first = open.first()?;
    let path = world.path(file.migration, "migration.sql");
    Some(Finding {
        gate: Gate::Script,
        migration: Some(file.migration.clone()),
        fact: "something of it is still to be written by hand, and it refuses to run before"
            .to_owned(),
        found: open.iter().map(|line| format!("line {line}")).collect(),
        required: "statements in their place".to_owned(),
        remedy: format!("edit {path}: line {first} says what belongs there"),
    })
}

/// A prepared reversal that is not whole is found out when it is needed, or before.
fn open_reversals(world: &World<'_>) -> Vec<Finding> {
    let of = |file: &FileFacts<'_>| {
        let open = stubs(file.down?.script);
        let first = open.first()?;
        let path = world.path(file.migration, "down.sql");
        Some(Finding {
            gate: Gate::Script,
            migration: Some(file.migration.clone()),
            fact: "something of its down.sql is still to be written by hand: until then nothing reverses it".to_owned(),
            found: open.iter().map(|line| format!("line {line} of down.sql")).collect(),
            required: "statements in their place".to_owned(),
            remedy: format!("edit {path}: line {first} says what belongs there"),
        })
    };
    world.pending.iter().filter_map(of).collect()
}

/// A line of a script that could not be analysed and begins like COPY ... FROM STDIN, as pg_dump writes
/// it with the rows after it.
fn unread_copy(world: &World<'_>, file: &FileFacts<'_>) -> Option<Finding> {
    let begins_copy = |line: &str| {
        let words: Vec<String> = line
            .split_whitespace()
            .map(str::to_ascii_uppercase)
            .collect();
        let from_stdin = |pair: &[String]| pair[0] == "FROM" && pair[1].starts_with("STDIN");
        words.first().is_some_and(|word| word == "COPY") && words.windows(2).any(from_stdin)
    };
    let number = file.script.lines().position(begins_copy)? + 1;
    Some(Finding {
        gate: Gate::Script,
        migration: Some(file.migration.clone()),
        fact: "COPY ... FROM STDIN needs a client that sends or takes the rows, and a migration has none".to_owned(),
        found: vec![format!("line {number} begins like it; the script was not analysed")],
        required: "statements that the server can run alone".to_owned(),
        remedy: format!("edit {}: use INSERT INTO ... VALUES", world.path(file.migration, "migration.sql")),
    })
}

/// Scripts in which there is nothing to run: legal, and seldom what was meant, because a migration that
/// ran cannot be written any more.
pub(super) fn advice(world: &World<'_>) -> Vec<Finding> {
    let empty = |analysis: &Analysis| analysis.statements().is_some_and(<[_]>::is_empty);
    let scripts = world.pending.iter().zip(&world.analyses);
    let found = scripts
        .filter(|(_, analysis)| empty(analysis))
        .map(|(file, _)| nothing_to_run(world, file));
    found.chain(open_reversals(world)).collect()
}

fn nothing_to_run(world: &World<'_>, file: &FileFacts<'_>) -> Finding {
    let ran = data_loss::ran_in(world, file);
    let (fact, remedy) = match ran.as_slice() {
        [] => (
            "it has no statement: nothing would run, and its file could not be changed after that"
                .to_owned(),
            format!("edit {} first", world.path(file.migration, "migration.sql")),
        ),
        // An edit would make it modified there.
        ran => (
            format!(
                "it has no statement: nothing would run here either; {} took it as it is, and an edit of it would be refused",
                and(ran)
            ),
            "tollgate new '<what it was to do>'".to_owned(),
        ),
    };
    Finding {
        gate: Gate::Script,
        migration: Some(file.migration.clone()),
        fact,
        found: vec![match file.script.len() {
            0 => "an empty file".to_owned(),
            1 => "1 byte: a blank".to_owned(),
            bytes => format!("{bytes} bytes of comments and blanks"),
        }],
        required: "nothing, if it is meant so".to_owned(),
        remedy,
    }
}
