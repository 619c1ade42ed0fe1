//! Saved plans as files: written whole or not at all, read with a limit, refused where they are none.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::act::act;
use super::args::{Global, Plan as Arguments};
use super::config::length_of_time;
use super::evidence::{Lasts, put};
use super::exit::Trouble;
use super::files::not_read;
use super::git::Git;
use super::output::Output;
use super::project::{Project, start};
use super::{Exit, Result, github, provenance};
use crate::digest::ChainHash;
use crate::ledger::view::View;
use crate::model::{EnvironmentName, Timestamp, read_instant};
use crate::planner::gates::shell;
use crate::planner::saved::{Around, MOST_BYTES, SavedDeed, SavedError, SavedPlan, SavedPolicy};
use crate::planner::{Answer, FileFacts, Finding, Plan};
use crate::report;
use crate::report::github::Level;
use crate::report::summary::Page;
use crate::workflows::apply::refused_file;

/// More characters than this are no name of a change.
const LONGEST_CHANGE: usize = 200;

/// Where a plan is to be saved, and what it is to say beside the plan.
pub(crate) struct Wanted {
    /// As it was typed.
    pub(crate) name: String,
    path: PathBuf,
    expires: Option<Timestamp>,
    change: Option<String>,
}

/// A plan that was made, and what it was made from.
pub(crate) struct Made<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) answers: &'a [Answer],
    pub(crate) files: &'a [FileFacts<'a>],
    pub(crate) view: &'a View,
    pub(crate) now: Timestamp,
}

impl Wanted {
    /// What the arguments ask for; `None` where nothing is to be saved.
    pub(crate) fn read(
        output: &Output<'_>,
        global: &Global,
        arguments: &Arguments,
        now: Timestamp,
    ) -> Result<Option<Self>> {
        let Some(file) = &arguments.out else {
            return Ok(None);
        };
        let path = start(output, global).join(file);
        let name = file.display().to_string();
        spare(&path, &name)?;
        let expires = arguments.expires.as_deref();
        Ok(Some(Self {
            expires: expires.map(|text| expiry(text, now)).transpose()?,
            change: arguments.change.as_deref().map(change).transpose()?,
            path,
            name,
        }))
    }

    /// Writes it.
    pub(crate) fn write(
        &self,
        output: &Output<'_>,
        project: &Project,
        made: &Made<'_>,
    ) -> Result<SavedPlan> {
        let plan = made.plan;
        let by = provenance::read(output.world, &project.config);
        let authors = match by.git {
            Some(_) => authors(project),
            None => Default::default(),
        };
        let file = |migration| {
            let place = made
                .files
                .binary_search_by(|file| file.migration.cmp(migration));
            made.files.get(place.ok()?)
        };
        let scripts: Vec<_> = plan
            .steps
            .iter()
            .filter_map(|step| file(&step.migration))
            .map(|file| {
                (
                    file.script,
                    file.down.map(|down| (down.checksum, down.script)),
                )
            })
            .collect();
        let deeds = |step| {
            report::plan::deeds(plan, step)
                .into_iter()
                .flat_map(|(kind, lines)| {
                    lines.into_iter().map(|what| SavedDeed {
                        kind: kind.to_owned(),
                        what,
                    })
                })
                .collect()
        };
        let here = made.view.get(&plan.environment);
        let policy = &project.config.policy;
        let around = Around {
            made: made.now,
            by: by.actor,
            tool: by.tool,
            git: by.git,
            expires: self.expires,
            change: self.change.clone(),
            // Of an ephemeral environment nobody knows the next target.
            head: plan
                .target
                .as_ref()
                .and_then(|_| here.and_then(|here| here.last_change())),
            policy: SavedPolicy {
                digest: policy.digest(),
                words: policy.words(&plan.environment),
            },
            authors: plan
                .steps
                .iter()
                .map(|step| {
                    let known = authors.get(step.migration.as_str());
                    known.into_iter().flatten().cloned().collect()
                })
                .collect(),
            does: plan.steps.iter().map(deeds).collect(),
        };
        let saved = SavedPlan::of(plan, made.answers, &scripts, around);
        let text = saved.render();
        if text.len() as u64 > MOST_BYTES {
            let half = plan.steps.get((plan.steps.len() / 2).saturating_sub(1));
            return Err(Trouble::failed(
                format!(
                    "the plan would be larger than any that is read, {} MiB",
                    MOST_BYTES >> 20
                ),
                Some(format!(
                    "tollgate plan {}{} --out {}   # in several parts",
                    plan.environment,
                    half.map_or_else(String::new, |step| format!(
                        " --to {}",
                        shell(step.migration.as_str())
                    )),
                    shell(&self.name)
                )),
            ));
        }
        // It may have come meanwhile.
        spare(&self.path, &self.name)?;
        put(&self.path, &text, Lasts::AtOnce)?;
        Ok(saved)
    }
}

type Authors = std::collections::BTreeMap<String, std::collections::BTreeSet<String>>;

/// Who wrote each migration, by the name of its folder. Nobody, where git cannot tell: it takes what a clone
/// lacks for the work of whoever made its oldest commit.
fn authors(project: &Project) -> Authors {
    let git = Git::at(&project.config.migrations);
    git.ok().and_then(|git| git.authors()).unwrap_or_default()
}

