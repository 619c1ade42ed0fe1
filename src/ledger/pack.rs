//! Entries on their way from one ledger to another: as lines of a file, files of a folder, rows of a
//! hub. Pure. A pack is verified as far as it goes by itself before a ledger takes anything of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::view::says;
use crate::digest::ChainHash;
use crate::model::entry::Head;
use crate::model::{Entry, Timestamp, WriterId};

/// Sound entries, by writer and number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pack {
    pub(super) rows: Vec<Packed>,
}

/// An entry and its exact bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) hash: ChainHash,
    pub(super) entry: Entry,
    pub(super) body: String,
}

/// What is wrong with a pack. Nothing of it is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackError {
    /// It is no export, or not the whole of one.
    Not(String),
    /// An entry in it does not hold.
    Unsound(String),
    /// An entry in it is of a kind, or a format, that only a newer version knows.
    Newer(String),
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Not(what) | Self::Unsound(what) | Self::Newer(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for PackError {}

const SCHEMA: &str = "tollgate/export/v1";

/// The last line of an export: what stands before it, so that a file that was cut off is told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LastLine {
    schema: String,
    entries: usize,
    /// The newest entry of each writer in the file.
    heads: Vec<Head>,
}

impl Pack {
    /// Takes the exact bytes of entries, in any order.
    ///
    /// # Errors
    /// [`PackError::Unsound`]: one cannot be read, or does not follow the entry before it that came
    /// along.
    pub fn of(bodies: impl IntoIterator<Item = String>) -> Result<Self, PackError> {
        let pack = Self {
            rows: Self::rows(bodies)?,
        };
        pack.follows()?;
        Ok(pack)
    }

    fn rows(bodies: impl IntoIterator<Item = String>) -> Result<Vec<Packed>, PackError> {
        let mut rows = Vec::new();
        for (body, line) in bodies.into_iter().zip(1usize..) {
            let unsound = |what: String| {
                PackError::Unsound(format!("entry {line} in it does not hold: {what}"))
            };
            let entry = match Entry::from_body(&body) {
                Ok(entry) => entry,
                Err(what) if Entry::is_of_another_version(&body) => {
                    let what = format!("entry {line} in it cannot be read: {what}");
                    return Err(PackError::Newer(what));
                }
                Err(what) => return Err(unsound(what)),
            };
            says(&entry).map_err(unsound)?;
            if entry.number == 0 || i64::try_from(entry.number).is_err() {
                return Err(unsound(format!("{} is no entry's number", entry.number)));
            }
            rows.push(Packed {
                hash: Entry::hash_of(body.as_bytes()),
                entry,
                body,
            });
        }
        rows.sort_by_key(|row| (row.entry.writer, row.entry.number, row.hash));
        rows.dedup_by_key(|row| row.hash);
        Ok(rows)
    }

