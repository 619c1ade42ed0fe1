//! Whether a file is the backup that it is said to be: against its manifest, and the ledger's entry.

use std::path::{Path, PathBuf};

use super::manifest::{Manifest, NoManifest};
use super::prove::{self, Proof};
use super::{files, record};
use crate::ledger::view::Backup;
use crate::model::entry::BackupKind;
use crate::model::{EnvironmentName, Fact, size_in_words};
use crate::planner::{Finding, Gate};
use crate::targets::backup::{self, BackupNews, Watch, kind_of, read_through};
use crate::workflows::contact::contact;
use crate::workflows::{Event, Run, WorkflowError, target_error};

/// How a look at a file ended.
#[derive(Debug)]
pub enum Checked {
    /// To restore it the target is contacted, and it is not the one that the ledger knows.
    Refused(Finding),
    /// It was looked at.
    Found(Box<Found>),
}

/// What a look at a file found.
#[derive(Debug)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// Of which environment it should be, or says that it is.
    pub environment: Option<EnvironmentName>,
    /// Its manifest, where there is one that can be believed.
    pub manifest: Option<Manifest>,
    /// What is wrong with it, a clause each: empty where it is what it should be.
    pub faults: Vec<String>,
    /// What is worth knowing and speaks against nothing.
    pub notes: Vec<String>,
    /// Whether it was restored, and what came of it.
    pub proof: Proof,
}

impl Found {
    /// Whether it is whole, the one it is said to be, and nothing was found against it when it was restored.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let failed = self.manifest.as_ref().and_then(|it| it.failed.as_ref());
        self.faults.is_empty() && self.proof.is_good() && failed.is_none()
    }
}

/// Looks at a file; with `verify` restores it too, into a scratch database.
///
/// # Errors
/// [`WorkflowError`]; what is wrong with the file is no error, but what it is all about.
pub fn check(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    path: &Path,
    verify: bool,
) -> Result<Checked, WorkflowError> {
    let mut found = look(run, Some(environment), path)?;
    if let Some(mut manifest) = found.manifest.take() {
        if verify && found.faults.is_empty() {
            // One run at a time makes scratch databases beside a target.
            let contact = contact(run, environment)?;
            if let Some(finding) = contact.live.identity {
                run.refuse("backup", environment, Gate::Identity, None)?;
                return Ok(Checked::Refused(finding));
            }
            match manifest.source() {
                Some(source) => {
                    let was_verified = manifest.verified.is_some();
                    found.proof = prove::prove(run, environment, path, &manifest, &source)?;
                    prove::mark(run, &mut manifest, path, &found.proof)?;
                    let is_word = was_verified || manifest.verified.is_some();
                    // The newest word on a file is what counts.
                    if is_word && manifest.failed.is_none() {
                        record(run, &manifest)?;
                    }
                }
                None => found.faults.push(
                    "the objects in its manifest are not those whose digest stands there"
                        .to_owned(),
                ),
            }
        }
        found.manifest = Some(manifest);
    }
    tell_ledger(run, environment, &found)?;
    Ok(Checked::Found(Box::new(found)))
}

/// Records that a file that the ledger knows is not good any more, or is again: its newest entry is its
/// state, and no gate stands on one that is not good.
fn tell_ledger(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    found: &Found,
) -> Result<(), WorkflowError> {
    let Some(name) = found.path.file_name().and_then(|name| name.to_str()) else {
        return Ok(());
    };
    // A copy elsewhere says nothing of the file that is in the folder.
    let kept = run.backups.folder.join(name);
    let is_kept = match (kept.canonicalize(), found.path.canonicalize()) {
        (Ok(kept), Ok(looked_at)) => kept == looked_at,
        _ => true,
    };
    if !is_kept || !found.path.is_file() {
        return Ok(());
    }
    let here = run.ledger.view().get(environment);
    let all = here.into_iter().flat_map(|here| here.all_backups());
    let known = all.filter(|one| is_called(one, name)).last();
    let Some(mut entry) = known.map(|known| known.entry.clone()) else {
        return Ok(());
    };
    let BackupKind::File { verified, bad, .. } = &mut entry.what else {
        return Ok(());
    };
    let failed = found.manifest.as_ref().and_then(|it| it.failed.clone());
    let clause = match found.faults.is_empty() {
        true => failed,
        false => Some(found.faults.join("; ")),
    };
    let is_again = bad.is_some() && found.is_good();
    match (clause, &found.manifest) {
        (Some(clause), _) if bad.as_ref() != Some(&clause) => {
            *verified = None;
            *bad = Some(clause);
            run.record(Fact::BackedUp(entry))?;
        }
        (None, Some(manifest)) if is_again => record(run, manifest)?,
        _ => {}
    }
    Ok(())
}

