//! `tollgate emergency MIGRATION --reason WHY [--yes]`
//!
//! One step, then a new look at the files and the ledger: what is done is read from them, so the same
//! command goes on where an earlier one stopped.

mod json;
mod text;

use crate::catalog::Catalog;
use crate::cli::act::act;
use crate::cli::args::{Emergency, Global};
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::{Project, facts, migration};
use crate::cli::reason::must_have_a_reason;
use crate::cli::verbs::{apply, backup, rehearse, revert};
use crate::cli::{Exit, Result};
use crate::ledger;
use crate::model::{EnvironmentName, Kind, MigrationId};
use crate::planner::emergency::{Procedure, Step, procedure};
use crate::planner::gates::shell;
use crate::planner::revert::one_line;
use crate::report;
use crate::workflows::backup::Ended;
use crate::workflows::emergency::{Taken, look, not_there, open, take};
use crate::workflows::rehearse::{End as Rehearsed, Report as Rehearsal};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Emergency) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let catalog = project.catalog_and_rest(output)?;
    let migration = migration(
        &verb.migration,
        facts(&catalog).iter().map(|file| file.migration),
    )?;
    must_have_a_reason(
        &verb.reason,
        &format!("tollgate emergency {migration} --reason '<what went wrong>'"),
    )?;
    let mut stand = Stand {
        go_on: go_on(&migration, &one_line(&verb.reason)),
        global,
        project,
        migration,
        reason: &verb.reason,
        asks: !verb.yes,
        took: Vec::new(),
    };
    let mut now = stand.look(catalog)?;
    if let Some(incident) = &now.0.incident {
        stand.go_on = go_on(&stand.migration, &incident.reason);
    }
    if now.0.is_done() || is_over_without(&now.0) {
        return Ok(stand.over(output, &now.0));
    }
    let only_shows = stand.asks && !output.world.asks;
    if !only_shows {
        stand.can_be_reached(&now.0)?;
    }
    now = stand.stands_there(output, now, only_shows)?;
    stand.can_be_reversed(output, &now)?;
    stand.other_reason(output, &now.0);
    if now.0.is_open {
        return Ok(stand.is_open(output, &now.0));
    }
    if only_shows {
        return Ok(stand.only_shown(output, &now.0));
    }
    stand.begin(output, now)
}

/// The command that goes on. An open incident keeps its reason.
fn go_on(migration: &MigrationId, reason: &str) -> String {
    format!(
        "tollgate emergency {} --reason {}",
        shell(migration.as_str()),
        shell(reason)
    )
}

/// Somebody reversed it on the ordinary way: no emergency was opened, and none is needed.
fn is_over_without(now: &Procedure) -> bool {
    now.incident.is_none() && now.over_by.is_some()
}

/// The command while it runs.
struct Stand<'a> {
    global: &'a Global,
    project: Project,
    migration: MigrationId,
    reason: &'a str,
    /// Whether each step is confirmed first.
    asks: bool,
    /// The command that goes on.
    go_on: String,
    /// What this command did, by the places of the steps.
    took: Vec<String>,
}

/// Where it stands, and the files that this was read from.
type Now = (Procedure, Catalog);

/// How a step came out.
enum Came {
    /// Well: on to the next.
    Well,
    /// It stopped, and was told.
    Stopped(Exit),
}

