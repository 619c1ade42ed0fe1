//! `tollgate backup ENV`

mod json;
mod text;

pub(super) use json::check as check_json;
pub(super) use text::found as check_text;
pub(crate) use text::{ended as ended_text, in_passing};

use std::path::{Path, PathBuf};

use crate::cli::act::act;
use crate::cli::args::Global;
use crate::cli::args::{Backup, HowClosely};
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::{Project, facts, start};
use crate::cli::{Exit, Result};
use crate::ledger;
use crate::model::{DataMode, EnvironmentName, Timestamp};
use crate::workflows::backup::{
    Attested, Checked, Ended, Proof, Request, attest, check, list, take,
};
use crate::workflows::{Run, WorkflowError};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Backup) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let environment = project.environment(&verb.environment)?;
    if verb.list {
        return listing(output, &project, &environment);
    }
    // A file can be looked at whether or not the target can be reached.
    if verb.check.is_none() || verb.verify {
        project.check(&environment)?;
    }
    if let (Some(place), Some(when)) = (&verb.attest, &verb.taken_at) {
        let taken = instant(when)?;
        let ended = acting(output, global, &project, |run| {
            attest(run, &environment, place, taken)
        })?;
        return Ok(attested(output, &environment, &ended));
    }
    if let Some(file) = &verb.check {
        let path = path(output, global, &project, file);
        let ended = acting(output, global, &project, |run| {
            check(run, &environment, &path, verb.verify)
        })?;
        return Ok(checked(output, &project, &environment, &ended));
    }
    let request = Request {
        environment: &environment,
        verify: verb.verify,
        data: verb.data.map(HowClosely::mode),
        keep: verb.keep,
    };
    let ended = acting(output, global, &project, |run| take(run, &request))?;
    output.clear_line();
    if output.is_json() {
        output.document(&json::ended(&project, &environment, &ended));
    } else {
        let text = text::ended(&project, &environment, &ended, output.paint());
        output.result(&text);
    }
    Ok(match &ended {
        Ended::Refused(_) => Exit::Refused,
        Ended::Nothing => Exit::Done,
        Ended::Done(report) => exit(&report.proof),
    })
}

pub(super) fn acting<T>(
    output: &mut Output<'_>,
    global: &Global,
    project: &Project,
    verb: impl FnOnce(&mut Run<'_>) -> std::result::Result<T, WorkflowError>,
) -> Result<T> {
    let catalog = project.catalog()?;
    let files = facts(&catalog);
    act(
        output,
        global,
        project,
        &files,
        catalog.prisma.as_ref(),
        verb,
    )
}

impl HowClosely {
    fn mode(self) -> DataMode {
        match self {
            Self::Full => DataMode::Full,
            Self::Sample => DataMode::Sample,
            Self::Counts => DataMode::Counts,
        }
    }
}

fn exit(proof: &Proof) -> Exit {
    if proof.is_good() {
        Exit::Done
    } else {
        Exit::Failed
    }
}

/// A file as it was typed: where the command starts, or by its name in the folder of backups.
pub(super) fn path(
    output: &Output<'_>,
    global: &Global,
    project: &Project,
    typed: &Path,
) -> PathBuf {
    let here = start(output, global).join(typed);
    let there = project.backups().join(typed);
    if !here.exists() && there.exists() {
        there
    } else {
        here
    }
}

/// An instant in UTC, as people write it.
fn instant(typed: &str) -> Result<Timestamp> {
    let spaced = typed.trim().trim_end_matches(" UTC").replacen(' ', "T", 1);
    let forms = [
        typed.to_owned(),
        spaced.clone(),
        format!("{spaced}Z"),
        format!("{spaced}:00Z"),
    ];
    let read = forms.iter().find_map(|form| form.parse().ok());
    read.ok_or_else(|| {
        Trouble::usage(
            format!("\"{typed}\" is no instant"),
            "write it in UTC: --taken-at '2025-11-04 10:12', or 2025-11-04T10:12:00Z",
        )
    })
}

fn attested(output: &mut Output<'_>, environment: &EnvironmentName, ended: &Attested) -> Exit {
    if output.is_json() {
        output.document(&json::attested(environment, ended));
    } else {
        let text = text::attested(environment, ended, output.paint());
        output.result(&text);
    }
    match ended {
        Attested::Refused(_) => Exit::Refused,
        Attested::Done(_) => Exit::Done,
    }
}

fn checked(
    output: &mut Output<'_>,
    project: &Project,
    environment: &EnvironmentName,
    ended: &Checked,
) -> Exit {
    output.clear_line();
    if output.is_json() {
        output.document(&json::checked(project, environment, ended));
    } else {
        let text = text::checked(project, environment, ended, output.paint());
        output.result(&text);
    }
    match ended {
        Checked::Refused(_) => Exit::Refused,
        Checked::Found(found) if found.is_good() => Exit::Done,
        Checked::Found(_) => Exit::Failed,
    }
}

fn listing(
    output: &mut Output<'_>,
    project: &Project,
    environment: &EnvironmentName,
) -> Result<Exit> {
    let loaded = ledger::read_state(&project.config.ledger, &project.config.policy)?;
    let listing = list(&loaded.view, &project.backups(), environment)?;
    let now = (output.world.now)();
    if output.is_json() {
        output.document(&json::listing(environment, &listing));
    } else {
        let text = text::listing(environment, &listing, now, output.paint());
        output.result(&text);
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn instants_are_read_as_people_write_them() {
        for typed in [
            "2025-11-04 10:12",
            "2025-11-04 10:12 UTC",
            "2025-11-04 10:12:00",
            "2025-11-04T10:12",
            "2025-11-04T10:12:00Z",
            "2025-11-04T11:12:00+01:00",
        ] {
            let read = instant(typed).map(|at| at.to_string());
            assert_eq!(read.unwrap(), "2025-11-04T10:12:00.000Z", "{typed}");
        }
        for typed in ["", "yesterday", "2025-11-04", "10:12"] {
            assert!(instant(typed).is_err(), "{typed}");
        }
    }
}