/// Looks at a file, of this environment or of whichever its manifest names.
pub(super) fn look(
    run: &mut Run<'_>,
    environment: Option<&EnvironmentName>,
    path: &Path,
) -> Result<Found, WorkflowError> {
    let mut found = Found {
        path: path.to_owned(),
        environment: environment.cloned(),
        manifest: None,
        faults: Vec::new(),
        notes: Vec::new(),
        proof: Proof::NotAsked,
    };
    if let Some(fault) = no_file(path) {
        found.faults.push(fault);
        return Ok(found);
    }
    let manifest = match Manifest::read(&files::manifest(path)) {
        Ok(manifest) => manifest,
        Err(error) => {
            found.faults.push(match error {
                NoManifest::Missing => {
                    "it has no manifest beside it, so nothing tells whether it is whole".to_owned()
                }
                NoManifest::Unreadable(error) => format!("its manifest cannot be read: {error}"),
                NoManifest::Altered(why) => format!("its manifest was altered: {why}"),
            });
            return Ok(found);
        }
    };
    let of = found
        .environment
        .get_or_insert(manifest.environment.clone());
    let of = of.clone();
    against_manifest(run, &of, path, &manifest, &mut found.faults)?;
    if let Some(environment) = environment
        && manifest.environment != *environment
    {
        found.faults.push(format!(
            "it is a backup of {}, and not of {environment}",
            manifest.environment
        ));
    } else {
        against_ledger(run, &manifest, &mut found);
    }
    found.manifest = Some(manifest);
    Ok(found)
}

/// What stands there instead of a file; `None` where it is one.
fn no_file(path: &Path) -> Option<String> {
    let kind = match path.metadata() {
        Ok(known) => known.file_type(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Some("there is no such file".to_owned());
        }
        Err(error) => return Some(format!("it cannot be looked at: {error}")),
    };
    if kind.is_file() {
        return None;
    }
    let what = match kind.is_dir() {
        true => "a directory",
        false => special(kind),
    };
    Some(format!("it is {what}, and no file"))
}

/// What is neither a file nor a directory.
#[cfg(unix)]
fn special(kind: std::fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_block_device() || kind.is_char_device() {
        "a device"
    } else {
        "something else"
    }
}

/// What is neither a file nor a directory.
#[cfg(not(unix))]
fn special(_kind: std::fs::FileType) -> &'static str {
    "something else"
}

