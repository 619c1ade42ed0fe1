//! How a snapshot is written: as few bytes as are quick to read. It is read by the very version that wrote
//! it and by no other, so nothing in it has a name, and no field may be left out.
//!
//! Texts stand once, in a table before the rest: the same few people, machines and migrations are named
//! again and again. What is rare stands as JSON.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::digest::{ChainHash, Checksum, Sha256};
use crate::ledger::hasher::Keyed;
use crate::ledger::view::{Applied, Attempts, Success, Versions};
use crate::model::entry::{
    BackedUp, Ending, Engine, Failure, Head, How, Intent, Outcome, Place, PolicySeen, Progress,
    ReceiptRef, TargetIdentity,
};
use crate::model::{
    Actor, Approval, AttemptId, Debt, EnvironmentName, IncarnationId, IncidentId, IncidentName,
    MigrationId, Origin, ReceiptKind, RehearsedDown, Release, Timestamp, Waiver, WriterId,
};

/// The bytes are not what this version writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) struct Damaged;

/// What can stand in a snapshot.
pub(in crate::ledger) trait Kept: Sized {
    /// Writes it.
    fn put(&self, out: &mut Writer);
    /// Reads it.
    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged>;
}

/// Bytes that are being written.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Writer {
    bytes: Vec<u8>,
    texts: Vec<String>,
    known: HashMap<String, u64, Keyed>,
}

impl Writer {
    /// The whole: the table of texts, and what was put.
    pub(in crate::ledger) fn finish(self) -> Vec<u8> {
        let mut head = Self::default();
        head.number(self.texts.len() as u64);
        for text in &self.texts {
            head.number(text.len() as u64);
            head.raw(text.as_bytes());
        }
        head.raw(&self.bytes);
        head.bytes
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn text(&mut self, text: &str) {
        let place = match self.known.get(text) {
            Some(place) => *place,
            None => {
                let place = self.texts.len() as u64;
                self.texts.push(text.to_owned());
                self.known.insert(text.to_owned(), place);
                place
            }
        };
        self.number(place);
    }
}

/// Bytes that are being read.
#[derive(Debug)]
pub(in crate::ledger) struct Reader<'a> {
    rest: &'a [u8],
    texts: Vec<Text<'a>>,
}

/// A text, and what was made of it: the same names are read again and again, and share it.
#[derive(Debug, Clone)]
struct Text<'a> {
    text: &'a str,
    migration: Option<MigrationId>,
    environment: Option<EnvironmentName>,
}

impl<'a> Reader<'a> {
    pub(in crate::ledger) fn new(bytes: &'a [u8]) -> Result<Self, Damaged> {
        let mut reader = Self {
            rest: bytes,
            texts: Vec::new(),
        };
        let count = reader.count()?;
        let mut texts = Vec::with_capacity(count);
        for _ in 0..count {
            let length = reader.count()?;
            let text = reader.raw(length)?;
            texts.push(Text {
                text: std::str::from_utf8(text).map_err(|_| Damaged)?,
                migration: None,
                environment: None,
            });
        }
        reader.texts = texts;
        Ok(reader)
    }

    /// Nothing is left over.
    pub(in crate::ledger) fn end(&self) -> Result<(), Damaged> {
        self.rest.is_empty().then_some(()).ok_or(Damaged)
    }

    fn raw(&mut self, length: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u64, Damaged> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(Damaged)?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damaged)
    }

    /// A number of things that follow, each of at least one byte.
    fn count(&mut self) -> Result<usize, Damaged> {
        let count = usize::try_from(self.number()?).map_err(|_| Damaged)?;
        (count <= self.rest.len()).then_some(count).ok_or(Damaged)
    }

    fn text(&mut self) -> Result<&'a str, Damaged> {
        self.named().map(|known| known.text)
    }

    fn named(&mut self) -> Result<&mut Text<'a>, Damaged> {
        let place = usize::try_from(self.number()?).map_err(|_| Damaged)?;
        self.texts.get_mut(place).ok_or(Damaged)
    }
}

impl Kept for u64 {
    fn put(&self, out: &mut Writer) {
        out.number(*self);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        from.number()
    }
}

impl Kept for i64 {
    fn put(&self, out: &mut Writer) {
        out.raw(&self.to_le_bytes());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let bytes = from.raw(8)?.try_into().map_err(|_| Damaged)?;
        Ok(Self::from_le_bytes(bytes))
    }
}

