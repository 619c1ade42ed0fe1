//! What rows of Prisma's table prove, beside the files on disk.
//!
//! A row proves that bytes ran where it is finished, was not rolled back, counts a step, and names the
//! SHA-256 of exactly the bytes on disk. Everything else is a finding with a name of its own.

use super::gates::{from_git, shell};
use std::collections::BTreeSet;

use super::{FileFacts, Finding, Gate};
use crate::digest::{Sha256, sha256_differs_only_in_line_endings};
use crate::ledger::view::EnvironmentView;
use crate::model::{EnvironmentName, MigrationId, ReceiptKind};
use crate::targets::Journal;
use crate::targets::history::{History, Row};

/// What Prisma's table says of one migration that no receipt tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The row that says most of it.
    pub row: Row,
    /// What that comes to.
    pub kind: ClaimKind,
}

/// What a row comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimKind {
    /// These very bytes ran and succeeded.
    Proven,
    /// These very bytes, and nothing ran: `prisma migrate resolve --applied`. A person's word.
    Said,
    /// It succeeded with these bytes but for their line endings: other bytes.
    LineEndings,
    /// It succeeded with other bytes.
    Edited,
    /// Its checksum is no SHA-256: somebody wrote the row by hand.
    ByHand,
    /// It succeeded, and its folder is gone.
    Missing,
    /// It succeeded, and its bytes are in another folder now, which nobody applied.
    Renamed,
    /// It succeeded, and comes after every folder: the database is ahead of this tree.
    Ahead,
    /// It did not finish: it failed, was killed, or runs still.
    Failed,
    /// A receipt says that it stands, and another run of it under Prisma did not finish.
    FailedAgain,
    /// It was rolled back, and is pending again.
    RolledBack,
}

impl ClaimKind {
    /// Whether it is taken in by itself: nothing about it needs a person.
    #[must_use]
    pub const fn explains_itself(self) -> bool {
        matches!(self, Self::Proven | Self::Said)
    }

    /// Whether Prisma takes the migration for applied, so that it must not run again.
    #[must_use]
    pub const fn stands(self) -> bool {
        !matches!(self, Self::Failed | Self::FailedAgain | Self::RolledBack)
    }

    /// Whether a person has to accept it before it counts.
    #[must_use]
    pub const fn needs_a_word(self) -> bool {
        self.stands() && !self.explains_itself()
    }

    /// Whether a person's word is enough. Of bytes that would run a second time under another name it is
    /// not.
    #[must_use]
    pub const fn may_be_accepted(self) -> bool {
        self.needs_a_word() && !matches!(self, Self::Renamed)
    }

    /// The fact, as a clause.
    #[must_use]
    pub const fn fact(self) -> &'static str {
        match self {
            Self::Proven => "Prisma's row names these very bytes",
            Self::Said => {
                "it counts as applied by `prisma migrate resolve --applied`: nothing ran, and it is no evidence"
            }
            Self::LineEndings => {
                "only its line endings were changed since Prisma applied it here: other bytes"
            }
            Self::Edited => "it was edited after Prisma applied it here",
            Self::ByHand => "the checksum in Prisma's row was written by hand, and proves no bytes",
            Self::Missing => "Prisma applied it here, and its folder is gone",
            Self::Renamed => {
                "Prisma applied it here, and its bytes have another name now: they would run a second time"
            }
            Self::Ahead => "Prisma applied it here, and this tree does not have it yet",
            Self::Failed => "it did not finish under Prisma: it failed, was killed, or runs still",
            Self::FailedAgain => {
                "it stands, and another run of it under Prisma did not finish: Prisma goes no further"
            }
            Self::RolledBack => "it was rolled back under Prisma, and is pending again",
        }
    }
}

