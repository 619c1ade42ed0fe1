//! Looks at the scripts of a tree, each as a plan of its own or some together, and brings together what
//! was found in them with what was found about them.

use std::collections::BTreeMap;

use super::rules::not_analysed;
use super::{Before, Finding, Script, allow, look, look_each};
use crate::model::MigrationId;
use crate::model::entry::Engine;

/// Which scripts of a tree are looked at. Both as places in the tree, in order.
#[derive(Debug, Clone, Copy)]
pub enum Plans<'a> {
    /// Each as its own plan, with all before it standing.
    Each(&'a [usize]),
    /// These as one plan, with all others standing.
    Together(&'a [usize]),
}

impl Plans<'_> {
    /// The places of those that are looked at.
    #[must_use]
    pub const fn places(&self) -> &[usize] {
        match self {
            Self::Each(places) | Self::Together(places) => places,
        }
    }
}

/// Everything that is found in and about these scripts: `about` is what the caller found by comparing, of
/// any migration, one that is gone included. What scripts allow is marked, and by migration and place.
#[must_use]
pub fn check(
    engine: Engine,
    scripts: &[Script<'_>],
    plans: Plans<'_>,
    mut about: Vec<Finding>,
) -> Vec<Finding> {
    let found = match plans {
        Plans::Each(places) => look_each(engine, scripts, places).findings,
        Plans::Together(places) => together(engine, scripts, places),
    };
    about.extend(found);
    let scripts_of = |place: &usize| scripts.get(*place);
    let unread = plans.places().iter().filter_map(scripts_of);
    about.extend(unread.filter_map(not_analysed::check));
    let mut by_migration: BTreeMap<MigrationId, Vec<Finding>> = BTreeMap::new();
    for finding in about {
        let its = by_migration.entry(finding.migration.clone()).or_default();
        its.push(finding);
    }
    for script in plans
        .places()
        .iter()
        .filter_map(|place| scripts.get(*place))
    {
        let allows = allow::read(engine, script).allows;
        if allows.is_empty() {
            continue;
        }
        let its = by_migration.entry(script.migration.clone()).or_default();
        allow::mark(&allows, its);
        its.extend(allow::unused(script, &allows, its));
    }
    for its in by_migration.values_mut() {
        its.sort_by_key(|finding| (finding.range.start, finding.range.end));
    }
    by_migration.into_values().flatten().collect()
}

fn together(engine: Engine, scripts: &[Script<'_>], places: &[usize]) -> Vec<Finding> {
    let (mut standing, mut plan) = (Vec::new(), Vec::new());
    for (place, script) in scripts.iter().enumerate() {
        match places.binary_search(&place) {
            Ok(_) => plan.push(*script),
            Err(_) => standing.push(*script),
        }
    }
    let before = Before {
        standing: &standing,
        is_empty: false,
    };
    look(engine, before, &plan).findings
}
