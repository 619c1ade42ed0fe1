//! An emergency for people: the steps, one of them, and how it ended.

use crate::cli::git::Git;
use crate::cli::project::Project;
use crate::cli::verbs::revert::{and, kept};
use crate::model::MigrationId;
use crate::planner::emergency::{Done, Procedure, Step};
use crate::planner::gates::shell;
use crate::report::Paint;

/// The whole procedure, with what is done of it.
pub(super) fn steps(project: &Project, now: &Procedure, paint: Paint) -> String {
    let mut out = match &now.incident {
        None => format!(
            "{} {} is to be reversed in {}\n",
            paint.bad("emergency:"),
            now.migration,
            now.last
        ),
        Some(incident) => format!(
            "{} {} is to be reversed in {}; incident {}, open since {}: {}\n",
            paint.bad("emergency:"),
            now.migration,
            now.last,
            incident.id.short(),
            incident.at.minute(),
            incident.reason
        ),
    };
    for (place, stage) in (1..).zip(&now.stages) {
        let (mark, told) = match &stage.done {
            Some(done) => (paint.good("done"), told(done)),
            None => ("    ".to_owned(), String::new()),
        };
        out.push_str(&format!(
            "  {place:>2}  {mark}  {}{told}\n",
            brief(now, &stage.step, "the rollback")
        ));
    }
    if !now.not_back.is_empty() {
        out.push_str(&format!(
            "  {} {}\n            {}\n",
            paint.warn("not back:"),
            not_back(now),
            kept(project, &now.last, now.file_before.as_deref())
        ));
    }
    out
}

/// What the migration itself took.
fn not_back(now: &Procedure) -> String {
    format!(
        "what stood in {} was lost when it ran, and stays lost",
        and(now.not_back.iter().map(String::as_str))
    )
}