/// Judges every row of a migration that no receipt tells of, or only a person's word. In the order of
/// Prisma's rows, each migration once; one with a row that stands and another that did not finish, twice.
/// `journals` are those of the target: they tell what is left of attempts of tollgate's.
#[must_use]
pub fn judge(
    history: &History,
    files: &[FileFacts<'_>],
    here: &EnvironmentView,
    journals: &[Journal],
) -> Vec<Claim> {
    let mut claims: Vec<Claim> = Vec::new();
    let mut seen: BTreeSet<&MigrationId> = BTreeSet::new();
    for row in &history.rows {
        if !seen.insert(&row.migration) {
            continue;
        }
        let rows = || {
            history
                .rows
                .iter()
                .filter(|other| other.migration == row.migration)
        };
        let file = files
            .binary_search_by(|file| file.migration.cmp(&row.migration))
            .ok()
            .and_then(|place| files.get(place));
        // Where one of several proves the bytes on disk, they ran.
        let applied = rows()
            .filter(|row| row.is_applied())
            .map(|row| claim(row, file, files, history, here))
            .min_by_key(|claim| claim.kind);
        let failed = rows().rfind(|row| row.is_failed() && !is_told(row, here, journals));
        if let Some(success) = here.applied.get(&row.migration) {
            claims.extend(failed.map(|row| Claim {
                row: row.clone(),
                kind: ClaimKind::FailedAgain,
            }));
            // Accepted on a person's word once, and by now the file is the one that ran.
            let proven = applied.filter(|claim| claim.kind == ClaimKind::Proven);
            claims.extend(proven.filter(|_| success.kind == ReceiptKind::Baselined));
            continue;
        }
        let rolled_back = rows().rfind(|row| row.rolled_back.is_some());
        claims.extend(failed.map(|row| Claim {
            row: row.clone(),
            kind: ClaimKind::Failed,
        }));
        match applied {
            Some(applied) => claims.push(applied),
            None if failed.is_none() => claims.extend(
                rolled_back
                    .filter(|row| file.is_some() && !row.is_tollgates_failure())
                    .map(|row| Claim {
                        row: row.clone(),
                        kind: ClaimKind::RolledBack,
                    }),
            ),
            None => {}
        }
    }
    claims
}

/// Whether the ledger or the journal tells what is left of the attempt behind an open row, or the row
/// itself says that nothing is.
fn is_told(row: &Row, here: &EnvironmentView, journals: &[Journal]) -> bool {
    row.tollgates_attempt().is_some_and(|attempt| {
        row.left_nothing()
            || here.attempts.contains(&attempt)
            || journals.iter().any(|journal| journal.attempt == attempt)
    })
}

/// The folder that has the bytes of a row whose own folder is gone, where nothing says that it was applied.
fn renamed<'a>(
    row: &Row,
    files: &[FileFacts<'a>],
    history: &History,
    here: &EnvironmentView,
) -> Option<&'a MigrationId> {
    let recorded: Sha256 = row.checksum.parse().ok()?;
    let is_applied = |migration: &MigrationId| {
        let mut rows = history.rows.iter();
        here.applied.contains_key(migration)
            || rows.any(|row| row.is_applied() && row.migration == *migration)
    };
    files
        .iter()
        .find(|file| file.sha256 == recorded && !is_applied(file.migration))
        .map(|file| file.migration)
}

