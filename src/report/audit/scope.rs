//! Which part of the ledger a report covers, and what was known at its instant.

use std::collections::BTreeSet;

use super::{EnvironmentTold, Identity, Inputs, Known};
use crate::ledger::View;
use crate::model::{Entry, EnvironmentName, Fact, Timestamp};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Entries that are later count for nothing.
    pub as_of: Timestamp,
    /// Only rows from this instant on.
    pub from: Option<Timestamp>,
    /// Only rows before this instant.
    pub to: Option<Timestamp>,
    /// Only rows of these environments; of all where it is empty.
    pub environments: Vec<EnvironmentName>,
    /// Show names of machines and addresses of CI runs.
    pub with_hosts: bool,
    /// Show what databases said in errors.
    pub with_errors: bool,
}

impl Scope {
    /// Everything that is known at an instant.
    #[must_use]
    pub const fn all(as_of: Timestamp) -> Self {
        Self {
            as_of,
            from: None,
            to: None,
            environments: Vec::new(),
            with_hosts: false,
            with_errors: false,
        }
    }

    /// Whether an environment is asked for.
    #[must_use]
    pub fn has(&self, environment: &EnvironmentName) -> bool {
        self.environments.is_empty() || self.environments.contains(environment)
    }

    /// Whether an instant is in the period.
    #[must_use]
    pub fn covers(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to)
    }

    /// Whether a part was left out.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        self.from.is_some() || self.to.is_some() || !self.environments.is_empty()
    }
}

/// Takes the entries up to the instant. Of each writer those before its first later one: its clock may have
/// been set back after that.
pub(super) fn know<'a>(inputs: &'a Inputs<'a>) -> Known<'a> {
    let mut past = BTreeSet::new();
    let mut entries = Vec::new();
    let mut view = View::default();
    for pair in inputs.entries {
        let entry = &pair.1;
        if entry.at > inputs.scope.as_of || past.contains(&entry.writer) {
            past.insert(entry.writer);
            continue;
        }
        view.step(entry);
        entries.push(pair);
    }
    view.stand(None, None, inputs.policy);
    // The chain that the ledger holds environments to; before the first run the one that is configured.
    let chain: Vec<EnvironmentName> = match view.chain() {
        [] => inputs.policy.chain().cloned().collect(),
        known => known.to_vec(),
    };
    let environments = environments(&entries, &chain, &view, inputs);
    let debts = environments.iter().flat_map(|it| {
        let debts = view.debts(&it.name).into_iter();
        debts.map(|debt| (it.name.clone(), debt))
    });
    Known {
        debts: debts.collect(),
        later: inputs.entries.len() - entries.len(),
        inputs,
        entries,
        view,
        chain,
        environments,
    }
}

fn environments(
    entries: &[&(crate::digest::ChainHash, Entry)],
    chain: &[EnvironmentName],
    view: &View,
    inputs: &Inputs<'_>,
) -> Vec<EnvironmentTold> {
    let mut names: Vec<EnvironmentName> = chain.to_vec();
    let others = inputs
        .policy
        .names()
        .chain(view.environments().map(|(name, _)| name));
    let refused = entries.iter().filter_map(|(_, entry)| match &entry.fact {
        Fact::Refused(refused) => Some(&refused.environment),
        _ => None,
    });
    for name in others.chain(refused) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let identities = |name: &EnvironmentName| {
        let mut out: Vec<Identity> = Vec::new();
        for (_, entry) in entries {
            let Fact::Bound(bound) = &entry.fact else {
                continue;
            };
            let incarnation = bound.target.incarnation.to_string();
            if bound.environment == *name && !out.iter().any(|it| it.incarnation == incarnation) {
                out.push(Identity {
                    bound: entry.at,
                    incarnation,
                    engine: bound.target.engine,
                    name: bound.target.name.clone(),
                    system: bound.target.system.clone(),
                    database: bound.target.database,
                });
            }
        }
        out
    };
    let place = |name: &EnvironmentName| {
        let place = chain.iter().position(|known| known == name);
        place.map(|place| place + 1)
    };
    let told = names.into_iter().map(|name| EnvironmentTold {
        place: place(&name),
        targets: identities(&name),
        name,
    });
    told.collect()
}
