//! The procedure of an emergency: which steps it has, and which are done. A fold over the ledger and the
//! files, so that the same command goes on where an earlier one stopped. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::FileFacts;
use super::revert::{Links, destroyed, file_before, good_backups, has_stubs};
use crate::ledger::view::{Backup, EnvironmentView, Incident, Success, View};
use crate::model::entry::{BackupKind, Engine};
use crate::model::rehearsal::COLUMN_ORDER;
use crate::model::{Actor, DownLabel, EnvironmentName, Kind, MigrationId, Policy, Timestamp};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A backup of the last environment's target.
    Backup,
    /// The rollback is written.
    Write,
    /// What is pending before the rollback goes along.
    Before {
        /// Where.
        environment: EnvironmentName,
        /// What, in order.
        migrations: Vec<MigrationId>,
    },
    /// The rollback is rehearsed.
    Rehearse(EnvironmentName),
    /// The rollback is applied.
    Apply(EnvironmentName),
}

/// A step, and whether it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Which.
    pub step: Step,
    /// When and by whom, where it is.
    pub done: Option<Done>,
}

/// A step that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// When; `None` where no entry tells.
    pub at: Option<Timestamp>,
    /// By whom.
    pub by: Option<Actor>,
    /// What came of it, in a few words.
    pub what: Option<String>,
}

/// Where an emergency stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Procedure {
    /// The emergency, once it was opened.
    pub incident: Option<Incident>,
    /// The migration that is to be reversed.
    pub migration: MigrationId,
    /// The last environment of the chain.
    pub last: EnvironmentName,
    /// The rollback, where it is written.
    pub rollback: Option<MigrationId>,
    /// The steps, in order.
    pub stages: Vec<Stage>,
    /// What is lost when it runs, and does not come back, as its own `down.sql` names it.
    pub loses: Vec<String>,
    /// What the migration itself took, and its rollback brings back empty, by table and column.
    pub not_back: Vec<String>,
    /// The newest backup of the last environment that was taken before the migration ran there.
    pub file_before: Option<String>,
    /// Whether the rollback refuses to run before somebody has written what is open.
    pub is_open: bool,
    /// The rollback that reversed it in the last environment already.
    pub over_by: Option<MigrationId>,
    /// Whether the migration stands in the last environment, as far as the ledger knows.
    pub stands: bool,
    /// Every rollback of the tree, and what it reverses.
    pub rollbacks: BTreeMap<MigrationId, MigrationId>,
}

impl Procedure {
    /// The rollbacks that went along with this one, oldest first: of later migrations that build on what it
    /// reverses, written with it.
    #[must_use]
    pub fn along(&self) -> Vec<&MigrationId> {
        let before = self.stages.iter().filter_map(|stage| match &stage.step {
            Step::Before { migrations, .. } => Some(migrations),
            _ => None,
        });
        let all: BTreeSet<&MigrationId> = before.flatten().collect();
        let is_rollback = |id: &&MigrationId| self.rollbacks.contains_key(*id);
        all.into_iter().filter(is_rollback).collect()
    }

    /// The first step that is not done, with its place from 1.
    #[must_use]
    pub fn next(&self) -> Option<(usize, &Step)> {
        (1..)
            .zip(&self.stages)
            .find(|(_, stage)| stage.done.is_none())
            .map(|(place, stage)| (place, &stage.step))
    }

    /// Whether every step is done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.stages.iter().all(|stage| stage.done.is_some())
    }
}