impl Stand<'_> {
    /// Reads the ledger beside the files.
    fn look(&self, catalog: Catalog) -> Result<Now> {
        let config = &self.project.config;
        let loaded = ledger::read_state(&config.ledger, &config.policy)?;
        let files = facts(&catalog);
        let engine = revert::engine(&self.project);
        let now = procedure(
            &config.policy,
            engine,
            &files,
            &loaded.view,
            &self.migration,
        );
        drop(files);
        let Some(now) = now else {
            return Err(Trouble::usage(
                "there is no environment in the chain",
                "edit tollgate.toml: add an environment",
            ));
        };
        Ok((now, catalog))
    }

    fn look_again(&self) -> Result<Now> {
        self.look(self.project.catalog()?)
    }

    /// A url that is missing is better known before anything is done.
    fn can_be_reached(&self, now: &Procedure) -> Result<()> {
        let policy = &self.project.config.policy;
        for name in policy.chain() {
            if *name == now.last || policy.kind(name) == Kind::Ordinary {
                self.project.check(name)?;
            }
        }
        Ok(())
    }

    /// Whether it is applied in the last environment: the ledger says so, or else its target is asked. Before
    /// anything is opened.
    fn stands_there(&self, output: &mut Output<'_>, now: Now, only_shows: bool) -> Result<Now> {
        if now.0.stands || now.0.incident.is_some() {
            return Ok(now);
        }
        let (last, migration) = (now.0.last.clone(), &self.migration);
        if only_shows {
            let config = &self.project.config;
            let loaded = ledger::read_state(&config.ledger, &config.policy)?;
            return Err(not_there(&loaded.view, &last, migration).into());
        }
        let files = facts(&now.1);
        let prisma = now.1.prisma.as_ref();
        act(output, self.global, &self.project, &files, prisma, |run| {
            look(run, &last, migration)
        })?;
        drop(files);
        self.look(now.1)
    }

    /// What speaks against its rollback is better known before anything is done, and all of it at once.
    fn can_be_reversed(&self, output: &mut Output<'_>, now: &Now) -> Result<()> {
        if now.0.rollback.is_some() {
            return Ok(());
        }
        let files = facts(&now.1);
        let asked = revert::Asked {
            migrations: std::slice::from_ref(&self.migration),
            reason: self.reason,
            incident: None,
            go_on: Some(&self.go_on),
        };
        let prisma = now.1.prisma.as_ref();
        revert::judge(output, self.global, &self.project, &files, prisma, &asked)
    }

    /// An open incident keeps the reason that it was opened with.
    fn other_reason(&self, output: &mut Output<'_>, now: &Procedure) {
        let Some(incident) = &now.incident else {
            return;
        };
        if incident.reason != one_line(self.reason) {
            output.note(&format!(
                "{} incident {} is open already, and keeps its reason: {}\n",
                output.paint_notes().warn("note:"),
                incident.id.short(),
                incident.reason
            ));
        }
    }

    fn begin(&mut self, output: &mut Output<'_>, mut now: Now) -> Result<Exit> {
        output.note(&text::steps(&self.project, &now.0, output.paint_notes()));
        loop {
            let Some((place, step)) = now.0.next() else {
                return Ok(self.over(output, &now.0));
            };
            if output.is_interrupted() {
                return Ok(self.stopped(output, &now.0, Exit::Interrupted, None));
            }
            if now.0.is_open && !matches!(step, Step::Backup | Step::Write) {
                return Ok(self.is_open(output, &now.0));
            }
            let what = text::what(&now.0, step);
            let of = now.0.stages.len();
            if !self.confirmed(output, &format!("step {place} of {of}: {what}"))? {
                let exit = match output.is_interrupted() {
                    true => Exit::Interrupted,
                    false => Exit::Usage,
                };
                return Ok(self.stopped(output, &now.0, exit, None));
            }
            let step = step.clone();
            let came = self.step(output, &now, &step);
            output.clear_line();
            match came {
                Ok(Came::Well) => self.took.push(what),
                Ok(Came::Stopped(exit)) => {
                    let now = self.look_again().map_or(now.0, |now| now.0);
                    return Ok(self.stopped(output, &now, exit, None));
                }
                Err(trouble) => {
                    let now = self.look_again().map_or(now.0, |now| now.0);
                    let exit = trouble.exit;
                    return Ok(self.stopped(output, &now, exit, Some(&trouble)));
                }
            }
            let next = self.look_again()?;
            // A step that came out well and is not done would be taken for ever.
            if next.0.next().map(|(_, step)| step) == Some(&step) {
                return Ok(self.stopped(output, &next.0, Exit::Failed, None));
            }
            now = next;
        }
    }

    /// Shows a step, and asks where somebody is to be asked.
    fn confirmed(&self, output: &mut Output<'_>, what: &str) -> Result<bool> {
        if !self.asks {
            output.note(&format!("\n{what}\n"));
            return Ok(true);
        }
        output.confirm(&format!("\n{what}"), &format!("{} --yes", self.go_on))
    }

    /// Takes one step. An emergency is opened with the first.
    fn step(&self, output: &mut Output<'_>, now: &Now, step: &Step) -> Result<Came> {
        let (procedure, catalog) = now;
        let files = facts(catalog);
        let prisma = catalog.prisma.as_ref();
        if procedure.incident.is_none() {
            let last = &procedure.last;
            let opened = act(output, self.global, &self.project, &files, prisma, |run| {
                open(run, last, &self.migration, self.reason)
            })?;
            output.note(&format!("incident {} is open\n", opened.short()));
            drop(files);
            // The step is judged by what was done since.
            let again = self.look_again()?;
            return match again.0.next() {
                Some((_, next)) if next == step => self.step_of(output, &again, step),
                _ => Ok(Came::Well),
            };
        }
        drop(files);
        self.step_of(output, now, step)
    }

    fn step_of(&self, output: &mut Output<'_>, now: &Now, step: &Step) -> Result<Came> {
        let (procedure, catalog) = now;
        let files = facts(catalog);
        let prisma = catalog.prisma.as_ref();
        if *step == Step::Write {
            let asked = revert::Asked {
                migrations: std::slice::from_ref(&self.migration),
                reason: procedure
                    .incident
                    .as_ref()
                    .map_or(self.reason, |incident| &incident.reason),
                incident: procedure.incident.as_ref().map(|incident| incident.id),
                go_on: Some(&self.go_on),
            };
            let end = revert::write(output, self.global, &self.project, &files, prisma, &asked)?;
            output.note(&revert::lines(&self.project, &end, output.paint_notes()));
            return Ok(Came::Well);
        }
        let taken = act(output, self.global, &self.project, &files, prisma, |run| {
            take(run, procedure, step)
        })?;
        Ok(match taken {
            None => Came::Well,
            Some(Taken::Backup(ended)) => self.backed_up(output, &procedure.last, &ended),
            Some(Taken::Rehearsed(end)) => {
                let (Step::Rehearse(environment) | Step::Apply(environment)) = step else {
                    return Ok(Came::Well);
                };
                self.rehearsed(output, &files, environment, &end)
            }
            Some(Taken::Applied(report)) => {
                match apply::end(output, &self.project, &files, &report) {
                    Exit::Done => Came::Well,
                    exit => Came::Stopped(exit),
                }
            }
        })
    }

    fn backed_up(&self, output: &mut Output<'_>, last: &EnvironmentName, ended: &Ended) -> Came {
        match ended {
            Ended::Done(report) if report.proof.is_good() => Came::Well,
            Ended::Done(_) => Came::Stopped(Exit::Failed),
            Ended::Refused(_) | Ended::Nothing => {
                if !output.is_json() {
                    let text = backup::ended_text(&self.project, last, ended, output.paint());
                    output.result(&text);
                }
                Came::Stopped(Exit::Refused)
            }
        }
    }

    fn rehearsed(
        &self,
        output: &mut Output<'_>,
        files: &[crate::planner::FileFacts<'_>],
        environment: &EnvironmentName,
        end: &Rehearsed,
    ) -> Came {
        match end {
            Rehearsed::Refused(plan) => {
                if !output.is_json() {
                    let text =
                        report::plan::text(plan, report::plan::Ending::To(None), output.paint());
                    output.result(&text);
                }
                Came::Stopped(Exit::Refused)
            }
            Rehearsed::Nothing => Came::Well,
            Rehearsed::Interrupted(_) => Came::Stopped(Exit::Interrupted),
            Rehearsed::Held(reports) if reports.iter().all(Rehearsal::is_well) => Came::Well,
            Rehearsed::Held(reports) => {
                if !output.is_json() {
                    for report in reports {
                        let paint = output.paint();
                        let text = rehearse::text(&self.project, files, environment, report, paint);
                        output.result(&text);
                    }
                }
                Came::Stopped(Exit::Refused)
            }
        }
    }

    /// Nobody can be asked, and nobody said yes: the steps, and what is next.
    fn only_shown(&self, output: &mut Output<'_>, now: &Procedure) -> Exit {
        let remedy = format!("{} --yes", self.go_on);
        if output.is_json() {
            output.document(&json::document(
                &self.project,
                now,
                &self.ended("shown", Some(&remedy), None),
            ));
            return Exit::Usage;
        }
        let text = text::steps(&self.project, now, output.paint());
        output.result(&text);
        output.note(&format!(
            "\n{} there is no terminal to ask on, so nothing was done\n\n  remedy   {remedy}\n",
            output.paint_notes().bad("error:")
        ));
        Exit::Usage
    }

    fn stopped(
        &self,
        output: &mut Output<'_>,
        now: &Procedure,
        exit: Exit,
        trouble: Option<&Trouble>,
    ) -> Exit {
        if let Some(trouble) = trouble {
            output.trouble_in_text(trouble);
        }
        let word = match exit {
            Exit::Interrupted => "interrupted",
            Exit::Usage if trouble.is_none() => "not-confirmed",
            Exit::Refused => "refused",
            _ => "failed",
        };
        if output.is_json() {
            let fact = trouble.map(|trouble| trouble.fact.as_str());
            output.document(&json::document(
                &self.project,
                now,
                &self.ended(word, Some(&self.go_on), fact),
            ));
        }
        // What is wrong was told, and is not put right by trying again.
        if trouble.is_none() || now.incident.is_some() {
            output.note(&text::stopped(now, &self.go_on, word, output.paint_notes()));
        }
        exit
    }

    /// Something of the rollback has to be written by hand first.
    fn is_open(&self, output: &mut Output<'_>, now: &Procedure) -> Exit {
        if output.is_json() {
            output.document(&json::document(
                &self.project,
                now,
                &self.ended("open", Some(&self.go_on), None),
            ));
        }
        output.note(&text::is_open(
            &self.project,
            now,
            &self.go_on,
            output.paint_notes(),
        ));
        Exit::Refused
    }

    fn over(&self, output: &mut Output<'_>, now: &Procedure) -> Exit {
        if output.is_json() {
            output.document(&json::document(
                &self.project,
                now,
                &self.ended("done", None, None),
            ));
        } else {
            let text = text::over(&self.project, now, output.paint());
            output.result(&text);
        }
        Exit::Done
    }

    fn ended<'e>(
        &'e self,
        word: &'static str,
        remedy: Option<&'e str>,
        error: Option<&'e str>,
    ) -> json::Ended<'e> {
        json::Ended {
            word,
            took: &self.took,
            remedy,
            error,
        }
    }
}
