//! Taking in the entries of other ledgers: a union of verified chains, the same in whatever order they
//! come and however often.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, TransactionBehavior, params};

use super::assemble::Strays;
use super::error::{LedgerError, LedgerErrorKind};
use super::head::Written;
use super::load::{Wanted, load};
use super::pack::{Pack, Packed};
use super::read::Loaded;
use super::store::Ledger;
use crate::digest::ChainHash;
use crate::model::entry::{Believed, Head};
use crate::model::{Entry, Fact, Provenance, Timestamp, WriterId};

/// What came of a pack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// How many entries were new, of each writer; those that do not count yet too.
    pub new: BTreeMap<WriterId, usize>,
    /// How many the ledger held already.
    pub known: usize,
    /// Everything that the ledger now holds and that does not simply count.
    pub strays: Strays,
    /// Entries of this ledger's own writer came that it did not hold: it was put back to an earlier state
    /// once, and goes on under a new writer.
    pub went_back: bool,
}

impl Ledger {
    /// Takes in what the ledger lacks, in one transaction. What does not continue a chain is kept aside.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing was taken.
    pub fn merge(
        &mut self,
        pack: &Pack,
        random: &dyn Fn() -> [u8; 16],
    ) -> Result<Merged, LedgerError> {
        let path = self.path.clone();
        let failed = |error: rusqlite::Error| LedgerError::sqlite(&path, &error);
        let mut merged = Merged::default();
        crate::failpoint::hit("ledger.merge.before");
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let mut heads = self.heads.clone();
        let mut touched = BTreeSet::new();
        for row in &pack.rows {
            if holds(&transaction, row.hash).map_err(failed)? {
                merged.known += 1;
                continue;
            }
            touched.insert(row.entry.writer);
            *merged.new.entry(row.entry.writer).or_default() += 1;
            if continues(heads.get(&row.entry.writer), &row.entry) {
                insert(&transaction, "entry", row).map_err(failed)?;
                heads.insert(row.entry.writer, row.head());
            } else {
                insert(&transaction, "aside", row).map_err(failed)?;
            }
        }
        // What came earlier and waited for these.
        for writer in touched {
            while let Some(row) =
                next_aside(&transaction, writer, heads.get(&writer)).map_err(failed)?
            {
                insert(&transaction, "entry", &row).map_err(failed)?;
                heads.insert(writer, row.head());
            }
        }
        // Numbers that were used elsewhere must not be used here, also where nothing is written before the
        // file is opened again: no file ever stands at this place.
        let went_back = merged.new.contains_key(&self.writer);
        if went_back {
            let sql = "INSERT INTO place (writer, place) VALUES (?1, '')";
            transaction
                .execute(sql, [self.writer.as_bytes()])
                .map_err(failed)?;
        }
        crate::failpoint::hit("ledger.merge.before-commit");
        transaction.commit().map_err(failed)?;
        crate::failpoint::hit("ledger.merge.after-commit");
        if merged.new.is_empty() {
            merged.strays = self.strays.clone();
            return Ok(merged);
        }
        self.reload()?;
        if went_back {
            self.head = self.heads.get(&self.writer).copied();
            self.begin_anew(random());
            merged.went_back = true;
        }
        merged.strays = self.strays.clone();
        Ok(merged)
    }

    /// Appends a person's word on which of two entries to believe, and adds up the file anew: other entries
    /// count from here on.
    ///
    /// # Errors
    /// [`LedgerError`]: the word is then not there.
    pub fn believe(
        &mut self,
        at: Timestamp,
        by: &Provenance,
        word: Believed,
    ) -> Result<(), LedgerError> {
        self.append(at, by, Fact::Believed(word))?;
        self.reload()
    }

    /// Adds up the file anew.
    pub(super) fn reload(&mut self) -> Result<(), LedgerError> {
        let wanted = Wanted::state(Written::Nothing);
        let (loaded, _) = load(&self.path, &self.connection, wanted, &self.policy)?;
        self.take(loaded);
        Ok(())
    }

    /// Takes in what was read of the file.
    pub(super) fn take(&mut self, loaded: Loaded) {
        self.view = loaded.view;
        self.strays = loaded.strays;
        self.heads = by_writer(loaded.heads);
        self.source = loaded.source;
        self.unfolded = loaded.unfolded;
        self.stand();
    }

