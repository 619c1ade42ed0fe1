//! Each change of the population, with all that the ledger knows of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::destroys::AllDestroy;
use super::duties::{Duties, duties, reviewers};
use super::said::{header, message, named};
use super::{Known, MISSING, Row};
use crate::digest::Checksum;
use crate::model::approval::NOT_SIGNED;
use crate::model::entry::{BackupKind, Reverted};
use crate::model::{Entry, Fact, MigrationId, Rehearsal, Timestamp, reverting};
use crate::sql;

/// One migration of the population.
#[derive(Debug, Serialize)]
pub struct Change {
    /// Its id.
    pub migration: MigrationId,
    /// The first line of its header comment; where there is none, the subject of the commit that brought it, if
    /// git was asked; or its name.
    pub title: String,
    /// The rest of the header comment, or what was said when it was written, or the message of the commit that
    /// brought it; `MISSING` where nothing was.
    pub reason: String,
    /// The change numbers that it ran under.
    pub change_numbers: Vec<String>,
    /// Who wrote it, as git says; `None` where git was not asked.
    pub authors: Option<Vec<String>>,
    /// Who applied it, and where: `ada in prod`.
    pub appliers: Vec<String>,
    /// Who approved the saved plans that it ran under: `bo, for prod`; `MISSING` where nobody is on record.
    pub approver: String,
    /// Who reviewed it, as recorded; `MISSING` where nobody is.
    pub reviewer: String,
    /// Separation of duties.
    pub duties: Duties,
    /// The bytes that it had.
    pub versions: Vec<Version>,
    /// Whether every attempt had the same bytes.
    pub same_bytes: bool,
    /// The script that ran furthest, without passwords; `None` where the ledger does not keep it.
    pub sql: Option<String>,
    /// Whether something in the script is not shown.
    pub sql_masked: bool,
    /// The commits at HEAD when it ran, the dirty ones marked.
    pub commits: Vec<String>,
    /// Its rows in the population.
    pub rows: Vec<usize>,
    /// What it destroys, as its text tells; with the reason where it was accepted in the script.
    pub destroys: Vec<String>,
    /// Whether its text could be read.
    pub analysed: bool,
    /// Rehearsals of its reversal.
    pub rehearsals: Vec<String>,
    /// The newest backup of production before it ran there.
    pub backup: String,
    /// The migration that it reverses.
    pub reverts: Option<MigrationId>,
    /// The migrations that reverse it.
    pub reverted_by: Vec<MigrationId>,
    /// The waivers that it stood on.
    pub waivers: Vec<String>,
    /// Broken glass, and its review.
    pub glass: Vec<String>,
}

/// One version of a script.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Version {
    /// BLAKE3 of its bytes.
    pub blake3: String,
    /// SHA-256 of its bytes.
    pub sha256: Option<String>,
    /// Where it was tried.
    pub environments: Vec<String>,
}

/// What the entries say beside the attempts, by migration.
#[derive(Default)]
struct Beside<'a> {
    rehearsals: BTreeMap<&'a MigrationId, Vec<String>>,
    reverted: BTreeMap<&'a MigrationId, (&'a Entry, &'a Reverted)>,
    reverted_by: BTreeMap<MigrationId, BTreeSet<MigrationId>>,
    /// Backups of production: of which moment, and what is said of it.
    backups: Vec<(Timestamp, String)>,
}

/// The migrations of the rows, by id.
pub(super) fn changes(known: &Known<'_>, rows: &[Row], mut destroys: AllDestroy) -> Vec<Change> {
    let mut of: BTreeMap<&MigrationId, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        if let Some(migration) = &row.migration {
            of.entry(migration).or_default().push(row);
        }
    }
    let beside = beside(known);
    let bytes = super::newest_bytes(known);
    of.into_iter()
        .map(|(id, rows)| {
            let text = bytes
                .get(id)
                .and_then(|(blake3, _)| known.inputs.scripts.get(blake3));
            let text = text.map(String::as_str);
            change(known, id, &rows, text, destroys.remove(id), &beside)
        })
        .collect()
}