/// Finds out where the emergency of a migration stands; `None` without an environment.
#[must_use]
pub fn procedure(
    policy: &Policy,
    engine: Engine,
    files: &[FileFacts<'_>],
    view: &View,
    migration: &MigrationId,
) -> Option<Procedure> {
    let last = policy.chain().last()?.clone();
    let links = Links::read(files, view);
    let nothing = EnvironmentView::default();
    let there = view.get(&last).unwrap_or(&nothing);
    let over_by = links.reversed_in(migration, there).cloned();
    let incident = incident(view, &links, there, migration, &last);
    let rollback = links.standing(migration).cloned();
    let file = rollback
        .as_ref()
        .and_then(|id| files.iter().find(|file| file.migration == id));
    let mut stages = vec![
        Stage {
            step: Step::Backup,
            done: incident
                .as_ref()
                .and_then(|incident| backup_since(there, incident.at))
                .map(told_backup),
        },
        Stage {
            step: Step::Write,
            done: file.and_then(|file| written(view, file)),
        },
    ];
    for environment in policy.chain() {
        let here = view.get(environment).unwrap_or(&nothing);
        let kind = policy.kind(environment);
        let done = file.and_then(|file| applied(here, kind, file));
        if let Some(file) = file {
            let before = match done {
                None => pending_before(files, here, file.migration),
                Some(_) => Vec::new(),
            };
            let went = incident
                .as_ref()
                .map(|incident| went_along(here, file.migration, incident.at))
                .unwrap_or_default();
            // Where some of them went and others stopped, those that are left are the step.
            let (migrations, last) = match before.is_empty() {
                true => (
                    went.iter().map(|(id, _)| (*id).clone()).collect(),
                    went.last(),
                ),
                false => (before, None),
            };
            if !migrations.is_empty() {
                stages.push(Stage {
                    step: Step::Before {
                        environment: environment.clone(),
                        migrations,
                    },
                    done: last.map(|(_, ran)| Done {
                        at: Some(ran.at),
                        by: Some(ran.by.clone()),
                        what: None,
                    }),
                });
            }
        }
        if *environment != last {
            stages.push(Stage {
                step: Step::Rehearse(environment.clone()),
                done: file.and_then(|file| rehearsed(here, file, done.as_ref())),
            });
        }
        stages.push(Stage {
            step: Step::Apply(environment.clone()),
            done,
        });
    }
    Some(Procedure {
        is_open: file.is_some_and(|file| has_stubs(file.script)),
        loses: file.map(loses).unwrap_or_default(),
        not_back: not_back(engine, files, migration, file),
        file_before: file_before(there, migration).map(str::to_owned),
        stands: there.applied.contains_key(migration) && over_by.is_none(),
        over_by,
        rollbacks: files
            .iter()
            .filter_map(|file| {
                let reverts = links.reverted_by(file.migration)?;
                Some((file.migration.clone(), reverts.clone()))
            })
            .collect(),
        migration: migration.clone(),
        incident,
        rollback,
        last,
        stages,
    })
}

/// An entry tells of the rollback, or it ran somewhere: somebody wrote it by hand.
fn written(view: &View, file: &FileFacts<'_>) -> Option<Done> {
    let told = view.reverts().rollback(file.migration);
    let mut everywhere = view.environments();
    let ran = everywhere.any(|(_, here)| here.applied.contains_key(file.migration));
    (told.is_some() || ran).then(|| Done {
        at: told.map(|told| told.at),
        by: told.map(|told| told.by.clone()),
        what: Some(file.migration.to_string()),
    })
}

fn loses(file: &FileFacts<'_>) -> Vec<String> {
    let label = file.down.map(|down| DownLabel::read(down.script));
    let Some(Ok(label)) = label else {
        return Vec::new();
    };
    let names = label.losses().into_iter();
    names.filter(|name| name != COLUMN_ORDER).collect()
}

/// What its script took, as far as neither its rollback, where that is written, nor its `down.sql` fills it again.
fn not_back(
    engine: Engine,
    files: &[FileFacts<'_>],
    migration: &MigrationId,
    rollback: Option<&FileFacts<'_>>,
) -> Vec<String> {
    let file = files.iter().find(|file| file.migration == migration);
    file.map_or_else(Vec::new, |file| {
        let down = rollback.map(|rollback| rollback.script);
        let down = down.or_else(|| file.down.map(|down| down.script));
        destroyed(engine, file.script, down)
    })
}

/// The newest emergency of a migration, unless it is over and the migration stands again.
fn incident(
    view: &View,
    links: &Links,
    there: &EnvironmentView,
    migration: &MigrationId,
    last: &EnvironmentName,
) -> Option<Incident> {
    let all = view.reverts().incidents();
    let newest = all
        .into_iter()
        .rfind(|incident| incident.migration == *migration && incident.environment == *last)?;
    let ended = |rollback: &MigrationId| {
        let ran = there.applied.get(rollback);
        ran.is_some_and(|ran| ran.at >= newest.at) && links.standing(rollback).is_some()
    };
    (!links.rollbacks_of(migration).any(ended)).then(|| newest.clone())
}

/// A backup that was begun since, and of which nobody said that it is not good; the newest.
fn backup_since(there: &EnvironmentView, since: Timestamp) -> Option<&Backup> {
    let good = good_backups(there).into_iter();
    good.filter(|backup| backup.entry.taken >= since)
        .max_by_key(|backup| backup.entry.taken)
}

fn told_backup(backup: &Backup) -> Done {
    Done {
        at: Some(backup.entry.taken),
        by: Some(backup.by.clone()),
        what: Some(match &backup.entry.what {
            BackupKind::File { file, .. } => file.clone(),
            BackupKind::Attested { place } => format!("attested: {place}"),
        }),
    }
}

/// Where the rollback ran with the bytes on disk. Where there are many databases, in any of them.
fn applied(here: &EnvironmentView, kind: Kind, file: &FileFacts<'_>) -> Option<Done> {
    let ran = here.applied.get(file.migration);
    let own = ran.filter(|ran| ran.checksum == Some(file.checksum));
    let others = || {
        (kind != Kind::Ordinary)
            .then(|| here.evidence_of(file.migration, file.checksum))
            .flatten()
    };
    own.or_else(others).map(|ran| Done {
        at: Some(ran.at),
        by: Some(ran.by.clone()),
        what: None,
    })
}

/// Where its rehearsal passed, or there is none to be had: it ran there already, or nothing reverses it.
fn rehearsed(here: &EnvironmentView, file: &FileFacts<'_>, applied: Option<&Done>) -> Option<Done> {
    let label = file.down.map(|down| DownLabel::read(down.script));
    let down = file.down.map(|down| down.checksum);
    let held = down.and_then(|down| here.rehearsal_of(file.migration, file.checksum, down));
    if let Some(held) = held.filter(|held| held.down.result.passed()) {
        return Some(Done {
            at: Some(held.at),
            by: Some(held.by.clone()),
            what: Some(held.down.result.as_str().to_owned()),
        });
    }
    let cannot = matches!(label, None | Some(Ok(DownLabel::Irreversible(_))));
    (cannot || applied.is_some()).then(|| Done {
        at: None,
        by: None,
        what: Some(
            match cannot {
                true => "nothing reverses it, so there is nothing to rehearse",
                false => "it ran there already",
            }
            .to_owned(),
        ),
    })
}

/// What ran there since the emergency was opened, and stands before the rollback.
fn went_along<'a>(
    here: &'a EnvironmentView,
    rollback: &MigrationId,
    since: Timestamp,
) -> Vec<(&'a MigrationId, &'a Success)> {
    let before = here.applied.iter().filter(|(id, _)| *id < rollback);
    before.filter(|(_, ran)| ran.at > since).collect()
}

fn pending_before(
    files: &[FileFacts<'_>],
    here: &EnvironmentView,
    rollback: &MigrationId,
) -> Vec<MigrationId> {
    files
        .iter()
        .map(|file| file.migration)
        .filter(|id| *id < rollback && !here.applied.contains_key(id))
        .cloned()
        .collect()
}
