//! What backups there are: those that the ledger knows, and the files of the folder that it does not.

use std::collections::BTreeSet;

use super::files;
use super::manifest::Manifest;
use crate::ledger::view::{Backup, View};
use crate::model::entry::BackupKind;
use crate::model::{EnvironmentName, Timestamp};
use crate::workflows::WorkflowError;

/// The backups of an environment, newest first.
#[derive(Debug)]
pub struct Listing {
    /// Each.
    pub backups: Vec<Listed>,
    /// Files in the folder that look like a backup of it and have no manifest: not whole, as far as is
    /// known.
    pub without_manifest: Vec<String>,
}

/// One backup.
#[derive(Debug)]
pub struct Listed {
    /// The file's name, or where a person says that it is.
    pub name: String,
    /// The moment that it is of.
    pub taken: Timestamp,
    /// Its size in bytes; `None` of one that was only attested.
    pub size: Option<u64>,
    /// When it was restored and found equal.
    pub verified: Option<Timestamp>,
    /// Whether it is on a person's word alone.
    pub attested: bool,
    /// Whether its file is in the folder here; of one that was attested, nobody looks.
    pub is_here: bool,
    /// Whether it is of the present target, and not of one before.
    pub is_of_present: bool,
    /// Whether the ledger has an entry of it.
    pub is_known: bool,
    /// What speaks against it, where something does.
    pub failed: Option<String>,
}

/// Lists the backups of an environment.
///
/// # Errors
/// When the folder cannot be read.
pub fn list(
    view: &View,
    folder: &std::path::Path,
    environment: &EnvironmentName,
) -> Result<Listing, WorkflowError> {
    let names = files::names(folder)?;
    let here: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let known = view.get(environment);
    let present = known.and_then(|known| known.target.as_ref());
    let mut backups: Vec<Listed> = Vec::new();
    for backup in known.into_iter().flat_map(|known| known.all_backups()) {
        let mut one = listed(backup, &here);
        one.is_of_present = present.is_some_and(|target| target.incarnation == backup.entry.target);
        // The newest word on a file counts.
        match backups
            .iter_mut()
            .find(|known| known.name == one.name && !known.attested)
        {
            Some(known) if !one.attested => *known = one,
            _ => backups.push(one),
        }
    }
    let mut without_manifest = Vec::new();
    for name in &names {
        if files::begun(name, environment).is_none() {
            continue;
        }
        let read = Manifest::read(&files::manifest(&folder.join(name)));
        if let Some(listed) = backups.iter_mut().find(|known| known.name == *name) {
            match read {
                Ok(manifest) => listed.failed = manifest.failed.or(listed.failed.take()),
                Err(_) => {
                    listed.failed = Some(
                        "its manifest cannot be read, so nothing tells whether it is whole"
                            .to_owned(),
                    );
                }
            }
            continue;
        }
        match read {
            Ok(manifest) => backups.push(Listed {
                name: name.clone(),
                taken: manifest.begun,
                size: Some(manifest.size),
                verified: manifest.verified.as_ref().map(|verified| verified.at),
                attested: false,
                is_here: true,
                is_of_present: present
                    .is_some_and(|target| target.incarnation == manifest.target.incarnation),
                is_known: false,
                failed: manifest.failed,
            }),
            Err(_) => without_manifest.push(name.clone()),
        }
    }
    backups.sort_by(|a, b| (b.taken, &b.name).cmp(&(a.taken, &a.name)));
    Ok(Listing {
        backups,
        without_manifest,
    })
}

fn listed(backup: &Backup, here: &BTreeSet<&str>) -> Listed {
    let (name, size, verified, attested, bad) = match &backup.entry.what {
        BackupKind::File {
            file,
            size,
            verified,
            bad,
            ..
        } => (file, Some(*size), verified.as_ref(), false, bad.clone()),
        BackupKind::Attested { place } => (place, None, None, true, None),
    };
    Listed {
        is_here: !attested && here.contains(name.as_str()),
        name: name.clone(),
        taken: backup.entry.taken,
        size,
        verified: verified.map(|verified| verified.at),
        attested,
        is_of_present: true,
        is_known: true,
        failed: bad,
    }
}
