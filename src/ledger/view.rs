//! The state that the entries add up to: a pure fold, never stored.
//!
//! Two things are kept apart for each environment. What is **applied** is what the receipts of its
//! present target say; it is lost when another target takes its place. What is **promoted** is every
//! success there ever was, by (migration, checksum), whoever's; it is never lost.
//!
//! The entries of many writers come in the one order of [`super::order`]. What they say of a target they
//! say of one life of it, so what is said of another one, or of somebody else's, never mixes with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Deref;
use std::sync::Arc;

use super::order::{Key, Order};
use crate::digest::{ChainHash, Checksum};
use crate::model::entry::{
    Absorbed, Bound, Chained, Head, Intent, Outcome, Place, PolicySeen, TargetIdentity, Verdict,
};
use crate::model::{
    Actor, Approval, ApprovedPlan, AttemptId, Entry, EnvironmentName, Fact, IncarnationId, Kind,
    MigrationId, Policy, Receipt, Timestamp, WriterId,
};

pub use super::applied::Applied;
use super::approvals::Approvals;
pub use super::attempts::Attempts;
use super::bindings::Binding;
pub(super) use super::bindings::Older;
use super::debts::Debts;
pub use super::debts::{OpenedDebt, Owed, Review};
use super::hasher::Keyed;
use super::life::Ended;
pub use super::life::{Attempted, Backup, Failed, Life, Looked, Standing, Success};
use super::rehearsals::Rehearsals;
pub use super::rehearsals::Rehearsed;
pub use super::reverts::{Incident, Reverts, Rollback};
pub use super::soak::Soaking;
pub use super::versions::Versions;
pub use super::waivers::Waived;
use super::waivers::Waivers;

/// What the ledger knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    pub(super) environments: BTreeMap<EnvironmentName, EnvironmentView>,
    pub(super) chain: Vec<EnvironmentName>,
    /// The entries that said the chain.
    pub(super) chained: BTreeSet<Place>,
    /// Those that a person's word stands above.
    pub(super) overruled: BTreeSet<Place>,
    /// The head that each writer goes on from.
    pub(super) after: BTreeMap<WriterId, Head>,
    /// Which life of an environment's target a writer last spoke of.
    pub(super) spoke_of: BTreeMap<(EnvironmentName, WriterId), IncarnationId>,
    pub(super) order: Order,
    pub(super) stands: Stand,
    pub(super) reverts: Reverts,
}

/// Whose state it is: a personal environment has another target for every writer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stand {
    pub(super) kinds: BTreeMap<EnvironmentName, Kind>,
    /// The writers whose entries are this ledger's own, and up to which number.
    pub(super) own: BTreeMap<WriterId, u64>,
}

/// What the ledger knows of one environment. It stands for the life of its present target: `applied`,
/// `open` and the others are that one's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvironmentView {
    /// The target it is bound to; `None` before the first contact.
    pub target: Option<TargetIdentity>,
    /// Every success there ever was, by migration and checksum: the evidence. The first one counts.
    pub evidence: BTreeMap<MigrationId, Versions>,
    /// The newest rehearsal of every pair of scripts there ever was: of `migration.sql` and of `down.sql`.
    pub(super) rehearsals: Rehearsals,
    pub(super) waivers: Waivers,
    pub(super) debts: Debts,
    pub(super) approvals: Approvals,
    /// What the policy was last known to ask of it.
    pub(super) policy: Option<KnownPolicy>,
    /// When an attempt at a migration last failed, on whatever target and whatever came after.
    pub(super) last_failure: BTreeMap<MigrationId, Timestamp>,
    pub(super) lives: BTreeMap<IncarnationId, Life>,
    /// The lives that a snapshot holds, in their order; nobody has asked yet for those that are not among
    /// [`Self::lives`]: see [`super::snapshot`].
    pub(super) held: Arc<[IncarnationId]>,
    pub(super) bindings: Vec<Binding>,
    /// The bindings that a snapshot holds and nobody has asked for.
    pub(super) older: Older,
    /// The life in which each attempt was made; of those that a snapshot holds only the ones that were asked for.
    pub(super) attempts_at: HashMap<AttemptId, IncarnationId, Keyed>,
    /// What was said of the end of attempts before they were begun, by clocks that disagree.
    pub(super) early: BTreeMap<AttemptId, Vec<(Outcome, Timestamp)>>,
    /// Who resolved an attempt before it was begun.
    pub(super) spoken: BTreeMap<AttemptId, WriterId>,
    pub(super) nothing: Life,
}

