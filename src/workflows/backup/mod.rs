//! backup: a file of one moment of a target, with a manifest beside it, and an entry that tells of it.
//!
//! The file is written under another name until it is whole. Its manifest gets its name first, the file
//! itself second: a file that looks whole is whole, whenever a crash comes. The ledger's entry is last; a
//! file without one is only not known.

mod attest;
mod check;
mod compare;
mod files;
mod into;
mod list;
mod manifest;
mod prove;
mod restore;

pub use attest::{Attested, attest};
pub use check::{Checked, Found, check};
pub use compare::Comparison;
pub use files::Deleted;
pub use into::new_file;
pub use list::{Listed, Listing, list};
pub use manifest::Manifest;
pub use prove::Proof;
pub use restore::{Restored, restore};

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::contact::{Contact, contact};
use super::tie::enter;
use super::{Event, Run, WorkflowError, target_error};
use crate::model::entry::{BackedUp, BackupKind, TargetIdentity};
use crate::model::{DataMode, EnvironmentName, Fact, Timestamp};
use crate::planner::{Finding, Gate};
use crate::targets::backup::{BackupNews, BackupRequest, Look, Programs, TakenBackup, Watch};
use crate::targets::{Earlier, Target};
use manifest::Source;

/// What backups need of the world.
#[derive(Clone, Copy)]
pub struct Backups<'a> {
    /// The folder that they are in.
    pub folder: &'a Path,
    /// Where programs are looked for.
    pub programs: &'a Programs,
    /// How many of an environment are kept; `None`: all.
    pub keep: &'a dyn Fn(&EnvironmentName) -> Option<NonZeroUsize>,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Of which environment's target.
    pub environment: &'a EnvironmentName,
    /// Restore it into a scratch database, and compare.
    pub verify: bool,
    /// How closely to compare the data; `None`: as its size allows.
    pub data: Option<DataMode>,
    /// How many to keep, where that was said here.
    pub keep: Option<NonZeroUsize>,
}

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// The target is not the one that the ledger knows; nothing was read from it.
    Refused(Finding),
    /// Neither side knows the other, and nothing stands there.
    Nothing,
    /// The file is complete.
    Done(Box<Report>),
}

/// A backup that was taken.
#[derive(Debug)]
pub struct Report {
    /// What its manifest says.
    pub manifest: Manifest,
    /// Where its file is.
    pub path: PathBuf,
    /// Whether it was restored, and what came of it.
    pub proof: Proof,
    /// What a crash had left of earlier ones, and is gone now.
    pub left_over: Vec<String>,
    /// Older ones that are deleted.
    pub deleted: Vec<Deleted>,
}

/// Takes a backup of an environment's target.
///
/// # Errors
/// [`WorkflowError`]. No file is left that looks whole and is not.
pub fn take(run: &mut Run<'_>, request: &Request<'_>) -> Result<Ended, WorkflowError> {
    let environment = request.environment;
    let Contact {
        mut target,
        live,
        is_new,
        ..
    } = contact(run, environment)?;
    if let Some(finding) = live.identity {
        run.refuse("backup", environment, Gate::Identity, None)?;
        return Ok(Ended::Refused(finding));
    }
    if is_new {
        // What stands there is worth a backup, and a backup is of a target that has an identity.
        if !live.has_history_elsewhere && !live.is_filled && live.unknown_history == 0 {
            return Ok(Ended::Nothing);
        }
        enter(run, environment, target.as_mut(), Earlier::Keep, None)?;
    }
    let Some(identity) = identity(run, environment) else {
        return Ok(Ended::Nothing);
    };
    files::make(run.backups.folder)?;
    let left_over = files::clean_up(run.backups.folder, environment)?;
    let begun = (run.now)();
    let file = files::name(environment, target.engine(), begun, (run.random)());
    let path = run.backups.folder.join(&file);
    let made = make(run, request, target.as_mut(), &path, begun, file, identity);
    let (mut manifest, source) = match made {
        Ok(made) => made,
        Err(error) => {
            files::take_back(&path);
            return Err(error);
        }
    };
    let proof = if request.verify {
        prove::prove(run, environment, &path, &manifest, &source)
    } else {
        Ok(Proof::NotAsked)
    };
    // The file is whole, whatever became of the proof. But what was restored and is not what its source
    // was is no backup, and no gate may stand on it.
    let proof = match proof {
        Ok(proof) => proof,
        Err(error) => {
            record(run, &manifest)?;
            return Err(error);
        }
    };
    prove::mark(run, &mut manifest, &path, &proof)?;
    if !matches!(proof, Proof::Different(_) | Proof::NotRestored(_)) {
        record(run, &manifest)?;
    }
    // The lock is held until here: scratch databases are made and dropped beside a target by one run.
    drop(target);
    let keep = request.keep.or_else(|| (run.backups.keep)(environment));
    let deleted = match keep {
        Some(keep) if proof.is_good() => {
            files::keep_only(run.backups.folder, environment, keep, &manifest)?
        }
        _ => Vec::new(),
    };
    Ok(Ended::Done(Box::new(Report {
        manifest,
        path,
        proof,
        left_over,
        deleted,
    })))
}

