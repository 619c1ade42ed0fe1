//! The parts of a snapshot: what stands in each, field by field.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::codec::{Damaged, Kept, Reader, Writer, kept, put_all, take_all};
use crate::digest::ChainHash;
use crate::ledger::approvals::Approvals;
use crate::ledger::bindings::{Binding, Older};
use crate::ledger::debts::{Debts, Review, Run};
use crate::ledger::life::{Attempted, Backup, Failed, Life, Looked, Standing, Success};
use crate::ledger::order::{Key, Order, Times};
use crate::ledger::rehearsals::{Rehearsals, Rehearsed};
use crate::ledger::reverts::{Incident, Reverts, Rollback};
use crate::ledger::view::{EnvironmentView, KnownPolicy, View};
use crate::ledger::waivers::{Said, Waivers};
use crate::model::entry::Head;
use crate::model::{EnvironmentName, IncarnationId, WriterId};

kept! {
    Success {
        checksum, sha256, at, by, origin, kind, down, attempt, receipt, writer, ran_in, preview,
        waivers, release, debts, told_by,
    }
    Backup { entry, by, at }
    Looked { at, receipt, differences }
    Attempted { intent, at, by, origin, writer }
    Failed { attempted, at, error, progress }
    Standing { attempt, script, progress, at, reason }
    Life {
        applied, open, partial, standing, failed, attempts, receipts, backups, looked, rehearsed,
        undone, released, ended, lost,
    }
    Rehearsed { down, at, by, told_by }
    Said { waiver, blake3, down }
    Waivers { said, spent }
    Run { migration, checksum, debt, at, by }
    Review { by, at, note }
    Debts { runs, left_nothing, stand, reviews }
    Approvals { said, told }
    KnownPolicy { key, seen, at, by }
    Binding { key, target, replaces }
    Older { newest, writers, parts }
    Rollback { reverts, checksum, reason, incident, at, by }
    Incident { id, migration, environment, reason, at, by }
    Reverts { rollbacks, incidents }
    Covered { heads, last, count }
    Folded { covered, view, lives }
}

impl Kept for Rehearsals {
    fn put(&self, out: &mut Writer) {
        self.0.put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Kept::take(from).map(Self)
    }
}

/// Of the entries' times only the newest of each writer: what asks for an earlier one is not folded
/// from a snapshot.
impl Kept for Order {
    fn put(&self, out: &mut Writer) {
        out_number(self.times.len(), out);
        for (writer, times) in &self.times {
            writer.put(out);
            times.len().put(out);
            times.last().put(out);
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let times: Vec<(WriterId, u64, Option<i64>)> = Kept::take(from)?;
        let of = |(writer, count, last): (WriterId, u64, Option<i64>)| {
            Some((writer, Times::ending(count, last?)))
        };
        let times: Option<BTreeMap<WriterId, Times>> = times.into_iter().map(of).collect();
        Ok(Self {
            times: times.ok_or(Damaged)?,
        })
    }
}

fn out_number(number: usize, out: &mut Writer) {
    (number as u64).put(out);
}

/// The lives and the attempts stand by themselves, because most of them are never asked for again. Which
/// target is the present one is found out anew.
impl Kept for EnvironmentView {
    fn put(&self, out: &mut Writer) {
        let Self {
            target: _,
            evidence,
            rehearsals,
            waivers,
            debts,
            approvals,
            policy,
            last_failure,
            lives: _,
            held: _,
            bindings,
            older,
            attempts_at: _,
            early,
            spoken,
            nothing: _,
        } = self;
        evidence.put(out);
        rehearsals.put(out);
        waivers.put(out);
        debts.put(out);
        approvals.put(out);
        policy.put(out);
        last_failure.put(out);
        bindings.put(out);
        older.put(out);
        early.put(out);
        spoken.put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Ok(Self {
            target: None,
            evidence: Kept::take(from)?,
            rehearsals: Kept::take(from)?,
            waivers: Kept::take(from)?,
            debts: Kept::take(from)?,
            approvals: Kept::take(from)?,
            policy: Kept::take(from)?,
            last_failure: Kept::take(from)?,
            lives: BTreeMap::new(),
            held: Arc::default(),
            bindings: Kept::take(from)?,
            older: Kept::take(from)?,
            attempts_at: HashMap::default(),
            early: Kept::take(from)?,
            spoken: Kept::take(from)?,
            nothing: Life::default(),
        })
    }
}

/// Whose state it is to be is said by whoever reads it.
impl Kept for View {
    fn put(&self, out: &mut Writer) {
        let Self {
            environments,
            chain,
            chained,
            overruled,
            after,
            spoke_of,
            order,
            stands: _,
            reverts,
        } = self;
        environments.put(out);
        chain.put(out);
        chained.put(out);
        overruled.put(out);
        after.put(out);
        spoke_of.put(out);
        order.put(out);
        reverts.put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        Ok(Self {
            environments: Kept::take(from)?,
            chain: Kept::take(from)?,
            chained: Kept::take(from)?,
            overruled: Kept::take(from)?,
            after: Kept::take(from)?,
            spoke_of: Kept::take(from)?,
            order: Kept::take(from)?,
            stands: Default::default(),
            reverts: Kept::take(from)?,
        })
    }
}

/// Which entries a snapshot stands for: of every writer those up to its head, and of all entries those up
/// to the last one, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Covered {
    pub(super) heads: BTreeMap<WriterId, Head>,
    pub(super) last: Key,
    pub(super) count: u64,
}

/// The state, without the lives and the attempts.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) covered: Covered,
    pub(super) view: View,
    pub(super) lives: Lives,
}

/// The lives that a snapshot holds.
pub(super) type Lives = BTreeMap<EnvironmentName, Held>;

/// The lives of one environment's targets that a snapshot holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Held {
    /// In their order.
    pub(super) lives: Arc<[IncarnationId]>,
    /// The digests of their bytes, one for each of them.
    pub(super) digests: Vec<ChainHash>,
    /// Those that are asked for also where they are not the present one's.
    pub(super) wanted: BTreeSet<IncarnationId>,
}

impl Held {
    /// The digest of a life's bytes; `None` where it is not held.
    pub(super) fn digest(&self, life: IncarnationId) -> Option<ChainHash> {
        let place = self.lives.binary_search(&life).ok()?;
        self.digests.get(place).copied()
    }
}

impl Kept for Held {
    fn put(&self, out: &mut Writer) {
        put_all(self.lives.iter().map(|life| *life.as_bytes()), out);
        put_all(self.digests.iter().map(|digest| *digest.as_bytes()), out);
        self.wanted.put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Damaged> {
        let lives = take_all(from, IncarnationId::from_bytes)?;
        let digests = take_all(from, ChainHash::from_bytes)?;
        let is_sorted = lives.is_sorted_by(|one, next| one < next);
        if !is_sorted || lives.len() != digests.len() {
            return Err(Damaged);
        }
        Ok(Self {
            lives: lives.into(),
            digests,
            wanted: Kept::take(from)?,
        })
    }
}