fn beside<'a>(known: &Known<'a>) -> Beside<'a> {
    let mut out = Beside::default();
    for (_, entry) in &known.entries {
        match &entry.fact {
            Fact::Rehearsed(it) => out
                .rehearsals
                .entry(&it.migration)
                .or_default()
                .push(format!(
                    "{} in {}, {} by {}, {}, data: {}; down.sql {}",
                    match it.result {
                        Rehearsal::Failed => "did not pass",
                        passed => passed.as_str(),
                    },
                    it.environment,
                    entry.at.minute(),
                    entry.by.actor,
                    it.stage.as_str(),
                    it.data.as_str(),
                    it.down_blake3.short(),
                )),
            Fact::Reverted(it) => {
                out.reverted_by
                    .entry(it.reverts.clone())
                    .or_default()
                    .insert(it.migration.clone());
                out.reverted.insert(&it.migration, (entry, it));
            }
            Fact::BackedUp(it) if Some(&it.environment) == known.production() => {
                let what = match &it.what {
                    BackupKind::File { bad: Some(bad), .. } => format!("not good: {bad}"),
                    BackupKind::File {
                        file,
                        verified: Some(_),
                        ..
                    } => {
                        format!("{file}, restored and found equal")
                    }
                    BackupKind::File { file, .. } => format!("{file}, not restored"),
                    BackupKind::Attested { place } => {
                        format!(
                            "attested by {}, not seen by the tool: {place}",
                            entry.by.actor
                        )
                    }
                };
                out.backups
                    .push((it.taken, format!("{}, {what}", it.taken.minute())));
            }
            _ => {}
        }
    }
    // The line in the script links the two where no entry came along; whose script it is, the attempts tell.
    let mut whose: BTreeMap<Checksum, BTreeSet<&MigrationId>> = BTreeMap::new();
    for (_, entry) in &known.entries {
        if let Fact::Intent(it) = &entry.fact {
            whose.entry(it.blake3).or_default().insert(&it.migration);
        }
    }
    for (blake3, migrations) in whose {
        let script = known.inputs.scripts.get(&blake3);
        if let Some(reverts) = script.and_then(|script| reverting::reverts_of(script)) {
            let by = out.reverted_by.entry(reverts).or_default();
            by.extend(migrations.into_iter().cloned());
        }
    }
    out.backups.sort_by_key(|(at, _)| *at);
    out
}

fn change(
    known: &Known<'_>,
    id: &MigrationId,
    rows: &[&Row],
    text: Option<&str>,
    destroys: Option<(bool, Vec<String>)>,
    beside: &Beside<'_>,
) -> Change {
    let (sql, sql_masked) = match text.map(|text| sql::shown(text, known.inputs.scope.with_hosts)) {
        Some((text, masked)) => (Some(text), masked),
        None => (None, false),
    };
    let (title, said) = sql.as_deref().map_or((None, None), header);
    let reverted = beside.reverted.get(id);
    let written = reverted.map(|(entry, it)| {
        format!(
            "{} (said by {} when it was written)",
            it.reason, entry.by.actor
        )
    });
    let git = known
        .inputs
        .git
        .map(|(_, written)| written.get(id.as_str()));
    let authors = git.map(|written| {
        let authors = written.iter().flat_map(|it| &it.authors);
        authors.cloned().collect::<Vec<String>>()
    });
    let first = git.flatten().and_then(|written| written.first.as_ref());
    let (subject, message) = first.map_or((None, None), |(commit, said)| message(commit, said));
    let succeeded = rows.iter().filter(|row| row.outcome == "succeeded");
    let mut appliers: Vec<String> = succeeded
        .map(|row| format!("{} in {}", row.by, row.environment))
        .collect();
    distinct(&mut appliers);
    let glass = glass(known, id);
    let reviewer = reviewers(known, id);
    let each = |of: &dyn Fn(&Row) -> Option<String>| {
        let mut all: Vec<String> = rows.iter().filter_map(|row| of(row)).collect();
        distinct(&mut all);
        all
    };
    let waivers = {
        let mut all: Vec<String> = rows.iter().flat_map(|row| row.waivers.clone()).collect();
        distinct(&mut all);
        all
    };
    let versions = versions(rows);
    Change {
        title: title.or(subject).unwrap_or_else(|| named(id)),
        reason: said
            .or(written)
            .or(message)
            .unwrap_or_else(|| MISSING.to_owned()),
        change_numbers: each(&|row| row.change.clone()),
        duties: duties(known, rows, authors.as_deref(), &reviewer),
        authors,
        appliers,
        approver: approver(rows),
        reviewer: match reviewer.is_empty() {
            true => MISSING.to_owned(),
            false => reviewer.into_iter().collect::<Vec<_>>().join(", "),
        },
        same_bytes: versions.len() < 2,
        versions,
        sql,
        sql_masked,
        commits: each(&|row| {
            let dirty = match row.dirty {
                Some(true) => " (dirty: with changes that are in no commit)",
                _ => "",
            };
            row.commit.as_ref().map(|commit| format!("{commit}{dirty}"))
        }),
        rows: rows.iter().map(|row| row.number).collect(),
        analysed: destroys.as_ref().is_some_and(|(analysed, _)| *analysed),
        destroys: destroys.map(|(_, all)| all).unwrap_or_default(),
        rehearsals: beside.rehearsals.get(id).cloned().unwrap_or_default(),
        backup: backup(known, rows, beside),
        reverts: reverted
            .map(|(_, it)| it.reverts.clone())
            .or_else(|| text.and_then(reverting::reverts_of)),
        reverted_by: beside
            .reverted_by
            .get(id)
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
        waivers,
        glass,
        migration: id.clone(),
    }
}

/// Whether its plan was approved by these in the environments that it ran in.
fn approver(rows: &[&Row]) -> String {
    let approved = rows.iter().filter(|row| row.kind == "attempt");
    let mut all: Vec<String> = approved
        .filter(|row| !row.approved_by.is_empty())
        .map(|row| format!("{}, for {}", row.approved_by.join(", "), row.environment))
        .collect();
    distinct(&mut all);
    match all.is_empty() {
        true => MISSING.to_owned(),
        false => format!("{}; {NOT_SIGNED}", all.join("; ")),
    }
}