impl Kept for u32 {
    fn put(&self, out: &mut Writer) {
        out.number(u64::from(*self));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Self::try_from(from.number()?).map_err(|_| Damaged)
    }
}

impl Kept for bool {
    fn put(&self, out: &mut Writer) {
        out.bytes.push(u8::from(*self));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        match from.raw(1)? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Damaged),
        }
    }
}

impl Kept for String {
    fn put(&self, out: &mut Writer) {
        out.text(self);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        from.text().map(str::to_owned)
    }
}

impl<T: Kept> Kept for Option<T> {
    fn put(&self, out: &mut Writer) {
        self.is_some().put(out);
        if let Some(thing) = self {
            thing.put(out);
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        bool::take(from)?.then(|| T::take(from)).transpose()
    }
}

impl<A: Kept, B: Kept> Kept for (A, B) {
    fn put(&self, out: &mut Writer) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Ok((A::take(from)?, B::take(from)?))
    }
}

impl<A: Kept, B: Kept, C: Kept> Kept for (A, B, C) {
    fn put(&self, out: &mut Writer) {
        self.0.put(out);
        self.1.put(out);
        self.2.put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Ok((A::take(from)?, B::take(from)?, C::take(from)?))
    }
}

impl<T: Kept> Kept for Vec<T> {
    fn put(&self, out: &mut Writer) {
        out.number(self.len() as u64);
        for thing in self {
            thing.put(out);
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let count = from.count()?;
        let mut things = Self::with_capacity(count);
        for _ in 0..count {
            things.push(T::take(from)?);
        }
        Ok(things)
    }
}

impl<T: Kept + Ord> Kept for BTreeSet<T> {
    fn put(&self, out: &mut Writer) {
        out.number(self.len() as u64);
        for thing in self {
            thing.put(out);
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        // They stand in their order, in which a tree is built quickly.
        Ok(Vec::take(from)?.into_iter().collect())
    }
}

impl<K: Kept + Ord, V: Kept> Kept for BTreeMap<K, V> {
    fn put(&self, out: &mut Writer) {
        out.number(self.len() as u64);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Ok(Vec::<(K, V)>::take(from)?.into_iter().collect())
    }
}

impl<T: Kept> Kept for Arc<T> {
    fn put(&self, out: &mut Writer) {
        self.as_ref().put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        T::take(from).map(Self::new)
    }
}

impl Kept for Applied {
    fn put(&self, out: &mut Writer) {
        self.0.put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Kept::take(from).map(Self)
    }
}

/// As the map that it is.
impl Kept for Versions {
    fn put(&self, out: &mut Writer) {
        self.0.put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Ok(Vec::<(Checksum, Arc<Success>)>::take(from)?
            .into_iter()
            .collect())
    }
}

/// Things of a length that is known: they are read at once.
pub(super) fn put_all<const N: usize>(
    all: impl ExactSizeIterator<Item = [u8; N]>,
    out: &mut Writer,
) {
    out.number(all.len() as u64);
    all.for_each(|bytes| out.raw(&bytes));
}

/// What [`put_all`] wrote.
pub(super) fn take_all<const N: usize, T>(
    from: &mut Reader<'_>,
    make: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>, Damaged> {
    let length = from.count()?.checked_mul(N).ok_or(Damaged)?;
    let (all, _) = from.raw(length)?.as_chunks::<N>();
    Ok(all.iter().map(|bytes| make(*bytes)).collect())
}

impl Kept for Attempts {
    fn put(&self, out: &mut Writer) {
        let sorted = self.sorted();
        put_all(sorted.iter().map(|attempt| *attempt.as_bytes()), out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Self::held(take_all(from, AttemptId::from_bytes)?).ok_or(Damaged)
    }
}

macro_rules! kept_bytes {
    ($($name:ident $length:literal),*) => {$(
        impl Kept for $name {
            fn put(&self, out: &mut Writer) {
                out.raw(self.as_bytes());
            }

            fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
                let bytes = from.raw($length)?.try_into().map_err(|_| Damaged)?;
                Ok(Self::from_bytes(bytes))
            }
        }
    )*};
}

kept_bytes!(
    Checksum 32, Sha256 32, ChainHash 32, WriterId 16, AttemptId 16, IncarnationId 16, IncidentId 16
);

/// Every field of a struct, in the order in which they are given; one that is left out does not compile.
macro_rules! kept {
    ($($name:ty { $($field:ident),* $(,)? })*) => {$(
        impl $crate::ledger::snapshot::codec::Kept for $name {
            fn put(&self, out: &mut $crate::ledger::snapshot::codec::Writer) {
                let Self { $($field),* } = self;
                $($crate::ledger::snapshot::codec::Kept::put($field, out);)*
            }

            fn take(
                from: &mut $crate::ledger::snapshot::codec::Reader<'_>,
            ) -> Result<Self, $crate::ledger::snapshot::codec::Damaged> {
                Ok(Self { $($field: $crate::ledger::snapshot::codec::Kept::take(from)?),* })
            }
        }
    )*};
}
pub(in crate::ledger) use kept;

kept! {
    Head { writer, number, hash }
    Place { writer, number }
    ReceiptRef { seq, hash }
    Progress { done, of }
    Failure { message, code, line }
    TargetIdentity { incarnation, engine, system, database, name }
}

macro_rules! kept_text {
    ($($name:ident),*) => {$(
        impl Kept for $name {
            fn put(&self, out: &mut Writer) {
                out.text(&self.0);
            }

            fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
                String::take(from).map(Self)
            }
        }
    )*};
}

kept_text!(Actor, IncidentName);

impl Kept for MigrationId {
    fn put(&self, out: &mut Writer) {
        out.text(self.as_str());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let known = from.named()?;
        let text = known.text;
        let migration = known.migration.get_or_insert_with(|| Self::new(text));
        Ok(migration.clone())
    }
}

impl Kept for EnvironmentName {
    fn put(&self, out: &mut Writer) {
        out.text(self.as_str());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let known = from.named()?;
        if known.environment.is_none() {
            known.environment = known.text.parse().ok();
        }
        known.environment.clone().ok_or(Damaged)
    }
}

impl Kept for Timestamp {
    fn put(&self, out: &mut Writer) {
        self.unix_millis().put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        i64::take(from).map(Self::from_unix_millis)
    }
}

macro_rules! kept_words {
    ($($name:ident { $($word:ident $number:literal),* $(,)? })*) => {$(
        impl Kept for $name {
            fn put(&self, out: &mut Writer) {
                out.bytes.push(match self { $(Self::$word => $number),* });
            }

            fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
                match from.raw(1)? {
                    $([$number] => Ok(Self::$word),)*
                    _ => Err(Damaged),
                }
            }
        }
    )*};
}

kept_words! {
    ReceiptKind {
        Atomic 0, Journalled 1, Resolved 2, Prisma 3, Baselined 4, Rehearsed 5, Undone 6,
    }
    Engine { Postgresql 0, Sqlite 1 }
    Ending { Succeeded 0, Failed 1, Unknown 2 }
    How { Receipt 0, NoTrace 1, Journal 2, JournalComplete 3, NotRun 4 }
}

impl Kept for Origin {
    fn put(&self, out: &mut Writer) {
        match self {
            Self::Person { host } => {
                out.bytes.push(0);
                host.put(out);
            }
            Self::Ci { system, run } => {
                out.bytes.push(1);
                system.put(out);
                run.put(out);
            }
            Self::Prisma {
                row,
                checksum,
                started,
                steps,
            } => {
                out.bytes.push(2);
                row.put(out);
                checksum.put(out);
                started.put(out);
                steps.put(out);
            }
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Ok(match from.raw(1)? {
            [0] => Self::Person {
                host: Kept::take(from)?,
            },
            [1] => Self::Ci {
                system: Kept::take(from)?,
                run: Kept::take(from)?,
            },
            [2] => Self::Prisma {
                row: Kept::take(from)?,
                checksum: Kept::take(from)?,
                started: Kept::take(from)?,
                steps: Kept::take(from)?,
            },
            _ => return Err(Damaged),
        })
    }
}

macro_rules! kept_json {
    ($($name:ident),*) => {$(
        impl Kept for $name {
            fn put(&self, out: &mut Writer) {
                // What could not be written would be no JSON when it is read: the snapshot is then not used.
                out.text(&serde_json::to_string(self).unwrap_or_default());
            }

            fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
                serde_json::from_str(from.text()?).map_err(|_| Damaged)
            }
        }
    )*};
}

kept_json!(
    Waiver,
    Debt,
    Release,
    Approval,
    RehearsedDown,
    Intent,
    BackedUp,
    PolicySeen,
    Outcome
);