    /// What is held and does not simply count.
    #[must_use]
    pub fn strays(&self) -> &Strays {
        &self.strays
    }

    /// The newest entry of each writer, as far as its chain stands here.
    #[must_use]
    pub fn heads(&self) -> &BTreeMap<WriterId, Head> {
        &self.heads
    }

    /// Everything that the ledger holds.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn pack(&self) -> Result<Pack, LedgerError> {
        let bodies = super::load::exported(&self.path, &self.connection)?;
        Pack::held(bodies).map_err(|error| {
            LedgerError::new(&self.path, LedgerErrorKind::Other(error.to_string()))
        })
    }

    /// The number of the newest entry of each writer that a hub was seen to hold.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn seen(&self, hub: &str) -> Result<BTreeMap<WriterId, u64>, LedgerError> {
        let failed = |error: rusqlite::Error| LedgerError::sqlite(&self.path, &error);
        let mut statement = self
            .connection
            .prepare("SELECT writer, number FROM seen WHERE hub = ?1")
            .map_err(failed)?;
        let rows = statement
            .query_map([hub], |row| {
                Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, i64>(1)?))
            })
            .map_err(failed)?;
        rows.map(|row| {
            let (writer, number) = row.map_err(failed)?;
            Ok((
                WriterId::from_bytes(writer),
                u64::try_from(number).unwrap_or(0),
            ))
        })
        .collect()
    }

    /// Remembers what a hub holds.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing was written.
    pub fn see(&mut self, hub: &str, heads: &BTreeMap<WriterId, u64>) -> Result<(), LedgerError> {
        let failed = |error: rusqlite::Error| LedgerError::sqlite(&self.path, &error);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        for (writer, number) in heads {
            let number = i64::try_from(*number).unwrap_or(i64::MAX);
            transaction
                .execute(
                    "INSERT INTO seen (hub, writer, number) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (hub, writer) DO UPDATE SET number = max(number, excluded.number)",
                    params![hub, writer.as_bytes(), number],
                )
                .map_err(failed)?;
        }
        crate::failpoint::hit("ledger.see.before-commit");
        transaction.commit().map_err(failed)?;
        crate::failpoint::hit("ledger.see.after-commit");
        Ok(())
    }
}

pub(super) fn by_writer(heads: Vec<Head>) -> BTreeMap<WriterId, Head> {
    heads.into_iter().map(|head| (head.writer, head)).collect()
}

fn continues(head: Option<&Head>, entry: &Entry) -> bool {
    entry.number == head.map_or(1, |head| head.number + 1)
        && entry.prev == head.map(|head| head.hash)
}

fn holds(connection: &Connection, hash: ChainHash) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM entry WHERE hash = ?1) OR EXISTS (SELECT 1 FROM aside WHERE hash = ?1)",
    )?;
    statement.query_row([hash.as_bytes()], |row| row.get(0))
}

fn insert(connection: &Connection, table: &str, row: &Packed) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(&format!(
        "INSERT INTO {table} (writer, number, hash, body) VALUES (?1, ?2, ?3, ?4)"
    ))?;
    let number = i64::try_from(row.entry.number).unwrap_or(i64::MAX);
    statement.execute(params![
        row.entry.writer.as_bytes(),
        number,
        row.hash.as_bytes(),
        row.body
    ])?;
    Ok(())
}

/// The entry among those kept aside that continues a chain; of several the one with the least hash, so
/// that the file is the same whatever came first. That there are several is found when it is read.
fn next_aside(
    connection: &Connection,
    writer: WriterId,
    head: Option<&Head>,
) -> rusqlite::Result<Option<Packed>> {
    let number = head.map_or(1, |head| head.number + 1);
    let mut statement = connection.prepare_cached(
        "SELECT body FROM aside WHERE writer = ?1 AND number = ?2 \
         AND hash NOT IN (SELECT hash FROM entry) ORDER BY hash",
    )?;
    let bodies: Vec<String> = statement
        .query_map(
            params![writer.as_bytes(), i64::try_from(number).unwrap_or(i64::MAX)],
            |row| row.get(0),
        )?
        .collect::<rusqlite::Result<_>>()?;
    let mut rows = bodies.into_iter().filter_map(|body| {
        let entry = Entry::from_body(&body).ok()?;
        let hash = Entry::hash_of(body.as_bytes());
        Some(Packed { hash, entry, body })
    });
    Ok(rows.find(|row| continues(head, &row.entry)))
}
