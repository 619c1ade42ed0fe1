//! The verbs that act, each a readable story over the ledger, the targets and the planner.
//!
//! Nothing here prints, reads the clock or the environment: a [`Run`] brings the clock, the random
//! ids, the way to a target and the listener that `cli` made.

pub mod apply;
pub mod approve;
pub mod backup;
pub mod baseline;
pub mod bind;
pub mod break_glass;
mod contact;
pub mod emergency;
mod execute;
mod history;
pub mod hub;
pub mod promote;
mod receipt;
pub mod redo;
pub mod rehearse;
pub mod reset;
pub mod resolve;
pub mod revert;
mod settle;
mod step;
pub mod sync;
mod tie;
pub mod verify;
pub mod waive;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::digest::Checksum;
use crate::ledger::{Ledger, LedgerError};
use crate::model::entry::{Engine, How, Place, Progress, Refused, RefusedGate};
use crate::model::prisma::PrismaTree;
use crate::model::schema::SchemaDifference;
use crate::model::{
    EnvironmentName, Fact, Kind, MigrationId, Policy, Provenance, ReceiptKind, Timestamp, Waiver,
};
use crate::planner::{self, FileFacts, Gate, Inputs, Plan, Step, gates};
use crate::reverse::is_to_be_written;
use crate::targets::address::Address;
use crate::targets::backup::BackupNews;
use crate::targets::{Beginning, Scratch, ScratchError, Target, TargetError};

/// Opens the target of an environment.
pub type Connect<'a> = dyn Fn(&EnvironmentName) -> Result<Box<dyn Target>, TargetError> + 'a;

/// Makes a scratch database beside the target of an environment.
pub type MakeScratch<'a> =
    dyn Fn(&EnvironmentName, Beginning) -> Result<Box<dyn Scratch>, ScratchError> + 'a;

/// Everything a verb that acts needs.
pub struct Run<'a> {
    /// The chain.
    pub policy: &'a Policy,
    /// The migrations on disk, sorted by id.
    pub files: &'a [FileFacts<'a>],
    /// The folder of the migrations, as a user would type it.
    pub folder: &'a str,
    /// What Prisma's lock file says, where the migrations are a tree of Prisma's.
    pub prisma: Option<&'a PrismaTree>,
    /// The ledger, open for writing.
    pub ledger: &'a mut Ledger,
    /// The checksums whose bytes the ledger keeps.
    pub kept: BTreeSet<Checksum>,
    /// The waivers under which this run began something; empty in the beginning.
    pub in_use: BTreeSet<Place>,
    /// Who acts, from where, with what.
    pub by: &'a Provenance,
    /// The clock.
    pub now: &'a dyn Fn() -> Timestamp,
    /// 16 bytes from the operating system's generator.
    pub random: &'a dyn Fn() -> [u8; 16],
    /// Whether somebody asked to stop.
    pub interrupted: &'a dyn Fn() -> bool,
    /// Opens the target of an environment, creating an embedded database where it is missing.
    pub connect: &'a Connect<'a>,
    /// Makes a scratch database beside the target of an environment.
    pub scratch: &'a MakeScratch<'a>,
    /// Where the target of an environment is: for whoever makes a database on its server.
    pub locate: &'a dyn Fn(&EnvironmentName) -> Result<Address, TargetError>,
    /// What backups need.
    pub backups: backup::Backups<'a>,
    /// A text that is equal for two environments whose addresses are the same.
    pub address: &'a dyn Fn(&EnvironmentName) -> Option<String>,
    /// The variable that the url of an environment comes from; `None` where the url is written out.
    pub variable: &'a dyn Fn(&EnvironmentName) -> Option<String>,
    /// Leaves secrets out of a text that came from a target, before it is recorded for ever.
    pub clean: &'a dyn Fn(&str) -> String,
    /// How long to wait for a target's lock.
    pub lock_wait: Duration,
    /// Told what happens.
    pub events: &'a mut dyn FnMut(Event<'_>),
}