fn distinct(all: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    all.retain(|it| seen.insert(it.clone()));
}

fn versions(rows: &[&Row]) -> Vec<Version> {
    let mut out: Vec<Version> = Vec::new();
    for row in rows {
        let Some(blake3) = &row.blake3 else { continue };
        let place = row.environment.to_string();
        match out.iter_mut().find(|it| it.blake3 == *blake3) {
            Some(known) if known.environments.contains(&place) => {}
            Some(known) => known.environments.push(place),
            None => out.push(Version {
                blake3: blake3.clone(),
                sha256: row.sha256.clone(),
                environments: vec![place],
            }),
        }
    }
    out
}

/// The newest backup of production of a moment before it ran there.
fn backup(known: &Known<'_>, rows: &[&Row], beside: &Beside<'_>) -> String {
    let in_production = |row: &&&Row| {
        row.kind == "attempt"
            && row.action == "apply"
            && Some(&row.environment) == known.production()
    };
    let Some(first) = rows.iter().find(in_production) else {
        return "not asked: it did not run in production".to_owned();
    };
    let before = beside.backups.iter().rev().find(|(at, _)| *at <= first.at);
    before.map_or_else(|| MISSING.to_owned(), |(_, what)| what.clone())
}

fn glass(known: &Known<'_>, id: &MigrationId) -> Vec<String> {
    let mut out = Vec::new();
    for (environment, debt) in &known.debts {
        {
            for run in debt.runs.iter().filter(|run| run.migration == *id) {
                let review = match &run.review {
                    Some(review) => {
                        format!(
                            "reviewed by {}, {}: {}",
                            review.by,
                            review.at.minute(),
                            review.note
                        )
                    }
                    None => format!("review {MISSING}, due {}", debt.review_by.minute()),
                };
                let owed: Vec<&str> = run.unpaid.iter().map(|it| it.as_str()).collect();
                let owed = match owed.is_empty() {
                    true => "the runs that it owed are made".to_owned(),
                    false => format!("still owes a run in {}", owed.join(", ")),
                };
                out.push(format!(
                    "{environment}, incident {}, {} by {}: {}; {review}; {owed}",
                    debt.incident,
                    run.at.minute(),
                    run.by,
                    run.debt.reason
                ));
            }
        }
    }
    out
}

impl Change {
    /// What is known of it, as labels and texts, in the order in which an auditor asks.
    #[must_use]
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let or = |all: &[String], none: &str| match all {
            [] => none.to_owned(),
            all => all.join("; "),
        };
        let ids = |all: &[MigrationId]| {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            or(&all, "")
        };
        let mut facts = vec![
            ("title", self.title.clone()),
            (
                "reason",
                match (self.reason == MISSING, &self.authors) {
                    (true, None) => {
                        format!("{MISSING}: its script does not say; --with-authors asks git")
                    }
                    _ => self.reason.clone(),
                },
            ),
            ("change number", or(&self.change_numbers, MISSING)),
            (
                "author",
                match &self.authors {
                    None => "not asked for: --with-authors asks git".to_owned(),
                    Some(all) => or(all, MISSING),
                },
            ),
            (
                "approver",
                match self.approver == MISSING {
                    true => format!("{MISSING}: no approval of its plan is on record here"),
                    false => self.approver.clone(),
                },
            ),
            ("reviewer", self.reviewer.clone()),
            ("applied by", or(&self.appliers, "nobody")),
            (
                "separation of duties",
                format!("{}: {}", self.duties.state, self.duties.why),
            ),
        ];
        for version in &self.versions {
            let places = version.environments.join(", ");
            facts.push(("BLAKE3", format!("{} in {places}", version.blake3)));
            if let Some(sha256) = &version.sha256 {
                facts.push(("SHA-256", format!("{sha256} in {places}")));
            }
        }
        facts.push((
            "bytes",
            match (self.same_bytes, self.versions.len()) {
                (_, 0) => "not known".to_owned(),
                (true, _) => "equal in every attempt".to_owned(),
                (false, many) => format!("NOT EQUAL: {many} versions were tried"),
            },
        ));
        facts.push(("git commit", or(&self.commits, MISSING)));
        facts.push((
            "destroys",
            match (self.destroys.is_empty(), self.analysed, &self.sql) {
                (false, ..) => self.destroys.join("; "),
                (true, true, _) => "nothing, as far as its text tells".to_owned(),
                (true, false, Some(_)) => "not known: its text could not be read".to_owned(),
                (true, false, None) => "not known: the ledger does not keep its bytes".to_owned(),
            },
        ));
        facts.push(("rehearsal", or(&self.rehearsals, MISSING)));
        facts.push(("backup", self.backup.clone()));
        facts.extend(self.reverts.as_ref().map(|it| ("reverses", it.to_string())));
        facts.push((
            "reversed by",
            match self.reverted_by.as_slice() {
                [] => "nothing".to_owned(),
                all => ids(all),
            },
        ));
        facts.push(("waivers", or(&self.waivers, "none")));
        facts.push(("broken glass", or(&self.glass, "none")));
        facts
    }
}
