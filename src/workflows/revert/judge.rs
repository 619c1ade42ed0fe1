//! What speaks against writing a rollback: all of it is looked for before anything is written, and told at once.

use super::{Request, Subject, past, read, subject};
use crate::model::reverting::REVERTS;
use crate::model::{DownLabel, EnvironmentName, MigrationId};
use crate::planner::FileFacts;
use crate::planner::gates::shell;
use crate::planner::revert::{Later, Links, builds_on, name_of, one_line, stubs};
use crate::reverse::reverse;
use crate::sql;
use crate::workflows::{Run, WorkflowError};

/// A second rollback of the same migration is none.
pub(super) fn not_twice(
    run: &Run<'_>,
    request: &Request<'_>,
    links: &Links,
    migration: &MigrationId,
) -> Result<(), WorkflowError> {
    let Some(rollback) = links.standing(migration) else {
        return Ok(());
    };
    let view = run.ledger.view();
    let here = |name: &&EnvironmentName| view.get(name);
    let has_it = |name: &&EnvironmentName| {
        here(name).is_some_and(|here| here.applied.contains_key(rollback))
    };
    let Some(last) = run.policy.chain().last() else {
        return Ok(());
    };
    if has_it(&last) {
        return Err(WorkflowError::Usage {
            what: format!("{migration} is reversed in {last} already, by {rollback}"),
            remedy: "tollgate status".to_owned(),
        });
    }
    let mut chain = run.policy.chain();
    let failed = chain.find(|name| {
        !has_it(name) && here(name).is_some_and(|here| here.failed.contains_key(rollback))
    });
    let file = (request.path)(rollback, "migration.sql");
    let places: Vec<&str> = run
        .policy
        .chain()
        .filter(has_it)
        .map(EnvironmentName::as_str)
        .collect();
    let told = match (failed, places.as_slice()) {
        (Some(name), _) => format!("it failed in {name}, and nothing of it stands there"),
        (None, []) => "it ran nowhere yet".to_owned(),
        (None, places) => format!("it ran in {}, and is on its way", places.join(", ")),
    };
    let promote = format!("tollgate promote {last}");
    Err(WorkflowError::Usage {
        what: format!("a rollback of {migration} is written: {file}; {told}"),
        remedy: match failed {
            // Where it ran already its bytes are under way, and stay as they are.
            Some(name) if !places.is_empty() => {
                format!("{promote}   # after putting right what stands in {name}")
            }
            Some(_) => format!("edit {}, then: {promote}", shell(&file)),
            None => promote,
        },
    })
}

/// What says that it is irreversible is written by hand.
pub(super) fn reversible(migration: &MigrationId, label: &DownLabel) -> Result<(), WorkflowError> {
    let DownLabel::Irreversible(why) = label else {
        return Ok(());
    };
    Err(WorkflowError::Refused {
        what: format!("{migration} says that it is irreversible: {why}"),
        remedy: format!(
            "tollgate new {}   # and write by hand what can be brought back, below -- {REVERTS} {migration}",
            shell(&name_of(migration))
        ),
    })
}

pub(super) fn never_applied(
    run: &Run<'_>,
    request: &Request<'_>,
    migration: &MigrationId,
) -> WorkflowError {
    let unsettled = run.ledger.view().environments().find(|(_, there)| {
        let mut open = there.open.values().map(|open| &open.intent.migration);
        let mut partial = there.partial.values();
        open.any(|id| id == migration)
            || partial.any(|failed| failed.attempted.intent.migration == *migration)
            || there.standing.contains_key(migration)
    });
    if let Some((name, _)) = unsettled {
        return WorkflowError::Refused {
            what: format!(
                "{migration} was begun in {name} and did not succeed: what stands of it has to be settled, not reverted"
            ),
            remedy: format!("tollgate plan {name}"),
        };
    }
    let folder = (request.path)(migration, "");
    WorkflowError::Usage {
        what: format!(
            "{migration} was never applied anywhere that this ledger knows of, so there is nothing to reverse"
        ),
        remedy: format!(
            "rm -r {}   # delete its folder instead",
            shell(folder.trim_end_matches('/'))
        ),
    }
}

/// What speaks against it, a line each, and what comes before the command can be typed again.
#[derive(Default)]
struct Against {
    lines: Vec<String>,
    /// Later migrations that build on it and ran: they are reversed with it.
    ran: Vec<MigrationId>,
    /// Folders of later ones that ran nowhere.
    pending: Vec<String>,
    /// The file in which something is to be written by hand.
    edit: Option<String>,
    /// The migration whose `down.sql` is to be written.
    write: Option<MigrationId>,
}