/// What the policy was known to ask of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPolicy {
    pub(super) key: Key,
    /// What was seen.
    pub seen: PolicySeen,
    /// When.
    pub at: Timestamp,
    /// By whose run.
    pub by: Actor,
}

impl Deref for EnvironmentView {
    type Target = Life;

    fn deref(&self) -> &Life {
        let life = match &self.target {
            Some(target) => self.lives.get(&target.incarnation),
            // Attempts that came without the entry that says of which target they are.
            None if self.bindings.is_empty() => self.lives.values().next(),
            None => None,
        };
        life.unwrap_or(&self.nothing)
    }
}

impl EnvironmentView {
    /// The success of exactly these bytes in this environment, at any time.
    #[must_use]
    pub fn evidence_of(&self, migration: &MigrationId, checksum: Checksum) -> Option<&Success> {
        self.evidence.get(migration)?.get(checksum)
    }

    /// The newest rehearsal of exactly these bytes of `migration.sql` and of `down.sql` in this
    /// environment, passed or not.
    #[must_use]
    pub fn rehearsal_of(
        &self,
        migration: &MigrationId,
        up: Checksum,
        down: Checksum,
    ) -> Option<&Rehearsed> {
        self.rehearsals.of_bytes(migration, up, down)
    }

    /// Every rehearsal of a migration in this environment, of whatever bytes.
    pub fn rehearsals_of(
        &self,
        migration: &MigrationId,
    ) -> impl Iterator<Item = (&(Checksum, Checksum), &Rehearsed)> {
        self.rehearsals.of(migration)
    }

    /// Who approved a saved plan, by its id, in the order of the entries' places.
    #[must_use]
    pub fn approvals_of(&self, plan: ChainHash) -> Vec<&Approval> {
        self.approvals.of(plan)
    }

    /// Every saved plan that somebody approved, by its id.
    #[must_use]
    pub fn approved_plans(&self) -> Vec<ApprovedPlan> {
        self.approvals.all()
    }

    /// What the policy was last known to ask of it; `None` where an acting verb never saw it ask for anything.
    #[must_use]
    pub const fn known_policy(&self) -> Option<&KnownPolicy> {
        self.policy.as_ref()
    }

    /// Every backup of any target that it ever had.
    pub fn all_backups(&self) -> impl Iterator<Item = &Backup> {
        self.lives.values().flat_map(|life| &life.backups)
    }

    /// Whether that is, or once was, its target.
    #[must_use]
    pub fn has_had(&self, target: IncarnationId) -> bool {
        self.lives.contains_key(&target) || self.held.binary_search(&target).is_ok()
    }

    /// Whether a life is in a snapshot, and was not read.
    pub(super) fn is_unread(&self, life: IncarnationId) -> bool {
        !self.lives.contains_key(&life) && self.held.binary_search(&life).is_ok()
    }

    fn life(&mut self, incarnation: IncarnationId) -> &mut Life {
        self.lives.entry(incarnation).or_default()
    }

    pub(super) fn life_of(&self, attempt: AttemptId) -> Option<IncarnationId> {
        self.attempts_at.get(&attempt).copied()
    }