fn claim(
    row: &Row,
    file: Option<&FileFacts<'_>>,
    files: &[FileFacts<'_>],
    history: &History,
    here: &EnvironmentView,
) -> Claim {
    let recorded: Option<Sha256> = row.checksum.parse().ok();
    let kind = match (file, recorded) {
        (None, _) if renamed(row, files, history, here).is_some() => ClaimKind::Renamed,
        (None, _) => {
            let newest = files.last().map(|file| file.migration);
            match newest.is_none_or(|newest| *newest < row.migration) {
                true => ClaimKind::Ahead,
                false => ClaimKind::Missing,
            }
        }
        (Some(_), None) => ClaimKind::ByHand,
        (Some(file), Some(recorded)) if recorded == file.sha256 => match row.steps {
            0 => ClaimKind::Said,
            _ => ClaimKind::Proven,
        },
        (Some(file), Some(recorded))
            if sha256_differs_only_in_line_endings(file.script.as_bytes(), &recorded) =>
        {
            ClaimKind::LineEndings
        }
        (Some(_), Some(_)) => ClaimKind::Edited,
    };
    Claim {
        row: row.clone(),
        kind,
    }
}

/// The finding for a claim that does not explain itself.
#[must_use]
pub fn finding(
    environment: &EnvironmentName,
    files: &[FileFacts<'_>],
    claim: &Claim,
) -> Option<Finding> {
    let row = &claim.row;
    let name = shell(row.migration.as_str());
    let accept = format!("tollgate baseline {environment} --accept-unproven --reason '<why>'");
    let mut found = vec![match (row.finished, row.rolled_back) {
        (_, Some(rolled_back)) => format!(
            "Prisma's row: begun {}, rolled back {}",
            row.started.minute(),
            rolled_back.minute()
        ),
        (Some(finished), None) => format!(
            "Prisma's row: finished {}, checksum {}",
            finished.minute(),
            short(&row.checksum)
        ),
        (None, None) => format!("Prisma's row: begun {}, not finished", row.started.minute()),
    }];
    if claim.kind == ClaimKind::Renamed
        && let Some(file) = files
            .iter()
            .find(|file| file.sha256.to_string() == row.checksum)
    {
        found.push(format!("the same bytes: {}", file.migration));
    }
    if let Some(file) = files.iter().find(|file| *file.migration == row.migration)
        && claim.kind.needs_a_word()
    {
        found.push(format!(
            "the file:     checksum {}",
            short(&file.sha256.to_string())
        ));
    }
    let (gate, required, remedy) = match claim.kind {
        ClaimKind::Proven | ClaimKind::Said | ClaimKind::RolledBack => return None,
        ClaimKind::LineEndings | ClaimKind::Edited => (
            Gate::Modified,
            "the bytes that ran, or a person's word for those on disk",
            format!("{}; or {accept}", from_git(&row.migration)),
        ),
        ClaimKind::ByHand => (
            Gate::Modified,
            "a row that Prisma wrote, or a person's word for the bytes on disk",
            accept,
        ),
        ClaimKind::Missing => (
            Gate::Missing,
            "the folder of every applied migration, or a person's word that it may be gone",
            format!("{}; or {accept}", from_git(&row.migration)),
        ),
        ClaimKind::Renamed => (
            Gate::Missing,
            "the folder's old name: a migration that was applied keeps it",
            from_git(&row.migration),
        ),
        ClaimKind::Ahead => (
            Gate::Missing,
            "a tree that has every applied migration",
            format!("git pull   # or, where it never had that folder: {accept}"),
        ),
        ClaimKind::FailedAgain => (
            Gate::Failed,
            "every run of it finished, or said to be rolled back",
            format!("npx prisma migrate resolve --rolled-back {name}   # it only closes that row"),
        ),
        ClaimKind::Failed => {
            let said = row
                .logs
                .as_deref()
                .and_then(|logs| logs.lines().map(str::trim).find(|line| !line.is_empty()));
            found.extend(said.map(|said| format!("its logs: {said}")));
            (
                Gate::Failed,
                "what it left behind undone by hand, and a person's word for it",
                format!(
                    "tollgate resolve {environment} {name} --not-applied --reason '<what you undid>'   # or --applied, where all of it stands"
                ),
            )
        }
    };
    Some(Finding {
        gate,
        migration: Some(row.migration.clone()),
        fact: claim.kind.fact().to_owned(),
        found,
        required: required.to_owned(),
        remedy,
    })
}

/// As much of a checksum as people compare; what somebody wrote by hand is shown as it is.
fn short(checksum: &str) -> String {
    match checksum.parse::<Sha256>() {
        Ok(checksum) => checksum.short(),
        Err(_) => format!("{checksum:?}"),
    }
}

#[cfg(test)]
mod tests;