    /// The exact bytes of everything that a ledger holds, which was verified when it was read.
    ///
    /// What follows another entry than the one that is here (its own came never) stays behind: whoever
    /// read it would have to take one of the two for altered.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn held(bodies: impl IntoIterator<Item = String>) -> Result<Self, PackError> {
        let mut rows = Self::rows(bodies)?;
        let known: BTreeSet<(WriterId, u64)> = rows
            .iter()
            .map(|row| (row.entry.writer, row.entry.number))
            .collect();
        let mut kept = BTreeSet::new();
        rows.retain(|row| {
            let (writer, before) = (row.entry.writer, row.entry.number - 1);
            let follows = !known.contains(&(writer, before))
                || kept.contains(&(writer, before, row.entry.prev));
            if follows {
                kept.insert((writer, row.entry.number, Some(row.hash)));
            }
            follows
        });
        let pack = Self { rows };
        pack.follows()?;
        Ok(pack)
    }

    /// Reads an export: a line for each entry, and the last line that says what stands before it.
    ///
    /// # Errors
    /// [`PackError`].
    pub fn from_lines(text: &str) -> Result<Self, PackError> {
        let mut lines: Vec<&str> = text
            .split('\n')
            .map(|line| line.strip_suffix('\r').unwrap_or(line))
            .collect();
        while lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        let begins = lines.first().is_some_and(|line| line.starts_with('{'));
        let Some(last) = lines.pop().filter(|_| begins) else {
            return Err(PackError::Not(
                "it is neither a ledger nor an export of one".to_owned(),
            ));
        };
        let said = serde_json::from_str::<LastLine>(last).ok();
        let Some(said) = said.filter(|said| said.schema == SCHEMA) else {
            return Err(PackError::Not(
                "it is cut off, or no export: its last line is missing".to_owned(),
            ));
        };
        if said.entries != lines.len() {
            return Err(PackError::Not(format!(
                "it has {} entries, and its last line says {}",
                lines.len(),
                said.entries
            )));
        }
        let pack = Self::of(lines.into_iter().map(str::to_owned))?;
        if pack.heads() != said.heads {
            return Err(PackError::Unsound(
                "the newest entries in it are not those that its last line names".to_owned(),
            ));
        }
        Ok(pack)
    }

    /// Only what was written at or after an instant, and what follows it under the same writer.
    #[must_use]
    pub fn since(mut self, since: Timestamp) -> Self {
        let mut first: BTreeMap<WriterId, u64> = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.entry.at >= since) {
            let number = first.entry(row.entry.writer).or_insert(u64::MAX);
            *number = row.entry.number.min(*number);
        }
        self.rows.retain(|row| {
            first
                .get(&row.entry.writer)
                .is_some_and(|first| row.entry.number >= *first)
        });
        self
    }

    /// The export: [`Self::from_lines`] reads it. The same entries give the same bytes.
    #[must_use]
    pub fn to_lines(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            text.push_str(&row.body);
            text.push('\n');
        }
        let last = LastLine {
            schema: SCHEMA.to_owned(),
            entries: self.rows.len(),
            heads: self.heads(),
        };
        // Plain strings and numbers into memory cannot fail.
        text.push_str(&serde_json::to_string(&last).unwrap_or_default());
        text.push('\n');
        text
    }

    /// How many entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Each entry: its place, its hash and its exact bytes.
    pub fn entries(&self) -> impl Iterator<Item = (Head, &str)> {
        self.rows.iter().map(|row| (row.head(), row.body.as_str()))
    }

    /// The newest entry of each writer.
    #[must_use]
    pub fn heads(&self) -> Vec<Head> {
        let newest: BTreeMap<WriterId, Head> = self
            .rows
            .iter()
            .map(|row| (row.entry.writer, row.head()))
            .collect();
        newest.into_values().collect()
    }

    /// Where the entry before one came along, the one names it.
    fn follows(&self) -> Result<(), PackError> {
        let known: BTreeSet<(WriterId, u64)> = self
            .rows
            .iter()
            .map(|row| (row.entry.writer, row.entry.number))
            .collect();
        let hashes: BTreeSet<(WriterId, u64, Option<ChainHash>)> = self
            .rows
            .iter()
            .map(|row| (row.entry.writer, row.entry.number, Some(row.hash)))
            .collect();
        for Packed { entry, .. } in &self.rows {
            let before = entry.number - 1;
            let first = before == 0 && entry.prev.is_some();
            let follows = !known.contains(&(entry.writer, before))
                || hashes.contains(&(entry.writer, before, entry.prev));
            if first || !follows {
                return Err(PackError::Unsound(format!(
                    "entry {} of writer {} does not follow the entry before it: one of the two was altered",
                    entry.number, entry.writer
                )));
            }
        }
        Ok(())
    }
}

impl Packed {
    pub(super) fn head(&self) -> Head {
        Head {
            writer: self.entry.writer,
            number: self.entry.number,
            hash: self.hash,
        }
    }
}
