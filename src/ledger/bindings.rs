//! Which of the targets that an environment ever had is the present one.

use std::collections::{BTreeMap, BTreeSet};

use super::order::Key;
use super::view::{EnvironmentView, View};
use crate::digest::ChainHash;
use crate::model::entry::TargetIdentity;
use crate::model::{EnvironmentName, IncarnationId, Kind, WriterId};

/// One time that a writer met a target, or bound the environment to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) key: Key,
    pub(super) target: TargetIdentity,
    /// The incarnation that it took the place of, another one.
    pub(super) replaces: Option<IncarnationId>,
}

/// Bindings that stand in a snapshot and were not read: databases of CI that are gone are many, and nearly
/// never asked for. None of them took another one's place, and all are older than those at hand that did not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Older {
    /// The newest of them.
    pub(super) newest: Option<Key>,
    /// Whose they are.
    pub(super) writers: BTreeSet<WriterId>,
    /// The digests of the parts that they stand in.
    pub(super) parts: Vec<ChainHash>,
}

impl Binding {
    fn is_own(&self, own: &BTreeMap<WriterId, u64>) -> bool {
        let (_, writer, number) = self.key;
        own.get(&writer).is_some_and(|upto| number <= *upto)
    }
}

/// What was chosen, and whether nothing older could be chosen in its place.
struct Chosen<'a> {
    binding: Option<&'a Binding>,
    is_certain: bool,
}

impl EnvironmentView {
    /// Finds out which of the targets is the present one: of those that no other took the place of, the
    /// one that was met last.
    pub(super) fn select(&mut self, kind: Kind, own: &BTreeMap<WriterId, u64>) {
        let chosen = self.chosen(kind, own).binding;
        self.target = chosen.map(|binding| binding.target.clone());
    }

    /// Takes the next one into account.
    pub(super) fn bind(&mut self, next: Binding, kind: Kind, own: &BTreeMap<WriterId, u64>) {
        let is_older = |known: &Binding| known.replaces.is_none() && known.key < next.key;
        // Most often there is nothing to choose: of databases of CI each is the newest when it is met.
        if kind == Kind::Ordinary && next.replaces.is_none() && self.bindings.iter().all(is_older) {
            self.target = Some(next.target.clone());
            self.bindings.push(next);
            return;
        }
        self.bindings.push(next);
        self.select(kind, own);
    }

    fn chosen(&self, kind: Kind, own: &BTreeMap<WriterId, u64>) -> Chosen<'_> {
        match kind {
            Kind::Ordinary => self.newest(|_| true, self.older.newest.is_some()),
            Kind::Personal => self.newest_own(own),
            Kind::Ephemeral => {
                let mine = self.newest_own(own);
                match mine.binding.is_some() || !mine.is_certain {
                    true => mine,
                    false => self.newest(|_| true, self.older.newest.is_some()),
                }
            }
        }
    }

    fn newest_own(&self, own: &BTreeMap<WriterId, u64>) -> Chosen<'_> {
        let are_older = own.keys().any(|writer| self.older.writers.contains(writer));
        self.newest(|binding| binding.is_own(own), are_older)
    }

    /// The newest of some of the bindings; `are_older` says whether there may be some among the older ones.
    fn newest(&self, is_one: impl Fn(&Binding) -> bool, are_older: bool) -> Chosen<'_> {
        let ones = || self.bindings.iter().filter(|binding| is_one(binding));
        let replaced: BTreeSet<IncarnationId> =
            ones().filter_map(|binding| binding.replaces).collect();
        let stands = |binding: &&Binding| !replaced.contains(&binding.target.incarnation);
        let standing = ones().filter(stands).max_by_key(|binding| binding.key);
        let is_newer = standing.is_some_and(|binding| Some(binding.key) > self.older.newest);
        Chosen {
            binding: standing.or_else(|| ones().max_by_key(|binding| binding.key)),
            is_certain: !are_older || is_newer,
        }
    }
}

impl View {
    /// The environments of which the older bindings have to be read to know the present target.
    pub(super) fn undecided(&self) -> Vec<EnvironmentName> {
        let is_undecided = |(name, here): &(&EnvironmentName, &EnvironmentView)| {
            here.older.newest.is_some()
                && !here.chosen(self.kind(name), &self.stands.own).is_certain
        };
        let all = self.environments.iter().filter(is_undecided);
        all.map(|(name, _)| name.clone()).collect()
    }

    /// Takes an environment's older bindings in.
    pub(super) fn give_older(&mut self, name: &EnvironmentName, older: Vec<Binding>) {
        let kind = self.kind(name);
        let Some(here) = self.environments.get_mut(name) else {
            return;
        };
        here.bindings.extend(older);
        here.bindings.sort_by_key(|binding| binding.key);
        here.older = Older::default();
        here.select(kind, &self.stands.own);
    }

    fn kind(&self, name: &EnvironmentName) -> Kind {
        self.stands.kinds.get(name).copied().unwrap_or_default()
    }
}