fn told(done: &Done) -> String {
    let words: Vec<String> = [
        done.what.clone(),
        done.at.map(|at| at.minute()),
        done.by.as_ref().map(|by| format!("by {by}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    match words.is_empty() {
        true => String::new(),
        false => format!(": {}", words.join(", ")),
    }
}

/// What a step is, imperative.
pub(super) fn what(now: &Procedure, step: &Step) -> String {
    match (step, &now.rollback) {
        (Step::Write, Some(rollback)) => format!("take {rollback} for the rollback"),
        (_, rollback) => {
            let rollback = rollback.as_ref();
            brief(
                now,
                step,
                rollback.map_or("the rollback", MigrationId::as_str),
            )
        }
    }
}

/// The same with the rollback called so.
fn brief(now: &Procedure, step: &Step, rollback: &str) -> String {
    match step {
        Step::Backup => format!("back up {} now", now.last),
        Step::Write => format!("write the rollback of {}", now.migration),
        Step::Before {
            environment,
            migrations,
        } => format!(
            "apply to {environment} what is pending there before {rollback}, and goes along: {}",
            and(migrations.iter().map(MigrationId::as_str))
        ),
        Step::Rehearse(environment) => format!("rehearse {rollback} in {environment}"),
        Step::Apply(environment) if *environment == now.last => {
            let loses = match now.loses.as_slice() {
                [] => String::new(),
                names => format!(
                    ": what stands in {} is lost",
                    and(names.iter().map(String::as_str))
                ),
            };
            format!("apply {rollback} to {environment}, the last environment{loses}")
        }
        Step::Apply(environment) => format!("apply {rollback} to {environment}"),
    }
}

/// It did not come to its end.
pub(super) fn stopped(now: &Procedure, go_on: &str, word: &str, paint: Paint) -> String {
    let word = match word {
        "not-confirmed" => paint.warn("stopped:"),
        "interrupted" => paint.warn("interrupted:"),
        _ => paint.bad("stopped:"),
    };
    match &now.incident {
        None => format!("\n{word} nothing was done\n\n  remedy   {go_on}\n"),
        Some(incident) => format!(
            "\n{word} incident {} stays open; what was done stands\n\n  remedy   {go_on}   # goes on there\n",
            incident.id.short()
        ),
    }
}

/// Something has to be written by hand.
pub(super) fn is_open(project: &Project, now: &Procedure, go_on: &str, paint: Paint) -> String {
    let file = now.rollback.as_ref().map_or_else(String::new, |rollback| {
        project.path_of(rollback, "migration.sql")
    });
    let incident = match &now.incident {
        Some(incident) => format!(
            "incident {} stays open; what was done stands",
            incident.id.short()
        ),
        None => "nothing was done".to_owned(),
    };
    format!(
        "\n{} the rollback is not whole: {file} says what is to be written by hand, and refuses to run before that\n  {incident}\n\n  remedy   edit {}, then: {go_on}\n",
        paint.bad("stopped:"),
        shell(&file)
    )
}

/// All of it is done.
pub(super) fn over(project: &Project, now: &Procedure, paint: Paint) -> String {
    let (Some(rollback), incident) = (&now.rollback, now.incident.as_ref()) else {
        return format!("{} is reversed\n", now.migration);
    };
    if incident.is_none() {
        return format!(
            "nothing to do: {} is reversed in {} already, by {rollback}\n",
            now.migration, now.last
        );
    }
    let places = now.stages.iter().filter_map(|stage| match &stage.step {
        Step::Apply(environment) => Some(environment.as_str()),
        _ => None,
    });
    let mut out = format!(
        "\n{} {} is reversed in {}{}\n",
        paint.good("done:"),
        now.migration,
        and(places),
        incident.map_or_else(String::new, |incident| format!(
            "; incident {}, opened {} by {}: {}",
            incident.id.short(),
            incident.at.minute(),
            incident.by,
            incident.reason
        ))
    );
    for stage in &now.stages {
        let Some(done) = &stage.done else { continue };
        let word = match &stage.step {
            Step::Backup => "backup".to_owned(),
            Step::Write => "rollback".to_owned(),
            Step::Rehearse(environment) => format!("rehearsed in {environment}"),
            Step::Apply(environment) => format!("applied to {environment}"),
            Step::Before { .. } => continue,
        };
        let what = match (&stage.step, &done.what) {
            (Step::Backup, Some(file)) if !file.starts_with("attested: ") => {
                Some(project.shown(&project.backups().join(file)))
            }
            (_, what) => what.clone(),
        };
        let told = told(&Done {
            what,
            ..done.clone()
        });
        out.push_str(&format!("  {word:<18} {}\n", told.trim_start_matches(": ")));
    }
    let backup = now.stages.iter().find_map(|stage| match &stage.step {
        Step::Backup => stage.done.as_ref()?.what.as_ref(),
        _ => None,
    });
    if !now.loses.is_empty() {
        let has_it = match backup.filter(|file| !file.starts_with("attested: ")) {
            Some(file) => {
                let path = project.backups().join(file);
                let elsewhere = match path.exists() {
                    true => "",
                    false => "   # where it was taken: the file is not here",
                };
                format!(
                    "; the backup has it: tollgate restore {} --into {}{elsewhere}",
                    shell(&project.shown(&path)),
                    project.new_database(&now.last)
                )
            }
            None => String::new(),
        };
        out.push_str(&format!(
            "  {:<18} what stood in {}{has_it}\n",
            format!("lost in {}", now.last),
            and(now.loses.iter().map(String::as_str))
        ));
    }
    if !now.not_back.is_empty() {
        out.push_str(&format!(
            "  {:<18} {}; {}\n",
            "not back",
            not_back(now),
            kept(project, &now.last, now.file_before.as_deref())
        ));
    }
    let paths = uncommitted(project, now, rollback);
    let log = "tollgate log   # what was done, for the report\n";
    out.push_str(&match paths.as_slice() {
        [] => format!("\n  next     {log}"),
        paths => format!(
            "\n  next     git add {} && git commit\n           {log}",
            paths.join(" ")
        ),
    });
    out
}

/// What was written for it and is not committed: the rollbacks, and the reversals that somebody wrote beside the
/// migrations. Without git, the rollbacks.
fn uncommitted(project: &Project, now: &Procedure, rollback: &MigrationId) -> Vec<String> {
    let mut rollbacks = now.along();
    rollbacks.push(rollback);
    let shown =
        |id: &MigrationId, file: &str| shell(project.path_of(id, file).trim_end_matches('/'));
    let folders = rollbacks.iter().map(|id| (id.to_string(), shown(id, "")));
    let reversed = rollbacks
        .iter()
        .filter_map(|id| now.rollbacks.get(*id))
        .map(|id| (format!("{id}/down.sql"), shown(id, "down.sql")));
    let count = rollbacks.len();
    let (paths, shown): (Vec<String>, Vec<String>) = folders.chain(reversed).unzip();
    let git = Git::at(&project.config.migrations).ok();
    match git.and_then(|git| git.uncommitted(&paths)) {
        Some(holds) => {
            let all = shown.into_iter().zip(holds);
            all.filter(|(_, holds)| *holds)
                .map(|(path, _)| path)
                .collect()
        }
        None => shown.into_iter().take(count).collect(),
    }
}