/// A saved plan takes the place of one, and of nothing else.
fn spare(path: &Path, name: &str) -> Result<()> {
    let there = match std::fs::metadata(path) {
        Ok(there) => there,
        Err(_) => return Ok(()),
    };
    let is_one = there.is_file()
        && match read_file(path, name)? {
            Ok(_) | Err(SavedError::Altered(_) | SavedError::Newer(_)) => true,
            Err(SavedError::NotOne(_) | SavedError::TooLarge) => false,
        };
    if is_one {
        return Ok(());
    }
    Err(Trouble {
        consequence: Some("it was left as it is".to_owned()),
        ..Trouble::usage(
            format!("{name} is there, and is no saved plan"),
            "name another file: --out another.plan.json",
        )
    })
}

fn expiry(text: &str, now: Timestamp) -> Result<Timestamp> {
    let long = length_of_time(&toml::Value::String(text.to_owned()));
    let at = match long {
        Some(long) => i64::try_from(long.as_millis())
            .ok()
            .and_then(|long| now.unix_millis().checked_add(long))
            .map(Timestamp::from_unix_millis),
        None => read_instant(text).ok(),
    };
    let example = "--expires 8h, --expires 2026-12-01T16:00:00Z, or --expires '2026-12-01 17:00 Europe/Berlin'";
    match at {
        None => Err(Trouble::usage(
            format!("--expires {text} is neither a length of time nor an instant"),
            example,
        )),
        Some(at) if at <= now => Err(Trouble::usage(
            format!("--expires {text} is over already: it is {}", now.minute()),
            example,
        )),
        Some(at) => Ok(at),
    }
}

fn change(text: &str) -> Result<String> {
    let text = text.trim();
    let is_name = !text.is_empty()
        && text.chars().count() <= LONGEST_CHANGE
        && !text.chars().any(char::is_control);
    is_name.then(|| text.to_owned()).ok_or_else(|| {
        Trouble::usage(
            format!("--change is 1 to {LONGEST_CHANGE} characters in one line"),
            "--change CHG-123",
        )
    })
}

/// Reads a saved plan, as its path was typed. Where none is there, one for the environment can be made.
pub(crate) fn read(
    output: &Output<'_>,
    global: &Global,
    path: &Path,
    environment: Option<&EnvironmentName>,
) -> Result<std::result::Result<SavedPlan, SavedError>> {
    let shown = path.display().to_string();
    let at = start(output, global).join(path);
    read_file(&at, &shown).map_err(|mut trouble| {
        if let Some(environment) = environment.filter(|_| !at.exists()) {
            trouble.remedy = Some(format!(
                "tollgate plan {environment} --out {}   # writes one",
                shell(&shown)
            ));
        }
        trouble
    })
}

fn read_file(path: &Path, shown: &str) -> Result<std::result::Result<SavedPlan, SavedError>> {
    let told = |error: std::io::Error| not_read(path, shown, &error);
    let there = std::fs::metadata(path).map_err(told)?;
    if there.is_dir() {
        return Err(told(std::io::ErrorKind::IsADirectory.into()));
    }
    if there.len() > MOST_BYTES {
        return Ok(Err(SavedError::TooLarge));
    }
    let mut bytes = Vec::new();
    // It may grow, or be a pipe that never ends.
    let file = std::fs::File::open(path).map_err(told)?;
    let read = file.take(MOST_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(told)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Ok(Err(SavedError::TooLarge));
    }
    Ok(SavedPlan::read(&bytes))
}

/// A file that is no plan for what was asked.
pub(crate) struct Unfit {
    pub(crate) finding: Finding,
    /// The id by which the refusal is recorded; `None` where it has none.
    pub(crate) plan: Option<ChainHash>,
}

/// Tells why a file is not applied, and records that where it names a plan. The target is not even contacted.
pub(crate) fn refuse(
    output: &mut Output<'_>,
    global: &Global,
    project: &Project,
    environment: &EnvironmentName,
    unfit: &Unfit,
) -> Result<Exit> {
    if let Some(plan) = unfit.plan {
        act(output, global, project, &[], None, |run| {
            refused_file(run, environment, plan)
        })?;
    }
    if output.is_json() {
        output.document(&json!({
            "schema": "tollgate/apply/v1",
            "environment": environment,
            "end": "refused",
            "applied": [],
            "failed": null,
            "rehearsals": [],
            "plan": null,
            "refusals": [report::plan::finding_json(&unfit.finding)],
        }));
    } else {
        if github::wants_text(output) {
            let what = format!("{environment} takes nothing from that file");
            output.result(&refused(&what, &unfit.finding, output.paint()));
        }
        if output.is_github() {
            let name = environment.as_str();
            let mut page = Page::new(name, "refused, for 1 reason", "tollgate log");
            page.refused(std::slice::from_ref(&unfit.finding));
            let told = report::plan::of_finding(name, Level::Error, &unfit.finding);
            github::tell(output, &page, vec![told]);
        }
    }
    Ok(Exit::Refused)
}

/// One refusal, for people.
pub(crate) fn refused(what: &str, finding: &Finding, paint: report::Paint) -> String {
    format!(
        "{} {}\n{}",
        paint.bad("refused:"),
        paint.bold(what),
        report::plan::findings(std::slice::from_ref(finding), paint)
    )
}
