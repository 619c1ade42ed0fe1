//! The rules, in one list.

pub mod allowing;
pub mod place;

use super::Rule;

/// Every rule, in the order of `docs/LINT.md`.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    place::ALL.into_iter().chain(allowing::ALL)
}
