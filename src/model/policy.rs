//! The policy: the chain of environments and what each requires. Read from `tollgate.toml` by `cli`.

use serde::Serialize;

use super::EnvironmentName;

/// The chain, in order. Never empty, no two environments of one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// The environments; their order is the chain.
    pub environments: Vec<Environment>,
}

/// One environment of the chain. How to reach its target is not policy and is kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
}

impl Policy {
    /// The place of an environment in the chain.
    #[must_use]
    pub fn position(&self, name: &EnvironmentName) -> Option<usize> {
        self.environments
            .iter()
            .position(|environment| environment.name == *name)
    }

    /// Whether `order`, `modified` and `missing` warn instead of refusing: in the first environment
    /// of several, where people switch branches, edit and merge.
    #[must_use]
    pub fn is_lenient(&self, position: usize) -> bool {
        position == 0 && self.environments.len() > 1
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &EnvironmentName> {
        self.environments
            .iter()
            .map(|environment| &environment.name)
    }
}