    /// Takes the end of an attempt into account, in the life in which it was made.
    fn end(&mut self, life: IncarnationId, outcome: &Outcome, at: Timestamp) {
        match self.life(life).end(outcome, at) {
            Ended::Nothing => {}
            Ended::Failed => {
                let last = self.last_failure.entry(outcome.migration.clone());
                let last = last.or_insert(at);
                *last = at.max(*last);
            }
            Ended::Succeeded(success) => {
                self.prove(&outcome.migration, &success, &outcome.environment);
                self.life(life).record(&outcome.migration, success);
            }
        }
    }

    /// A copied target brings the receipts of another environment along. They say what is applied here,
    /// and are no evidence that this environment was passed. Nor is a person's word, nor what ran while
    /// the environment stood outside the chain.
    fn prove(
        &mut self,
        migration: &MigrationId,
        success: &Arc<Success>,
        environment: &EnvironmentName,
    ) {
        let proves = success.ran_in == *environment && success.is_evidence();
        let Some(checksum) = success.checksum.filter(|_| proves) else {
            return;
        };
        let of_bytes = self.evidence.entry(migration.clone()).or_default();
        let first = |known: &Success| {
            // What is known by itself before what another receipt tells of it.
            let place =
                |success: &Success| (success.at, success.receipt.hash, success.told_by.is_some());
            place(known) <= place(success)
        };
        if !of_bytes.get(checksum).is_some_and(first) {
            of_bytes.put(checksum, Arc::clone(success));
        }
    }
}

/// Whether two are equal in every field but some; one that is not named does not compile.
macro_rules! equal_but {
    ($one:ident, $other:ident: $name:ident { $($same:ident),* } but $($left:ident),*) => {{
        let $name { $($same),*, $($left: _),* } = $one;
        true $(&& *$same == $other.$same)*
    }};
}

impl EnvironmentView {
    /// But for the lives and the attempts.
    pub(super) fn is_same_besides_lives(&self, other: &Self) -> bool {
        equal_but!(self, other: EnvironmentView {
            target, evidence, rehearsals, waivers, debts, approvals, policy, last_failure, bindings, older, early,
            spoken, nothing
        } but lives, held, attempts_at)
    }
}

impl View {
    /// But for the environments.
    pub(super) fn is_same_besides_environments(&self, other: &Self) -> bool {
        equal_but!(self, other: View {
            chain, chained, overruled, after, spoke_of, order, stands, reverts
        } but environments)
    }

    /// What is known of an environment; `None` where no entry speaks of it.
    #[must_use]
    pub fn get(&self, name: &EnvironmentName) -> Option<&EnvironmentView> {
        self.environments.get(name)
    }

    /// Every waiver that was written for an environment, used or not: everybody's, but in a personal one
    /// only this ledger's own, because it is about this ledger's own target.
    #[must_use]
    pub fn waivers(&self, name: &EnvironmentName) -> Vec<Waived> {
        let Some(view) = self.get(name) else {
            return Vec::new();
        };
        let is_personal = self.stands.kinds.get(name) == Some(&Kind::Personal);
        let is_own = |place: Place| {
            let upto = self.stands.own.get(&place.writer);
            upto.is_some_and(|upto| place.number <= *upto)
        };
        let all = view.waivers.all();
        all.filter(|waived| !is_personal || is_own(waived.waiver.entry))
            .collect()
    }

    /// Every debt of an environment, open or paid, in the order in which they were opened.
    #[must_use]
    pub fn debts(&self, name: &EnvironmentName) -> Vec<OpenedDebt> {
        self.get(name)
            .map_or_else(Vec::new, |here| here.debts.all(self, name))
    }