/// The bytes, and what kind of file they make.
fn against_manifest(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    path: &Path,
    manifest: &Manifest,
    faults: &mut Vec<String>,
) -> Result<(), WorkflowError> {
    let told = |error| WorkflowError::File {
        path: path.to_owned(),
        error,
    };
    match kind_of(path).map_err(told)? {
        Some(kind) if kind == manifest.engine => {}
        Some(kind) => faults.push(format!(
            "it is a file of {}, and its manifest says {}",
            kind.as_str(),
            manifest.engine.as_str()
        )),
        None => faults.push(format!(
            "it does not begin as a backup of {} does",
            manifest.engine.as_str()
        )),
    }
    let size = path.metadata().map_err(told)?.len();
    if size < manifest.size {
        faults.push(format!(
            "it was cut short: {} of {} ({size} of {} bytes)",
            size_in_words(size),
            size_in_words(manifest.size),
            manifest.size
        ));
        return Ok(());
    }
    if size > manifest.size {
        faults.push(format!(
            "it is longer than it was: {size} bytes instead of {}",
            manifest.size
        ));
        return Ok(());
    }
    let Run {
        events,
        interrupted,
        ..
    } = run;
    let mut tell = |news: BackupNews<'_>| events(Event::BackingUp { environment, news });
    let mut watch = Watch {
        tell: &mut tell,
        give_up: *interrupted,
    };
    let read = read_through(path, &mut watch).map_err(|error| match error.kind() {
        std::io::ErrorKind::Interrupted => {
            target_error(environment, backup::interrupted("nothing was changed"))
        }
        _ => told(error),
    })?;
    if read.blake3 != manifest.blake3 {
        faults.push(format!(
            "its bytes are not those that were written: {} instead of {}",
            read.blake3.short(),
            manifest.blake3.short()
        ));
    } else if read.sha256 != manifest.sha256 {
        faults.push(format!(
            "its manifest was altered: SHA-256 is {}, and it says {}",
            read.sha256.short(),
            manifest.sha256.short()
        ));
    }
    Ok(())
}

/// What the ledger knows of it. A ledger that was lost knows nothing, and then it is the manifest's word.
fn against_ledger(run: &Run<'_>, manifest: &Manifest, found: &mut Found) {
    let environment = &manifest.environment;
    let here = run.ledger.view().get(environment);
    let entries = here.map(|here| {
        here.all_backups()
            .filter(|one| is_called(one, &manifest.file))
            .collect()
    });
    let entries: Vec<&Backup> = entries.unwrap_or_default();
    // The newest entry about it says whether it was verified.
    match entries.last() {
        None => found.notes.push(
            "this ledger has no entry of it: that it is what it seems is its manifest's word alone"
                .to_owned(),
        ),
        Some(entry) => {
            let differing = differing(entry, manifest);
            if !differing.is_empty() {
                found.faults.push(format!(
                    "its manifest is not what the ledger recorded: {}",
                    differing.join(", ")
                ));
            }
        }
    }
    let Some(here) = here else { return };
    let incarnation = manifest.target.incarnation;
    match &here.target {
        Some(target) if target.incarnation == incarnation => {}
        Some(target) if here.has_had(incarnation) => found.notes.push(format!(
            "it is of an earlier target of {environment}: incarnation {}, and now it is {}",
            incarnation.short(),
            target.incarnation.short()
        )),
        Some(target) => found.faults.push(format!(
            "it is of another database: {} {}, incarnation {}, and {environment} is bound to {} {}, incarnation {}",
            manifest.engine.as_str(),
            manifest.target.name,
            incarnation.short(),
            target.engine.as_str(),
            target.name,
            target.incarnation.short()
        )),
        None => {}
    }
}

fn is_called(backup: &Backup, name: &str) -> bool {
    match &backup.entry.what {
        BackupKind::File { file, .. } => file == name,
        BackupKind::Attested { .. } => false,
    }
}

/// What the manifest says otherwise than the entry.
fn differing(backup: &Backup, manifest: &Manifest) -> Vec<&'static str> {
    let entry = &backup.entry;
    let BackupKind::File {
        size,
        blake3,
        sha256,
        made_by,
        verified,
        ..
    } = &entry.what
    else {
        return Vec::new();
    };
    let fields = [
        ("size", *size == manifest.size),
        ("blake3", *blake3 == manifest.blake3),
        ("sha256", *sha256 == manifest.sha256),
        ("made_by", *made_by == manifest.made_by),
        ("target", entry.target == manifest.target.incarnation),
        ("receipt", entry.receipt == manifest.receipt),
        ("begun", entry.taken == manifest.begun),
        // A crash between the two leaves the entry behind the manifest: only a manifest that claims what
        // no entry does, or another thing, is of interest, and that only where an entry says so.
        (
            "verified",
            verified.is_none() || *verified == manifest.verified,
        ),
    ];
    let other = fields.into_iter().filter(|(_, same)| !same);
    other.map(|(name, _)| name).collect()
}