/// Refuses what cannot be reversed as it stands: where a later migration that is not reversed, and is not one of
/// these, builds on one of them, and where something is still to be written by hand.
pub(super) fn whole(
    run: &Run<'_>,
    request: &Request<'_>,
    links: &Links,
    chosen: &[Subject],
) -> Result<(), WorkflowError> {
    let mut against = Against::default();
    later(run, request, links, chosen, &mut against);
    for subject in chosen {
        by_hand(run, request, subject, &mut against);
    }
    for id in &against.ran.clone() {
        // Those are reversed with it, and had better be able to.
        if let Ok(subject) = subject(run, request, id) {
            by_hand(run, request, &subject, &mut against);
        }
    }
    if against.lines.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = chosen.iter().map(|it| it.migration.as_str()).collect();
    Err(WorkflowError::Refused {
        what: format!(
            "{} cannot be reversed as {}; nothing was {}\n  {}",
            names.join(", "),
            if names.len() == 1 {
                "it stands"
            } else {
                "they stand"
            },
            match request.go_on {
                Some(_) => "done",
                None => "written",
            },
            against.lines.join("\n  ")
        ),
        remedy: remedy(request, chosen, &against),
    })
}

/// Later migrations that name what one of these made, or what one of those made that build on it.
fn later(
    run: &Run<'_>,
    request: &Request<'_>,
    links: &Links,
    chosen: &[Subject],
    against: &mut Against,
) {
    let is_chosen = |id: &MigrationId| chosen.iter().any(|subject| subject.migration == *id);
    let Some(first) = chosen.last().map(|subject| &subject.migration) else {
        return;
    };
    let stands = |file: &&FileFacts<'_>| {
        file.migration > first
            && !is_chosen(file.migration)
            && links.standing(file.migration).is_none()
            && links.reverted_by(file.migration).is_none()
    };
    let mut before: Vec<(MigrationId, Vec<sql::changes::Change>)> = chosen
        .iter()
        .map(|subject| (subject.migration.clone(), subject.up_changes.clone()))
        .collect();
    for file in run.files.iter().filter(stands) {
        let (_, changes) = read(request.engine, file.script);
        let later = Later {
            migration: file.migration,
            script: file.script,
            changes: &changes,
        };
        let mut earlier = before.iter().filter(|(id, _)| id < file.migration);
        let Some(told) = earlier.find_map(|(id, made)| {
            let told = builds_on(request.engine, made, &later)?;
            let of = match chosen {
                [one] if one.migration == *id => "it",
                _ => id.as_str(),
            };
            Some(format!("{} builds on {of}: it {told}", file.migration))
        }) else {
            continue;
        };
        let mut everywhere = run.ledger.view().environments();
        let ran = everywhere.any(|(_, there)| {
            there.applied.contains_key(file.migration)
                || there.evidence.contains_key(file.migration)
        });
        if ran {
            against.lines.push(told);
            against.ran.push(file.migration.clone());
        } else {
            against.lines.push(format!(
                "{told}; it ran nowhere, and would run before the rollback"
            ));
            let folder = (request.path)(file.migration, "");
            against
                .pending
                .push(folder.trim_end_matches('/').to_owned());
        }
        before.push((file.migration.clone(), changes));
    }
    against.ran.reverse();
}

/// What is still to be written by hand before it can be reversed.
fn by_hand(run: &Run<'_>, request: &Request<'_>, subject: &Subject, against: &mut Against) {
    let migration = &subject.migration;
    if let Some((_, script, ..)) = &subject.down {
        let file = (request.path)(migration, "down.sql");
        for line in stubs(script) {
            against
                .lines
                .push(format!("{file}:{line}: still to be written by hand"));
            against.edit.get_or_insert_with(|| file.clone());
        }
        return;
    }
    if request.go_on.is_none() {
        // `revert` writes what is certain, and says what it left open.
        return;
    }
    let file = (request.path)(migration, "migration.sql");
    let past = past(run, request.engine, migration);
    for open in reverse(&past, &subject.up_script).open {
        let line = sql::position(&subject.up_script, open.range.start).line;
        against.lines.push(format!(
            "{file}:{line}: {}, and {}",
            open.why,
            subject.no_help.unwrap_or("it has no down.sql")
        ));
        against.write.get_or_insert_with(|| migration.clone());
    }
}

/// One thing to do, and the command after it.
fn remedy(request: &Request<'_>, chosen: &[Subject], against: &Against) -> String {
    let again = again(request, chosen, &against.ran);
    if let Some(folder) = against.pending.first() {
        let rest = against.pending.iter().skip(1);
        let all = rest.fold(shell(folder), |all, next| format!("{all} {}", shell(next)));
        return format!("mv {all} ..   # out of the tree, because it ran nowhere; then: {again}");
    }
    if let Some(file) = &against.edit {
        return format!("edit {}, then: {again}", shell(file));
    }
    if let Some(migration) = &against.write {
        return format!(
            "tollgate new --down {}   # write what it leaves open, then: {again}",
            shell(migration.as_str())
        );
    }
    again
}

/// The command that reverses all of them, newest first.
fn again(request: &Request<'_>, chosen: &[Subject], also: &[MigrationId]) -> String {
    let reason = shell(&one_line(request.reason));
    let mut ids: Vec<&MigrationId> = chosen.iter().map(|subject| &subject.migration).collect();
    ids.extend(also);
    ids.sort();
    ids.reverse();
    let ids: Vec<String> = ids.iter().map(|id| shell(id.as_str())).collect();
    let revert = format!("tollgate revert {} --reason {reason}", ids.join(" "));
    match request.go_on {
        None => revert,
        Some(emergency) if also.is_empty() => emergency.to_owned(),
        Some(emergency) => format!("{revert} && {emergency}"),
    }
}