/// Something that happened, for whoever watches.
#[derive(Debug)]
pub enum Event<'a> {
    /// The target's lock is held by another.
    Waiting {
        /// Where.
        environment: &'a EnvironmentName,
        /// Who holds it, as far as it is known.
        holder: &'a str,
    },
    /// The environment was tied to a target.
    Bound {
        /// Which.
        environment: &'a EnvironmentName,
        /// The target's name.
        name: &'a str,
    },
    /// The environment's target has another name than it had.
    Renamed {
        /// Which.
        environment: &'a EnvironmentName,
        /// The name that the ledger knew.
        from: &'a str,
        /// The name now.
        to: &'a str,
    },
    /// The environment's target was emptied under another ledger, or by a run that did not come to its
    /// end: nothing counts as applied there.
    WasEmptied {
        /// Which.
        environment: &'a EnvironmentName,
        /// The target's name.
        name: &'a str,
    },
    /// The ledger was put back to an earlier state, and goes on under a new writer.
    WentBack {
        /// Whose receipts show it.
        environment: &'a EnvironmentName,
    },
    /// Receipts of the target were taken in.
    Absorbed {
        /// Where.
        environment: &'a EnvironmentName,
        /// How many.
        count: usize,
        /// How many of them the ledger had already, of another life of the target or of the one it is a copy of.
        had: usize,
    },
    /// An attempt whose end was not known is settled.
    Settled {
        /// Where.
        environment: &'a EnvironmentName,
        /// Which migration.
        migration: &'a MigrationId,
        /// How it was found out, which also says how it ended.
        how: How,
        /// What stands of it, where it stopped half-way.
        progress: Option<Progress>,
    },
    /// What the target tells of an attempt, and the ledger missed, was taken over.
    TookOver {
        /// Where.
        environment: &'a EnvironmentName,
        /// Which migration.
        migration: &'a MigrationId,
        /// What it tells, as a clause.
        what: &'a str,
    },
    /// What stood in Prisma's table and had no receipt was taken in.
    TookInHistory {
        /// Where.
        environment: &'a EnvironmentName,
        /// How many migrations Prisma ran.
        ran: usize,
        /// How many count as applied on a word that a person gave to Prisma.
        said: usize,
    },
    /// Prisma reset the target: what was applied there before went to the archive.
    ResetByPrisma {
        /// Where.
        environment: &'a EnvironmentName,
        /// How many receipts were archived.
        receipts: usize,
    },
    /// Rows that Prisma's table lacked were written.
    WroteHistory {
        /// Where.
        environment: &'a EnvironmentName,
        /// How many.
        rows: usize,
    },
    /// The schema is not as the newest run left it, and a run is about to begin.
    Drifted {
        /// Where.
        environment: &'a EnvironmentName,
        /// What differs.
        differences: &'a [SchemaDifference],
    },
    /// The schema's fingerprint could not be kept beside the newest receipt.
    NotKept {
        /// Where.
        environment: &'a EnvironmentName,
        /// What the target said.
        error: &'a TargetError,
    },
    /// A rehearsal begins, or goes on.
    Rehearsing {
        /// Where.
        environment: &'a EnvironmentName,
        /// Of which migration.
        migration: &'a MigrationId,
        /// What is being done, in words, without a full stop.
        what: &'a str,
    },
    /// An environment is about to be passed, one migration after another, each rehearsed before it is applied.
    Passing {
        /// Which.
        environment: &'a EnvironmentName,
        /// How many are pending there.
        pending: usize,
        /// How many rehearsals there will be, of those and of what is applied already.
        rehearsals: usize,
    },
    /// A scratch database could not be dropped: that is done when the next one is made.
    NotDropped {
        /// Beside whose target.
        environment: &'a EnvironmentName,
        /// Its name.
        name: &'a str,
        /// What the server or the file said.
        error: &'a TargetError,
    },
    /// A rehearsal ended.
    Rehearsed {
        /// Where.
        environment: &'a EnvironmentName,
        /// How.
        report: &'a rehearse::Report,
        /// Whether it is a part of another verb's work.
        on_the_way: bool,
    },
    /// Promotion needs nothing there: what is on its way succeeded in others' databases.
    PassedBy {
        /// Where.
        environment: &'a EnvironmentName,
    },
    /// A backup is taken, read or restored.
    BackingUp {
        /// Of which environment.
        environment: &'a EnvironmentName,
        /// How it goes.
        news: BackupNews<'a>,
    },
    /// A backup was taken, because a gate asks for one.
    BackedUp(&'a backup::Report),
    /// The plan that is about to run, or was refused.
    Planned(&'a Plan),
    /// A step begins.
    Begun {
        /// Where.
        environment: &'a EnvironmentName,
        /// The step.
        step: &'a Step,
    },
    /// A journalled step goes on.
    Progressed {
        /// The step.
        step: &'a Step,
        /// How far.
        progress: Progress,
    },
    /// Something about a running step that whoever waits wants to know.
    Noted {
        /// Where.
        environment: &'a EnvironmentName,
        /// The step.
        step: &'a Step,
        /// In words, as the target told it.
        text: &'a str,
    },
    /// A migration was undone, in one transaction.
    Undone {
        /// Where.
        environment: &'a EnvironmentName,
        /// Which.
        migration: &'a MigrationId,
        /// Whether the bytes of its `down.sql` came from the ledger.
        from_ledger: bool,
        /// How long it took, by the run's clock.
        took: Duration,
    },
    /// A step succeeded.
    Applied {
        /// Where.
        environment: &'a EnvironmentName,
        /// The step.
        step: &'a Step,
        /// Its receipt's kind, as it came out.
        kind: ReceiptKind,
        /// How long it took, by the run's clock.
        took: Duration,
        /// The gates that were waived for it.
        waivers: &'a [Waiver],
    },
}

/// Why a verb could not go on. What was done before stands, and is in the ledger.
#[derive(Debug)]
pub enum WorkflowError {
    /// The ledger.
    Ledger(LedgerError),
    /// A target, apart from a script that failed.
    Target {
        /// Which environment's.
        environment: EnvironmentName,
        /// What it said.
        error: Box<TargetError>,
    },
    /// A receipt and the ledger exclude each other, or the receipts are not sound.
    Contradiction {
        /// Where.
        environment: EnvironmentName,
        /// The fact.
        what: String,
        /// One thing to do, where it is known what may have happened.
        remedy: Option<String>,
    },
    /// The team's hub cannot be asked, or told.
    Hub(Box<TargetError>),
    /// The hub lost or changed something that it once had.
    HubContradiction {
        /// The facts, each a clause.
        faults: Vec<String>,
        /// Whether something was changed, and not only lost.
        changed: bool,
    },
    /// What was asked for makes no sense here.
    Usage {
        /// The fact.
        what: String,
        /// One thing to do.
        remedy: String,
    },
    /// A gate is not met; nothing was changed.
    Refused {
        /// The fact.
        what: String,
        /// One thing to do.
        remedy: String,
    },
    /// A file could not be written.
    File {
        /// Which.
        path: std::path::PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
}

impl fmt::Display for WorkflowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger(error) => error.fmt(f),
            Self::Target { environment, error } => write!(f, "{environment}: {error}"),
            Self::Contradiction {
                environment, what, ..
            } => write!(f, "{environment}: {what}"),
            Self::Hub(error) => error.fmt(f),
            Self::HubContradiction { faults, .. } => {
                write!(f, "the hub is not what it was: {}", faults.join("; "))
            }
            Self::Usage { what, .. } | Self::Refused { what, .. } => f.write_str(what),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for WorkflowError {}

impl From<LedgerError> for WorkflowError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl Run<'_> {
    fn record(
        &mut self,
        fact: crate::model::Fact,
    ) -> Result<crate::model::entry::Head, WorkflowError> {
        Ok(self.ledger.append((self.now)(), self.by, fact)?)
    }

    /// A migration on disk.
    fn file(&self, migration: &MigrationId) -> Option<&FileFacts<'_>> {
        let place = self
            .files
            .binary_search_by(|file| file.migration.cmp(migration));
        self.files.get(place.ok()?)
    }

    /// What would be applied at this moment, as far as the ledger knows.
    fn plan_now(&self, environment: &EnvironmentName, engine: Engine) -> Plan {
        // The target was met, so an ephemeral environment's next one is not asked about.
        let met = planner::Live::default();
        planner::plan(&Inputs {
            environment,
            engine,
            policy: self.policy,
            files: self.files,
            folder: self.folder,
            prisma: self.prisma,
            view: self.ledger.view(),
            kept: &self.kept,
            to: None,
            live: (self.policy.kind(environment) == Kind::Ephemeral).then_some(&met),
            now: (self.now)(),
            in_use: &self.in_use,
            approving: planner::Approving::Unsaved,
        })
    }

    /// Records that a verb other than `apply` and `promote` was refused, under the plan as it was.
    fn refuse(
        &mut self,
        verb: &str,
        environment: &EnvironmentName,
        gate: Gate,
        migration: Option<&MigrationId>,
    ) -> Result<(), WorkflowError> {
        self.refuse_all(
            verb,
            environment,
            vec![RefusedGate {
                gate: gate.as_str().to_owned(),
                migration: migration.cloned(),
            }],
        )
    }

    /// The same for several gates.
    fn refuse_all(
        &mut self,
        verb: &str,
        environment: &EnvironmentName,
        gates: Vec<RefusedGate>,
    ) -> Result<(), WorkflowError> {
        let view = self.ledger.view();
        let engine = view
            .get(environment)
            .and_then(|here| here.target.as_ref())
            .map_or(Engine::Postgresql, |target| target.engine);
        let plan = self.plan_now(environment, engine);
        self.record(Fact::Refused(Refused {
            verb: verb.to_owned(),
            environment: environment.clone(),
            plan: plan.id,
            gates,
        }))?;
        Ok(())
    }
}

/// How a reversal is written where there is none of yet, or one without a statement; what somebody noted in
/// it is put aside.
fn write_reversal(run: &Run<'_>, migration: &MigrationId, down: Option<&str>) -> String {
    let path = gates::shell(&format!("{}/{migration}/down.sql", run.folder));
    let aside = match down {
        Some(down) if !is_to_be_written(down) => format!("mv {path} {path}.old && "),
        _ => String::new(),
    };
    format!(
        "{aside}tollgate new --down {}",
        gates::shell(migration.as_str())
    )
}

fn target_error(environment: &EnvironmentName, error: TargetError) -> WorkflowError {
    WorkflowError::Target {
        environment: environment.clone(),
        error: Box::new(error),
    }
}
