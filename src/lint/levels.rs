//! How much the findings of each rule weigh here: `[lint]` of `tollgate.toml`.

use std::collections::BTreeMap;

use super::{Level, Rule};

/// What differs from the rules' own levels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Levels(BTreeMap<&'static str, Option<Level>>);

impl Levels {
    /// Says how much a rule weighs; `None`: it is off.
    pub fn set(&mut self, rule: &'static Rule, level: Option<Level>) {
        self.0.insert(rule.code, level);
    }

    /// How much the findings of a rule weigh; `None`: they are not told.
    #[must_use]
    pub fn of(&self, rule: &Rule) -> Option<Level> {
        self.0.get(rule.code).copied().unwrap_or(Some(rule.level))
    }
}