    /// Whether these bytes ran there, as a debt asks for it: on the ordinary way, or through broken glass
    /// that is paid for. `passed` holds the environments that ask already.
    pub(super) fn is_run_in(
        &self,
        name: &EnvironmentName,
        migration: &MigrationId,
        checksum: Checksum,
        passed: &mut BTreeSet<EnvironmentName>,
    ) -> bool {
        // What nobody asks for any more, by a person's word in the ledger, is not owed any more.
        if !self.chain.is_empty() && !self.chain.contains(name) {
            return true;
        }
        let Some(there) = self.get(name) else {
            return false;
        };
        there.evidence_of(migration, checksum).is_some()
            || (passed.insert(name.clone())
                && there
                    .debts
                    .is_paid_for(self, name, (migration, checksum), passed))
    }

    /// The chain that the ledger holds environments to; empty before the first run.
    #[must_use]
    pub fn chain(&self) -> &[EnvironmentName] {
        &self.chain
    }

    /// The entries that said the chain.
    #[must_use]
    pub fn chained(&self) -> Vec<Place> {
        self.chained.iter().copied().collect()
    }

    /// The same state without a migration in an environment's target: as it is when that was undone.
    #[must_use]
    pub fn as_if_undone(&self, environment: &EnvironmentName, migration: &MigrationId) -> Self {
        let mut view = self.clone();
        if let Some(here) = view.environments.get_mut(environment)
            && let Some(target) = &here.target
            && let Some(life) = here.lives.get_mut(&target.incarnation)
        {
            life.applied.0.remove(migration);
        }
        view
    }

    /// The rollbacks that were written, and the emergencies.
    #[must_use]
    pub fn reverts(&self) -> &Reverts {
        &self.reverts
    }

    /// Every environment that an entry speaks of, by name.
    pub fn environments(&self) -> impl Iterator<Item = (&EnvironmentName, &EnvironmentView)> {
        self.environments.iter()
    }

    /// Says whose state it is to be: the writer that goes on here, the head that it goes on from where no
    /// entry says so yet, and what the policy says of the environments.
    pub fn stand(&mut self, writer: Option<WriterId>, after: Option<Head>, policy: &Policy) {
        if let (Some(writer), Some(after)) = (writer, after) {
            self.after.insert(writer, after);
        }
        let mut own = BTreeMap::new();
        let mut next = writer.map(|writer| (writer, u64::MAX));
        while let Some((writer, upto)) = next {
            if own.insert(writer, upto).is_some() {
                break;
            }
            let before = self.after.get(&writer);
            next = before.map(|head| (head.writer, head.number));
        }
        let kinds = policy
            .names()
            .map(|name| (name.clone(), policy.kind(name)))
            .collect();
        self.stands = Stand { kinds, own };
        for (name, view) in &mut self.environments {
            let kind = self.stands.kinds.get(name).copied().unwrap_or_default();
            view.select(kind, &self.stands.own);
        }
    }

    /// The life of the environment's target that this ledger itself last spoke of.
    #[must_use]
    pub fn met(&self, environment: &EnvironmentName, writer: WriterId) -> Option<IncarnationId> {
        let mut writer = Some(writer);
        let mut passed = BTreeSet::new();
        while let Some(one) = writer.filter(|one| passed.insert(*one)) {
            let known = self.spoke_of.get(&(environment.clone(), one));
            if let Some(known) = known {
                return Some(*known);
            }
            writer = self.after.get(&one).map(|head| head.writer);
        }
        None
    }

    /// Whether an entry may be written after those before it.
    ///
    /// # Errors
    /// A clause that says how it contradicts them.
    pub fn check(&self, entry: &Entry) -> Result<(), String> {
        says(entry)?;
        match &entry.fact {
            Fact::Outcome(outcome) => {
                let here = self.get(&outcome.environment);
                let life = here.and_then(|here| here.lives.get(&here.life_of(outcome.attempt)?));
                life.unwrap_or(&Life::default()).check_outcome(outcome)
            }
            Fact::Intent(intent) => {
                let here = self.get(&intent.environment);
                let life = here.and_then(|here| here.lives.get(&intent.target));
                life.map_or(Ok(()), |life| life.check_intent(intent))
            }
            _ => Ok(()),
        }
    }