/// Writes the file and its manifest, and gives both their names.
fn make(
    run: &mut Run<'_>,
    request: &Request<'_>,
    target: &mut dyn Target,
    path: &Path,
    begun: Timestamp,
    file: String,
    identity: TargetIdentity,
) -> Result<(Manifest, Source), WorkflowError> {
    let part = files::part(path);
    let taken: TakenBackup = {
        let Run {
            events,
            interrupted,
            lock_wait,
            backups,
            ..
        } = run;
        let environment = request.environment;
        let mut tell = |news: BackupNews<'_>| events(Event::BackingUp { environment, news });
        let asked = BackupRequest {
            into: &part,
            look: match (request.verify, request.data) {
                (false, _) => Look::No,
                (true, None) => Look::BySize,
                (true, Some(mode)) => Look::As(mode),
            },
            programs: backups.programs,
            lock_wait: *lock_wait,
        };
        let mut watch = Watch {
            tell: &mut tell,
            give_up: *interrupted,
        };
        let taken = target.back_up(&asked, &mut watch);
        taken.map_err(|error| target_error(environment, error))?
    };
    let moments = [begun, (run.now)()];
    let environment = request.environment.clone();
    let mut manifest = Manifest::new(file, environment, identity, moments, &taken);
    let source = Source {
        schema: taken.schema,
        data: taken.data,
    };
    manifest.describe(&source);
    manifest.write(&files::manifest(path))?;
    let renamed = |error| WorkflowError::File {
        path: path.to_owned(),
        error,
    };
    crate::failpoint::hit("backup.rename.before");
    if let Err(error) = std::fs::rename(&part, path) {
        let _ = std::fs::remove_file(files::manifest(path));
        return Err(renamed(error));
    }
    crate::failpoint::hit("backup.rename.after");
    sync_folder(run.backups.folder).map_err(renamed)?;
    Ok((manifest, source))
}

/// Both names are on the disk when this returns.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn identity(run: &Run<'_>, environment: &EnvironmentName) -> Option<TargetIdentity> {
    run.ledger.view().get(environment)?.target.clone()
}

/// Writes the entry: of a file that is complete, or, once it was restored, that it could be.
fn record(run: &mut Run<'_>, manifest: &Manifest) -> Result<(), WorkflowError> {
    run.record(Fact::BackedUp(BackedUp {
        environment: manifest.environment.clone(),
        target: manifest.target.incarnation,
        receipt: manifest.receipt,
        taken: manifest.begun,
        what: BackupKind::File {
            file: manifest.file.clone(),
            size: manifest.size,
            blake3: manifest.blake3,
            sha256: manifest.sha256,
            made_by: manifest.made_by.clone(),
            verified: manifest.verified.clone(),
            bad: None,
        },
    }))?;
    Ok(())
}
