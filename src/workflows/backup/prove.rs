//! Restoring a backup into a scratch database, and comparing the copy with what the source was.

use std::path::Path;

use super::compare::{Comparison, compare};
use super::files;
use super::manifest::{Manifest, Source};
use crate::model::entry::VerifiedBackup;
use crate::model::{Data, DataMode, EnvironmentName, Schema};
use crate::targets::backup::{self, BackupNews, RestoreError, Rights, Watch};
use crate::targets::{Beginning, Scratch, ScratchError, TargetError, TargetErrorKind};
use crate::workflows::{Event, Run, WorkflowError, target_error};

/// What became of the proof that a backup can be restored.
#[derive(Debug)]
pub enum Proof {
    /// Nobody asked for one.
    NotAsked,
    /// It was restored, and all that was compared is equal.
    Equal {
        /// How closely the data was compared; `None`: not at all, because nothing of it was recorded when
        /// the backup was taken.
        data: Option<DataMode>,
        /// What was compared.
        comparison: Comparison,
    },
    /// It was restored, and something is not what it was.
    Different(Comparison),
    /// It could not be restored.
    NotRestored(Box<TargetError>),
    /// There was no place to restore it to: the backup may be as good as any.
    NotTried(Box<TargetError>),
}

impl Proof {
    /// Whether nothing speaks against the backup.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::NotAsked | Self::Equal { .. })
    }
}

/// Restores the file and compares. To be called under the run's lock. What goes wrong with the proof is a
/// part of the answer, because the file is there all the same.
pub(super) fn prove(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    path: &Path,
    manifest: &Manifest,
    source: &Source,
) -> Result<Proof, WorkflowError> {
    let mut rights = Rights::Kept;
    loop {
        let place = match place(run, environment) {
            Ok(place) => place,
            Err(error) if error.kind == TargetErrorKind::Interrupted => {
                return Err(interrupted(environment, manifest));
            }
            Err(error) => return Ok(Proof::NotTried(Box::new(error))),
        };
        let told = format!("restoring it into the scratch database {}", place.name());
        tell(run, environment, BackupNews::Doing(&told));
        let restored = restore(run, environment, path, manifest, place.as_ref(), rights);
        let looked = restored.and_then(|()| {
            tell(run, environment, BackupNews::Doing("comparing"));
            let mode = source.data.as_ref().map(|(mode, _)| *mode);
            Ok(look(place.as_ref(), mode)?)
        });
        // What cannot be dropped now is dropped when the next one is made.
        if let Err(error) = place.discard() {
            tell(run, environment, BackupNews::Doing(&error.fact));
        }
        let (schema, data) = match looked {
            Ok(looked) => looked,
            Err(RestoreError::NotAllowed { .. }) if rights == Rights::Kept => {
                rights = Rights::Left;
                continue;
            }
            Err(RestoreError::NotAllowed { why }) => {
                let error = TargetError {
                    kind: TargetErrorKind::Other,
                    fact: why,
                    remedy: None,
                };
                return Ok(Proof::NotRestored(Box::new(error)));
            }
            Err(RestoreError::Target(error)) if error.kind == TargetErrorKind::Interrupted => {
                return Err(interrupted(environment, manifest));
            }
            Err(RestoreError::Target(error)) => return Ok(Proof::NotRestored(error)),
        };
        let comparison = compare(source, &schema, data.as_ref(), rights);
        return Ok(match comparison.is_equal() {
            true => Proof::Equal {
                data: source.data.as_ref().map(|(mode, _)| *mode),
                comparison,
            },
            false => Proof::Different(comparison),
        });
    }
}

/// Somebody asked to stop. Only what was restored is taken back: the file was whole before.
fn interrupted(environment: &EnvironmentName, manifest: &Manifest) -> WorkflowError {
    let file = &manifest.file;
    let mut error = backup::interrupted(&format!(
        "{file} is whole and stays with its manifest, and what was restored of it is taken back: it is not known whether it can be restored"
    ));
    error.remedy = Some(format!(
        "tollgate backup {environment} --check {file} --verify"
    ));
    target_error(environment, error)
}

fn tell(run: &mut Run<'_>, environment: &EnvironmentName, news: BackupNews<'_>) {
    (run.events)(Event::BackingUp { environment, news });
}

/// A scratch database beside the target, or why there is none.
fn place(run: &Run<'_>, environment: &EnvironmentName) -> Result<Box<dyn Scratch>, TargetError> {
    let (why, remedy) = match (run.scratch)(environment, Beginning::Empty) {
        Ok(place) => return Ok(place),
        Err(ScratchError::Target(error)) => return Err(*error),
        Err(ScratchError::NotAllowed { why }) => (
            why,
            "ALTER ROLE ... CREATEDB, for the role of the target's url; or restore it elsewhere: tollgate restore '<its file>' --into '<a new database>'",
        ),
        Err(ScratchError::NotCopied { why }) => (why, "try again in a moment"),
    };
    Err(TargetError {
        kind: TargetErrorKind::Other,
        fact: format!("there is no scratch database to restore it into: {why}"),
        remedy: Some(remedy.to_owned()),
    })
}

fn restore(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    path: &Path,
    manifest: &Manifest,
    place: &dyn Scratch,
    rights: Rights,
) -> Result<(), RestoreError> {
    let Run {
        events,
        interrupted,
        backups,
        ..
    } = run;
    let mut tell = |news: BackupNews<'_>| events(Event::BackingUp { environment, news });
    let mut watch = Watch {
        tell: &mut tell,
        give_up: *interrupted,
    };
    backup::restore(
        path,
        &manifest.made_by,
        place.address(),
        rights,
        backups.programs,
        &mut watch,
    )
}

fn look(
    place: &dyn Scratch,
    mode: Option<DataMode>,
) -> Result<(Schema, Option<Data>), TargetError> {
    let mut copy = place.open()?;
    let schema = copy.schema()?;
    let data = mode.map(|mode| copy.data(mode)).transpose()?;
    Ok((schema, data))
}

/// Marks the manifest with what came of it.
pub(super) fn mark(
    run: &Run<'_>,
    manifest: &mut Manifest,
    path: &Path,
    proof: &Proof,
) -> Result<(), WorkflowError> {
    let at = (run.now)();
    let restored = |what: &str| Some(format!("{}: {what}", at.minute()));
    match proof {
        Proof::NotAsked | Proof::NotTried(_) => return Ok(()),
        Proof::Equal { data, comparison } => {
            manifest.verified = data.map(|data| VerifiedBackup {
                at,
                data,
                tables: comparison.tables,
                rows: comparison.rows,
            });
            manifest.not_compared.clone_from(&comparison.not_compared);
            manifest.failed = None;
        }
        Proof::Different(_) => {
            manifest.verified = None;
            manifest.failed = restored("it was restored, and is not what its source was");
        }
        Proof::NotRestored(_) => {
            manifest.verified = None;
            manifest.failed = restored("it could not be restored");
        }
    }
    manifest.write(&files::manifest(path))
}