    /// Takes the next entry into account. What contradicts the entries before it changes nothing.
    pub fn step(&mut self, entry: &Entry) {
        let key = self.order.key(entry);
        if says_besides_receipts(entry).is_err() {
            return;
        }
        match &entry.fact {
            // What was taken in is told by its receipts. Which of two entries is believed was decided
            // before they were put in their order.
            Fact::Refused(_) | Fact::TakenIn(_) | Fact::Believed(_) | Fact::Restored(_) => {}
            Fact::Rehearsed(rehearsed) if rehearsed.preview => {}
            Fact::Rehearsed(rehearsed) => {
                let known = Rehearsed::told(rehearsed, entry);
                self.entry(&rehearsed.environment).rehearsals.take(
                    &rehearsed.migration,
                    rehearsed.blake3,
                    known,
                );
            }
            Fact::Verified(verified) => {
                let view = self.entry(&verified.environment);
                let Some(life) = view.lives.get_mut(&verified.target) else {
                    return;
                };
                let looked = Looked {
                    at: entry.at,
                    receipt: verified.receipt.map(|receipt| receipt.seq),
                    differences: verified.differences,
                };
                if life
                    .looked
                    .as_ref()
                    .is_none_or(|known| known.at <= looked.at)
                {
                    life.looked = Some(looked);
                }
            }
            Fact::Waived(waived) => {
                let view = self.entry(&waived.environment);
                view.waivers.say(waived, entry);
            }
            // Each of its steps says what it owes, once it is begun.
            Fact::BrokeGlass(_) => {}
            Fact::Approved(approved) => {
                let view = self.entry(&approved.environment);
                view.approvals.say(approved, entry);
            }
            Fact::Policy(seen) => {
                let view = self.entry(&seen.environment);
                if view.policy.as_ref().is_none_or(|known| known.key < key) {
                    view.policy = Some(KnownPolicy {
                        key,
                        seen: seen.clone(),
                        at: entry.at,
                        by: entry.by.actor.clone(),
                    });
                }
            }
            Fact::PostReviewed(reviewed) => {
                self.entry(&reviewed.environment)
                    .debts
                    .review(reviewed, entry);
            }
            Fact::BackedUp(backed_up) => {
                let backup = Backup {
                    entry: backed_up.clone(),
                    by: entry.by.actor.clone(),
                    at: entry.at,
                };
                let life = self.entry(&backed_up.environment).life(backed_up.target);
                let of = backed_up.receipt;
                if of.is_none_or(|of| !life.has_lost(of.hash)) {
                    life.backups.push(backup);
                }
            }
            Fact::Reverted(reverted) => self.reverts.take(entry, reverted),
            Fact::Emergency(emergency) => self.reverts.open(entry, emergency),
            Fact::Opened(opened) => {
                if let Some(after) = opened.after {
                    self.after.insert(entry.writer, after);
                }
            }
            Fact::Chained(chained) => {
                let place = Place {
                    writer: entry.writer,
                    number: entry.number,
                };
                self.chained.insert(place);
                self.overruled.extend(&chained.over);
                if !self.overruled.contains(&place) {
                    self.take_chain(chained);
                }
            }
            Fact::Bound(bound) => self.bound(key, bound),
            Fact::Intent(intent) => self.begin(entry, intent),
            Fact::Outcome(outcome) => {
                let view = self.entry(&outcome.environment);
                let life = view.life_of(outcome.attempt);
                let open = life.and_then(|life| view.lives.get(&life)?.open.get(&outcome.attempt));
                let owes_nothing = open.is_some_and(|open| open.intent.debt.is_none());
                view.debts.end(outcome, owes_nothing);
                let Some(life) = life else {
                    let early = view.early.entry(outcome.attempt).or_default();
                    early.push((outcome.clone(), entry.at));
                    return;
                };
                view.end(life, outcome, entry.at);
            }
            Fact::Absorbed(absorbed) => {
                let Ok(receipt) = read_absorbed(absorbed) else {
                    return;
                };
                let met = self.met(&absorbed.environment, entry.writer);
                let view = self.entry(&absorbed.environment);
                let life = met.unwrap_or(receipt.target);
                let migration = receipt.migration.clone();
                if receipt.environment == absorbed.environment {
                    view.waivers.spend(&receipt.waivers, receipt.attempt);
                    view.debts.receive(&receipt);
                    view.approvals.tell(receipt.release.as_ref());
                }
                if let Some((up, rehearsed)) = Rehearsed::of(&receipt) {
                    view.life(life).take_rehearsal(receipt.seq, absorbed.hash);
                    // A copied target brings the receipts of another environment along.
                    if receipt.environment == absorbed.environment && !receipt.preview {
                        view.rehearsals.take(&migration, up, rehearsed);
                    }
                    return;
                }
                let earlier = Success::earlier(&receipt);
                let earlier_rehearsals = Rehearsed::earlier(&receipt);
                let success = Arc::new(view.life(life).receive(receipt, absorbed.hash));
                view.prove(&migration, &success, &absorbed.environment);
                view.life(life).record(&migration, success);
                for success in earlier.into_iter().map(Arc::new) {
                    let there = success.ran_in.clone();
                    self.entry(&there).prove(&migration, &success, &there);
                }
                for (there, up, rehearsed) in earlier_rehearsals {
                    self.entry(&there)
                        .rehearsals
                        .take(&migration, up, rehearsed);
                }
            }
            Fact::Resolved(resolved) => {
                let met = self.met(&resolved.environment, entry.writer);
                let view = self.entry(&resolved.environment);
                if view.life_of(resolved.attempt).is_none() {
                    view.spoken.insert(resolved.attempt, entry.writer);
                }
                if let Some(life) = view.life_of(resolved.attempt).or(met) {
                    view.attempts_at.insert(resolved.attempt, life);
                    view.life(life).resolve(resolved, entry.at);
                }
            }
        }
    }

