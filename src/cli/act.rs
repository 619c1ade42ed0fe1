//! A verb that acts: the ledger open for writing, the hub asked before and told after, and everything that
//! a [`Run`] needs of the world.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use super::Result;
use super::args::Global;
use super::hub::Around;
use super::output::Output;
use super::project::Project;
use super::{progress, provenance};
use crate::digest::Checksum;
use crate::ledger::{Ledger, Opening};
use crate::model::prisma::PrismaTree;
use crate::model::{EnvironmentName, Policy, Provenance};
use crate::planner::FileFacts;
use crate::targets::address::Address;
use crate::targets::{self, Beginning, TargetError};
use crate::workflows::backup::Backups;
use crate::workflows::{Event, Run};

/// Opens the ledger for writing and hands a [`Run`] to a verb that acts.
pub(crate) fn act<T>(
    output: &mut Output<'_>,
    global: &Global,
    project: &Project,
    files: &[FileFacts<'_>],
    prisma: Option<&PrismaTree>,
    verb: impl FnOnce(&mut Run<'_>) -> std::result::Result<T, crate::workflows::WorkflowError>,
) -> Result<T> {
    act_with(output, global, project, files, prisma, true, verb)
}

/// The same for the verbs that speak with the hub themselves, and with no target.
pub(crate) fn act_alone<T>(
    output: &mut Output<'_>,
    global: &Global,
    project: &Project,
    verb: impl FnOnce(&mut Run<'_>) -> std::result::Result<T, crate::workflows::WorkflowError>,
) -> Result<T> {
    act_with(output, global, project, &[], None, false, verb)
}

fn act_with<T>(
    output: &mut Output<'_>,
    global: &Global,
    project: &Project,
    files: &[FileFacts<'_>],
    prisma: Option<&PrismaTree>,
    asks_the_hub: bool,
    verb: impl FnOnce(&mut Run<'_>) -> std::result::Result<T, crate::workflows::WorkflowError>,
) -> Result<T> {
    let by = provenance::begin(output.world, &project.config);
    let wait = Duration::from_secs(global.lock_wait);
    let interrupted = std::sync::Arc::clone(&output.world.interrupted);
    let give_up = move || interrupted.load(std::sync::atomic::Ordering::SeqCst);
    let machine = output.world.machine.clone().unwrap_or_default();
    let machine = match &output.world.session {
        Some(session) => format!("{machine}\n{session}"),
        None => machine,
    };

    let (now, random) = (
        Rc::clone(&output.world.now),
        Rc::clone(&output.world.random),
    );
    let mut ledger = {
        let mut waiting =
            |holder: &str| output.note(&format!("waiting for the ledger, held by {holder}\n"));
        let opening = Opening {
            machine: &machine,
            wait,
            give_up: &give_up,
            waiting: &mut waiting,
            random: random.as_ref(),
            policy: &project.config.policy,
        };
        Ledger::open(&project.config.ledger, opening)?
    };
    let by: Provenance = by.end();
    let hub = asks_the_hub.then(|| Around::before(output, project, &mut ledger));
    let kept: BTreeSet<Checksum> = ledger.kept()?;
    let policy: &Policy = &project.config.policy;
    let locate = |name: &EnvironmentName| -> std::result::Result<Address, TargetError> {
        let address = project.address(name).map_err(|trouble| TargetError {
            kind: targets::TargetErrorKind::Configuration,
            fact: trouble
                .fact
                .trim_start_matches(&format!("{name}: "))
                .to_owned(),
            remedy: trouble.remedy,
        })?;
        // As Prisma does where the URL names no schema: its scripts were written for that one alone.
        Ok(match prisma {
            Some(_) => address.with_schema("public"),
            None => address,
        })
    };
    let connect = |name: &EnvironmentName| targets::open(&locate(name)?);
    let scratch =
        |name: &EnvironmentName, beginning: Beginning| targets::scratch(&locate(name)?, beginning);
    let folder = project.backups();
    let programs = output.world.search_path();
    let keep = |name: &EnvironmentName| project.keep(name);
    let address = |name: &EnvironmentName| project.place(name);
    let variable = |name: &EnvironmentName| project.variable(name);
    let migrations = project.folder();
    let secrets = output.secrets();
    let clean = |text: &str| secrets.leave_out(text);
    let mut events = |event: Event<'_>| progress::tell(output, &event);
    let mut run = Run {
        policy,
        files,
        folder: &migrations,
        prisma,
        ledger: &mut ledger,
        kept,
        in_use: BTreeSet::new(),
        by: &by,
        now: now.as_ref(),
        random: random.as_ref(),
        interrupted: &give_up,
        connect: &connect,
        scratch: &scratch,
        locate: &locate,
        backups: Backups {
            folder: &folder,
            programs: &programs,
            keep: &keep,
        },
        address: &address,
        variable: &variable,
        clean: &clean,
        lock_wait: wait,
        events: &mut events,
    };
    let ended = verb(&mut run);
    if let Some(hub) = hub {
        hub.after(output, &mut ledger);
    }
    output.note_strays(ledger.strays());
    Ok(ended?)
}
