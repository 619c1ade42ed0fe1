//! The newest entry that was written here, kept in a small file beside the ledger (`ledger.db.head`).
//!
//! A chain cannot show that its end was cut off: a write-ahead log that was deleted, a file that was
//! truncated or emptied, an older copy put in its place all leave a sound ledger of an earlier day.
//! This file remembers what was there. It is written after an entry is durable and never before, so
//! it may be behind the ledger and never ahead of it; what it names and the ledger lacks was lost.
//!
//! It is no part of the ledger and no evidence: one that is missing or cannot be read says nothing,
//! and the ledger then goes on under a new writer, because its numbers may have been used already.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::place::beside;
use crate::digest::Checksum;
use crate::model::entry::Head;

const FIRST_LINE: &str = "tollgate ledger head v1";
/// What the file is called: the ledger's name and this.
pub(crate) const END: &str = "head";
/// More bytes than it has.
const LONGEST: u64 = 1024;

/// What the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// Nothing: it is not there, or it cannot be read.
    Unknown,
    /// The ledger was opened here, and no entry was written yet.
    Nothing,
    /// This entry was written here, durably.
    At(Head),
}

impl Written {
    /// The entry that the ledger must have.
    pub(super) fn head(self) -> Option<Head> {
        match self {
            Self::At(head) => Some(head),
            Self::Unknown | Self::Nothing => None,
        }
    }
}

/// Reads the file beside a ledger. To be read before the ledger is: entries only come.
pub(super) fn read(ledger: &Path) -> Written {
    let mut text = String::new();
    let read = File::open(beside(ledger, END))
        .and_then(|file| file.take(LONGEST).read_to_string(&mut text));
    match read {
        Ok(_) => parse(&text).unwrap_or(Written::Unknown),
        Err(_) => Written::Unknown,
    }
}

/// Writes the file beside a ledger. It is not worth failing for: the entry it would name is in the
/// ledger already, and the file as it was is only behind.
#[derive(Debug)]
pub(super) struct HeadFile {
    file: Option<File>,
}

impl HeadFile {
    /// Opens the file, where it can be opened.
    pub(super) fn open(ledger: &Path) -> Self {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(beside(ledger, END));
        Self { file: file.ok() }
    }

    /// Remembers the newest entry, or that there is none yet.
    pub(super) fn write(&mut self, head: Option<Head>) {
        let Some(file) = &mut self.file else { return };
        // Always of one length, within one sector and in one write: it is there, or the one before.
        let text = text(head);
        let written = file
            .seek(SeekFrom::Start(0))
            .and_then(|_| file.write_all(text.as_bytes()))
            .and_then(|()| file.set_len(text.len() as u64));
        if written.is_err() {
            self.file = None;
        }
    }
}

impl Drop for HeadFile {
    fn drop(&mut self) {
        // Once a command, not once an entry: until then a loss of power may leave it behind.
        if let Some(file) = &self.file {
            let _ = file.sync_data();
        }
    }
}

fn text(head: Option<Head>) -> String {
    let (writer, number, hash) = match head {
        Some(head) => (head.writer.to_string(), head.number, head.hash.to_string()),
        None => ("0".repeat(32), 0, "0".repeat(64)),
    };
    let said = format!("{FIRST_LINE}\nwriter {writer}\nnumber {number:020}\nhash   {hash}\n");
    let check = Checksum::of(said.as_bytes());
    format!("{said}check  {check}\n")
}

fn parse(said: &str) -> Option<Written> {
    let mut lines = said.lines();
    let mut field = |name: &str| lines.next()?.strip_prefix(name).map(str::trim);
    field(FIRST_LINE)?;
    let head = Head {
        writer: field("writer ")?.parse().ok()?,
        number: field("number ")?.parse().ok()?,
        hash: field("hash ")?.parse().ok()?,
    };
    let head = (head.number > 0).then_some(head);
    // The check is over the text, so only the very bytes that are written are read.
    (text(head) == said).then(|| head.map_or(Written::Nothing, Written::At))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::ChainHash;
    use crate::model::WriterId;

    fn head(number: u64) -> Head {
        Head {
            writer: WriterId::from_bytes([7; 16]),
            number,
            hash: ChainHash::from_bytes([9; 32]),
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else_is() {
        assert_eq!(parse(&text(None)), Some(Written::Nothing));
        let written = text(Some(head(57)));
        assert_eq!(parse(&written), Some(Written::At(head(57))));
        assert_eq!(written.len(), text(Some(head(u64::MAX))).len());
        for byte in 0..written.len() {
            assert_eq!(parse(&written[..byte]), None, "cut to {byte}");
            let mut flipped = written.clone().into_bytes();
            flipped[byte] ^= 1;
            let flipped = String::from_utf8(flipped).unwrap();
            assert_eq!(parse(&flipped), None, "byte {byte}");
        }
        assert_eq!(parse(&format!("{written}\n")), None);
    }
}