    fn bound(&mut self, key: Key, bound: &Bound) {
        let incarnation = bound.target.incarnation;
        let (_, writer, _) = key;
        self.spoke_of
            .insert((bound.environment.clone(), writer), incarnation);
        let Stand { kinds, own } = self.stands.clone();
        let kind = kinds.get(&bound.environment).copied().unwrap_or_default();
        let view = self.entry(&bound.environment);
        let again = bound.replaces == Some(incarnation);
        let life = view.life(incarnation);
        if again {
            life.put_back(&bound.lost);
        }
        let binding = Binding {
            key,
            target: bound.target.clone(),
            replaces: bound.replaces.filter(|_| !again),
        };
        view.bind(binding, kind, &own);
    }

    fn begin(&mut self, entry: &Entry, intent: &Intent) {
        let attempted = Attempted {
            intent: intent.clone(),
            at: entry.at,
            by: entry.by.actor.clone(),
            origin: entry.by.origin.clone(),
            writer: entry.writer,
        };
        let attempt = intent.attempt;
        let here = self.entry(&intent.environment);
        here.waivers.spend(&intent.waivers, attempt);
        here.debts.begin(intent, entry);
        here.approvals.tell(intent.release.as_ref());
        let spoken = here.spoken.get(&attempt).copied();
        // Another one's attempt that a person settled: its beginning came late, and begins nothing.
        if spoken.is_some_and(|resolver| !self.descends(entry.writer, resolver)) {
            return;
        }
        let view = self.entry(&intent.environment);
        view.attempts_at.insert(attempt, intent.target);
        view.life(intent.target).begin(attempted);
        for (outcome, at) in view.early.remove(&attempt).unwrap_or_default() {
            view.end(intent.target, &outcome, at);
        }
    }

