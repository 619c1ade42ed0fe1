//! Verifying the chains: pure, over the rows as they are stored.
//!
//! What a bare chain shows: every entry of a writer from the first to the last that is here has the
//! bytes that were hashed, and none between them is missing, altered or out of its place. What it
//! cannot show: that entries after the last one here were cut off, that a whole writer was removed,
//! or that everything was written anew from the start. A receipt in a target, which carries the
//! writer's head, shows those.

use std::collections::BTreeMap;
use std::fmt;

use crate::digest::ChainHash;
use crate::model::entry::{Head, Last};
use crate::model::{Entry, WriterId};

/// An entry as it is stored, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The writer column.
    pub writer: Vec<u8>,
    /// The number column.
    pub number: i64,
    /// The hash column.
    pub hash: Vec<u8>,
    /// The exact text that was hashed.
    pub body: String,
}

/// The same, where it stands: nothing of it is copied to look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowRef<'a> {
    /// The writer column.
    pub writer: &'a [u8],
    /// The number column.
    pub number: i64,
    /// The hash column.
    pub hash: &'a [u8],
    /// The exact text that was hashed.
    pub body: &'a str,
}

impl Row {
    /// The row, to look at.
    #[must_use]
    pub fn as_ref(&self) -> RowRef<'_> {
        RowRef {
            writer: &self.writer,
            number: self.number,
            hash: &self.hash,
            body: &self.body,
        }
    }
}

/// Where and why the ledger is not sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsound {
    /// The writer, as the column says.
    pub writer: String,
    /// The entry's number, as the column says.
    pub number: i64,
    /// What is wrong, as a clause: "its bytes do not have the hash beside them".
    pub what: String,
    /// Heads of the chains up to the entry that does not hold.
    pub sound: Vec<Head>,
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "entry {} of writer {} does not hold: {}",
            self.number, self.writer, self.what
        )
    }
}

/// Verifies an entry by itself: it has the bytes that were hashed, and its columns say what they do.
fn alone(row: RowRef<'_>, last: &mut Last) -> Result<(ChainHash, Entry), String> {
    let hash = Entry::hash_of(row.body.as_bytes());
    if hash.as_bytes() != row.hash {
        return Err("its bytes do not have the hash beside them".to_owned());
    }
    let entry = Entry::from_body_after(row.body, last)
        .map_err(|what| format!("it cannot be read: {what}"))?;
    if entry.writer.as_bytes() != row.writer || i64::try_from(entry.number) != Ok(row.number) {
        return Err(format!(
            "its bytes say that it is entry {} of writer {}",
            entry.number, entry.writer
        ));
    }
    Ok((hash, entry))
}

/// Verifies an entry that stands in no chain here, as far as that goes.
///
/// # Errors
/// [`Unsound`].
pub fn stray(row: RowRef<'_>) -> Result<(ChainHash, Entry), Box<Unsound>> {
    alone(row, &mut Last::default()).map_err(|what| {
        Box::new(Unsound {
            writer: crate::digest::hex(row.writer),
            number: row.number,
            what,
            sound: Vec::new(),
        })
    })
}

/// The chains, as far as they have been walked.
#[derive(Debug, Default, Clone)]
pub struct Walk {
    heads: BTreeMap<WriterId, Head>,
    last: Last,
}

impl Walk {
    /// Chains that were walked up to these entries.
    pub(super) fn from_heads(heads: BTreeMap<WriterId, Head>) -> Self {
        let last = Last::default();
        Self { heads, last }
    }

    /// Takes the next row: each writer's entries must come in their order; writers may interleave.
    ///
    /// # Errors
    /// [`Unsound`] when the row does not continue its writer's chain with the bytes that were hashed.
    pub fn step(&mut self, row: &Row) -> Result<(ChainHash, Entry), Box<Unsound>> {
        self.step_ref(row.as_ref())
    }

    /// The same, of a row where it stands.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn step_ref(&mut self, row: RowRef<'_>) -> Result<(ChainHash, Entry), Box<Unsound>> {
        let heads = &self.heads;
        let unsound = |what: String| {
            Box::new(Unsound {
                writer: crate::digest::hex(row.writer),
                number: row.number,
                what,
                sound: heads.values().copied().collect(),
            })
        };
        let (hash, entry) = alone(row, &mut self.last).map_err(unsound)?;
        let before = self.heads.get(&entry.writer);
        let due = before.map_or(1, |head| head.number + 1);
        if entry.number != due {
            return Err(unsound(format!(
                "entry {due} should stand here: entries are missing or out of order"
            )));
        }
        if entry.prev != before.map(|head| head.hash) {
            return Err(unsound("it does not follow the entry before it".to_owned()));
        }
        self.heads.insert(
            entry.writer,
            Head {
                writer: entry.writer,
                number: entry.number,
                hash,
            },
        );
        Ok((hash, entry))
    }

    /// The newest entry of each writer walked so far.
    pub fn heads(&self) -> impl Iterator<Item = &Head> {
        self.heads.values()
    }

    /// The newest entry of one writer.
    #[must_use]
    pub fn head(&self, writer: WriterId) -> Option<Head> {
        self.heads.get(&writer).copied()
    }
}
