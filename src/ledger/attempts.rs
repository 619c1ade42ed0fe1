//! The attempts at one target: a long ledger knows of some hundred thousand.

use std::collections::HashSet;

use super::hasher::Keyed;
use crate::model::AttemptId;

/// A set of attempts. Those that a snapshot held stand one after another, as they are read; only those that
/// came since are put in one by one.
#[derive(Debug, Clone, Default)]
pub struct Attempts {
    /// In their order.
    held: Vec<AttemptId>,
    /// None of those above.
    since: HashSet<AttemptId, Keyed>,
}

impl Attempts {
    /// Those that a snapshot held; `None` where they are not in their order, each once.
    pub(super) fn held(held: Vec<AttemptId>) -> Option<Self> {
        held.is_sorted_by(|one, next| one < next).then(|| Self {
            held,
            since: HashSet::default(),
        })
    }

    /// Whether it is one of them.
    #[must_use]
    pub fn contains(&self, attempt: &AttemptId) -> bool {
        self.since.contains(attempt) || self.held.binary_search(attempt).is_ok()
    }

    /// How many they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len() + self.since.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn insert(&mut self, attempt: AttemptId) {
        if self.held.binary_search(&attempt).is_err() {
            self.since.insert(attempt);
        }
    }

    /// All of them, in their order.
    pub(super) fn sorted(&self) -> Vec<AttemptId> {
        let mut all: Vec<AttemptId> = self.held.iter().chain(&self.since).copied().collect();
        all.sort_unstable();
        all
    }
}

impl PartialEq for Attempts {
    fn eq(&self, other: &Self) -> bool {
        let all = |one: &Self| {
            one.held
                .iter()
                .chain(&one.since)
                .all(|it| other.contains(it))
        };
        self.len() == other.len() && all(self)
    }
}

impl Eq for Attempts {}

impl FromIterator<AttemptId> for Attempts {
    fn from_iter<T: IntoIterator<Item = AttemptId>>(all: T) -> Self {
        Self {
            held: Vec::new(),
            since: all.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: &[u8]) -> Vec<AttemptId> {
        let id = |number: &u8| AttemptId::from_bytes([*number; 16]);
        numbers.iter().map(id).collect()
    }

    #[test]
    fn those_that_were_held_and_those_that_came_since_are_one_set() {
        let mut attempts = Attempts::held(of(&[2, 4, 6])).unwrap();
        for attempt in of(&[4, 5, 1, 5, 6]) {
            attempts.insert(attempt);
        }
        assert_eq!(attempts.sorted(), of(&[1, 2, 4, 5, 6]));
        assert_eq!(attempts.len(), 5);
        let all: Attempts = of(&[6, 5, 4, 2, 1]).into_iter().collect();
        assert_eq!(attempts, all);
        assert_eq!(all, attempts);
        let other: Attempts = of(&[6, 5, 4, 3, 1]).into_iter().collect();
        assert_ne!(attempts, other);
        let fewer: Attempts = of(&[6, 5, 4, 2]).into_iter().collect();
        assert_ne!(attempts, fewer);
        assert_ne!(fewer, attempts);
        assert!(of(&[1, 2]).iter().all(|it| attempts.contains(it)));
        assert!(!attempts.contains(&of(&[3])[0]));
    }

    #[test]
    fn what_is_out_of_order_was_not_held() {
        assert_eq!(Attempts::held(of(&[4, 2])), None);
        assert_eq!(Attempts::held(of(&[2, 2])), None);
        assert!(Attempts::held(Vec::new()).unwrap().is_empty());
    }
}