    /// Whether a writer is another one, or goes on from it.
    fn descends(&self, writer: WriterId, earlier: WriterId) -> bool {
        let mut next = Some(writer);
        let mut passed = BTreeSet::new();
        while let Some(one) = next.filter(|one| passed.insert(*one)) {
            if one == earlier {
                return true;
            }
            next = self.after.get(&one).map(|head| head.writer);
        }
        false
    }

    /// A chain that only grew takes the place of the known one. One that lacks something adds what it
    /// has: whoever wrote it may not know more. Only what a person took out, with a reason, goes.
    fn take_chain(&mut self, chained: &Chained) {
        self.chain = match &chained.reason {
            None if follows(&chained.environments, &self.chain) => chained.environments.clone(),
            None => join(&self.chain, &chained.environments),
            Some(_) => {
                let rest: Vec<EnvironmentName> = self
                    .chain
                    .iter()
                    .filter(|name| !chained.without.contains(name))
                    .cloned()
                    .collect();
                join(&chained.environments, &rest)
            }
        };
    }

    fn entry(&mut self, name: &EnvironmentName) -> &mut EnvironmentView {
        self.environments.entry(name.clone()).or_default()
    }
}

/// Whether a chain has everything of an earlier one, in the same order.
fn follows(chain: &[EnvironmentName], earlier: &[EnvironmentName]) -> bool {
    let mut rest = chain.iter();
    earlier.iter().all(|name| rest.any(|known| known == name))
}

/// The first chain, and what only the second one has: each behind what stands before it there.
fn join(first: &[EnvironmentName], second: &[EnvironmentName]) -> Vec<EnvironmentName> {
    let mut joined = first.to_vec();
    for (place, name) in second.iter().enumerate() {
        if joined.contains(name) {
            continue;
        }
        let before = second[..place].iter().rev();
        let behind = before
            .filter_map(|earlier| joined.iter().position(|known| known == earlier))
            .next();
        joined.insert(behind.map_or(0, |at| at + 1), name.clone());
    }
    joined
}

/// Whether an entry makes sense by itself.
///
/// # Errors
/// A clause that says why not.
pub(super) fn says(entry: &Entry) -> Result<(), String> {
    match &entry.fact {
        Fact::Absorbed(absorbed) => read_absorbed(absorbed).map(|_| ()),
        _ => says_besides_receipts(entry),
    }
}

/// The same, but for the receipt that it may hold: whoever takes that into account reads it.
fn says_besides_receipts(entry: &Entry) -> Result<(), String> {
    match &entry.fact {
        Fact::Outcome(outcome) => of_success(outcome),
        Fact::Resolved(resolved)
            if (resolved.verdict == Verdict::ContinueAt)
                != (resolved.script.is_some() && resolved.progress.is_some()) =>
        {
            Err("it must name the script and how much of it stands if, and only if, it says continue-at".to_owned())
        }
        _ => Ok(()),
    }
}

fn of_success(outcome: &Outcome) -> Result<(), String> {
    let succeeded = outcome.outcome == crate::model::entry::Ending::Succeeded;
    if succeeded != outcome.receipt.is_some() {
        return Err("it must name a receipt if, and only if, it says succeeded".to_owned());
    }
    Ok(())
}

/// The receipt that an entry holds, if it has the hash that the entry names.
pub(super) fn read_absorbed(absorbed: &Absorbed) -> Result<Receipt, String> {
    if Receipt::hash_of(&absorbed.body) != absorbed.hash {
        return Err("the receipt it holds does not have the hash it names".to_owned());
    }
    let receipt: Receipt = serde_json::from_str(&absorbed.body)
        .map_err(|error| format!("the receipt it holds cannot be read: {error}"))?;
    if receipt.v != 1 {
        return Err(format!(
            "the receipt it holds has format version {}, and this tool reads 1",
            receipt.v
        ));
    }
    Ok(receipt)
}
